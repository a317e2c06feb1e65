"""Sign-in links: they work once, for a while, and only by the button on the page they open."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel import clock, db
from handsel.accounts import audit
from handsel.accounts.models import Account, SignInLink
from handsel.accounts.sessions import digest

FROM_CONSOLE = timedelta(hours=24)  # `handsel run` prints one each time, so a day is plenty
BY_MAIL = timedelta(hours=24)
FIRST_OWNER = "owner@localhost"  # stands in until the first owner has typed an address of their own


def make(session: Session, account_id: int, at: datetime, lifetime: timedelta) -> tuple[str, int]:
    """A new link for an account: its secret and its number. The caller commits."""
    secret = secrets.token_urlsafe(32)
    link = SignInLink(secret_hash=digest(secret), account_id=account_id, expires_at=at + lifetime)
    session.add(link)
    session.flush()
    return secret, link.id


def new_key() -> str:
    """128 random bits as 22 characters, as the database's public keys are."""
    return secrets.token_urlsafe(16)


def peek(session: Session, secret: str, at: datetime) -> Account | None:
    """Whose link it is, if it still works; nothing is used up."""
    return session.scalar(
        select(Account).join(SignInLink, SignInLink.account_id == Account.id)
        .where(SignInLink.secret_hash == digest(secret), SignInLink.used_at.is_(None), SignInLink.expires_at > at,
               Account.active.is_(True)))


def consume(session: Session, secret: str, at: datetime) -> Account | None:
    """Use the link up and give its account; None if somebody was faster, it expired, or the account is disabled."""
    account = peek(session, secret, at)
    # Two presses at once may both see the link; the UPDATE lets only one have it.
    taken = session.execute(update(SignInLink).values(used_at=at).where(
        SignInLink.secret_hash == digest(secret), SignInLink.used_at.is_(None), SignInLink.expires_at > at))
    return account if taken.rowcount == 1 else None  # type: ignore[attr-defined]


def revoke_all(session: Session, account_id: int, at: datetime) -> None:
    """Let every open link of an account open nothing, as after a new password or a disabling."""
    session.execute(update(SignInLink).where(SignInLink.account_id == account_id, SignInLink.used_at.is_(None))
                    .values(used_at=at))


def remember_address(instance: Path, base: str) -> None:
    """Note where the site answers, for links that other commands print while no address is set."""
    with suppress(OSError):
        (instance / "address").write_text(base, encoding="utf-8")


def last_address(instance: Path) -> str:
    """Where the site last answered on this machine; empty when it never did."""
    try:
        return (instance / "address").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def first_link(app: Flask, base_url: str = "") -> str:
    """A fresh link for the console that signs an owner in once, within a day.

    Makes an owner account if there is no active one. ``base_url`` is where the site answers, such as
    ``http://127.0.0.1:8000``; without it the address from the settings is used.
    """
    with app.app_context(), db.writing() as session:
        at = clock.now()
        owner = session.scalar(select(Account).where(Account.role == "owner", Account.active.is_(True))
                               .order_by(Account.id).limit(1))
        if owner is None:
            owner = session.scalar(select(Account).where(Account.email == FIRST_OWNER))
            if owner is None:
                owner = Account(email=FIRST_OWNER, role="owner", created_at=at)
                session.add(owner)
            owner.role, owner.active = "owner", True
            session.flush()
            audit.record(session, "made the first owner account", "command line", f"account:{owner.id}")
        secret, _ = make(session, owner.id, at, FROM_CONSOLE)
    return link_address(app, secret, base_url)


def link_address(app: Flask, secret: str, base_url: str = "") -> str:
    """The address of a link's page: where the settings say that the site is, else where it last answered."""
    base = base_url or app.config["SITE_URL"] or last_address(Path(app.instance_path)) or "http://127.0.0.1:8000"
    return f"{base.rstrip('/')}/desk/enter/{secret}"
