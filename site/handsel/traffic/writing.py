"""Noted hits become rows: hits, their tallies, journeys' beginnings and exposures, all in the caller's transaction."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from handsel.db import insert_or, instant_text
from handsel.experiments.models import Exposure
from handsel.traffic.models import Hit, Tally, Visitor
from handsel.traffic.visitor import UTM

if TYPE_CHECKING:
    from handsel.traffic.recorder import Noted

HIT = ("at", "kind", "path", "offer", "variant", "visitor", "source", "campaign", "device", "excluded")
TALLY = ("day", "path", "variant", "kind", "excluded")
_SECOND = timedelta(seconds=1)


def write(connection: Connection, noted: list[Noted]) -> None:
    """Write ``noted`` to every table that it concerns. Rows go in one order, so two processes never wait in a ring."""
    connection.exec_driver_sql(_insert_hits(connection.dialect.name), _hits(noted))
    _tally(connection, noted)
    counted = [hit for hit in reversed(noted) if not hit.visit.excluded and hit.visit.kept]
    begun = {hit.visit.visitor: hit for hit in counted}
    _add(connection, Visitor, {key: _beginning(hit) for key, hit in begun.items()})
    shown = {(hit.visit.unit, hit.offer, hit.variant): hit
             for hit in counted if hit.variant and hit.offer and hit.kind == "view"}
    _add(connection, Exposure, {key: _exposure(hit) for key, hit in shown.items()})


@cache
def _insert_hits(dialect: str) -> str:
    """The statement for hits in the driver's own words: thousands of rows are bound without a look at each value."""
    place = "?" if dialect == "sqlite" else "%s"
    return f"INSERT INTO {Hit.__tablename__} ({', '.join(HIT)}) VALUES ({', '.join([place] * len(HIT))})"  # noqa: S608


def _add(connection: Connection, table: Any, rows: dict[Any, dict[str, Any]]) -> None:
    """Add the rows that are not there yet, in the order of their keys."""
    if rows:
        statement = insert_or(table, connection.dialect.name).on_conflict_do_nothing()
        connection.execute(statement, [rows[key] for key in sorted(rows)])


def _tally(connection: Connection, noted: list[Noted]) -> None:
    sums: Counter[tuple[Any, ...]] = Counter(
        (hit.at.date(), hit.path, hit.variant, hit.kind, hit.visit.excluded, hit.offer) for hit in noted)
    statement = insert_or(Tally, connection.dialect.name)
    statement = statement.on_conflict_do_update(
        index_elements=list(TALLY), set_={"hits": Tally.hits + statement.excluded.hits})
    rows = [dict(zip((*TALLY, "offer"), key, strict=True), hits=hits) for key, hits in sorted(sums.items())]
    connection.execute(statement, rows)


def _hits(noted: list[Noted]) -> list[tuple[str, ...]]:
    second, began = "", datetime.min.replace(tzinfo=UTC)
    rows: list[tuple[str, ...]] = []
    for at, kind, path, offer, variant, seen, _ in noted:
        if not began <= at < began + _SECOND:  # hits come by the thousand, and the text of a time takes longest
            began = at.replace(microsecond=0)
            second = instant_text(began)[:20]
        rows.append((f"{second}{at.microsecond // 1000:03d}Z", kind, path, offer, variant,
                     "" if seen.private else seen.visitor, seen.source, seen.utm[2], seen.device, seen.excluded))
    return rows


def _beginning(hit: Noted) -> dict[str, Any]:
    seen = hit.visit
    return {"visitor": seen.visitor, "day": hit.at.date(), "at": hit.at, "first_page": hit.path,
            "referrer": seen.referrer, "source": seen.source, **dict(zip(UTM, seen.utm, strict=True))}


def _exposure(hit: Noted) -> dict[str, Any]:
    return {"offer": hit.offer, "visitor": hit.visit.unit, "variant": hit.variant, "at": hit.at,
            "day": hit.at.date()}
