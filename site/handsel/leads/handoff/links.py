"""The links of an alert: signed, for one person and one answer, good for some days.

A link opens a page; only the button on that page decides, and its form carries a second signature that the page alone
gives out. So a mail scanner that follows every link, or posts to it, decides nothing.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from hmac import compare_digest
from typing import Literal, NamedTuple

Answer = Literal["accept", "reject"]
PRESS = timedelta(hours=2)  # how long a page may stand open before its button is pressed
_TOKEN = re.compile(r"([A-Za-z0-9_-]{22})\.(\d{1,18})\.(a|r)\.(\d{10,11})\.([A-Za-z0-9_-]{22})")
_SHORT: dict[str, Answer] = {"a": "accept", "r": "reject"}


class Link(NamedTuple):
    """What a genuine link says: which hand-over, whose answer it is, which answer, and until when it may be given."""

    key: str
    account_id: int
    answer: Answer
    until: datetime


def mint(secret: str, link: Link) -> str:
    """The token that stands for ``link`` in an address."""
    body = f"{link.key}.{link.account_id}.{link.answer[0]}.{int(link.until.timestamp())}"
    return f"{body}.{_mark(secret, 'link', body)}"


def read(secret: str, token: str) -> Link | None:
    """What the token says, or None for one that is not ours. Whether its time is over is for the caller to see."""
    match = _TOKEN.fullmatch(token)
    if match is None or not compare_digest(match[5], _mark(secret, "link", token.rpartition(".")[0])):
        return None
    return Link(match[1], int(match[2]), _SHORT[match[3]], datetime.fromtimestamp(int(match[4]), UTC))


def press_mark(secret: str, token: str, at: datetime) -> str:
    """What the form on the page of ``token`` carries: it says that the page was opened, and when."""
    stamp = str(int(at.timestamp()))
    return f"{stamp}.{_mark(secret, 'press', f'{stamp}.{token}')}"


def is_pressed(secret: str, token: str, mark: str, at: datetime) -> bool:
    """Whether ``mark`` came from the page of ``token``, not too long ago."""
    stamp, _, sign = mark.partition(".")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 11:
        return False
    genuine = compare_digest(sign.encode("utf-8", "replace"), _mark(secret, "press", f"{stamp}.{token}").encode())
    return genuine and timedelta(seconds=-60) <= at - datetime.fromtimestamp(int(stamp), UTC) <= PRESS


def _mark(secret: str, purpose: str, body: str) -> str:
    digest = blake2b(f"{purpose}|{body}".encode(), key=blake2b(secret.encode(), digest_size=32,
                                                              person=b"hand-off").digest(), digest_size=16).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
