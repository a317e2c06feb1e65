"""A condition as SQL on ``lead``: the second reading of the condition language, alike on both engines.

Each test is true or false and never NULL, so that ``not`` means what it says. What ``rules.evaluate`` says of a person
is the meaning; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, literal_column, not_, or_, select

from handsel.accounts.models import Account
from handsel.db import is_sqlite
from handsel.leads.believing import believed
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


def where(condition: Condition, at: datetime, *, sqlite: bool | None = None, probing: bool = False) -> Sql:
    """The WHERE of all leads for which the condition holds at that instant; merged mailboxes are not left out here.

    ``sqlite`` says which engine it is for; the one of the current application unless given. With ``probing`` it is
    written to be asked of one lead at a time, while something else leads along them; without, so that an index can say
    which leads they are.
    """
    whole = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return _Compiler(whole, Values(is_sqlite() if sqlite is None else sqlite), probing).of(condition)


def parts(condition: Condition, at: datetime) -> list[tuple[Select[Any] | None, Sql]]:
    """What must all hold, one by one: the numbers of the leads for which it does, where an index says them, and the
    same to be asked of one lead."""
    return [(_numbers(part, at), where(part, at, probing=True)) for part in conjuncts(condition)]


def conjuncts(condition: Condition) -> list[Condition]:
    """The parts of a condition that must all hold."""
    if isinstance(condition, InSegment):
        return conjuncts(condition.condition)
    if isinstance(condition, All):
        return [each for part in condition.parts for each in conjuncts(part)]
    return [condition]


def _numbers(part: Condition, at: datetime) -> Select[Any] | None:
    if isinstance(part, Holds) and part.attribute.name in {"tag", "offer"}:
        return _held(part)
    if isinstance(part, Did):
        return doers(part, at)
    if isinstance(part, Text) and part.op == "is" and part.attribute.name in {"stage", "owner"}:
        return select(Lead.id).where(where(part, at))
    return None


def _held(test: Holds) -> Select[Any]:
    """The numbers of the leads that hold one of those tags or offers."""
    if test.attribute.name == "tag":
        return select(LeadTag.lead_id).where(LeadTag.tag.in_(test.values), believed(LeadTag))
    return select(LeadOffer.lead_id).where(LeadOffer.offer.in_(test.values), believed(LeadOffer))


def doers(test: Did, at: datetime) -> Select[Any]:
    """The numbers of the leads who did it as often as asked for by ``at``."""
    query = _acts(select(LeadFact.lead_id), test, at)
    if test.times > 1:
        query = query.group_by(LeadFact.lead_id).having(func.count() >= test.times)
    return query


def _acts(query: Select[Any], test: Did, at: datetime) -> Select[Any]:
    meant = test.behaviour
    query = query.where(LeadFact.kind == meant.kind, LeadFact.at <= at)
    if meant.names is not None or meant.starts:
        named = [LeadFact.name.in_(meant.names)] if meant.names is not None else []
        query = query.where(or_(*named, *(func.substr(LeadFact.name, 1, len(each)) == each for each in meant.starts)))
    if test.within is not None:
        query = query.where(LeadFact.at >= at - test.within)
    if test.since is not None:
        query = query.where(LeadFact.at >= test.since)
    if test.before is not None:
        query = query.where(LeadFact.at < test.before)
    return query


@dataclass(frozen=True)
class _Compiler:
    """Makes SQL of a condition as of ``at``. ``deep`` is below a NOT or an OR, where PostgreSQL makes no join of an IN
    and goes through the whole list of it for every row, unless the list is short."""

    at: datetime
    values: Values
    probing: bool
    deep: bool = False

    def of(self, condition: Condition) -> Sql:
        """The condition as SQL."""
        if isinstance(condition, All):
            return and_(*(self.of(part) for part in condition.parts))
        if isinstance(condition, InSegment):
            return self.of(condition.condition)
        below = replace(self, deep=True)
        if isinstance(condition, Any_):
            return or_(*(below.of(part) for part in condition.parts))
        if isinstance(condition, Not):
            return not_(below.of(condition.part))
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
            return (func.coalesce(Lead.stage, "") if self.probing else Lead.stage).in_(test.values)
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
        return self._among(_held(test), LeadTag.lead_id if name == "tag" else LeadOffer.lead_id)

    def _some(self, name: str) -> Sql:
        if name == "consent":
            return Lead.consent_text != ""
        model: type[LeadTag] | type[LeadOffer] = LeadTag if name == "tag" else LeadOffer
        return self._among(select(model.lead_id).where(believed(model)), model.lead_id)

    def yes(self, test: Yes) -> Sql:
        """A switch is on."""
        return Lead.unsubscribed_at.is_not(None) if not test.attribute.custom else self.values.switch(
            test.attribute.name)

    def did(self, test: Did) -> Sql:
        """As many facts as asked for."""
        if test.times == 1:
            return self._among(doers(test, self.at), LeadFact.lead_id)
        if not self.probing and (self.values.sqlite or not self.deep):
            return Lead.id.in_(doers(test, self.at))
        own: Select[Any] = _acts(select(func.count()), test, self.at).where(LeadFact.lead_id == Lead.id)
        return own.correlate(Lead).scalar_subquery() >= test.times

    def _among(self, numbers: Select[Any], of: Any) -> Sql:
        """Whether the lead is among ``numbers``, which come from the column ``of``."""
        if self.values.sqlite and not self.probing:
            return Lead.id.in_(numbers)
        own: Select[Any] = numbers.with_only_columns(literal_column("1")).where(of == Lead.id).correlate(Lead)
        return _any(own) if self.probing else own.exists()


def _any(query: Select[Any]) -> Sql:
    """Whether there is any row. As a value: PostgreSQL would make a join of an EXISTS and read everybody's rows."""
    return query.limit(1).scalar_subquery().is_not(None)


_TESTS: dict[type, Callable[[_Compiler, Any], Sql]] = {
    Known: _Compiler.known, Text: _Compiler.text, Number: _Compiler.number, Date: _Compiler.date,
    Holds: _Compiler.holds, Yes: _Compiler.yes, Did: _Compiler.did}
