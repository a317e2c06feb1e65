"""The envelope's sender: an address of each message's own, so that a bounce names its message (VERP).

``b+<token>@<domain>``: the token holds the message's number and 80 bits of a keyed hash, in letters that survive any
mail server's change of case.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

VALID = timedelta(days=30)  # bounces come within days; later ones are somebody's guess


def sender(secret: bytes, message_id: int, at: datetime, address: str) -> str:
    """The envelope sender of message number ``message_id``. ``address`` is the mailbox that reads bounces."""
    local, _, domain = address.rpartition("@")
    day = int(at.timestamp()) // 86_400
    return f"{local}+{message_id:x}-{day:x}-{_proof(secret, message_id, day)}@{domain}"


def read(secret: bytes, address: str, at: datetime) -> int | None:
    """The number of the message that ``address`` was made for; None when it is false, or older than 30 days."""
    token = address.rpartition("@")[0].rpartition("+")[2].lower()
    try:
        number, day, proof = token.split("-")
        message_id, made_on = int(number, 16), int(day, 16)
    except ValueError:
        return None
    if not hmac.compare_digest(proof.encode(), _proof(secret, message_id, made_on).encode()):
        return None
    age = at.timestamp() - made_on * 86_400
    return message_id if -86_400 <= age <= VALID.total_seconds() + 86_400 else None


def _proof(secret: bytes, message_id: int, day: int) -> str:
    return hmac.digest(secret, f"verp|{message_id:x}|{day:x}".encode(), "sha256")[:10].hex()
