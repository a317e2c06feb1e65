"""Pauses: mail stands still for everyone, for a server or for one domain, and goes on by itself or by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.engine import Connection

from handsel.db import insert_or
from handsel.mail.models import Pause
from handsel.mail.schedule import PROBE, back_off

HOLD, SERVER = "hold", "server"
log = logging.getLogger("handsel.mail")
_p = cast(Table, Pause.__table__).c


def domain_scope(address: str) -> str:
    """The name of the pause for the domain of ``address``."""
    return "@" + address.rpartition("@")[2].lower()


def everything(connection: Connection, at: datetime) -> Pause | None:
    """The pause that stops all mail now, or None."""
    for pause in connection.execute(select(*_p).where(_p.scope.in_((HOLD, SERVER)))):
        if pause.until_at is None or pause.until_at > at:
            return Pause(**pause._mapping)
    return None


def domains(connection: Connection, scopes: Iterable[str], at: datetime) -> dict[str, tuple[datetime, str]]:
    """Those domains that are paused now: until when, and why."""
    found = connection.execute(select(_p.scope, _p.until_at, _p.reason).where(
        _p.scope.in_(set(scopes)), _p.until_at > at))
    return {scope: (until, reason) for scope, until, reason in found}


def stop(connection: Connection, scope: str, kind: str, reason: str, at: datetime) -> datetime:
    """Pause ``scope``, each time for longer; until when. A refused sign-in raises one alarm and is then probed."""
    before = connection.execute(select(_p.tries, _p.kind, _p.until_at).where(_p.scope == scope)).first()
    if before is not None and before.until_at is not None and before.until_at > at:
        return cast(datetime, before.until_at)  # another worker has just said the same
    tries = (before.tries if before else 0) + 1
    until = at + (PROBE if kind == "access" else back_off(tries))
    statement = insert_or(Pause, connection.dialect.name).values(
        scope=scope, kind=kind, since_at=at, until_at=until, tries=tries, reason=reason)
    connection.execute(statement.on_conflict_do_update(
        index_elements=["scope"], set_={"kind": kind, "until_at": until, "tries": tries, "reason": reason}))
    if kind == "access" and (before is None or before.kind != "access"):
        log.error("All mail stands still: the mail server does not let us in. %s Mend HANDSEL_MAIL_URL; "
                  "we try again every 5 minutes.", reason)
    elif before is None:
        log.warning("Mail to %s waits: %s", "the server" if scope == SERVER else scope, reason)
    return until


def go_on(connection: Connection, scopes: Iterable[str]) -> int:
    """Mail flows again: forget these pauses; how many there were."""
    return connection.execute(delete(Pause).where(_p.scope.in_(list(scopes)))).rowcount


def hold(connection: Connection, at: datetime, reason: str) -> None:
    """Let nothing go out until somebody releases it, as after a restore."""
    statement = insert_or(Pause, connection.dialect.name).values(
        scope=HOLD, kind="hold", since_at=at, until_at=None, tries=0, reason=reason)
    connection.execute(statement.on_conflict_do_update(index_elements=["scope"], set_={"reason": reason}))


def current(connection: Connection) -> list[Pause]:
    """All pauses, the longest standing first."""
    return [Pause(**row._mapping) for row in connection.execute(select(*_p).order_by(_p.since_at))]


def probe_now(connection: Connection) -> None:
    """Try a paused server and paused domains again at once, as after its settings were mended."""
    connection.execute(update(Pause).where(_p.until_at.is_not(None)).values(until_at=_p.since_at))
