"""Passwords: hashed with argon2id, checked in the same time whether or not there is an account."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 12  # long enough that eight random tries a minute find nothing; no rules on signs, which people work around
LONGEST = 200

# Each check takes 19 MiB for about 30 ms: two at a time keep a burst of sign-ins from taking the machine's memory.
_checking = threading.BoundedSemaphore(2)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # only sign-in needs it

    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


@cache
def _nobody() -> str:
    return _hasher().hash("an account that does not exist")


def hashed(password: str) -> str:
    """The text to keep for ``password``: an argon2id hash with its own salt."""
    with _checking:
        return _hasher().hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether ``password`` gave the hash ``kept``. Takes as long for None, which never matches."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _checking:
        nobody = _nobody()
        try:
            return _hasher().verify(kept or nobody, password[:LONGEST]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def stale(kept: str) -> bool:
    """Whether ``kept`` was made with weaker settings than today's and should be made anew at the next sign-in."""
    return _hasher().check_needs_rehash(kept)


def weakness(password: str, *about: str) -> str | None:
    """Why ``password`` is refused, as a sentence, or None. ``about`` is what others know: address, name, site."""
    if len(password) < SHORTEST:
        return f"Use {SHORTEST} characters or more. Four words that do not belong together are easy to keep in mind."
    if len(password) > LONGEST:
        return f"Use {LONGEST} characters at most."
    if len(set(password.lower())) < 5:
        return "That repeats a few characters. Use more different ones."
    lowered = password.lower()
    for known in about:
        part = known.lower().partition("@")[0]
        if len(part) >= 4 and part in lowered and len(lowered.replace(part, "")) < SHORTEST - 4:
            return "That is mostly your name or your address. Choose what others cannot guess."
    if lowered.strip("0123456789!?.*#") in _COMMON:
        return "That is one of the passwords tried first. Choose what others cannot guess."
    return None


_COMMON = {"password", "passwordpassword", "qwertyuiop", "qwertyuiopasdf", "iloveyou", "administrator",
           "letmeinletmein",
           "welcomewelcome", "changeme", "changemechangeme", "adminadminadmin", "correcthorsebatterystaple",
           "qwertyqwerty", "asdfghjkl", "1q2w3e4r5t6y", "abcdefghijkl", "abcd", "trustno", "unknown", "superman"}
