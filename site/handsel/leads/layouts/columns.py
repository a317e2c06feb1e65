"""The columns that a file of leads can have: what each is called, means, and is made of in the database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from handsel.errors import HandselError, nearest

Kind = Literal["text", "list", "number", "time", "custom"]
CUSTOM = "custom"
"""Stands for all custom fields, in the order of their names."""
_ANSWER = re.compile(r"ANSWER\((\w+)\)")
NOT_PROVIDED = "[not provided]"  # what Salesforce's own manual says to write where it demands a value


@dataclass(frozen=True)
class Column:
    """One column.

    ``sql`` gives its text, never NULL, in words that both engines know but for ANSWER(field), a custom field's answer;
    ``lead`` is the table. A ``list`` may hold commas. ``foreign`` says that its text is no cell that ``lead.plain``
    answers for.
    """

    name: str
    label: str
    sql: str
    kind: Kind = "text"
    group: str = "The person"
    foreign: bool = False

    def text(self, dialect: str) -> str:
        """``sql`` in the words of one engine."""
        form = "json_extract(lead.custom, '$.{}')" if dialect == "sqlite" else "(lead.custom ->> '{}')"
        return _ANSWER.sub(lambda found: form.format(found[1]), self.sql)


@dataclass(frozen=True)
class Chosen:
    """A column of one file, under the heading that it has there."""

    column: Column
    heading: str


def _text(expression: str) -> str:
    return f"coalesce(CAST({expression} AS TEXT), '')"


def _company(column: str, answer: str = "") -> str:
    """What is kept of the company; else what the person said of it."""
    told = f"CAST(ANSWER({answer}) AS TEXT), " if answer else ""
    nobody = "lead.company_id IS NULL" + (" AND CAST(lead.custom AS TEXT) = '{}'" if answer else "")
    return (f"CASE WHEN {nobody} THEN '' ELSE coalesce(nullif((SELECT CAST(company.{column} AS TEXT) "  # noqa: S608
            f"FROM company WHERE company.id = lead.company_id), ''), {told}'') END")


def _owner(column: str) -> str:
    return (f"CASE WHEN lead.owner_id IS NULL THEN '' ELSE coalesce((SELECT account.{column} FROM account "  # noqa: S608
            "WHERE account.id = lead.owner_id), '') END")


def _bant(question: str) -> str:
    return ("coalesce((SELECT lead_bant.value FROM lead_bant WHERE lead_bant.lead_id = lead.id "  # noqa: S608  our own
            f"AND lead_bant.question = '{question}'), '')")


_WORK, _SALES, _CAME, _MAIL, _BANT = ("Their company", "How ready they are", "How they came", "Mail",
                                      "Budget, authority, need, timeline")
# All behind the last @: what is left once every sign but @ is taken from the end of the address.
_DOMAIN = "substr(lead.email, length(rtrim(lead.email, replace(lead.email, '@', ''))) + 1)"
_QUALITY = ("coalesce(CAST(lead.quality / 10 AS TEXT) || '.' "
            "|| CAST(lead.quality - lead.quality / 10 * 10 AS TEXT), '')")
_BANT_MET = "CAST((SELECT count(*) FROM lead_bant WHERE lead_bant.lead_id = lead.id AND lead_bant.met) AS TEXT)"

_ALL = (
    Column("email", "E-mail", "lead.address"),
    Column("name", "Name", "lead.name"),
    Column("first_name", "First name", "lead.first_name"),
    Column("last_name", "Last name", "lead.last_name"),
    Column("company", "Company", "lead.company"),
    Column("job_title", "Job title", "lead.job_title"),
    Column("phone", "Phone", "lead.phone"),
    Column("country", "Country", "lead.country"),
    Column("domain", "Domain of the address", _DOMAIN),
    Column("stage", "Stage", "lead.stage", group=_SALES),
    Column("stage_since", "In this stage since", _text("lead.stage_at"), "time", _SALES),
    Column("score", "Score", "CAST(lead.score AS TEXT)", "number", _SALES),
    Column("fit", "Score: fit", "CAST(lead.fit AS TEXT)", "number", _SALES),
    Column("interest", "Score: interest", "CAST(lead.interest AS TEXT)", "number", _SALES),
    Column("quality", "Predicted quality in percent", _QUALITY, "number", _SALES),
    Column("owner", "Owner", _owner("email"), group=_SALES),
    Column("owner_name", "Owner's name", _owner("name"), group=_SALES, foreign=True),
    Column("bant", "Answers that speak for a sale", _BANT_MET, "number", _BANT),
    Column("bant_budget", "Budget", _bant("budget"), group=_BANT, foreign=True),
    Column("bant_authority", "Authority", _bant("authority"), group=_BANT, foreign=True),
    Column("bant_need", "Need", _bant("need"), group=_BANT, foreign=True),
    Column("bant_timeline", "Timeline", _bant("timeline"), group=_BANT, foreign=True),
    Column("tags", "Tags", "lead.tags_text", "list", _CAME),
    Column("offers", "Offers", "lead.offers_text", "list", _CAME),
    Column("source", "Source", "lead.source", group=_CAME),
    Column("captured_at", "First form", "lead.captured_at", "time", _CAME),
    Column("last_form_at", "Last form", "lead.last_capture_at", "time", _CAME),
    Column("last_act_at", "Last act", _text("lead.acted_at"), "time", _CAME),
    Column("confirmed_at", "Mailbox proven", "coalesce(lead.confirmed_at, '')", "time", _MAIL),
    Column("consent", "Agreed to", "lead.consent_text", "list", _MAIL),
    Column("unsubscribed_at", "Left all marketing mail", _text("lead.unsubscribed_at"), "time", _MAIL),
    Column("company_domain", "Company's domain", _company("domain"), group=_WORK, foreign=True),
    Column("company_name", "Company as kept", _company("name"), group=_WORK, foreign=True),
    Column("company_size", "Company: people", _company("size", "company_size"), "number", _WORK, foreign=True),
    Column("industry", "Company: industry", _company("industry", "industry"), group=_WORK, foreign=True),
    Column("revenue", "Company: revenue", _company("revenue", "revenue"), "number", _WORK, foreign=True),
    Column("company_country", "Company: country", _company("country", "company_country"), group=_WORK, foreign=True),
)
COLUMNS: Mapping[str, Column] = {column.name: column for column in _ALL}

STANDARD = ("email", "name", "company", "job_title", "phone", "country", "stage", "score", "owner", "tags", "offers",
            "source", "captured_at", "confirmed_at", "consent")
"""What a file has when nobody says otherwise; custom fields come after them."""


NOT_CUSTOM = frozenset({*STANDARD, "company_size", "industry", "revenue", "company_country"})
"""Columns whose names no custom field takes: the standard ones, and those that tell an answer of that name anyway."""


def custom(name: str, label: str = "") -> Column:
    """The column of a custom field; its text comes from the lead's answers, not from ``sql``."""
    return Column(name, label or name.replace("_", " ").capitalize(), "", "custom", "Your own fields")


def chosen(names: Iterable[str | tuple[str, str]], fields: Collection[str],
           where: str = "--columns") -> tuple[Chosen, ...]:
    """The columns of these names, each with its heading if one is given; ``custom`` stands for all of ``fields``.

    ``fields`` are the custom fields that there are. Raises HandselError for a column that there is not, for one that
    is named twice, and for none at all.
    """
    found: dict[str, Chosen] = {}
    for each in names:
        name, heading = each if isinstance(each, tuple) else (each, "")
        for one in sorted(fields) if name == CUSTOM else [name]:
            if name != CUSTOM and one in found:
                raise HandselError(where, f"The column '{one}' is named twice.", "Name it once.")
            found.setdefault(one, Chosen(_known(one, fields, where), heading or one))
    if not found:
        raise HandselError(where, "There is no column in it.", "Name at least one, such as email.")
    return tuple(found.values())


def _known(name: str, fields: Collection[str], where: str) -> Column:
    if name in fields and name not in NOT_CUSTOM:
        return custom(name)
    if name in COLUMNS:
        return COLUMNS[name]
    raise HandselError(where, f"There is no column '{name[:80]}'.", nearest(name, {*COLUMNS, *fields, CUSTOM}))
