"""The attributes of rules as SQL expressions, in the words of each engine.

Answers of custom fields lie in JSON and are whatever a form, a file or a program sent: an answer that is not of its
field's type is unknown here as it is in ``rules.catalogue.typed``, and never an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Float,
    String,
    and_,
    case,
    cast,
    collate,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from handsel.accounts.models import Account
from handsel.leads.models import Company, Lead
from handsel.leads.stages.models import LeadBant
from handsel.rules.catalogue import LONGEST_NUMBER, Attribute

Sql = ColumnElement[Any]

_COLUMNS: dict[str, Any] = {
    "email": Lead.email, "name": Lead.name, "company": Lead.company, "job_title": Lead.job_title, "phone": Lead.phone,
    "country": Lead.country, "stage": Lead.stage, "stage_since": Lead.stage_at, "score": Lead.score, "fit": Lead.fit,
    "interest": Lead.interest, "source": Lead.source, "captured": Lead.captured_at, "confirmed": Lead.confirmed_at,
    "last_form": Lead.last_capture_at, "last_act": Lead.acted_at}
_OF_COMPANY: dict[str, Any] = {"company_size": Company.size, "industry": Company.industry, "revenue": Company.revenue,
                               "company_country": Company.country}
_RECKONED = frozenset({"domain", "quality", "bant", "owner"})
_NUMBER = r"^[ \t\r\n]*-?(0|[1-9][0-9]*)(\.[0-9]+)?[ \t\r\n]*$"
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DAY_GLOB = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


@dataclass(frozen=True)
class Values:
    """Values of leads for one engine."""

    sqlite: bool

    def of(self, attribute: Attribute) -> Sql:
        """The value: a text that is never NULL, or a number, an instant or a day, NULL where it is unknown."""
        name = attribute.name
        if attribute.custom:
            return self._answer(attribute)
        if name in _OF_COMPANY:
            return self._of_company(attribute)
        return self._reckoned(name) if name in _RECKONED else _COLUMNS[name]

    def _reckoned(self, name: str) -> Sql:
        """What lies in no column as it is asked for."""
        if name == "domain":
            return (func.substr(Lead.email, func.instr(Lead.email, "@") + 1) if self.sqlite
                    else func.split_part(Lead.email, "@", 2))
        if name == "quality":
            return cast(Lead.quality, Float(53)) / 10
        if name == "bant":
            met = select(func.count()).where(LeadBant.lead_id == Lead.id, LeadBant.met)
            return met.correlate(Lead).scalar_subquery()
        mail = select(Account.email).where(Account.id == Lead.owner_id)
        return func.coalesce(mail.correlate(Lead).scalar_subquery(), "")

    def small(self, value: Any) -> Sql:
        """The text with the letters A to Z as small ones, and no others changed."""
        return func.lower(value) if self.sqlite else func.lower(collate(value, "C"))

    def within(self, part: str, whole: Any) -> Sql:
        """Whether ``part`` stands in ``whole``, letter by letter."""
        found = func.instr(whole, part) if self.sqlite else func.strpos(whole, part)
        return found > 0

    def _of_company(self, attribute: Attribute) -> Sql:
        """What we know of the company, or else what the person answered."""
        column = _OF_COMPANY[attribute.name]
        nothing: Any = "" if attribute.type == "text" else 0
        known = select(func.nullif(column, nothing)).where(Company.id == Lead.company_id).correlate(
            Lead).scalar_subquery()
        return func.coalesce(known, self._answer(attribute))

    # --- answers --------------------------------------------------------------------------------------------------

    def _answer(self, attribute: Attribute) -> Sql:
        said = self._said(attribute.name)
        if attribute.type == "number":
            return self._number(attribute.name, said)
        if attribute.day:
            shaped = said.op("GLOB")(_DAY_GLOB) if self.sqlite else said.regexp_match(_DAY)
            return case((and_(self._is_text(attribute.name), shaped), said))
        return case((self._is_text(attribute.name), said), else_="")

    def _path(self, name: str) -> str:
        return f"$.{name}"

    def _json(self, name: str) -> Sql:
        return Lead.custom.op("->")(literal(name, String))

    def _said(self, name: str) -> Sql:
        """The answer as text."""
        if self.sqlite:
            return func.json_extract(Lead.custom, self._path(name), type_=String())
        return Lead.custom.op("->>", return_type=String())(literal(name, String))

    def _kind(self, name: str) -> Sql:
        if self.sqlite:
            return func.coalesce(func.json_type(Lead.custom, self._path(name), type_=String()), "")
        return func.coalesce(func.json_typeof(self._json(name), type_=String()), "")

    def _is_text(self, name: str) -> Sql:
        return self._kind(name) == ("text" if self.sqlite else "string")

    def _number(self, name: str, said: Sql) -> Sql:
        kinds = ("integer", "real") if self.sqlite else ("number",)
        # CASE keeps the order: a text is only read as a number once it is known to be one.
        return case((self._kind(name).in_(kinds), cast(said, Float(53))),
                    (and_(self._is_text(name), self._is_number(said)), cast(said, Float(53))))

    def _is_number(self, said: Sql) -> Sql:
        short = func.length(said) <= LONGEST_NUMBER
        if not self.sqlite:
            return and_(short, said.regexp_match(_NUMBER))
        plain = case((func.json_valid(said) == 1, func.json_type(said).in_(("integer", "real"))), else_=False)
        return and_(short, plain, said.op("NOT GLOB")("*[eE]*"))

    def switch(self, name: str) -> Sql:
        """The answer is yes."""
        said, yes = self._said(name), ("yes", "true")
        if self.sqlite:
            return or_(self._kind(name) == "true", and_(self._is_text(name), said.in_(yes)))
        return and_(self._kind(name).in_(("boolean", "string")), said.in_(yes))

    def choices(self, name: str, values: Iterable[str]) -> Sql:
        """The answers hold one of ``values``."""
        each, of = self._each(name)
        return exists(select(1).select_from(each).where(of.in_(tuple(values))))

    def any_choice(self, name: str) -> Sql:
        """There is any answer."""
        each, of = self._each(name)
        return exists(select(1).select_from(each).where(of != ""))

    def _each(self, name: str) -> tuple[Any, Sql]:
        """The single answers of a field with several, as a table and its column of texts (NULL for what is none)."""
        if self.sqlite:
            listed = case((self._kind(name).in_(("array", "text")), Lead.custom), else_="{}")
            each = func.json_each(listed, self._path(name)).table_valued("value", "type")
            return each, case((each.c.type == "text", each.c.value))
        whole, kind = self._json(name), self._kind(name)
        listed = case((kind == "array", whole), (kind == "string", func.json_build_array(whole)),
                      else_=cast(literal("[]", String), JSON))
        found = func.json_array_elements(listed).table_valued("value")
        text = found.c.value.op("#>>", return_type=String())(literal_column("'{}'"))
        return found, case((func.json_typeof(found.c.value) == "string", text))
