"""A condition as an English sentence: what the desk shows beside the count, and what reasons are made of."""

from __future__ import annotations

from datetime import datetime, timedelta

from handsel.rules.catalogue import ACTS, STAGE_LABELS, STANDING, Act
from handsel.rules.conditions import (
    All,
    Any_,
    Behaviour,
    Condition,
    Date,
    Did,
    Holds,
    InSegment,
    Known,
    Not,
    Number,
    Text,
    Yes,
)

_NUMBERS = {"at_least": "at least", "at_most": "at most", "more_than": "more than", "less_than": "less than", "is": ""}
_HOLDING = {"tag": "has the tag", "offer": "has asked for", "consent": "has agreed to"}
_NOT_HOLDING = {"tag": "does not have the tag", "offer": "has not asked for", "consent": "has not agreed to"}
_SINCE = {"captured": "first filled in a form", "confirmed": "proved the mailbox",
          "last_form": "last filled in a form", "last_act": "was last active", "stage_since": "reached the stage"}


def sentence(condition: Condition) -> str:
    """The whole rule: ``Everyone whose stage is MQL and who visited /pricing/ in the last 30 days.``"""
    return f"Everyone who {said(condition)}."


def said(condition: Condition) -> str:
    """The condition as what is said of a person: ``is in the stage MQL and visited /pricing/``."""
    return _said(condition, False)


def _said(condition: Condition, nested: bool) -> str:
    if isinstance(condition, (All, Any_)):
        return _joined(condition, nested)
    if isinstance(condition, Not):
        return _not(condition.part)
    if isinstance(condition, InSegment):
        return f"is in the segment {condition.name}"
    return _leaf(condition)


def _joined(condition: All | Any_, nested: bool) -> str:
    parts = [_said(part, True) for part in condition.parts]
    if len(parts) == 1:
        return parts[0]
    if isinstance(condition, All):
        text = " and ".join(parts) if len(parts) == 2 else f"{', '.join(parts[:-1])}, and {parts[-1]}"
        return f"(both: {text})" if nested and len(parts) == 2 else f"(all of: {text})" if nested else text
    text = ", or ".join(parts) if len(parts) > 2 else " or ".join(parts)
    return f"either {text}" if not nested else f"(either {text})"


def _not(part: Condition) -> str:
    if isinstance(part, InSegment):
        return f"is not in the segment {part.name}"
    if isinstance(part, Did):
        return _never(part)
    if isinstance(part, (Holds, Yes, Known, Text)):
        return _believed(part, negated=True)
    return f"not: {_said(part, True)}"


def _leaf(leaf: Condition) -> str:
    if isinstance(leaf, (Holds, Yes, Known, Text)):
        return _believed(leaf, negated=False)
    if isinstance(leaf, Number):
        return _number(leaf)
    if isinstance(leaf, Date):
        return _date(leaf)
    return _did(leaf) if isinstance(leaf, Did) else ""


def _believed(leaf: Holds | Yes | Known | Text, *, negated: bool) -> str:
    if isinstance(leaf, Holds):
        return _holding(leaf, negated=negated)
    if isinstance(leaf, Known):
        return _known(leaf, negated=negated)
    if isinstance(leaf, Text):
        return _text(leaf, negated=negated)
    if leaf.attribute.name == "unsubscribed":
        return "is not unsubscribed" if negated else "is unsubscribed"
    return f"{'has not said' if negated else 'said'} yes to “{leaf.attribute.words}”"


def _known(leaf: Known, *, negated: bool) -> str:
    words, name = leaf.attribute.words, leaf.attribute.name
    if leaf.attribute.custom:
        return f"has not answered “{words}”" if negated else f"answered “{words}”"
    if name == "confirmed":
        return "has not proved the mailbox" if negated else "has proved the mailbox"
    if name == "owner" or leaf.attribute.type == "set":
        return f"has no {words}" if negated else f"has {_a(words) if name == 'owner' else 'any ' + words}"
    return f"has no known {words}" if negated else f"has a known {words}"


def _text(leaf: Text, *, negated: bool) -> str:
    words, values = leaf.attribute.words, _or([_value(leaf, value) for value in leaf.values])
    if leaf.attribute.name == STANDING.name and leaf.op == "is":
        return f"is {'not ' if negated else ''}in the stage {values}"
    verb = {"is": "", "contains": "contain", "starts_with": "start with"}[leaf.op]
    if not verb and leaf.attribute.custom:
        return f"{'did not answer' if negated else 'answered'} {values} to “{words}”"
    if not verb:
        return f"has another {words} than {values}" if negated else f"has the {words} {values}"
    said = f"does not {verb}" if negated else verb.replace("contain", "contains").replace("start", "starts")
    if leaf.attribute.custom:
        return f"gave an answer to “{words}” that {said} {values}"
    return f"has {_a(words)} that {said} {values}"


def _number(leaf: Number) -> str:
    words, bound = leaf.attribute.words, f"{_NUMBERS[leaf.op]} {_figure(leaf.value)}".strip()
    if leaf.attribute.name == "bant":
        return f"has {bound} of the four BANT questions answered"
    if leaf.attribute.name == "quality":
        return f"has a predicted quality of {bound} %"
    return f"gave {bound} as “{words}”" if leaf.attribute.custom else f"has {_a(words)} of {bound}"


def _a(words: str) -> str:
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


def _value(leaf: Text, value: str) -> str:
    if leaf.attribute.name == STANDING.name:
        return STAGE_LABELS.get(value, value)
    label = dict(leaf.attribute.choices).get(value, value)
    return f"“{label}”"


def _date(leaf: Date) -> str:
    if leaf.moment is not None:
        when = f"{'on or after' if leaf.op == 'since' else 'before'} {day(leaf.moment)}"
    else:
        assert leaf.length is not None
        span = length(leaf.length)
        when = f"in the last {span}" if leaf.op == "within" else f"more than {span} ago"
    if leaf.attribute.custom:
        return f"gave a day {when} as “{leaf.attribute.words}”"
    return f"{_SINCE.get(leaf.attribute.name, leaf.attribute.words)} {when}"


def _holding(leaf: Holds, *, negated: bool) -> str:
    verbs = _NOT_HOLDING if negated else _HOLDING
    labels = dict(leaf.attribute.choices)
    values = _or([labels.get(value, value) for value in leaf.shown])
    if leaf.attribute.name in verbs:
        return f"{verbs[leaf.attribute.name]} {values}"
    return f"{'did not answer' if negated else 'answered'} {values} to “{leaf.attribute.words}”"


def _did(leaf: Did) -> str:
    return " ".join(part for part in (act_said(leaf.behaviour), _times(leaf.times), _span(leaf)) if part)


def _never(leaf: Did) -> str:
    act = _did(leaf)
    if act.startswith("was "):
        return f"was not {act[4:]}"
    verb = ACTS[leaf.behaviour.kind].words
    return f"has not {_PARTICIPLES.get(verb, verb)}{act[len(verb):]}"


_PARTICIPLES = {"did": "done", "bought": "bought anything"}
_ANYTHING = {"asked": "any offer", "downloaded": "anything", "attended": "any event", "visited": "any page",
             "clicked": "any offer", "event": "anything"}


def act_said(behaviour: Behaviour) -> str:
    """The acts that are meant: ``downloaded home-energy-guide``, ``attended any webinar``."""
    act = ACTS[behaviour.kind]
    return " ".join(part for part in (act.words, _of_what(behaviour, act), act.tail) if part)


def _of_what(behaviour: Behaviour, act: Act) -> str:
    if behaviour.kinds:
        return f"any {_or(list(behaviour.kinds))}"
    if behaviour.shown:
        return _or(list(behaviour.shown))
    if behaviour.starts:
        return f"{'a page below' if act.what == 'path' else 'anything that begins with'} {_or(list(behaviour.starts))}"
    return _ANYTHING[behaviour.kind] if act.what else ""


def _times(times: int) -> str:
    return "" if times == 1 else "at least twice" if times == 2 else f"at least {times} times"


def _span(leaf: Did) -> str:
    parts = [f"in the last {length(leaf.within)}" if leaf.within else "",
             f"since {day(leaf.since)}" if leaf.since else "", f"before {day(leaf.before)}" if leaf.before else ""]
    return " ".join(part for part in parts if part)


def length(span: timedelta) -> str:
    """A length of time: ``30 days``, ``1 week``."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count, rest = divmod(int(span.total_seconds()), size)
        if count and not rest:
            return unit if count == 1 else f"{count} {unit}s"
    return f"{int(span.total_seconds())} seconds"


def day(moment: datetime) -> str:
    """A day as people write it, with the time only if there is one."""
    text = f"{moment.day} {moment:%B %Y}"
    return text if (moment.hour, moment.minute) == (0, 0) else f"{text}, {moment:%H:%M}"


def _figure(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,g}"


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
