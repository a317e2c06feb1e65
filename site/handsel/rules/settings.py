"""Reading one of the rule files; while a project has none, the one that is shipped holds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from importlib import resources
from typing import TypeVar

from handsel.content import parse
from handsel.content.library import Read, Reading
from handsel.content.parse import Broken, Parsed
from handsel.content.schema import Part
from handsel.content.validate import validate
from handsel.errors import Fault

Spec = TypeVar("Spec", bound=Part)
Made = TypeVar("Made")
Make = Callable[[Spec, Parsed], tuple[Made | None, list[Fault]]]


def read_settings(reading: Reading, file: str, model: type[Spec], make: Make[Spec, Made],
                  *circumstances: Hashable) -> Read[Made]:
    """What ``make`` gives for ``file``, as long as neither the file nor the circumstances differ."""
    if file not in reading.tree.stamps:
        return _read(file, shipped(file), model, make, reading)
    return reading.once(file, lambda name: _of(reading, name, model, make), *circumstances)


def _of(reading: Reading, file: str, model: type[Spec], make: Make[Spec, Made]) -> Read[Made]:
    try:
        data = reading.tree.read(file)
    except Broken as broken:
        return Read(file, None, (broken.fault,))
    return _read(file, data, model, make, reading)


def _read(file: str, data: bytes, model: type[Spec], make: Make[Spec, Made], reading: Reading) -> Read[Made]:
    parsed, faults = parse.settings(file, data)
    if parsed is None:
        return Read(file, None, tuple(faults))
    spec, more = validate(model, parsed, {"zone": reading.zone})
    faults += more
    if spec is None:
        return Read(file, None, tuple(faults), parsed.lines)
    made, more = make(spec, parsed)
    return Read(file, made, (*faults, *more), parsed.lines)


@lru_cache(maxsize=8)
def shipped(file: str) -> bytes:
    """The bytes of the rules that hold without a file of the project."""
    return resources.files("handsel.rules").joinpath("defaults", file.rpartition("/")[2]).read_bytes()
