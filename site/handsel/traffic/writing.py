"""Noted hits become rows: hits, their tallies, journeys' beginnings and exposures, all in the caller's transaction."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from handsel.db import insert_or
from handsel.experiments.models import Exposure
from handsel.traffic.models import Hit, Tally, Visitor
from handsel.traffic.visitor import UTM

if TYPE_CHECKING:
    from handsel.traffic.recorder import Noted

TALLY = ("day", "path", "variant", "kind", "excluded")


def write(connection: Connection, noted: list[Noted]) -> None:
    """Write ``noted`` to every table that it concerns. Rows go in one order, so two processes never wait in a ring."""
    connection.execute(insert(Hit.__table__), [_hit(hit) for hit in noted])  # type: ignore[arg-type]
    _tally(connection, noted)
    counted = [hit for hit in noted if not hit.visit.excluded and hit.visit.kept]
    _add(connection, Visitor, {hit.visit.visitor: _beginning(hit) for hit in reversed(counted)})
    _add(connection, Exposure, {
        (hit.visit.visitor, hit.offer, hit.variant): _exposure(hit)
        for hit in reversed(counted) if hit.kind == "view" and hit.offer and hit.variant
    })


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


def _hit(hit: Noted) -> dict[str, Any]:
    seen = hit.visit
    return {"at": hit.at, "kind": hit.kind, "path": hit.path, "offer": hit.offer, "variant": hit.variant,
            "visitor": seen.kept, "source": seen.source, "campaign": seen.utm[2], "device": seen.device,
            "excluded": seen.excluded}


def _beginning(hit: Noted) -> dict[str, Any]:
    seen = hit.visit
    return {"visitor": seen.visitor, "day": hit.at.date(), "at": hit.at, "first_page": hit.path,
            "referrer": seen.referrer, "source": seen.source, **dict(zip(UTM, seen.utm, strict=True))}


def _exposure(hit: Noted) -> dict[str, Any]:
    return {"offer": hit.offer, "visitor": hit.visit.visitor, "variant": hit.variant, "at": hit.at}
