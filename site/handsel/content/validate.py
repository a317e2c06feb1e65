"""Parsed values against a schema: every error becomes a fault with its line and the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from handsel.content.parse import Parsed
from handsel.content.schema import Part
from handsel.errors import Fault, nearest

Model = TypeVar("Model", bound=Part)

_NEEDS = {
    "list_type": "a list, such as [one, two]", "tuple_type": "a list, such as [one, two]",
    "dict_type": "a group of `key: value` lines", "model_type": "a group of `key: value` lines",
    "model_attributes_type": "a group of `key: value` lines",
    "string_type": "text", "bool_parsing": "true or false", "bool_type": "true or false",
    "int_parsing": "a whole number", "int_type": "a whole number", "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number", "float_parsing": "a number", "float_type": "a number",
    "finite_number": "a number", "datetime_type": "a date", "datetime_parsing": "a date", "time_delta_type": "a time",
}


def validate(model: type[Model], parsed: Parsed,
             context: Mapping[str, Any] | None = None) -> tuple[Model | None, list[Fault]]:
    """The file's values as ``model``, or None and all that keeps them from being one."""
    try:
        return model.model_validate(parsed.values, context=dict(context or {})), []
    except ValidationError as error:
        faults = [_fault(model, parsed, dict(one)) for one in error.errors(include_url=False, include_input=False)]
        return None, sorted(set(faults), key=lambda fault: fault.line)


def _fault(model: type[Part], parsed: Parsed, error: dict[str, Any]) -> Fault:
    place = tuple(part for part in error["loc"] if part != "[key]")
    owner = _owner(model, place)
    key = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    context = error.get("ctx", {})
    kind, what, do = _words(owner, str(error["type"]), key, place, context)
    if error["loc"] and error["loc"][-1] == "[key]":
        what = f"'{key}' cannot be used as a name here."
    return parsed.fault(place, kind, what, do)


def _words(owner: type[Part], error: str, key: str, place: tuple[Any, ...],
           context: dict[str, Any]) -> tuple[str, str, str]:
    if error == "given":
        return context["kind"], f"'{key}': {context['what']}", context["do"]
    if error == "missing":
        return owner.missing.get(key, ("missing-key", f"'{key}' is missing.", f"Add `{key}: …`."))
    if error == "extra_forbidden":
        return "unknown-key", f"There is no key '{key[:60]}' here.", nearest(key, names(owner))
    if error == "literal_error":
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        kind = owner.kinds.get(key, "unknown-choice")
        return kind, f"'{key}' is none of the values it can have.", f"Use one of: {', '.join(known)}."
    if error in _NEEDS:
        return "wrong-type", f"'{key}' needs {_NEEDS[error]}.", "Write it so."
    return _limits(owner, error, key, context)


def _limits(owner: type[Part], error: str, key: str, context: dict[str, Any]) -> tuple[str, str, str]:
    if error == "string_too_short":
        return "empty-value", f"'{key}' is empty.", "Write something, or delete the line."
    if error == "string_too_long":
        return "too-long", f"'{key}' is too long.", f"Keep it to {context['max_length']} characters."
    if error == "string_pattern_mismatch":
        return (owner.kinds.get(key, "bad-name"), f"The value of '{key}' is not written as it must be.",
                _pattern(str(context.get("pattern", ""))))
    limits = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
    if error in limits:
        name, word = limits[error]
        return "out-of-range", f"'{key}' is out of range.", f"Write a number of {word} {context[name]}."
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
