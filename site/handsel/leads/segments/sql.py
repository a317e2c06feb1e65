"""A condition as SQL on ``lead``: the second reading of the condition language, alike on both engines.

Each test is true or false and never NULL, so that ``not`` means what it says. What ``rules.evaluate`` says of a person
is the meaning; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, not_, or_, select

from handsel.accounts.models import Account
from handsel.db import is_sqlite
from handsel.leads.models import Lead, LeadFact, LeadOffer, LeadTag
from handsel.leads.segments.values import Values
from handsel.rules.conditions import (
    All,
    Any_,
    Condition,
    Date,
    Did,
    Holds,
    InSegment,
    Known,
    Not,
    Number,
    Text,
    Yes,
    spellings,
)
from handsel.rules.evaluate import day_of

Sql = ColumnElement[bool]


def where(condition: Condition, at: datetime, *, sqlite: bool | None = None) -> Sql:
    """The WHERE of all leads for which the condition holds at that instant; merged mailboxes are not left out here.

    ``sqlite`` says which engine it is for; the one of the current application unless given.
    """
    whole = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return _Compiler(whole, Values(is_sqlite() if sqlite is None else sqlite)).of(condition)


@dataclass(frozen=True)
class _Compiler:
    """Makes SQL of a condition as of ``at``."""

    at: datetime
    values: Values

    def of(self, condition: Condition) -> Sql:
        """The condition as SQL."""
        if isinstance(condition, All):
            return and_(*(self.of(part) for part in condition.parts))
        if isinstance(condition, Any_):
            return or_(*(self.of(part) for part in condition.parts))
        if isinstance(condition, Not):
            return not_(self.of(condition.part))
        if isinstance(condition, InSegment):
            return self.of(condition.condition)
        return _TESTS[type(condition)](self, condition)

    def known(self, test: Known) -> Sql:
        """Something is known of the attribute."""
        name = test.attribute.name
        if name == "owner":
            return Lead.owner_id.is_not(None)
        if test.attribute.type == "set":
            return self._some(name) if not test.attribute.custom else self.values.any_choice(name)
        value = self.values.of(test.attribute)
        return value != "" if test.attribute.type == "text" else value.is_not(None)

    def text(self, test: Text) -> Sql:
        """A text is, contains or starts with one of the values."""
        name = test.attribute.name
        if name == "stage" and test.op == "is":
            return Lead.stage.in_(test.values)  # without a function around it, so that the index serves
        wanted = sorted({each for value in test.values for each in spellings(value)})
        if name == "owner" and test.op == "is":
            return and_(Lead.owner_id.is_not(None),
                        Lead.owner_id.in_(select(Account.id).where(self.values.small(Account.email).in_(wanted))))
        value = self.values.small(self.values.of(test.attribute))
        if test.op == "is":
            return value.in_(wanted)
        if test.op == "contains":
            return or_(*(value.contains(each, autoescape=True) for each in wanted))
        return or_(*(func.substr(value, 1, len(each)) == each for each in wanted))

    def number(self, test: Number) -> Sql:
        """A number compares so."""
        value = self.values.of(test.attribute)
        compared = {"at_least": value >= test.value, "at_most": value <= test.value, "more_than": value > test.value,
                    "less_than": value < test.value, "is": value == test.value}[test.op]
        return and_(value.is_not(None), compared)

    def date(self, test: Date) -> Sql:
        """A date lies so."""
        value, day = self.values.of(test.attribute), test.attribute.day
        if test.moment is not None:
            bound: Any = test.moment.date().isoformat() if day else test.moment
            return and_(value.is_not(None), value >= bound if test.op == "since" else value < bound)
        assert test.length is not None
        first, last = self.at - test.length, self.at
        begin, end = (day_of(first), day_of(last)) if day else (first, last)
        lies = and_(value >= begin, value <= end) if test.op == "within" else value < begin
        return and_(value.is_not(None), lies)

    def holds(self, test: Holds) -> Sql:
        """A set holds one of the values."""
        name = test.attribute.name
        if test.attribute.custom:
            return self.values.choices(name, test.values)
        if name == "consent":
            return or_(*(self.values.within(f", {value}, ", literal(", ") + Lead.consent_text + ", ")
                         for value in test.values))
        table = LeadTag if name == "tag" else LeadOffer
        column = LeadTag.tag if name == "tag" else LeadOffer.offer
        return Lead.id.in_(select(table.lead_id).where(column.in_(test.values)))

    def _some(self, name: str) -> Sql:
        if name == "consent":
            return Lead.consent_text != ""
        return Lead.id.in_(select(LeadTag.lead_id if name == "tag" else LeadOffer.lead_id))

    def yes(self, test: Yes) -> Sql:
        """A switch is on."""
        return Lead.unsubscribed_at.is_not(None) if not test.attribute.custom else self.values.switch(
            test.attribute.name)

    def did(self, test: Did) -> Sql:
        """As many facts as asked for."""
        return Lead.id.in_(self.doers(test))

    def doers(self, test: Did) -> Select[Any]:
        """The numbers of the leads who did it."""
        meant = test.behaviour
        query = select(LeadFact.lead_id).where(LeadFact.kind == meant.kind, LeadFact.at <= self.at)
        if meant.names is not None or meant.starts:
            named = [LeadFact.name.in_(meant.names)] if meant.names is not None else []
            query = query.where(or_(*named, *(func.substr(LeadFact.name, 1, len(each)) == each
                                              for each in meant.starts)))
        if test.within is not None:
            query = query.where(LeadFact.at >= self.at - test.within)
        if test.since is not None:
            query = query.where(LeadFact.at >= test.since)
        if test.before is not None:
            query = query.where(LeadFact.at < test.before)
        if test.times > 1:
            query = query.group_by(LeadFact.lead_id).having(func.count() >= test.times)
        return query


_TESTS: dict[type, Callable[[_Compiler, Any], Sql]] = {
    Known: _Compiler.known, Text: _Compiler.text, Number: _Compiler.number, Date: _Compiler.date,
    Holds: _Compiler.holds, Yes: _Compiler.yes, Did: _Compiler.did}
