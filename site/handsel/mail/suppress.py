"""Addresses that get no mail, or no marketing mail. Asked when a mail is queued and again when it goes out.

Adding is idempotent and can never take a block away. The address is kept only as a keyed hash.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Flask, current_app
from sqlalchemy import Table, bindparam, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.mail.models import Suppression

ALL, MARKETING = "all", "marketing"
SCOPES = {"bounce": ALL, "complaint": MARKETING, "manual": MARKETING, "erasure": MARKETING, "unsubscribe": MARKETING}
WORDS = {
    "bounce": "The mail server said that this mailbox does not exist.",
    "complaint": "The person reported our mail as spam.",
    "manual": "The address is on the do-not-mail list.",
    "erasure": "The person asked to be erased.",
    "unsubscribe": "The person left all marketing mail.",
}
SECOND_CHANCE = timedelta(days=7)  # so long after a bounce, somebody who fills in a form is tried once more

_s = cast(Table, Suppression.__table__).c
_BLOCKS = select(_s.address_hash, _s.reason, _s.scope, _s.at).where(
    _s.address_hash.in_(bindparam("hashes", expanding=True)), _s.lifted_at.is_(None),
    or_(_s.until.is_(None), _s.until > bindparam("at", type_=_s.at.type)))


def normalise(address: str) -> str:
    """The address by which a mailbox is known: NFC, domain as lower-case A-label, local part case-folded."""
    local, _, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
    return f"{local.casefold()}@{domain.lower()}"


def address_hash(address: str, app: Flask | None = None) -> str:
    """The keyed hash under which ``address`` is kept: of no use without this installation's key."""
    secret = str((app or current_app).config["SECRET_KEY"]).encode()
    return hmac.digest(secret, b"suppression|" + normalise(address).encode(), "sha256").hex()


def add(session: Session | Connection, address: str, reason: str, at: datetime, *, scope: str | None = None,
        until: datetime | None = None) -> None:
    """Block ``address`` from now on; a second time only renews the date. Needs a write transaction."""
    columns = {"address_hash": address_hash(address), "reason": reason, "scope": scope or SCOPES[reason], "at": at,
               "until": until, "lifted_at": None}
    dialect = session.get_bind().dialect if isinstance(session, Session) else session.dialect
    statement = insert_or(Suppression, dialect.name).values(**columns)
    session.execute(statement.on_conflict_do_update(
        index_elements=["address_hash", "reason", "scope"], set_={"at": at, "until": until, "lifted_at": None}))


def lift(session: Session | Connection, address: str, reason: str, at: datetime) -> None:
    """End the blocks of one reason; the rows stay as history."""
    session.execute(update(Suppression).where(_s.address_hash == address_hash(address), _s.reason == reason,
                                              _s.lifted_at.is_(None)).values(lifted_at=at))


Block = tuple[str, str, datetime]
"""Why, for which mail (``all`` or ``marketing``), and since when."""


def blocks(session: Session | Connection, hashes: Iterable[str], at: datetime) -> dict[str, list[Block]]:
    """The blocks in force by address hash."""
    rows = session.execute(_BLOCKS, {"hashes": list(hashes), "at": at})
    found: dict[str, list[Block]] = {}
    for hash_, reason, scope, since in rows:
        found.setdefault(hash_, []).append((reason, scope, since))
    return found


def why_not(kind: str, blocked: list[Block], asked_at: datetime | None = None) -> str:
    """Why a mail of ``kind`` may not go to an address with these blocks, in words; empty when it may.

    ``asked_at`` is when the person filled in the form that it answers: seven days after a bounce that is one more try.
    """
    for reason, scope, since in blocked:
        if scope == MARKETING and kind not in {"letter", "personal"}:
            continue
        retried = (reason == "bounce" and kind in ("delivery", "confirm") and asked_at is not None
                   and asked_at - since >= SECOND_CHANCE)
        if not retried:
            return WORDS.get(reason, reason)
    return ""


def is_blocked(session: Session | Connection, address: str, kind: str, at: datetime) -> bool:
    """Whether a mail of ``kind`` to ``address`` may not even be queued."""
    hash_ = address_hash(address)
    return bool(why_not(kind, blocks(session, [hash_], at).get(hash_, []), at))


def rows(session: Session | Connection) -> Any:
    """Every block with its dates, newest first, for the owner's list."""
    return session.execute(select(Suppression).order_by(_s.at.desc())).scalars()
