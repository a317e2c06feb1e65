"""The rows of a file that could not be taken."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from handsel.db import Key, Model


class ImportRefusal(Model):
    """A row that was not taken, kept for a while so that whoever brought the file can mend it."""

    __tablename__ = "import_refusal"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("lead_import.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    """As a spreadsheet counts the rows."""
    reason: Mapped[str] = mapped_column(String(400))
    cells: Mapped[list[str]] = mapped_column(JSON, default=list)
