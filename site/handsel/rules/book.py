"""All rules of a project as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from handsel.content.library import Read, Reading
from handsel.rules.catalogue import Asked, OfferName, Vocabulary, attributes_of
from handsel.rules.fields import Fields, read_fields
from handsel.rules.handoff import HandoffRules, read_handoff, usual
from handsel.rules.scoring import Scoring, read_scoring
from handsel.rules.segments import Segments, read_segments
from handsel.rules.stages import Stages, read_stages

T = TypeVar("T")


@dataclass(frozen=True)
class Rulebook:
    """What holds for the leads of a project. ``words`` are the names that its rules can use, segments among them."""

    fields: Fields
    segments: Segments = field(default_factory=Segments)
    words: Vocabulary = field(default_factory=Vocabulary)
    stages: Stages = field(default_factory=Stages)
    scoring: Scoring = field(default_factory=Scoring)
    handoff: HandoffRules = field(default_factory=usual)


def read_rules(reading: Reading, offers: Iterable[OfferName], asked: Iterable[Asked],
               good: Mapping[str, Any]) -> dict[str, Read[Any]]:
    """Each rule file as it was read, by its name in the rulebook, and under ``words`` the names that rules can use.

    ``asked`` are the fields of all forms; ``good`` holds the last good state of each file, by which
    the others are read while it has a fault.
    """
    fields = read_fields(reading)
    site = reading.site
    words = Vocabulary(attributes_of(usable(fields, good, Fields({})), asked), tuple(offers),
                       zone=site.timezone, topics=tuple(site.topics))
    segments = read_segments(reading, words)
    words = replace(words, segments=usable(segments, good, Segments()).pairs)
    return {"fields": fields, "segments": segments, "words": Read("", words),
            "scoring": read_scoring(reading, words), "handoff": read_handoff(reading, words),
            "stages": read_stages(reading, words)}


def usable(read: Read[T], good: Mapping[str, Any], nothing: T) -> T:
    """What holds of a file while others are read: what it says, or what it last said without a fault."""
    if read.faults and read.file in good:
        found: T = good[read.file]
        return found
    return read.value if read.value is not None else nothing


def rulebook(rules: Mapping[str, Read[Any]], choose: Callable[[Read[Any]], Any]) -> Rulebook:
    """The rules that hold: ``choose`` gives the last good state of each file, or None if there never was one."""
    chosen = {name: choose(read) for name, read in rules.items() if read.file}
    words = rules["words"].value or Vocabulary()
    return Rulebook(chosen["fields"] or Fields({}), chosen["segments"] or Segments(), words,
                    chosen["stages"] or Stages(), chosen["scoring"] or Scoring(),
                    chosen["handoff"] or usual(words.zone))
