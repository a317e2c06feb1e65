"""Parsed values against a schema: every error becomes a fault with its line and the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from handsel.content.parse import Parsed
from handsel.content.schema import Part
from handsel.errors import Fault, nearest

Model = TypeVar("Model", bound=Part)

_LIST = ("a list", "Write [one, two], or one line `- item` for each.")
_GROUP = ("a group of keys", "Write `key: value` lines, indented below it.")
_TEXT = ("text", "Write words, in quotes if they hold special characters.")
_SWITCH = ("yes or no", "Write true or false.")
_WHOLE = ("a whole number", "Write digits alone, such as 7.")
_NUMBER = ("a number", "Write digits, such as 7 or 2.5.")
_MOMENT = ("a date", "Write it as 2026-11-22 or 2026-11-22 09:00.")
_LENGTH = ("a length of time", "Write it as `30 minutes`, `2 days` or `1 week`.")
_NEEDS = {
    "list_type": _LIST, "tuple_type": _LIST, "dict_type": _GROUP, "model_type": _GROUP, "model_attributes_type": _GROUP,
    "string_type": _TEXT, "bool_parsing": _SWITCH, "bool_type": _SWITCH, "int_parsing": _WHOLE, "int_type": _WHOLE,
    "int_from_float": _WHOLE, "int_parsing_size": _WHOLE, "float_parsing": _NUMBER, "float_type": _NUMBER,
    "finite_number": _NUMBER, "datetime_type": _MOMENT, "datetime_parsing": _MOMENT, "time_delta_type": _LENGTH,
}


def validate(model: type[Model], parsed: Parsed,
             context: Mapping[str, Any] | None = None) -> tuple[Model | None, list[Fault]]:
    """The file's values as ``model``, or None and all that keeps them from being one."""
    try:
        return model.model_validate(parsed.values, context=dict(context or {})), []
    except ValidationError as error:
        faults = [_fault(model, parsed, dict(one)) for one in error.errors(include_url=False, include_input=False)]
        return None, sorted(set(faults), key=lambda fault: fault.line)


@dataclass(frozen=True)
class _Wrong:
    """One error of pydantic with what is around it: the key, the model it belongs to, the value as written."""

    owner: type[Part]
    type: str
    key: str
    value: Any
    context: Mapping[str, Any]


def _fault(model: type[Part], parsed: Parsed, error: dict[str, Any]) -> Fault:
    place = tuple(part for part in error["loc"] if part != "[key]")
    key = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    wrong = _Wrong(_owner(model, place), str(error["type"]), key, _value(parsed.values, place), error.get("ctx", {}))
    kind, what, do = _words(wrong)
    if error["loc"] and error["loc"][-1] == "[key]":
        what = f"'{_short(key)}' cannot be a name here."
    return parsed.fault(place, kind, what, do)


def _value(values: Any, place: tuple[Any, ...]) -> Any:
    """The value that the file holds there."""
    for part in place:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "this"
    return text if len(text) <= 60 else text[:57] + "…"


def _words(wrong: _Wrong) -> tuple[str, str, str]:
    key, context = wrong.key, wrong.context
    if wrong.type == "given":
        return context["kind"], f"'{key}': {context['what']}", context["do"]
    if wrong.type == "missing":
        return wrong.owner.missing.get(key, ("missing-key", f"'{key}' is missing.", f"Add `{key}: …`."))
    if wrong.type == "extra_forbidden":
        return "unknown-key", f"There is no key '{_short(key)}' here.", nearest(key, names(wrong.owner))
    if wrong.type == "literal_error":
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        kind = wrong.owner.kinds.get(key, "unknown-choice")
        return kind, f"'{_short(wrong.value)}' is nothing that '{key}' can be.", nearest(_short(wrong.value), known)
    if wrong.type in _NEEDS:
        needs, do = _NEEDS[wrong.type]
        return "wrong-type", f"'{key}' needs {needs}.", do
    return _limits(wrong)


def _limits(wrong: _Wrong) -> tuple[str, str, str]:
    key, context = wrong.key, wrong.context
    if wrong.type == "string_too_short":
        return "empty-value", f"'{key}' is empty.", "Write something, or delete the line."
    if wrong.type == "string_too_long":
        return "too-long", f"'{key}' is too long.", f"Keep it to {context['max_length']} characters."
    if wrong.type == "string_pattern_mismatch":
        return (wrong.owner.kinds.get(key, "bad-name"), f"'{_short(wrong.value)}' is nothing that '{key}' can be.",
                _pattern(str(context.get("pattern", ""))))
    limits = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
    if wrong.type in limits:
        name, word = limits[wrong.type]
        return "out-of-range", f"'{key}' is out of range.", f"Write a number of {word} {context[name]:g}."
    return "wrong-type", f"'{key}' cannot be read.", "Write it as the manual shows."


def _pattern(pattern: str) -> str:
    if "#" in pattern:
        return "Write a colour as # and six digits, such as #046246."
    if "[a-f]" in pattern:
        return "Name variants by the letters a to f."
    if "_" in pattern:
        return "Use small letters, digits and _, and begin with a letter."
    if r"\d{2}" in pattern:
        return "Write the name of a letter's file without .md, such as 01-welcome."
    if "A-Za-z0-9" in pattern:
        return "Write a language as en, en-GB or pt-BR."
    return "Use small letters, digits and single hyphens."


def names(model: type[BaseModel]) -> list[str]:
    """The keys that may stand in ``model``, as marketers write them."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _owner(model: type[Part], place: tuple[Any, ...]) -> type[Part]:
    """The model that the last key of ``place`` belongs to."""
    for part in place[:-1]:
        info = next((info for name, info in model.model_fields.items() if (info.alias or name) == part), None)
        inner = _inner(info.annotation) if info else None
        model = inner or model
    return model


def _inner(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _inner(argument))), None)
