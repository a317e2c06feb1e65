"""Keys of machines to the API: shown once, kept as a hash, revoked for ever. Each act is logged; the caller commits."""

from __future__ import annotations

import hmac
import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.accounts.models import PRODUCT, ROLES, ApiKey
from handsel.accounts.sessions import digest
from handsel.errors import HandselError, nearest

_KEY = re.compile(r"hs_([0-9a-f]{8})_[\w-]{43}")
NOBODY = digest("nobody has this key")  # compared with when no key is found, so that both cases take as long


def make(session: Session, name: str, role: str, *, actor: Actor | str) -> tuple[str, ApiKey]:
    """A new key and its row. The key is nowhere to be read again."""
    if role not in (*ROLES, PRODUCT):
        raise HandselError("role", f"There is no role '{role}'.", nearest(role, (*ROLES, PRODUCT)))
    if not name.strip():
        raise HandselError("name", "The key has no name.", "Name the program that will use it, such as 'dashboard'.")
    prefix = secrets.token_hex(4)
    key = f"hs_{prefix}_{secrets.token_urlsafe(32)}"
    who = actor.name if isinstance(actor, Actor) else actor
    row = ApiKey(name=name.strip()[:120], prefix=prefix, secret_hash=digest(key), role=role, created_at=clock.now(),
                 created_by=who)
    session.add(row)
    session.flush()
    audit.record(session, "made an API key", actor, f"key:{prefix}", {"name": row.name, "role": role})
    return key, row


def find(session: Session, key: str) -> ApiKey | None:
    """The row of a key that works; None for any other text. Changes nothing."""
    match = _KEY.fullmatch(key)
    row = session.scalar(select(ApiKey).where(ApiKey.prefix == match[1])) if match else None
    fits = hmac.compare_digest(row.secret_hash if row else NOBODY, digest(key))
    return row if row is not None and fits and row.revoked_at is None else None


def every(session: Session) -> list[ApiKey]:
    """All keys, those that work first, the newest first."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())))


def revoke(session: Session, prefix: str, *, actor: Actor | str) -> ApiKey:
    """Let a key work no more; nothing happens if it was revoked before. Raises HandselError if there is none."""
    wanted = prefix.removeprefix("hs_")[:8]
    row = session.scalar(select(ApiKey).where(ApiKey.prefix == wanted))
    if row is None:
        raise HandselError("key", f"There is no key that begins with {prefix[:11]}.", "See: handsel user key list")
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        audit.record(session, "revoked an API key", actor, f"key:{row.prefix}", {"name": row.name})
    return row
