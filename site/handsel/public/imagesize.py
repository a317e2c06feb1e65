"""Width and height of a picture, read from the first bytes of its file; no picture is ever decoded."""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from pathlib import Path

HEAD = 65_536  # bytes read; the sizes of a sound file stand well before

Size = tuple[int, int]


def image_size(path: Path) -> Size | None:
    """(width, height) in pixels of a PNG, GIF, JPEG, WebP, AVIF or SVG; None when it cannot be told."""
    try:
        state = path.stat()
    except OSError:
        return None
    return _size(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _size(path: Path, _mtime: int, _bytes: int) -> Size | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        return measure(head)
    except (OSError, struct.error, IndexError, ValueError):
        return None


def measure(head: bytes) -> Size | None:
    """The same from the first bytes of a file. Raises struct.error or IndexError when they break off."""
    found: Size | None = None
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        found = struct.unpack(">II", head[16:24])
    elif head[:6] in (b"GIF87a", b"GIF89a"):
        found = struct.unpack("<HH", head[6:10])
    elif head.startswith(b"\xff\xd8"):
        found = _jpeg(head)
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = _webp(head)
    elif head[4:8] == b"ftyp":
        found = _avif(head)
    elif b"<svg" in head[:4096]:
        found = _svg(head[:4096].decode("utf-8", "replace"))
    return found if found and all(0 < length <= 100_000 for length in found) else None


def _jpeg(head: bytes) -> Size | None:
    at = 2
    while at < len(head) - 9:
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame, of whatever coding
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", head[at + 2 : at + 4])[0])
    return None


def _webp(head: bytes) -> Size | None:
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _avif(head: bytes) -> Size | None:
    """The largest `ispe` box: smaller ones belong to thumbnails, tiles and the alpha plane."""
    sizes: list[Size] = []
    at = head.find(b"ispe")
    while at >= 0:
        sizes.append(struct.unpack(">II", head[at + 8 : at + 16]))
        at = head.find(b"ispe", at + 4)
    return max(sizes, default=None)


def _svg(text: str) -> Size | None:
    tag = re.search(r"<svg\b[^>]*>", text, re.S)
    if not tag:
        return None
    lengths = [re.search(rf'\s{name}="([\d.]+)(?:px)?"', tag[0]) for name in ("width", "height")]
    if all(lengths):
        width, height = (round(float(found[1])) for found in lengths if found)
        return width, height
    box = re.search(r'\sviewBox="\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)\s*"', tag[0])
    return (round(float(box[1])), round(float(box[2]))) if box else None
