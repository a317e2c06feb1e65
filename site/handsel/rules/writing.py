"""Edits of a rule file that leave everything else as it was: comments, order, blank lines, line ends. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from handsel.content import parse
from handsel.errors import HandselError

Way = tuple[str, ...]
_BREAK = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"


class _Plain(yaml.SafeDumper):
    """Writes every value as the text it is: the reader takes ``50`` and ``true`` for text until the schema asks."""


_Plain.yaml_implicit_resolvers = {}
_Plain.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def written(key: str, value: Any, indent: int = 0) -> list[str]:
    """A key with its value as lines; groups of plain values stand on one line."""
    flow = None if isinstance(value, (dict, list)) else False
    text = yaml.dump({key: value}, Dumper=_Plain, default_flow_style=flow, sort_keys=False, allow_unicode=True,
                     width=10**6)
    return [" " * indent + line if line else "" for line in text.rstrip("\n").split("\n")]


def edited(file: str, data: bytes, way: Way, value: Any) -> bytes:
    """The file with ``value`` at the end of ``way``, or without it where that is None.

    Raises HandselError for a file that cannot be edited without touching more than that.
    """
    text = data.decode("utf-8").removeprefix(_BOM)
    lines = _lines(text)
    found = _BREAK.search(text)
    ending = found[0] if found else "\n"
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += ending
    begin, end, fresh = _change(file, lines, way, value)
    whole = "".join([*lines[:begin], *(line + ending for line in fresh), *lines[end:]])
    result = ((_BOM if data.startswith(_BOM.encode()) else "") + whole).encode()
    if not _says(file, result, _with(_values(file, data), way, value)):
        raise HandselError(file, "The file is written in a way that cannot be edited here.",
                           "Write each key on a line of its own, or make the change by hand.")
    return result


def _says(file: str, data: bytes, wanted: dict[str, Any]) -> bool:
    parsed, faults = parse.settings(file, data)
    return parsed is not None and not faults and parsed.values == wanted


def lines_at(file: str, data: bytes, way: Way) -> str | None:
    """The lines of the key at the end of ``way`` as they stand in the file; None if it is not there."""
    text = data.decode("utf-8").removeprefix(_BOM)
    node, key, _ = _find(_root(file, text), way)
    if key is None or node is None:
        return None
    lines = _lines(text)
    return "".join(lines[key.start_mark.line:_end(lines, key, node)])


def put_back(file: str, data: bytes, way: Way, text: str | None, after: str = "") -> bytes:
    """The file with ``text``, lines that ``lines_at`` gave, in the place of the key at the end of ``way``; where there
    is none, behind the key ``after`` beside it, or at the end of its group."""
    lines = _lines(data.decode("utf-8").removeprefix(_BOM))
    root = _root(file, "".join(lines))
    node, key, parent = _find(root, way)
    bom = _BOM if data.startswith(_BOM.encode()) else ""
    if key is not None and node is not None:
        begin, end = key.start_mark.line, _end(lines, key, node)
    else:
        if not isinstance(parent, yaml.MappingNode) or parent.flow_style or not parent.value:
            return edited(file, data, way, _loose(file, text or "", way))
        names = [each.value for each, _ in parent.value]
        place = names.index(after) if after in names else len(names) - 1
        begin = end = _end(lines, *parent.value[place])
    result = (bom + "".join([*lines[:begin], text or "", *lines[end:]])).encode()
    if text is None and key is not None:
        return edited(file, data, way, None)
    wanted = _with(_values(file, data), way, _loose(file, text or "", way))
    if not _says(file, result, wanted):
        raise HandselError(file, "The file has changed too much for that.", "Make the change by hand.")
    return result


def _loose(file: str, text: str, way: Way) -> Any:
    """The value of a key whose lines stand alone."""
    inner = [line.strip("\r\n") for line in _lines(text)]
    indent = len(inner[0]) - len(inner[0].lstrip()) if inner else 0
    found = _values(file, "\n".join(line[indent:] for line in inner).encode())
    return found.get(way[-1])


def _change(file: str, lines: Sequence[str], way: Way, value: Any) -> tuple[int, int, list[str]]:
    """The lines that go, and those that come in their place."""
    root = _root(file, "".join(lines))
    node, key, parent = _find(root, way)
    if key is not None and node is not None:
        column = key.start_mark.column
        if value is None and isinstance(parent, yaml.MappingNode) and len(parent.value) == 1 and len(way) > 1:
            return _change(file, lines, way[:-1], {})
        fresh = [] if value is None else written(way[-1], value, column)
        return key.start_mark.line, _end(lines, key, node), fresh
    if value is None:
        raise HandselError(file, f"There is no '{way[-1]}' any more.", "Somebody took it away already.")
    if parent is None or (isinstance(parent, yaml.MappingNode) and not parent.value) or (
            not isinstance(parent, yaml.MappingNode)):
        if len(way) > 1:
            return _change(file, lines, way[:-1], {way[-1]: value})
        return len(lines), len(lines), written(way[-1], value)
    last_key, last = parent.value[-1]
    end = _end(lines, last_key, last)
    return end, end, written(way[-1], value, last_key.start_mark.column)


def _find(root: Any, way: Way) -> tuple[Any, Any, Any]:
    """The node at the end of ``way``, its key, and the group it belongs into; None for what is not there."""
    parent, node, key = None, root, None
    for name in way:
        parent, node, key = node, None, None
        if not isinstance(parent, yaml.MappingNode):
            return None, None, None
        if parent.flow_style and parent.value:
            return None, None, parent
        for each, value in parent.value:
            if each.value == name:
                node, key = value, each
        if key is None:
            return None, None, parent if name == way[-1] else None
    return node, key, parent


def _end(lines: Sequence[str], key: Any, node: Any) -> int:
    """The line after the last one of a value, with the comments that stand deeper than its key."""
    end = max(_last(node), int(key.start_mark.line) + 1)
    while end < len(lines) and lines[end].strip().startswith("#") and (
            len(lines[end]) - len(lines[end].lstrip()) > key.start_mark.column):
        end += 1
    return end


def _last(node: yaml.Node) -> int:
    """The line after the last word of a value: the end of a group of lines is only known by what comes after it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:  # type: ignore[attr-defined]
        return int(node.end_mark.line) + int(node.end_mark.column > 0)
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    return max((_last(part) for part in parts), default=int(node.start_mark.line) + 1)


def _root(file: str, text: str) -> Any:
    try:
        return yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        raise HandselError(file, "The file cannot be read.", "Run handsel check, and mend what it says.") from None


def _lines(text: str) -> list[str]:
    ends = [found.end() for found in _BREAK.finditer(text)]
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True) if begin < end]


def _values(file: str, data: bytes) -> dict[str, Any]:
    parsed, faults = parse.settings(file, data)
    if parsed is None or faults:
        raise HandselError(file, "The file cannot be read.", "Run handsel check, and mend what it says.")
    return parsed.values


def _with(values: Mapping[str, Any], way: Way, value: Any) -> dict[str, Any]:
    """``values`` with a change, as the reader would give them."""
    result = dict(values)
    if len(way) == 1:
        result.pop(way[0], None)
        return result if value is None else result | {way[0]: value}
    inner = result.get(way[0])
    return result | {way[0]: _with(inner if isinstance(inner, Mapping) else {}, way[1:], value)}
