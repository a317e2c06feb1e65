"""From the bytes of a file to plain values with line numbers, or to faults: nothing here raises, whatever the bytes.

The YAML is a safe subset: scalars stay the text they were written as (so ``no`` is a country and ``2026`` a title)
until the schema asks for a number or a date; tags, anchors, aliases, repeated keys and deep nesting are faults. The
parser's events are read one by one, so that a bomb is refused before anything is built from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler

from handsel.errors import Fault

MAX_FILE = 1_000_000  # bytes: a book's worth of words
MAX_YAML = 64 * 1024  # bytes: more is data, and data is not read at each change
MAX_DEPTH = 10
MAX_VALUES = 5_000
NULLS = frozenset({"", "~", "null", "Null", "NULL"})

Place = tuple[str | int, ...]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPLITTER = YAMLHandler()
assert _SPLITTER.FM_BOUNDARY is not None
_FENCE = _SPLITTER.FM_BOUNDARY


@dataclass(frozen=True)
class Parsed:
    """The values of one file, the lines they stand on, and the Markdown below them.

    ``lines`` maps the way to a value (``("theme", "brand")``, ``("fields", 0, "name")``) to its line;
    ``body_line`` is the line of the body's first character.
    """

    where: str
    values: dict[str, Any]
    lines: dict[Place, int] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1

    def line(self, *place: str | int) -> int:
        """The line of the value there, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, kind: str, what: str, do: str) -> Fault:
        """A fault on the line of that value."""
        return Fault(self.where, self.line(*place), kind, what, do)


class Broken(Exception):
    """The file cannot be read any further; carries the fault."""

    def __init__(self, where: str, line: int, kind: str, what: str, do: str) -> None:
        super().__init__(what)
        self.fault = Fault(where, line, kind, what, do)


def text_of(where: str, data: bytes) -> str:
    """The file's text with plain line ends. Raises Broken."""
    if len(data) > MAX_FILE:
        raise Broken(where, 0, "oversized-file", f"The file holds {len(data):,} bytes; we read at most {MAX_FILE:,}.",
                     "Split it into several pages, or offer it as a file to download.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Broken(where, line, "not-utf8", "The file is not UTF-8 text.",
                     "Save it with the encoding UTF-8.") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if found := _CONTROL.search(text):
        raise Broken(where, text.count("\n", 0, found.start()) + 1, "control-character",
                     f"The file holds the control character U+{ord(found[0]):04X}.", "Delete it.")
    return text


def markdown(where: str, data: bytes) -> tuple[Parsed | None, list[Fault]]:
    """Front matter and body of a Markdown file; None if it cannot be read at all."""
    try:
        text = text_of(where, data)
        head, head_line, body, body_line = _split(where, text)
        return _values(where, head, head_line, body, body_line)
    except Broken as broken:
        return None, [broken.fault]


def settings(where: str, data: bytes) -> tuple[Parsed | None, list[Fault]]:
    """The values of a YAML file; None if it cannot be read at all."""
    try:
        return _values(where, text_of(where, data), 1, "", 1)
    except Broken as broken:
        return None, [broken.fault]


def _split(where: str, text: str) -> tuple[str, int, str, int]:
    """Front matter and body, each with the line that its first character stands on."""
    fence = _FENCE.match(text)
    if not fence:
        raise Broken(where, 1, "no-front-matter", "The file does not begin with front matter.",
                     "Begin it with a line `---`, then `title: …` and what else it needs, then a line `---`.")
    try:
        head, body = _SPLITTER.split(text)
    except ValueError:
        raise Broken(where, 1, "front-matter-not-closed", "The front matter has no end.",
                     "Close it with a line `---` before the text.") from None
    body_line = text.count("\n", 0, len(text) - len(body)) + 1
    stripped = body.lstrip("\n")
    return head, text.count("\n", 0, fence.end()) + 1, stripped, body_line + len(body) - len(stripped)


def _values(where: str, source: str, first_line: int, body: str, body_line: int) -> tuple[Parsed | None, list[Fault]]:
    size = len(source.encode())
    if size > MAX_YAML:
        raise Broken(where, first_line, "oversized-front-matter",
                     f"The settings hold {size:,} bytes; we read at most {MAX_YAML:,}.", "Move text into the body.")
    builder = _Builder(where, first_line)
    value = builder.build(source)
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise Broken(where, first_line, "wrong-type", "The settings are no list of `key: value` lines.",
                     "Write each as `key: value` on a line of its own.")
    return Parsed(where, value, builder.lines, body, body_line), builder.faults


class _Builder:
    """Builds plain values from the parser's events."""

    def __init__(self, where: str, first_line: int) -> None:
        self.where = where
        self.first_line = first_line
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []
        self.count = 0

    def build(self, source: str) -> Any:
        loader: Any = None
        try:
            loader = yaml.CSafeLoader(source)
            return self._document(self._events(loader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = self.first_line + (mark.line if mark else 0)
            raise Broken(self.where, line, "broken-yaml", _problem(error), _advice(error)) from None
        except yaml.YAMLError:
            raise Broken(self.where, self.first_line, "broken-yaml", "The settings hold a character that YAML refuses.",
                         "Delete what is invisible or odd.") from None
        finally:
            if loader is not None:
                loader.dispose()

    def _events(self, loader: Any) -> Iterator[Any]:
        while loader.check_event():
            yield loader.get_event()

    def _document(self, events: Iterator[Any]) -> Any:
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Broken(self.where, self._line(event), "broken-yaml", "A second set of settings begins here.",
                                 "Delete the line `---` or `...`.")
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, events, ())
        return value

    def _line(self, event: Any) -> int:
        return int(self.first_line + event.start_mark.line)

    def _fault(self, event: Any, kind: str, what: str, do: str) -> None:
        if not any(fault.kind == kind for fault in self.faults) or kind == "duplicate-key":
            self.faults.append(Fault(self.where, self._line(event), kind, what, do))

    def _value(self, event: Any, events: Iterator[Any], place: Place) -> Any:
        self.count += 1
        if self.count > MAX_VALUES or len(place) > MAX_DEPTH:
            raise Broken(self.where, self._line(event), "yaml-bomb", "The settings hold too many values within values.",
                         f"Keep to {MAX_VALUES:,} values and {MAX_DEPTH} levels.")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._fault(event, "yaml-alias", "The settings use a YAML anchor or alias (`&` or `*`).",
                        "Write the value out, or put quotes around text that begins with & or *.")
            if isinstance(event, yaml.AliasEvent):
                return None
        if event.tag is not None:
            self._fault(event, "yaml-tag", f"The settings use the YAML tag `{event.tag[:60]}`.",
                        "Write plain values, and put quotes around text that begins with !.")
        if isinstance(event, yaml.ScalarEvent):
            if found := _CONTROL.search(event.value):  # written as "\\0", which the text of the file does not show
                self._fault(event, "control-character", f"A value holds the control character U+{ord(found[0]):04X}.",
                            "Delete it.")
            plain = event.style is None or event.style == ""
            return None if plain and event.value in NULLS else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, place)
        return self._mapping(events, place)

    def _list(self, events: Iterator[Any], place: Place) -> list[Any]:
        values: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*place, len(values))
            self.lines[here] = self._line(event)
            values.append(self._value(event, events, here))
        return values

    def _mapping(self, events: Iterator[Any], place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise Broken(self.where, self._line(event), "broken-yaml",
                             "A list or a group stands where a key belongs.",
                             "Put quotes around text that holds { } or [ ].")
            key = event.value
            self._value(event, events, place)
            here = (*place, key)
            value = self._value(next(events), events, here)
            if key in values or here in self.lines:
                self._fault(event, "duplicate-key", f"The key '{key[:60]}' stands here a second time.",
                            f"Keep one of the two; the first is on line {self.lines[here]}.")
                continue
            self.lines[here] = self._line(event)
            if value is not None:
                values[key] = value
        return values


def _problem(error: yaml.MarkedYAMLError) -> str:
    said = (error.problem or error.context or "it cannot be read").strip().rstrip(".")
    return f"The settings are not valid YAML: {said}."


def _advice(error: yaml.MarkedYAMLError) -> str:
    said = error.problem or ""
    if "mapping values" in said:
        return "Put quotes around text that holds a colon and a space."
    if "cannot start any token" in said:
        return "Indent with spaces instead of tabs, and put quotes around text that begins with @, ` or %."
    if "expected <block end>" in said or "did not find expected" in said:
        return "Check the indentation and the quotes on this line and the one above."
    return "Put quotes around text with special characters, and check the lines above."
