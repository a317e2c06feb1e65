"""The identity of a mailbox: one spelling for every way to write the same address."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email_validator import ValidatedEmail

GMAIL = {"gmail.com", "googlemail.com"}


@lru_cache(maxsize=64)  # one submission asks three times for its address; more need not be remembered
def read(address: str) -> ValidatedEmail | None:
    """The parts of a typed address, or None when it is none."""
    from email_validator import EmailNotValidError, validate_email  # 50 ms to load, and needed by submissions only

    try:
        return validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None


def normalised(address: str) -> str:
    """``address`` as the identity of its lead: domain in lower-case ASCII, local part composed and case-folded.

    Dots and plus signs stay, because they may be different people elsewhere. An address that cannot be read is only
    trimmed and folded, so that looking for it finds nothing.
    """
    found = read(address)
    if found is None:
        return address.strip().casefold()
    return f"{found.local_part.casefold()}@{found.ascii_domain or found.domain}"


def sendable(address: str) -> str:
    """``address`` as mail is sent to it: as typed, with a composed local part and the domain in lower case."""
    found = read(address)
    return found.normalized if found else address.strip()


def mailbox(email: str) -> str:
    """Where mail to a normalised address most likely lands, for limits only: without plus tag, and Gmail's dots."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def is_disposable(email: str) -> bool:
    """Whether a normalised address belongs to a provider of throw-away mailboxes."""
    from disposable_email_domains import blocklist  # 50 ms to load, and needed by submissions only

    labels = email.rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
