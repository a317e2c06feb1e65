"""The orders of a list of leads, and where in one a page begins.

An order goes by one column and then by number, so that no two leads stand in the same place. Who lacks the value comes
last when the largest comes first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, func, literal_column, tuple_, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from handsel.db import instant_text
from handsel.errors import HandselError, nearest
from handsel.leads.models import Lead

LARGEST = 2**63 - 1
_NO_PAGE = ("The address names a page that cannot be.", "Start again from the list.")


class OrderError(HandselError):
    """An order or a place in it that there is not."""


@dataclass(frozen=True)
class Column:
    """What an order goes by besides the number: None for the number alone."""

    column: InstrumentedAttribute[Any] | None = None
    kind: type = int
    may_lack: bool = False


COLUMNS = {
    "newest": Column(),
    "score": Column(Lead.score),
    "acted": Column(Lead.acted_at, str, may_lack=True),
    "stage": Column(Lead.stage_at, str, may_lack=True),
}


@dataclass(frozen=True)
class Order:
    """An order by name; ``down`` is the way round that it usually has: the largest or the latest first."""

    name: str = "newest"
    down: bool = True

    @classmethod
    def asked(cls, typed: str) -> Order:
        """The order that an address names: ``score``, or ``-score`` the other way round."""
        name = typed.removeprefix("-") or "newest"
        if name not in COLUMNS:
            raise OrderError("sort", f"There is no order '{typed[:40]}'.", nearest(name, COLUMNS))
        return cls(name, not typed.startswith("-"))

    @property
    def written(self) -> str:
        """As an address names it."""
        return self.name if self.down else f"-{self.name}"


@dataclass(frozen=True)
class Place:
    """A place in an order: the value and the number of the lead that stands there."""

    value: int | str | None
    number: int

    @classmethod
    def asked(cls, typed: str, order: Order) -> Place:
        """The place that an address names, such as ``55~1234``. Raises OrderError for any other text."""
        by = COLUMNS[order.name]
        pattern = r"([0-9]{1,19})" if by.column is None else r"([0-9TZ:.-]{0,24})~([0-9]{1,19})"
        found = re.fullmatch(pattern, typed, re.ASCII)
        if found is None or int(found[found.lastindex or 1]) > LARGEST:
            raise OrderError("page", *_NO_PAGE)
        return cls(None if by.column is None else _value(found[1], by), int(found[found.lastindex or 1]))

    def written(self, order: Order) -> str:
        """As an address names it."""
        if COLUMNS[order.name].column is None:
            return str(self.number)
        return f"{'' if self.value is None else self.value}~{self.number}"


def _value(typed: str, by: Column) -> int | str | None:
    if not typed and by.may_lack:
        return None
    try:
        return instant_text(datetime.fromisoformat(typed)) if by.kind is str else _small(typed)
    except (ValueError, OverflowError) as error:
        raise OrderError("page", *_NO_PAGE) from error


def _small(typed: str) -> int:
    number = int(typed)
    if abs(number) >= 2**31:
        raise ValueError(typed)
    return number


def place_of(row: Any) -> Place:
    """The place that a row of keys stands for."""
    return Place(row[0] if len(row) > 1 else None, row[-1])


@dataclass(frozen=True)
class Stretch:
    """A part of an order that an index walks from end to end: its bounds, and the columns to sort by."""

    conditions: tuple[ColumnElement[bool], ...]
    sorted_by: tuple[ColumnElement[Any], ...]
    lacking: bool = False

    def until(self, edge: Place, keys: tuple[Any, ...], *, down: bool) -> ColumnElement[bool]:
        """That a lead does not stand behind ``edge``."""
        return _beside(keys, edge, down, including=True)

    def behind(self, edge: Place, keys: tuple[Any, ...], *, down: bool) -> tuple[ColumnElement[bool], ...]:
        """The bounds of what is left of the stretch behind ``edge``."""
        rest = _beside(keys, edge, down)
        return (keys[0].is_(None), rest) if self.lacking else (rest,)


def keys_of(order: Order, number: Any, *, plainly: bool = True) -> tuple[Any, ...]:
    """What an order compares: its column, if any, and the ``number``. Not ``plainly``, no index fits these."""
    by = COLUMNS[order.name]
    text = by.column is not None and by.kind is str
    columns = (*([type_coerce(by.column, String()) if text else by.column] if by.column is not None else []), number)
    return columns if plainly else tuple(func.coalesce(column, column) for column in columns)


def stretches(order: Order, keys: tuple[Any, ...], place: Place | None, *, down: bool) -> list[Stretch]:
    """The stretches behind ``place``, the next first, as one goes ``down`` the values or up."""
    sorted_by = _sorted(keys, down)
    bound = (_beside(keys, place, down),) if place else ()
    if not COLUMNS[order.name].may_lack:
        return [Stretch(bound, sorted_by)]
    there = Stretch((keys[0].is_not(None),), sorted_by)
    lacking = Stretch((keys[0].is_(None),), sorted_by, lacking=True)
    first, second = (there, lacking) if down else (lacking, there)
    if place is None:
        return [first, second]
    in_lacking = place.value is None
    begun = Stretch((keys[0].is_(None), *bound) if in_lacking else bound, sorted_by, lacking=in_lacking)
    return [begun, second] if first.lacking == in_lacking else [begun]


def _sorted(keys: tuple[Any, ...], down: bool) -> tuple[ColumnElement[Any], ...]:
    return tuple(key.desc() if down else key.asc() for key in keys)


def by_place(keys: tuple[Any, ...], *, down: bool) -> tuple[ColumnElement[Any], ...]:
    """The keys as columns of the answer, the first, the second: to sort what no index brings in order."""
    return _sorted(tuple(literal_column(str(place)) for place in range(1, len(keys) + 1)), down)


def _beside(keys: tuple[Any, ...], place: Place, down: bool, *, including: bool = False) -> ColumnElement[bool]:
    """That a lead stands behind ``place`` as one goes ``down`` or up; ``including``: that it does not."""
    alone = len(keys) == 1 or place.value is None
    key: Any = keys[-1] if alone else tuple_(*keys)
    there: Any = place.number if alone else tuple_(place.value, place.number)
    if including:
        return key >= there if down else key <= there  # type: ignore[no-any-return]
    return key < there if down else key > there  # type: ignore[no-any-return]
