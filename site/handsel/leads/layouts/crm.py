"""Layouts that are shipped: our own, and those whose headings HubSpot, Salesforce and Pipedrive know by themselves.

The headings are the labels of each program's own fields, as its manual says to write them, so that its import maps the
columns without help; where it demands a value, there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handsel.leads.layouts.columns import COLUMNS, CUSTOM, NOT_PROVIDED, STANDARD, Chosen, Column, Kind

OURS = "handsel"


@dataclass(frozen=True)
class Shipped:
    """A layout of ours. Without ``columns`` it is the standard one, which ends with all custom fields."""

    name: str
    title: str
    note: str
    columns: tuple[Chosen, ...] = ()

    @property
    def names(self) -> list[tuple[str, str]]:
        """What the chooser begins with: columns and headings."""
        if not self.columns:
            return [(name, "") for name in (*STANDARD, CUSTOM)]
        return [(each.column.name, each.heading) for each in self.columns]


def _made(heading: str, sql: str, kind: Kind = "text", name: str = "", *, foreign: bool = False) -> Chosen:
    return Chosen(Column(name or heading.lower().replace(" ", "_"), heading, sql, kind, foreign=foreign), heading)


def _as(heading: str, name: str) -> Chosen:
    return Chosen(COLUMNS[name], heading)


# The last word of the name, and what stands before it, in words of both engines: all but spaces is taken off the end.
_BEFORE = "rtrim(lead.name, replace(lead.name, ' ', ''))"
_LAST = f"substr(lead.name, length({_BEFORE}) + 1)"
_FIRST = f"rtrim({_BEFORE})"
# What follows a first name that is known in the whole name, where no form asked for the last name.
_AFTER = "lead.last_name = '' AND lead.first_name <> '' AND substr(lead.name, 1, length(lead.first_name) + 1) = " \
    "lead.first_name || ' '"
_REST = "substr(lead.name, length(lead.first_name) + 2)"
_IN_PARTS = "lead.first_name <> '' OR lead.last_name <> ''"
_WORDS = "replace(lead.name, ' ', '') <> lead.name"

_STAGES = {"iql": "Lead", "mql": "Marketing Qualified Lead", "pql": "Marketing Qualified Lead",
           "service": "Marketing Qualified Lead", "sql": "Sales Qualified Lead", "customer": "Customer"}
_LIFECYCLE = ("CASE lead.stage " + " ".join(f"WHEN '{stage}' THEN '{words}'" for stage, words in _STAGES.items())
              + " ELSE '' END")
_OUT = "CASE WHEN lead.unsubscribed_at IS NULL THEN '{}' ELSE '{}' END"

HUBSPOT = Shipped("hubspot", "HubSpot", "Contacts. In its import choose contacts, and match by e-mail. Who left all "
                  "marketing mail has yes under \"Opted out of email\": import those as an opt-out list too.", (
                      _as("Email", "email"),
                      _made("First name", f"CASE WHEN {_IN_PARTS} THEN lead.first_name WHEN {_WORDS} THEN {_FIRST} "
                            "ELSE lead.name END", foreign=True),
                      _made("Last name", f"CASE WHEN {_AFTER} THEN {_REST} WHEN {_IN_PARTS} THEN lead.last_name "
                            f"WHEN {_WORDS} THEN {_LAST} ELSE '' END", foreign=True),
                      _as("Company name", "company"), _as("Job title", "job_title"), _as("Phone number", "phone"),
                      _as("Country/Region", "country"), _as("Industry", "industry"),
                      _made("Lifecycle stage", _LIFECYCLE), _as("Contact owner", "owner"),
                      _made("Opted out of email", _OUT.format("", "yes"))))

SALESFORCE = Shipped("salesforce", "Salesforce", "Leads, for the Data Import Wizard. It demands a last name and a "
                     f"company, so {NOT_PROVIDED} stands where there is none.", (
                         _made("First Name", f"CASE WHEN {_IN_PARTS} THEN lead.first_name ELSE {_FIRST} END",
                               foreign=True),
                         _made("Last Name", f"CASE WHEN lead.last_name <> '' THEN lead.last_name "
                               f"WHEN {_AFTER} THEN {_REST} "
                               f"WHEN lead.first_name = '' AND lead.name <> '' THEN {_LAST} "
                               f"ELSE '{NOT_PROVIDED}' END", foreign=True),
                         _made("Company", f"CASE WHEN lead.company = '' THEN '{NOT_PROVIDED}' ELSE lead.company END"),
                         _as("Title", "job_title"), _as("Email", "email"), _as("Phone", "phone"),
                         _as("Country", "country"), _as("Industry", "industry"),
                         _as("No. of Employees", "company_size"), _as("Annual Revenue", "revenue"),
                         _as("Lead Source", "source"), _as("Description", "offers"), _as("Record Owner", "owner_name"),
                         _made("Email Opt Out", _OUT.format("0", "1"), "number")))

PIPEDRIVE = Shipped("pipedrive", "Pipedrive", "People with their organisations. It demands a name, so the address "
                    "stands in its place where there is none.", (
                        _made("Person - Name", "CASE WHEN lead.name = '' THEN lead.address ELSE lead.name END"),
                        _as("Person - Email", "email"), _as("Person - Phone", "phone"),
                        _as("Person - Job title", "job_title"), _as("Person - Owner", "owner_name"),
                        _as("Person - Label", "stage"), _made("Person - Marketing status", _OUT.format(
                            "", "Unsubscribed")),
                        _as("Organization - Name", "company"), _as("Organization - Country", "country"),
                        _as("Organization - Number of employees", "company_size")))

SHIPPED: Mapping[str, Shipped] = {each.name: each for each in (
    Shipped(OURS, "Everything usual", "The standard columns, then all your own fields."), HUBSPOT, SALESFORCE,
    PIPEDRIVE)}
