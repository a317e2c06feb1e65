"""The chain of the consent ledger."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model


class ConsentSeal(Model):
    """One entry of the chain that seals the consents; rows are only ever added.

    It holds nothing about a person: the digest is made with a salt that stands on the consent, and goes with it.
    """

    __tablename__ = "consent_seal"

    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    """The place in the chain: 1, 2, 3 and so on, without a gap."""
    kind: Mapped[str] = mapped_column(String(8))
    """``sealed``; ``brought``, which is sealed too but came with a file and may tell of the past; ``moved``, which
    seals the row anew after we changed it ourselves; ``erased``, from where on the row is gone."""
    consent_id: Mapped[int] = mapped_column(Key, index=True)
    """No foreign key: the entry stays when the consent goes."""
    happened_at: Mapped[datetime] = mapped_column(Instant)
    """The consent's own time."""
    at: Mapped[datetime] = mapped_column(Instant)
    """When the entry was written."""
    digest: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 over the consent and its salt; empty for an erasure."""
    why: Mapped[str] = mapped_column(String(60), default="")
    """Why the row was moved or erased."""
    seal: Mapped[str] = mapped_column(String(64))
    """SHA-256 over the seal before and this entry."""
