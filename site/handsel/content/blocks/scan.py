"""Reading the fences of blocks before Markdown does: names, arguments, options and lines are settled here.

What comes out is Markdown in which each good block is ``/// <secret> | <number>``, so that the parser knows one block
only, nothing the author writes is taken for one of ours, and a faulty fence leaves its inner Markdown standing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from handsel.content.blocks.kinds import REGISTRY, Block, Kind, Work
from handsel.errors import nearest

_OPEN = re.compile(r"^ {0,3}(/{3,})[ \t]*([A-Za-z][\w-]*)[ \t]*(?:\|[ \t]*(.*?))?[ \t]*$")
_CLOSE = re.compile(r"^ {0,3}(/{3,})[ \t]*$")
_CODE = re.compile(r"^\s*(`{3,}|~{3,})(.*)$")
_KEY = re.compile(r"^([\w-]+):")
IN_BOOKS = ("columns", "cta", "features", "figure", "inside", "logos", "note", "quote", "stats", "steps")
"""What can stand in a chapter of a book: all that needs nobody to press or fill in anything."""
DEEPEST = 6  # blocks in blocks in blocks; more is a slip


@dataclass
class _Open:
    """A fence that waits for its end. ``at`` is its block's number; None when its fences are to be left out."""

    slashes: int
    name: str
    line: int
    depth: int
    at: int | None


def scan(source: str, first_line: int, work: Work, secret: str) -> str:
    """``source`` with its fences rewritten; blocks and faults are added to ``work``."""
    lines = source.split("\n")
    out: list[str] = []
    waiting: list[_Open] = []
    code = ""
    at = 0
    while at < len(lines):
        line, number = lines[at], first_line + at
        at += 1
        if code or _CODE.match(line):
            code = _code_after(line, code)
            out.append(line)
        elif found := _OPEN.match(line):
            taken = _option_lines(lines, at)
            at += len(taken)
            opened = _open(found, taken, number, len(waiting), work)
            waiting.append(opened)
            _write_open(out, opened, work, secret)
        elif found := _CLOSE.match(line):
            _close(out, waiting, len(found[1]), number, work)
        else:
            out.append(line)
    while waiting:
        left = waiting.pop()
        work.fault(
            left.line,
            "unclosed-block",
            f"The block '{left.name}' has no end.",
            f"Add a line of {left.slashes} slashes below it.",
        )
        _write_close(out, left)
    return "\n".join(out)


def _code_after(line: str, code: str) -> str:
    """The fence that encloses what follows ``line``, or nothing."""
    found = _CODE.match(line)
    if not code:
        return found[1] if found else ""
    if found and found[1].startswith(code) and not found[2].strip():
        return ""
    return code


def _option_lines(lines: list[str], at: int) -> list[str]:
    taken = []
    while at < len(lines) and re.match(r"^(?: {4}|\t)\s*\S", lines[at]):
        taken.append(lines[at])
        at += 1
    return taken


def _open(found: re.Match[str], taken: list[str], line: int, depth: int, work: Work) -> _Open:
    name, argument = found[2], (found[3] or "").strip()
    opened = _Open(len(found[1]), name, line, depth, None)
    kind = REGISTRY.get(name)
    if kind is None:
        known = [each.name for each in REGISTRY.values() if each.letters or not work.letter]
        work.fault(line, "unknown-block", f"There is no block '{name}'.", nearest(name, known))
    elif work.letter and not kind.letters:
        work.fault(
            line,
            "block-not-in-letter",
            f"The block '{name}' cannot stand in an e-mail.",
            nearest("", [each.name for each in REGISTRY.values() if each.letters]),
        )
    elif work.book and name not in IN_BOOKS:
        work.fault(line, "block-not-in-book", f"The block '{name}' cannot stand in a book.", nearest("", IN_BOOKS))
    elif depth >= DEEPEST:
        work.fault(line, "deep-block", f"The block '{name}' is nested too deep.", "End the blocks around it first.")
    else:
        opened.at = len(work.blocks)
        work.blocks.append(Block(name, _argument(kind, argument, line, work), _options(kind, taken, line, work), line))
    return opened


def _argument(kind: Kind, argument: str, line: int, work: Work) -> str:
    if kind.needed and not argument:
        work.fault(
            line,
            "missing-argument",
            f"The block '{kind.name}' needs {kind.argument}.",
            f"Write it after a bar: `/// {kind.name} | …`.",
        )
    elif argument and not kind.argument:
        work.fault(line, "idle-argument", f"The block '{kind.name}' takes nothing after the bar.", "Remove it.")
    return argument


def _options(kind: Kind, taken: list[str], line: int, work: Work) -> dict[str, Any]:
    values: dict[str, Any] = {}
    written = _read(kind, taken, line, work)
    for name, text in written.items():
        at = line + 1 + next((n for n, each in enumerate(taken) if each.strip().startswith(f"{name}:")), 0)
        option = kind.options.get(name)
        if option is None:
            advice = nearest(name, kind.options) or "It takes none."
            work.fault(at, "unknown-option", f"The block '{kind.name}' has no option '{name}'.", advice)
        elif not isinstance(text, str):
            work.fault(at, "bad-option", f"The option '{name}' is no plain value.", "Write it on one line.")
        else:
            try:
                values[name] = option.read(text.strip())
            except ValueError as error:
                work.fault(
                    at,
                    "bad-option",
                    f"The option '{name}' of the block '{kind.name}' cannot be '{text[:60]}'.",
                    str(error),
                )
    for name in kind.needs:
        if name not in written:
            work.fault(
                line,
                "missing-option",
                f"The block '{kind.name}' needs the option '{name}'.",
                f"Add an indented line `{name}: …` below it.",
            )
    return values


def _read(kind: Kind, taken: list[str], line: int, work: Work) -> dict[str, Any]:
    """The options as YAML has them, every scalar as text."""
    if not taken:
        return {}
    names = [found[1] for each in taken if (found := _KEY.match(each.strip()))]
    for name in {name for name in names if names.count(name) > 1}:
        work.fault(line, "duplicate-option", f"The option '{name}' is given twice.", "Remove one of them.")
    try:
        # The base loader knows text, lists and mappings only: no tag makes an object.
        written = yaml.load("\n".join(taken), Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError:
        written = None
    if not isinstance(written, dict) or not all(isinstance(name, str) for name in written):
        work.fault(
            line + 1,
            "bad-option",
            f"The options of the block '{kind.name}' cannot be read.",
            "Write one `name: value` a line, indented by four spaces; put quotes around a value with a colon.",
        )
        return {}
    return written


def _write_open(out: list[str], opened: _Open, work: Work, secret: str) -> None:
    if opened.at is None:
        out.append("")
        return
    out += ["", f"{_slashes(opened.depth)} {secret} | {opened.at}", ""]


def _close(out: list[str], waiting: list[_Open], slashes: int, line: int, work: Work) -> None:
    if not any(each.slashes == slashes for each in waiting):
        work.fault(
            line,
            "stray-fence",
            "This line of slashes ends no block.",
            "Remove it, or give it as many slashes as the line that begins the block.",
        )
        return
    while True:
        last = waiting.pop()
        _write_close(out, last)
        if last.slashes == slashes:
            return
        work.fault(
            last.line,
            "unclosed-block",
            f"The block '{last.name}' has no end.",
            f"Add a line of {last.slashes} slashes below it.",
        )


def _write_close(out: list[str], opened: _Open) -> None:
    out += ["", _slashes(opened.depth), ""] if opened.at is not None else [""]


def _slashes(depth: int) -> str:
    return "/" * (3 + DEEPEST - depth)
