"""A rule as rows that people fill in, one after the other, and back. Pure.

A builder shows one level: all of its rows, or any of them, each possibly turned round. A rule that says more than that
is shown as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from handsel.content.parse import Parsed
from handsel.errors import Fault
from handsel.rules.catalogue import ACTS, Act, Attribute, Vocabulary
from handsel.rules.reading import read_condition

MOST = 20  # rows; a rule that needs more is easier read as text
TEXT_OPS = {"any_of": "is", "none_of": "is not", "contains": "contains", "not contains": "does not contain",
            "starts_with": "starts with", "known": "is known", "not known": "is not known"}
NUMBER_OPS = {"at_least": "is at least", "at_most": "is at most", "more_than": "is more than",
              "less_than": "is less than", "is": "is", "known": "is known", "not known": "is not known"}
DATE_OPS = {"within": "in the last", "older_than": "longer ago than", "since": "on or after", "before": "before",
            "known": "is known", "not known": "is not known"}
SET_OPS = {"any_of": "has any of", "all_of": "has all of", "none_of": "has none of", "known": "has any",
           "not known": "has none"}
SWITCH_OPS = {"true": "yes", "false": "no"}
ACT_OPS = {"did": "did", "did not": "did not"}
SEGMENT_OPS = {"in": "is in", "not in": "is not in"}
OPS: dict[str, dict[str, str]] = {"text": TEXT_OPS, "number": NUMBER_OPS, "date": DATE_OPS, "set": SET_OPS,
                                  "switch": SWITCH_OPS, "act": ACT_OPS, "segment": SEGMENT_OPS}
WITHOUT_VALUE = frozenset({"known", "not known", "true", "false"})


@dataclass(frozen=True)
class Row:
    """One condition as it is filled in. ``about`` is an attribute, an act, or ``segment``; ``values`` are what was
    typed or chosen. Of an act: ``values`` say of what, ``of`` by which key (``offer``, ``offer_kind``, ``path``,
    ``starts_with``, ``name``, or nothing), ``times`` and ``within`` as typed; ``since`` and ``before`` are kept as
    they were written."""

    about: str
    op: str
    values: tuple[str, ...] = ()
    of: str = ""
    times: str = ""
    within: str = ""
    since: str = ""
    before: str = ""


def kind_of(about: str, words: Vocabulary) -> str:
    """By which of OPS a row is filled in; empty for what there is not."""
    if about == "segment":
        return "segment"
    if about in ACTS:
        return "act"
    attribute = words.by_name.get(about)
    return attribute.type if attribute else ""


def rule_of(rows: Iterable[Row], match: str, words: Vocabulary) -> dict[str, Any]:
    """The rule that the rows say, as it stands in the file. ``match`` is ``all`` or ``any``."""
    parts = [_part(row, words) for row in rows]
    if match == "any" and len(parts) > 1:
        return {"any": parts}
    whole: dict[str, Any] = {}
    for part in parts:
        (key, value), = part.items()
        before = whole.get(key)
        if before is None:
            whole[key] = value
        elif key in words.by_name and isinstance(before, dict) and isinstance(value, dict) and before.keys().isdisjoint(
                value):
            whole[key] = before | value
        else:
            return {"all": parts}
    return whole


def _part(row: Row, words: Vocabulary) -> dict[str, Any]:
    part = {row.about: _value(row, kind_of(row.about, words))}
    return {"not": part} if row.op in {"not in", "did not", "not contains"} else part


def _value(row: Row, kind: str) -> Any:
    if kind == "act":
        return _act(row)
    if kind == "switch":
        return row.op
    if row.op in {"known", "not known"}:
        return {"known": "true" if row.op == "known" else "false"}
    values = _one_or_all(row.values)
    if kind == "segment" or row.op == "any_of" or (kind == "number" and row.op == "is"):
        return values
    return {row.op.removeprefix("not "): values}


def _act(row: Row) -> Any:
    extra = {name: value for name in ("times", "within", "since", "before")
             if (value := getattr(row, name)) and (name, value) != ("times", "1")}
    if not row.values or not row.of:
        return extra or "true"
    value = _one_or_all(row.values)
    own = ACTS[row.about].what
    return value if row.of == own and not extra else {row.of: value} | extra


def _one_or_all(values: tuple[str, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def rows_of(rule: Any, words: Vocabulary) -> tuple[list[Row], str] | None:
    """The rows that say the rule, and whether ``all`` or ``any`` must hold; None for one that rows cannot say."""
    if not isinstance(rule, Mapping) or not rule:
        return None
    match, parts = "all", [{key: value} for key, value in rule.items()]
    if len(rule) == 1 and next(iter(rule)) in {"all", "any"}:
        match, inner = next(iter(rule.items()))
        if not isinstance(inner, list) or not all(isinstance(part, Mapping) and len(part) == 1 for part in inner):
            return None
        parts = [dict(part) for part in inner]
    rows: list[Row] = []
    for part in parts:
        found = _rows(part, words)
        if found is None or (match == "any" and len(found) > 1):
            return None
        rows += found
    return (rows, match) if len(rows) <= MOST else None


def _rows(part: Mapping[str, Any], words: Vocabulary) -> list[Row] | None:
    (key, value), = part.items()
    if key == "not":
        if not isinstance(value, Mapping) or len(value) != 1:
            return None
        found = _rows(value, words)
        return None if found is None or len(found) != 1 else _turned(found[0])
    kind = kind_of(key, words)
    if kind == "segment":
        return _listed(value, lambda values: Row(key, "in", values))
    if kind == "act":
        return _act_rows(ACTS[key], value)
    return _attribute_rows(words.by_name[key], value) if kind else None


_TURNED = {"in": "not in", "did": "did not", "contains": "not contains", "any_of": "none_of", "known": "not known",
           "not known": "known", "true": "false", "false": "true", "did not": "did", "none_of": "any_of",
           "not in": "in", "not contains": "contains"}


def _turned(row: Row) -> list[Row] | None:
    op = _TURNED.get(row.op)
    return None if op is None else [Row(**{**row.__dict__, "op": op})]


def _listed(value: Any, make: Any) -> list[Row] | None:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in values) or any("," in each for each in values):
        return None  # a comma parts the values in a row
    return [make(tuple(values))]


def _attribute_rows(attribute: Attribute, value: Any) -> list[Row] | None:
    kind = attribute.type
    if kind == "switch":
        word = {"yes": "true", "no": "false"}.get(str(value).lower(), str(value).lower())
        return [Row(attribute.name, word)] if word in SWITCH_OPS else None
    plain = "is" if kind == "number" else "any_of"
    if not isinstance(value, Mapping):
        return _listed(value, lambda values: Row(attribute.name, plain, values)) if kind != "date" else None
    rows: list[Row] = []
    for op, wanted in value.items():
        found = _operator_row(attribute, op, wanted)
        if found is None:
            return None
        rows += found
    return rows


def _operator_row(attribute: Attribute, op: str, wanted: Any) -> list[Row] | None:
    if op == "known":
        return [Row(attribute.name, "known" if str(wanted).lower() in {"true", "yes"} else "not known")]
    op = {"is_not": "none_of", "is": "any_of"}.get(op, op) if attribute.type == "text" else op
    if op not in OPS[attribute.type]:
        return None
    return _listed(wanted, lambda values: Row(attribute.name, op, values))


def _act_rows(act: Act, value: Any) -> list[Row] | None:
    if isinstance(value, str) and value.lower() in {"true", "yes", "false", "no"}:
        return [Row(act.kind, "did" if value.lower() in {"true", "yes"} else "did not")]
    if not isinstance(value, Mapping):
        return _listed(value, lambda values: Row(act.kind, "did", values, act.what))
    extra: dict[str, Any] = {name: str(value[name]) for name in ("times", "within", "since", "before")
                             if name in value}
    of = [name for name in value if name not in extra]
    if len(of) > 1:
        return None
    if not of:
        return [Row(act.kind, "did", **extra)]
    return _listed(value[of[0]], lambda values: Row(act.kind, "did", values, of[0], **extra))


def problem(row: Row, words: Vocabulary) -> str:
    """What is wrong with one row, in words; empty if it can be asked."""
    kind = kind_of(row.about, words)
    if not kind or row.op not in OPS[kind]:
        return "There is nothing like that to ask about."
    missing = not any(value.strip() for value in row.values)
    if missing and kind != "act" and row.op not in WITHOUT_VALUE:
        return "Write or choose what it should be."
    faults: list[Fault]
    _, faults = read_condition(_part(row, words), Parsed("", {}), (), words)
    return f"{faults[0].what} {faults[0].do}".strip() if faults else ""
