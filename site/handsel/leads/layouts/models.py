"""Layouts that people saved, and what each of them took home with one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Instant, Key, Model


class ExportLayout(Model):
    """The columns of an export under a name: its maker's own, or everybody's."""

    __tablename__ = "export_layout"
    __table_args__ = (Index("ix_export_layout_account_id_name", "account_id", "name", unique=True),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(80))
    shared: Mapped[bool] = mapped_column(default=False)
    """Everybody at the desk and on the command line may use it; only its maker changes it."""
    columns: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    """In their order: the column's name and its heading in the file."""
    at: Mapped[datetime] = mapped_column(Instant)


class ExportMemory(Model):
    """That somebody takes leads home with a layout: the beginning of what "since my last export" means."""

    __tablename__ = "export_memory"
    __table_args__ = (Index("ix_export_memory_who_layout", "who", "layout", unique=True),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    who: Mapped[str] = mapped_column(String(60))
    """``account:<id>`` or ``command line``."""
    layout: Mapped[str] = mapped_column(String(60))
    """The name of a layout that is shipped, or ``layout:<id>``."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    """When it was last finished."""
    rows: Mapped[int] = mapped_column(default=0)


class ExportSeen(Model):
    """How a lead's row read when it was last taken home: without one, or with another digest, it is new or changed."""

    __tablename__ = "export_seen"
    __table_args__ = ({"sqlite_with_rowid": False},)

    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id", ondelete="CASCADE"), primary_key=True)
    memory_id: Mapped[int] = mapped_column(ForeignKey("export_memory.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[int] = mapped_column(BigInteger)
