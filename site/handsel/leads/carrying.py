"""Changes of marketers' files together with their line in the record: both or neither."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from handsel.db import writing
from handsel.offers.live import Live
from handsel.offers.writing import Act, Change


def carry_out(live: Live, changes: list[Change], record: Callable[[Session], None]) -> None:
    """Make the changes and write them down: when one fails, the other is taken back."""
    act = Act(live.root, changes)
    try:
        with writing() as session:
            record(session)
            act.do()
    except BaseException:
        act.undo()
        raise
    finally:
        live.refresh()
