"""A condition as marketers write it in YAML, made into a value; whatever it cannot mean is a named fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast
from zoneinfo import ZoneInfo

from handsel.content.parse import Parsed, Place
from handsel.content.values import duration, instant
from handsel.errors import Fault, nearest
from handsel.rules.acts import Wrong, read_act
from handsel.rules.catalogue import ACTS, WORDS_OF_RULES, Attribute, Vocabulary, is_number
from handsel.rules.conditions import (
    Any_,
    Condition,
    Date,
    DateOp,
    Holds,
    InSegment,
    Known,
    Not,
    Number,
    NumberOp,
    Text,
    Yes,
    both,
    breadth,
    depth,
)

LONGEST = timedelta(days=3653)  # ten years: more than any lead is kept
WIDEST = 400
"""Comparisons in one rule, through its segments: databases refuse a thousand, and segments of segments double."""
DEEPEST = 20
OPERATORS = {
    "text": ("is", "is_not", "any_of", "none_of", "contains", "starts_with", "known"),
    "number": ("at_least", "at_most", "more_than", "less_than", "is", "known"),
    "date": ("since", "before", "within", "older_than", "known"),
    "set": ("any_of", "all_of", "none_of", "known"),
    "switch": (),
}


def read_condition(raw: Any, parsed: Parsed, place: Place, words: Vocabulary) -> tuple[Condition | None, list[Fault]]:
    """The condition that stands at ``place`` of a file, or None and what keeps it from being one."""
    reader = Reader(parsed, words)
    condition = reader.condition(raw, place)
    if condition is not None and not reader.faults and _too_large(condition):
        reader.wrong(place, "rule-too-large", f"The rule comes to more than {WIDEST} comparisons, or to more than "
                     f"{DEEPEST} groups within each other, with those of its segments.",
                     "Ask for less, or put a tag on the leads and ask for the tag.")
    return (None if reader.faults else condition), reader.faults


def _too_large(condition: Condition) -> bool:
    wide = sum(1 for _ in islice(breadth(condition), WIDEST + 1)) > WIDEST
    return wide or depth(condition) > DEEPEST


@dataclass
class Reader:
    """Reads one condition and gathers its faults."""

    parsed: Parsed
    words: Vocabulary
    faults: list[Fault] = field(default_factory=list)

    def condition(self, raw: Any, place: Place) -> Condition | None:
        """The condition, or None where any part of it is wrong."""
        try:
            return self._all(raw, place)
        except Wrong:
            return None

    def wrong(self, place: Place, kind: str, what: str, do: str) -> Wrong:
        """Note a fault; the caller raises what comes back."""
        self.faults.append(self.parsed.fault(place, kind, what, do))
        return Wrong()

    def _each(self, read: Callable[[Any, Place], Condition], items: list[tuple[Any, Place]]) -> list[Condition]:
        """All of them, so that every fault is named at once."""
        made, bad = [], False
        for item, place in items:
            try:
                made.append(read(item, place))
            except Wrong:
                bad = True
        if bad:
            raise Wrong
        return made

    def _all(self, raw: Any, place: Place) -> Condition:
        if not isinstance(raw, Mapping):
            raise self.wrong(place, "wrong-type", "A rule needs `key: value` lines.",
                             "Write for example `stage: mql`, indented below it.")
        if not raw:
            raise self.wrong(place, "empty-rule", "The rule asks for nothing, so it would hold for everybody.",
                             "Write at least one condition, such as `stage: mql`.")
        return both(self._each(lambda key, at: self._key(key, raw[key], at), [(key, (*place, key)) for key in raw]))

    def _key(self, key: str, raw: Any, place: Place) -> Condition:
        if key in {"all", "any"}:
            return self._several(key, raw, place)
        if key == "not":
            return Not(self._all(raw, place))
        if key == "segment":
            return self._segments(raw, place)
        if key in ACTS:
            return read_act(self, ACTS[key], raw, place)
        attribute = self.words.by_name.get(key)
        if attribute is None:
            known = {*self.words.by_name, *ACTS, *WORDS_OF_RULES}
            raise self.wrong(place, "unknown-attribute", f"There is nothing called '{key[:60]}' to ask about.",
                             nearest(key, known))
        return self._attribute(attribute, raw, place)

    def _several(self, key: str, raw: Any, place: Place) -> Condition:
        if not isinstance(raw, list):
            raise self.wrong(place, "wrong-type", f"'{key}' needs a list.", "Write one line `- key: value` for each.")
        if not raw:
            raise self.wrong(place, "empty-rule", f"'{key}' has nothing in it.", "Write at least one condition.")
        parts = self._each(self._all, [(item, (*place, index)) for index, item in enumerate(raw)])
        return both(parts) if key == "all" or len(parts) == 1 else Any_(tuple(parts))

    def _segments(self, raw: Any, place: Place) -> Condition:
        known = dict(self.words.segments)
        parts: list[Condition] = []
        for name in self.texts(raw, place):
            if name not in known:
                raise self.wrong(place, "unknown-segment", f"There is no segment '{name[:60]}'.", nearest(name, known))
            if known[name] is None:
                raise self.wrong(place, "segment-with-fault", f"The segment '{name}' has a fault itself.",
                                 "Mend it first: see its own line.")
            parts.append(InSegment(name, known[name]))
        return parts[0] if len(parts) == 1 else Any_(tuple(parts))

    def texts(self, raw: Any, place: Place) -> tuple[str, ...]:
        """One text or a list of texts. Raises Wrong."""
        values = raw if isinstance(raw, list) else [raw]
        if not values or not all(isinstance(value, str) and value.strip() for value in values):
            raise self.wrong(place, "wrong-type", "A word, or a list of words, is missing here.",
                             "Write it as `name`, or as `[one, two]`.")
        return tuple(dict.fromkeys(value.strip() for value in values))

    def _attribute(self, attribute: Attribute, raw: Any, place: Place) -> Condition:
        if attribute.type == "switch":
            return Yes(attribute) if self.yes(raw, place) else Not(Yes(attribute))
        if not isinstance(raw, Mapping):
            return self._plain(attribute, raw, place)
        if not raw:
            raise self.wrong(place, "empty-rule", f"'{attribute.name}' asks for nothing.", "Write what it should be.")
        return both(self._each(lambda op, at: self._operator(attribute, op, raw[op], at),
                               [(op, (*place, op)) for op in raw]))

    def _plain(self, attribute: Attribute, raw: Any, place: Place) -> Condition:
        """A value without an operator: what is meant depends on the type."""
        if attribute.type == "text":
            return self._text(attribute, "is", raw, place)
        if attribute.type == "set":
            return self._set(attribute, "any_of", raw, place)
        if attribute.type == "number" and isinstance(raw, str):
            return Number(attribute, "is", self._number(raw, place))
        offered = ", ".join(f"`{op}: …`" for op in OPERATORS[attribute.type])
        raise self.wrong(place, "wrong-type", f"'{attribute.name}' needs to know how to compare.",
                         f"Write one of {offered} below it.")

    def _operator(self, attribute: Attribute, op: str, raw: Any, place: Place) -> Condition:
        if op not in OPERATORS[attribute.type]:
            kind = {"set": "a list", "text": "a text"}.get(attribute.type, f"a {attribute.type}")
            raise self.wrong(place, "unknown-operator",
                             f"'{attribute.name}' is {kind} and cannot be asked '{op[:60]}'.",
                             nearest(op, OPERATORS[attribute.type]))
        if op == "known":
            return Known(attribute) if self.yes(raw, place) else Not(Known(attribute))
        if attribute.type == "text":
            return self._text(attribute, op, raw, place)
        if attribute.type == "set":
            return self._set(attribute, op, raw, place)
        if attribute.type == "number":
            return Number(attribute, cast(NumberOp, op), self._number(raw, place))
        return self._date(attribute, op, raw, place)

    def _text(self, attribute: Attribute, op: str, raw: Any, place: Place) -> Condition:
        values = self.texts(raw, place)
        if op in {"is", "is_not", "any_of", "none_of"}:
            values = tuple(self._choice(attribute, value, place) for value in values)
            test = Text(attribute, "is", values)
            return Not(test) if op in {"is_not", "none_of"} else test
        return Text(attribute, "contains" if op == "contains" else "starts_with", values)

    def _choice(self, attribute: Attribute, value: str, place: Place) -> str:
        """One of the values that the attribute can have, also by its label."""
        if not attribute.choices:
            return value
        found = next((own for own, label in attribute.choices
                      if value.casefold() in {own.casefold(), label.casefold()}), None)
        if found is None:
            raise self.wrong(place, "unknown-choice", f"'{value[:60]}' is nothing that '{attribute.name}' can be.",
                             nearest(value, dict(attribute.choices)))
        return found

    def _set(self, attribute: Attribute, op: str, raw: Any, place: Place) -> Condition:
        shown = self.texts(raw, place)
        groups = [self._meant(attribute, value, place) for value in shown]
        if op == "all_of":
            return both([Holds(attribute, meant, (value,)) for value, meant in zip(shown, groups, strict=True)])
        test = Holds(attribute, tuple(name for meant in groups for name in meant), shown)
        return Not(test) if op == "none_of" else test

    def _meant(self, attribute: Attribute, value: str, place: Place) -> tuple[str, ...]:
        if attribute.name == "offer":
            return self.offer(value, place)
        if attribute.name == "consent" and self.words.topics and value not in self.words.topics:
            raise self.wrong(place, "unknown-topic", f"There is no topic '{value[:60]}'.",
                             nearest(value, self.words.topics))
        return (self._choice(attribute, value, place),)

    def offer(self, value: str, place: Place) -> tuple[str, ...]:
        """All slugs of an offer. Raises Wrong for one there is not."""
        slugs = self.words.slugs(value)
        if not slugs:
            raise self.wrong(place, "unknown-offer", f"There is no offer '{value[:60]}'.",
                             nearest(value, [offer.slug for offer in self.words.offers]))
        return slugs

    def _number(self, raw: Any, place: Place) -> float:
        if not isinstance(raw, str) or not is_number(raw):
            raise self.wrong(place, "wrong-type", "A number is missing here.", "Write digits, such as 50 or 2.5.")
        return float(raw)

    def _date(self, attribute: Attribute, op: str, raw: Any, place: Place) -> Condition:
        if op in {"since", "before"}:
            return Date(attribute, cast(DateOp, op), moment=self.moment(raw, place))
        return Date(attribute, cast(DateOp, op), length=self.length(raw, place))

    def moment(self, raw: Any, place: Place) -> datetime:
        """An instant as written. Raises Wrong."""
        try:
            found = instant(str(raw), ZoneInfo(self.words.zone))
            found.astimezone(ZoneInfo("UTC"))
        except (ValueError, OverflowError):
            raise self.wrong(place, "bad-date", f"'{str(raw)[:60]}' is no date that exists.",
                             "Write it as 2026-11-22 or 2026-11-22 09:00.") from None
        return found

    def length(self, raw: Any, place: Place) -> timedelta:
        """A length of time. Raises Wrong."""
        try:
            found = duration(str(raw))
        except (ValueError, OverflowError):
            found = timedelta()
        if not timedelta() < found <= LONGEST:
            raise self.wrong(place, "bad-duration", f"'{str(raw)[:60]}' is no length of time up to ten years.",
                             "Write it as `30 days`, `2 weeks` or `12 hours`.")
        return found

    def yes(self, raw: Any, place: Place) -> bool:
        """true or false. Raises Wrong."""
        word = str(raw).lower()
        if word not in {"true", "false", "yes", "no"}:
            raise self.wrong(place, "wrong-type", "Yes or no is missing here.", "Write true or false.")
        return word in {"true", "yes"}

    def count(self, raw: Any, place: Place) -> int:
        """A number of times. Raises Wrong."""
        if not isinstance(raw, str) or not raw.isdigit() or not raw.isascii() or not 1 <= int(raw[:7]) <= 10_000:
            raise self.wrong(place, "wrong-type", "A number of times is missing here.", "Write digits, such as 3.")
        return int(raw)
