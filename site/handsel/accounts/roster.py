"""The roster: adding people, changing what they may do, and letting them go. Each act is logged; the caller commits."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts import audit, links, passwords, sessions
from handsel.accounts.audit import Actor
from handsel.accounts.models import ROLES, Account
from handsel.errors import HandselError, nearest

ROLE_WORDS = {
    "owner": "Everything: leads, offers, messages, accounts and the log",
    "marketer": "Offers, messages, leads and the faults of the project's files; no export, no accounts",
    "sales": "Leads and their export; no offers, no accounts",
}


# Looser than for visitors: accounts are added by owners, and a house may use names such as `.local` inside.
_ADDRESS = re.compile(r"\w[^@\s,;:<>()\[\]\"\\]{0,63}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){0,8}")


def normalised(email: str) -> str:
    """The address as accounts are found by. Raises HandselError for what is no address."""
    address = unicodedata.normalize("NFC", email.strip()).lower()
    if len(address) > 254 or not address.isprintable() or not _ADDRESS.fullmatch(address):
        raise HandselError("e-mail", "That is not an e-mail address.", "Check it for typing slips.")
    return address


def by_email(session: Session, email: str) -> Account | None:
    """The account of an address, in any case of its letters."""
    return session.scalar(select(Account).where(Account.email == email.strip().lower()))


def named(session: Session, email: str) -> Account:
    """The account of an address; raises HandselError with the nearest one there is."""
    account = by_email(session, email)
    if account is None:
        raise HandselError(email, "There is no such account.", nearest(email, session.scalars(select(Account.email))))
    return account


def add(session: Session, email: str, role: str, name: str = "", *, actor: Actor | str) -> Account:
    """A new account without a password: a sign-in link lets its owner choose one."""
    address = normalised(email)
    _known(role)
    if by_email(session, address) is not None:
        raise HandselError(address, "There is already an account with this address.", "Change its role instead.")
    account = Account(email=address, role=role, name=name.strip()[:120], created_at=clock.now())
    session.add(account)
    session.flush()
    audit.record(session, "added an account", actor, f"account:{account.id}", {"email": address, "role": role})
    if role == "owner":
        _dismiss_stand_in(session)
    return account


def _dismiss_stand_in(session: Session) -> None:
    """Delete the account that stood in for the first owner, if nobody ever entered with it."""
    session.execute(delete(Account).where(Account.email == links.FIRST_OWNER, Account.password_hash.is_(None),
                                          Account.signed_in_at.is_(None)))


def renamed(session: Session, account: Account, email: str) -> str:
    """The address that ``account`` may take instead of its own. Raises HandselError if it is none or another's."""
    address = normalised(email)
    other = by_email(session, address)
    if other is not None and other.id != account.id:
        raise HandselError("e-mail", "There is already an account with this address.", "Use another one.")
    return address


def change_role(session: Session, account: Account, role: str, *, actor: Actor | str) -> None:
    """Give ``account`` another role; it must sign in anew. The last owner stays one."""
    _known(role)
    if account.role == role:
        return
    if account.role == "owner":
        _keep_an_owner(session, account)
    before, account.role = account.role, role
    sessions.end_all(session, account.id, clock.now())
    audit.record(session, "changed a role", actor, f"account:{account.id}", {"from": before, "to": role})
    if role == "owner":
        session.flush()
        _dismiss_stand_in(session)


def disable(session: Session, account: Account, *, actor: Actor | str) -> None:
    """Shut an account out at once: its sessions and links end. What it did stays in the log."""
    if account.role == "owner":
        _keep_an_owner(session, account)
    account.active = False
    at = clock.now()
    sessions.end_all(session, account.id, at)
    links.revoke_all(session, account.id, at)
    audit.record(session, "disabled an account", actor, f"account:{account.id}")


def enable(session: Session, account: Account, *, actor: Actor | str) -> None:
    """Let a disabled account sign in again, with the password it had."""
    account.active = True
    audit.record(session, "enabled an account", actor, f"account:{account.id}")


def set_password(session: Session, account: Account, password: str, *, actor: Actor | str) -> None:
    """Give ``account`` a new password; every session and open link of it ends. Raises HandselError for a weak one."""
    why = passwords.weakness(password, account.email, account.name)
    if why:
        raise HandselError("password", why)
    account.password_hash = passwords.hashed(password)
    at = clock.now()
    sessions.end_all(session, account.id, at)
    links.revoke_all(session, account.id, at)
    audit.record(session, "set a password", actor, f"account:{account.id}")


def sign_in(session: Session, email: str, password: str) -> Account | None:
    """The account of this address and password, or None; as slow for an unknown address as for a wrong password."""
    account = by_email(session, email)
    usable = account is not None and account.active
    if not passwords.matches(account.password_hash if account and usable else None, password):
        return None
    return account


def _known(role: str) -> None:
    if role not in ROLES:
        raise HandselError("role", f"There is no role '{role}'.", nearest(role, ROLES))


def _keep_an_owner(session: Session, account: Account) -> None:
    others = session.scalar(select(func.count()).select_from(Account).where(
        Account.role == "owner", Account.active.is_(True), Account.id != account.id))
    if not others:
        raise HandselError(account.email, "This is the last owner.", "Make another account an owner first.")
