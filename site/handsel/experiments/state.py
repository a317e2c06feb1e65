"""What an evaluation remembers from one look to the next: the strongest evidence so far, and verdicts once given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Latch(NamedTuple):
    """A verdict that was given, with its time and the visitors and conversions of each variant that it rests on.

    ``best`` says whether a winner was also ahead of the runner-up, beyond doubt; always True of two variants.
    """

    verdict: str
    variant: int
    at: datetime | None
    counts: tuple[tuple[float, float], ...]
    best: bool


class State(NamedTuple):
    """All of it; the tuples hold one entry per challenger.

    ``look`` is how the test is looked at since its first look, "daily" or "visitor". ``log_e`` and ``log_split`` are
    the highest ln e so far. ``crossed`` is 1 or -1 where the evidence once sufficed, ``decided`` the same where the
    gates had opened too. ``finished`` tells that the planned boundary had its last look. ``full_at`` is when the
    planned sample was first seen complete.
    """

    look: str
    log_e: tuple[float, ...]
    log_split: float
    crossed: tuple[int, ...]
    decided: tuple[int, ...]
    finished: tuple[bool, ...]
    full_at: datetime | None = None
    latch: Latch | None = None


def fresh(look: str, challengers: int) -> State:
    """The state before the first look."""
    nothing = (0,) * challengers
    return State(look, (0.0,) * challengers, 0.0, nothing, nothing, (False,) * challengers)


def written(at: datetime | None) -> str | None:
    """A time as the door for machines writes it."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def as_dict(state: State) -> dict[str, Any]:
    """The state for JSON."""
    latch = state.latch
    return {
        "look": state.look, "log_e": list(state.log_e), "log_split": state.log_split, "crossed": list(state.crossed),
        "decided": list(state.decided), "finished": list(state.finished), "full_at": written(state.full_at),
        "latch": None if latch is None else {
            "verdict": latch.verdict, "variant": latch.variant, "at": written(latch.at),
            "counts": [list(row) for row in latch.counts], "best": latch.best},
    }


def from_dict(value: Mapping[str, Any]) -> State:
    """The state from what ``as_dict`` made of it; only for our own rows, since nothing is checked."""
    latch = value["latch"]
    return State(
        value["look"], tuple(value["log_e"]), value["log_split"], tuple(value["crossed"]), tuple(value["decided"]),
        tuple(value["finished"]), _read(value["full_at"]),
        None if latch is None else Latch(latch["verdict"], latch["variant"], _read(latch["at"]),
                                         tuple((row[0], row[1]) for row in latch["counts"]), latch["best"]))


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
