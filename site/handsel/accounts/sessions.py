"""Sessions of the desk: a secret in the browser's cookie, its hash in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.accounts.audit import Actor
from handsel.accounts.models import Account, DeskSession

IDLE = timedelta(hours=8)  # a working day; then the browser asks again
LONGEST = timedelta(days=7)  # however busy: a stolen cookie is worth a week at most


@dataclass(frozen=True)
class SignedIn:
    """Who is at the desk, as plain values: the account, and the secret of this browser's session."""

    account_id: int
    email: str
    name: str
    role: str
    has_password: bool
    secret: str
    session_id: int

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return self.secret

    @property
    def actor(self) -> Actor:
        """Who the log says did it."""
        return Actor(self.email, self.account_id)

    @property
    def called(self) -> str:
        """The name to show: the person's, or the address."""
        return self.name or self.email


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256. The secret has 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def begin(session: Session, account: Account, browser: str, at: datetime) -> str:
    """A new session for ``account``; gives the secret for the cookie. The caller commits."""
    secret = secrets.token_urlsafe(32)
    account.signed_in_at = at
    session.add(DeskSession(secret_hash=digest(secret), account_id=account.id, created_at=at, seen_at=at,
                            browser=browser[:200]))
    session.flush()
    return secret


def find(session: Session, secret: str, at: datetime) -> SignedIn | None:
    """Who holds ``secret``, or None if the session ended, is a week old, or the account was disabled."""
    row = session.execute(
        select(Account.id, Account.email, Account.name, Account.role, Account.password_hash, DeskSession.id)
        .join(DeskSession, DeskSession.account_id == Account.id)
        .where(DeskSession.secret_hash == digest(secret), DeskSession.ended_at.is_(None),
               DeskSession.created_at > at - LONGEST, Account.active.is_(True))
    ).one_or_none()
    if row is None:
        return None
    account_id, email, name, role, password_hash, session_id = row
    return SignedIn(account_id, email, name, role, password_hash is not None, secret, session_id)


def end(session: Session, secret: str, at: datetime) -> None:
    """End the session of ``secret``: its cookie opens nothing from here on."""
    session.execute(update(DeskSession).where(DeskSession.secret_hash == digest(secret), DeskSession.ended_at.is_(None))
                    .values(ended_at=at))


def end_all(session: Session, account_id: int, at: datetime) -> None:
    """End every session of an account, as after a new password or role."""
    session.execute(update(DeskSession).where(DeskSession.account_id == account_id, DeskSession.ended_at.is_(None))
                    .values(ended_at=at))
