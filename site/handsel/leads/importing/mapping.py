"""Which column of a file says what about a lead: by the names that usual programs give, or as somebody says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from handsel.errors import HandselError, nearest
from handsel.forms.library import Field
from handsel.forms.schema import STANDARD

SPECIAL = {"tags": "its tags, parted by commas", "consent": "yes, or the purposes agreed to",
           "status": "how it stands with mail where it comes from", "unsubscribed": "yes if the person left"}
"""What a column can mean beside fields."""
ASIDE = ""
"""The field of a column that is not brought in."""

# The names by which our own export, Mautic, listmonk, HubSpot and Kit know the same thing, folded as ``_folded`` does.
_KNOWN = {
    "email": "email e_mail email_address e_mail_address mail emailaddress subscriber_email",
    "name": "name full_name fullname contact_name",
    "first_name": "first_name firstname given_name forename",
    "last_name": "last_name lastname surname family_name",
    "company": "company company_name companyname organisation organization associated_company primary_company",
    "job_title": "job_title jobtitle position title_of_job role",
    "phone": "phone phone_number telephone mobile mobile_phone_number mobile_phone",
    "country": "country country_region",
    "company_size": "company_size number_of_employees no_of_employees employees num_employees",
    "industry": "industry", "revenue": "revenue annual_revenue", "company_country": "company_country",
    "tags": "tags tag",
    "consent": "consent consents",
    "status": "status subscription_status email_status state_of_subscription subscriber_status",
    "unsubscribed": "unsubscribed opted_out unsubscribed_from_all_email do_not_contact donotcontact dnc opt_out "
                    "email_opt_out has_opted_out_of_email",
}
_FIELDS = {name: field for field, names in _KNOWN.items() for name in names.split()}
# Columns of exports that say how things stood there, which we work out ourselves, and those of our own error files.
_OURS = {"row", "reason", "stage", "score", "owner", "offers", "source", "captured_at", "confirmed_at"}
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Columns:
    """By place of the column: the field that it fills; ``aside`` are the names of the columns that fill none."""

    fields: tuple[str, ...]
    aside: tuple[str, ...]


def mapped(head: Sequence[str], given: Mapping[str, str], custom: Mapping[str, Field], file: str) -> Columns:
    """The mapping of a file with the columns in ``head``.

    ``given`` is what somebody said, column to field, and wins; ``custom`` are the fields of the project's forms beside
    the standard ones. Raises HandselError for a column or field that there is not, and without e-mail addresses.
    """
    said = _said(head, given, custom)
    taken = {field for field in said.values() if field}
    fields: list[str] = []
    for place, name in enumerate(head):
        field = said[place] if place in said else _guess(name, custom)
        if place not in said and field in taken:
            field = ASIDE
        taken.add(field)
        fields.append(field)
    if "email" not in fields:
        raise HandselError(file, "No column is known to hold the e-mail addresses.",
                           f"Say which: --map \"Column=email\". The columns are: {', '.join(filter(None, head))}.")
    return Columns(tuple(fields), tuple(name for name, field in zip(head, fields, strict=True) if name and not field))


def placed(head: Sequence[str], fields: Sequence[str], custom: Mapping[str, Field]) -> Columns:
    """The mapping that somebody chose, field by field in the order of the columns. Raises HandselError."""
    chosen = [_checked(field.strip(), custom) for field in [*fields, *[ASIDE] * len(head)][:len(head)]]
    for field in chosen:
        if field and chosen.count(field) > 1:
            raise HandselError("mapping", f"Two columns are to be '{field}'.", "Leave one of them out.")
    if "email" not in chosen:
        raise HandselError("mapping", "No column holds the e-mail addresses.", "Say which one does.")
    return Columns(tuple(chosen), tuple(name for name, field in zip(head, chosen, strict=True) if name and not field))


def guessed(head: Sequence[str], custom: Mapping[str, Field]) -> list[str]:
    """What the columns are likely to hold, by their names; empty where nobody can tell."""
    fields: list[str] = []
    for name in head:
        field = _guess(name, custom)
        fields.append(ASIDE if field in fields else field)
    return fields


def own_field(name: str, custom: Mapping[str, Field]) -> str:
    """The field of its own that a column of that name can have; empty where its name makes none, or a known one."""
    folded = _folded(name)
    return folded if _FIELD_NAME.fullmatch(folded) and folded not in {*STANDARD, *SPECIAL, *custom, *_OURS} else ""


def _said(head: Sequence[str], given: Mapping[str, str], custom: Mapping[str, Field]) -> dict[int, str]:
    """What was said by hand, by place."""
    places = {name.casefold(): place for place, name in reversed(list(enumerate(head)))}
    said: dict[int, str] = {}
    for column, field in given.items():
        place = places.get(column.strip().casefold())
        if place is None:
            raise HandselError("--map", f"The file has no column '{column}'.", nearest(column, filter(None, head)))
        if field and field in said.values():
            raise HandselError("--map", f"Two columns are to be '{field}'.", "Leave one of them out: \"Column=\".")
        said[place] = _checked(field.strip(), custom)
    return said


def _checked(field: str, custom: Mapping[str, Field]) -> str:
    known = {*STANDARD, *SPECIAL, *custom}
    if field == ASIDE or field in known:
        return field
    close = get_close_matches(field, known, n=1, cutoff=0.8)
    if close or not _FIELD_NAME.fullmatch(field):
        raise HandselError("--map", f"There is no field '{field}'.", nearest(field, known))
    return field


def _guess(name: str, custom: Mapping[str, Field]) -> str:
    folded = _folded(name)
    if folded in custom and folded not in _OURS:
        return folded
    return ASIDE if folded in _OURS else _FIELDS.get(folded, ASIDE)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().casefold()).strip("_")

