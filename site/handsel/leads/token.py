"""The form token: signed into each form as the page is sent, and the ticket that a submission must bring back.

It carries what was true when the form was shown: offer, form, variant, page, visitor, origin and time. Nothing is
stored for it, on the server or on the visitor's device. Its random part makes a double click harmless.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from handsel.traffic.visitor import Visit

MARK = 16  # bytes of the signature
NONCE = 16  # random bytes: as many as a key needs that nobody may guess
TIME = 6  # bytes of the time in milliseconds, enough until the year 10889
AT_ONCE = 256  # nonces fetched from the system in one call, which costs as much as everything else in a token
_SEPARATOR = "\x1f"
_FIELDS = 14  # texts in a token
_SIGNS = bytes.maketrans(b"+/", b"-_")


class Ticket(NamedTuple):
    """What a genuine form token says."""

    nonce: str
    issued_ms: int
    """When the form was shown, in milliseconds since 1970 (UTC)."""
    offer: str
    form: str
    variant: str
    page: str
    visitor: str
    source: str
    referrer: str
    utm: tuple[str, str, str, str, str]
    unit: str
    """Whom experiments count; the visitor, unless they are recognised by a cookie."""
    asked: tuple[str, ...] = ()
    """The names of the questions that the form had, where they were not those that strangers get."""


def signing_key(secret_key: str) -> bytes:
    """The key for form tokens, made from the installation's secret: 32 bytes, of no use for anything else."""
    return blake2b(secret_key.encode(), digest_size=32, person=b"form-token").digest()


_nonces: Iterator[bytes] = iter(())


def _nonce() -> bytes:
    """Random bytes that were never given before; every process has its own."""
    global _nonces  # noqa: PLW0603  one store a process is the point
    while (nonce := next(_nonces, None)) is None:
        store = os.urandom(NONCE * AT_ONCE)
        _nonces = iter([store[start : start + NONCE] for start in range(0, len(store), NONCE)])
    return nonce


def _forget_nonces() -> None:
    global _nonces  # noqa: PLW0603  see above
    _nonces = iter(())


os.register_at_fork(after_in_child=_forget_nonces)


def mint(key: bytes, visit: Visit, *, offer: str, form: str, variant: str, page: str, at_ms: int,
         asked: tuple[str, ...] = ()) -> str:
    """A new token for one form on one page as sent to one visitor; about 2 microseconds.

    ``page`` is the path of the page that shows the form, ``at_ms`` the present time in milliseconds since 1970.
    """
    unit = "" if visit.unit == visit.visitor else visit.unit
    text = _SEPARATOR.join((offer, form, variant, page, visit.kept, visit.source, visit.referrer, *visit.utm, unit,
                            ",".join(asked)))
    body = _nonce() + at_ms.to_bytes(TIME, "big") + text.encode()
    return _written(_mark(key, body) + body)


def _mark(key: bytes, body: bytes) -> bytes:
    signature = _keyed(key).copy()
    signature.update(body)
    return signature.digest()


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> blake2b:
    """The hash with its key worked in, which is half of the work for so short a text."""
    return blake2b(key=key, digest_size=MARK)


def _written(blob: bytes) -> str:
    """``blob`` in the 64 signs that may stand in an address, without the padding."""
    return binascii.b2a_base64(blob, newline=False).translate(_SIGNS, b"=").decode()


def read(key: bytes, token: str) -> Ticket | None:
    """What ``token`` says, or None when it is not one of ours. Its age is for the caller to judge."""
    if len(token) > 6000:
        return None
    try:
        blob = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (ValueError, binascii.Error):  # UnicodeEncodeError is a ValueError
        return None
    mark, body = blob[:MARK], blob[MARK:]
    if not compare_digest(mark, _mark(key, body)):
        return None
    texts = body[NONCE + TIME :].decode().split(_SEPARATOR)
    if len(texts) != _FIELDS:
        return None
    nonce = _written(body[:NONCE])
    issued_ms = int.from_bytes(body[NONCE : NONCE + TIME], "big")
    asked = texts.pop()
    offer, form, variant, page, visitor, source, referrer, utm_source, medium, campaign, term, content, unit = texts
    return Ticket(nonce, issued_ms, offer, form, variant, page, visitor, source, referrer,
                  (utm_source, medium, campaign, term, content), unit or visitor, tuple(filter(None, asked.split(","))))
