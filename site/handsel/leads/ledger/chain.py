"""What a seal of the consent ledger is made of: plain values in, hashes out."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple

from handsel.db import instant_text

SEALED, BROUGHT, MOVED, ERASED = "sealed", "brought", "moved", "erased"
CONTENT = ("id", "lead_id", "capture_id", "purpose", "state", "wording_hash", "form", "page", "variant", "way", "at",
           "address_prefix", "browser")
"""The columns of a consent that its digest covers: all but the salt. The mailbox comes from the lead."""


class Entry(NamedTuple):
    """One entry of the chain without its seal."""

    id: int
    kind: str
    consent_id: int
    happened_at: datetime
    at: datetime
    digest: str
    why: str = ""

    def seal(self, before: str) -> str:
        """The seal of this entry after the one before it."""
        return _hash([before, self.id, self.kind, self.consent_id, instant_text(self.happened_at),
                      instant_text(self.at), self.digest, self.why])


def digest(consent: Any, mailbox: str, salt: str) -> str:
    """The digest of a consent's row, its values by name; without the salt nobody can guess what it stands for."""
    row = [instant_text(value) if isinstance(value := consent[name], datetime) else value for name in CONTENT]
    return _hash([salt, mailbox, *row])


def _hash(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
