"""All rules of a project as one value."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from handsel.content.library import Read, Reading
from handsel.rules.fields import Fields, read_fields


@dataclass(frozen=True)
class Rulebook:
    """What holds for the leads of a project."""

    fields: Fields


def read_rules(reading: Reading, offers: Collection[str]) -> dict[str, Read[Any]]:
    """Each rule file as it was read, by its name in the rulebook. ``offers`` are the slugs that there are."""
    return {"fields": read_fields(reading)}


def rulebook(rules: dict[str, Read[Any]], choose: Callable[[Read[Any]], Any]) -> Rulebook:
    """The rules that hold: ``choose`` gives the last good state of each file, or None if there never was one."""
    chosen = {name: choose(read) for name, read in rules.items()}
    return Rulebook(chosen["fields"] or Fields({}))
