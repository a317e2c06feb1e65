"""What a WOFF2 file says of its letters: how high and how wide they run, so that a local font can stand in for them.

Only the tables that say so are read, and only from fonts of the usual two kinds (TrueType and CFF); W3C WOFF 2.0.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass

import brotli

SIGNATURE = b"wOF2"
LARGEST = 60_000  # bytes: about a third of a second of a slow phone's line, for headings alone
UNPACKED = 4_000_000  # bytes that the tables of so small a file can honestly have
_HEADER = struct.Struct(">4sIIHHIIHHIIIII")
_KNOWN = ("cmap", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post", "cvt ", "fpgm", "glyf", "loca")
_GLYF, _LOCA = 10, 11  # the two tables that are rewritten unless the directory says otherwise
_NAMED = 63  # a table whose name follows
# Letters as often as English has them, and the spaces between its words.
_USUAL = Counter("e" * 12 + "t" * 9 + "aaaaaaaaooooooooiiiiiiinnnnnnnsssssshhhhhhrrrrrrddddllllcccuuummmwwffggyyppbbvk")
_USUAL[" "] = 18


@dataclass(frozen=True)
class Face:
    """Measures of a font, each as a share of its size; ``width`` is that of the average letter, 0 without letters."""

    ascent: float
    descent: float
    gap: float
    width: float
    serif: bool


def read(data: bytes) -> Face:
    """The measures of the font. Raises ValueError with the reason when this is no WOFF2 font that can be used."""
    if not data.startswith(SIGNATURE):
        raise ValueError("is no WOFF2 font")
    try:
        return _face(_tables(data))
    except (struct.error, IndexError, KeyError, ZeroDivisionError, brotli.error):
        raise ValueError("is a damaged WOFF2 font") from None


def characters(data: bytes) -> frozenset[int]:
    """The code points up to U+FFFF that the font has a letter for. Raises ValueError as ``read`` does."""
    try:
        return frozenset(_glyphs(_tables(data)["cmap"], 0xFFFE))
    except (struct.error, IndexError, KeyError, brotli.error):
        raise ValueError("is a damaged WOFF2 font") from None


def _tables(data: bytes) -> dict[str, bytes]:
    """The tables that we know by name; ``hmtx`` in its short form is called ``short hmtx``."""
    header = _HEADER.unpack_from(data)
    flavour, count, packed_size = header[1], header[3], header[6]
    if flavour == int.from_bytes(b"ttcf", "big"):
        raise ValueError("holds several fonts")
    at, sizes = _HEADER.size, []
    for _ in range(count):
        number, form = data[at] & 63, data[at] >> 6
        size, at = _number(data, at + (1 if number != _NAMED else 5))
        plain = 3 if number in {_GLYF, _LOCA} else 0
        if form != plain:
            size, at = _number(data, at)
        name = _KNOWN[number] if number < len(_KNOWN) else ""
        sizes.append((f"short {name}" if name == "hmtx" and form != plain else name, size))
    unpacker = brotli.Decompressor()
    unpacked = unpacker.process(data[at : at + packed_size], output_buffer_limit=UNPACKED)
    if not unpacker.is_finished():
        raise IndexError("the tables break off, or are far too long")
    found, begin = {}, 0
    for name, size in sizes:
        found[name] = unpacked[begin : begin + size]
        begin += size
    return found


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A UIntBase128 and where it ends."""
    value = 0
    for place in range(at, at + 5):
        value = value << 7 | data[place] & 0x7F
        if not data[place] & 0x80:
            return value, place + 1
    raise IndexError("the number has no end")


def _face(tables: dict[str, bytes]) -> Face:
    em = struct.unpack_from(">H", tables["head"], 18)[0]
    ascent, descent, gap = struct.unpack_from(">hhh", tables["hhea"], 4)
    about = tables["OS/2"]
    family, style = about[32], about[33]
    if struct.unpack_from(">H", about, 62)[0] & 1 << 7:
        ascent, descent, gap = struct.unpack_from(">hhh", about, 68)
    return Face(ascent / em, -descent / em, gap / em, _width(tables) / em, not (family == 2 and style > 10))


def _width(tables: dict[str, bytes]) -> float:
    """The width of an average letter in units of the font; 0 when it has no Latin letters."""
    glyphs = _glyphs(tables["cmap"])
    count = struct.unpack_from(">H", tables["hhea"], 34)[0]
    short = tables.get("short hmtx")
    metrics, begin, step = (short, 1, 2) if short else (tables["hmtx"], 0, 4)
    total = letters = 0
    for char, often in _USUAL.items():
        if glyph := glyphs.get(ord(char)):
            total += often * int(struct.unpack_from(">H", metrics, begin + step * min(glyph, count - 1))[0])
            letters += often
    return total / letters if letters else 0.0


def _glyphs(table: bytes, last: int = 0x7F) -> dict[int, int]:
    """The glyphs of the characters up to ``last``, from a format 4 subtable, which every usual font has."""
    for number in range(struct.unpack_from(">H", table, 2)[0]):
        begin = struct.unpack_from(">I", table, 4 + 8 * number + 4)[0]
        if struct.unpack_from(">H", table, begin)[0] == 4:
            return _segments(table[begin:], last)
    return {}


def _segments(table: bytes, last: int) -> dict[int, int]:
    count = struct.unpack_from(">H", table, 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", table, 14)
    starts = struct.unpack_from(f">{count}H", table, 16 + 2 * count)
    deltas = struct.unpack_from(f">{count}H", table, 16 + 4 * count)
    offsets_at = 16 + 6 * count
    found = {}
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        offset_at = offsets_at + 2 * number
        offset = struct.unpack_from(">H", table, offset_at)[0]
        for char in range(start, min(end, last) + 1):
            glyph = char
            if offset:
                glyph = struct.unpack_from(">H", table, offset_at + offset + 2 * (char - start))[0]
                if not glyph:
                    continue
            found[char] = (glyph + deltas[number]) & 0xFFFF
    return found
