"""Turning the pages of a list by key: page 2,000 costs what page 2 costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import abort, request
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute, Session

SIZE = 50
LARGEST = 2**63 - 1

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of one page, the latest first, and the addresses of the pages beside it (None at the ends)."""

    rows: list[Row]
    newer: str | None
    older: str | None


@dataclass(frozen=True)
class Turn:
    """Which page is asked for: rows ``before`` or ``after`` a number, or the latest."""

    before: int | None = None
    after: int | None = None

    @classmethod
    def asked(cls, args: Mapping[str, str]) -> Turn:
        """What the address says; 400 for anything but numbers."""
        return cls(_number(args.get("before")), _number(args.get("after")))

    def take(self, session: Session, query: Select[Any],
             key: ColumnElement[int] | InstrumentedAttribute[int]) -> Page[Any]:
        """The page of ``query`` in descending order of ``key``, which equals the ``id`` of each object it gives."""
        if self.after is not None:
            query = query.where(key > self.after).order_by(key)
        else:
            query = query.where(key < self.before) if self.before is not None else query
            query = query.order_by(key.desc())
        found = list(session.scalars(query.limit(SIZE + 1)))
        further, rows = len(found) > SIZE, found[:SIZE]
        if self.after is not None:
            rows.reverse()
        newer = further if self.after is not None else self.before is not None
        older = further if self.after is None else True
        return Page(rows, _address(after=rows[0].id) if newer and rows else None,
                    _address(before=rows[-1].id) if older and rows else None)


def _number(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST:
        abort(400, "The address names a page that cannot be. Start again from the list.")
    return int(text)


def _address(**turn: int) -> str:
    kept = {name: value for name, value in request.args.items() if name not in {"before", "after"} and value}
    return f"{request.path}?{urlencode(kept | {name: str(key) for name, key in turn.items()})}"
