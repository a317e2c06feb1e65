"""Draws one share card: its words and colours as JSON on standard input, a PNG on standard output.

A program of its own, so that Pillow is in memory only while it draws. The font that comes with us has the letters of
Latin, Greek and Cyrillic scripts. Words that it cannot write are left away whole, since boxes would be worse: then the
card shows the site's sign and pattern, and the title stands beside it wherever it is shared.
"""

from __future__ import annotations

import io
import json
import re
import sys
import unicodedata
from math import cos, pi, sin
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from handsel.content import woff2

SIZE = (1200, 630)
FINE = 2  # drawn at twice the size and made smaller, so that lines are smooth
EDGE, SPINE = 96, 26
LARGEST, SMALLEST, LINES = 86, 44, 4
COVER = (300, 400)  # as cover.py draws it
COVER_AT, COVER_BY = (842, 131), 0.92
FONT = Path(__file__).parent.parent / "fonts" / "card.woff2"
Pen = ImageDraw.ImageDraw


class Words:
    """The font: what it can write, and how wide that runs."""

    def __init__(self) -> None:
        self.data = FONT.read_bytes()
        self.letters = woff2.characters(self.data)

    def can(self, text: str) -> str:
        """``text`` without signs that are no letters of ours; empty when a letter of it cannot be written."""
        kept = []
        for char in unicodedata.normalize("NFC", text):
            if ord(char) in self.letters:
                kept.append(char)
            elif unicodedata.category(char)[0] in "LMN":
                return ""
        return " ".join("".join(kept).split())

    def font(self, size: float) -> ImageFont.FreeTypeFont:
        """The font at a size of the finished picture."""
        return ImageFont.truetype(io.BytesIO(self.data), size * FINE)

    def lines(self, text: str, size: float, room: float) -> list[str]:
        """``text`` in lines of at most ``room``; a word that is longer than that stands alone."""
        font, lines = self.font(size), list[str]()
        for word in text.split():
            if lines and font.getlength(f"{lines[-1]} {word}") <= room * FINE:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    def fits(self, lines: list[str], size: float, room: float) -> bool:
        """Whether every line is as narrow as it must be."""
        font = self.font(size)
        return all(font.getlength(line) <= room * FINE for line in lines)


class Title(NamedTuple):
    """A title set in lines."""

    lines: list[str]
    size: int


def set_title(words: Words, text: str, room: float) -> Title:
    """The largest setting of ``text`` that fits; what is too long even for the smallest ends in an ellipsis."""
    for size in range(LARGEST, SMALLEST - 1, -2):
        lines = words.lines(text, size, room)
        if len(lines) <= (3 if size > 64 else LINES) and words.fits(lines, size, room):
            return Title(balanced(words, lines, size, room), size)
    lines = words.lines(text, SMALLEST, room)
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], lines[LINES - 1] + " …"]
    font = words.font(SMALLEST)
    return Title([shortened(line, font, room) for line in lines], SMALLEST)


def shortened(line: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """``line``, ended by an ellipsis where it is too long."""
    while font.getlength(line) > room * FINE:
        line = line.rstrip("…")[:-1].rstrip() + "…"
    return line


def balanced(words: Words, lines: list[str], size: int, room: float) -> list[str]:
    """The same words in as many lines of about the same length."""
    text, narrow = " ".join(lines), room
    while len(closer := words.lines(text, size, narrow - 20)) == len(lines) and words.fits(closer, size, narrow - 20):
        narrow, lines = narrow - 20, closer
    return lines


def paint(card: dict[str, Any]) -> bytes:
    """The card as a PNG."""
    colours, words = card["colours"], Words()
    image = Image.new("RGB", (SIZE[0] * FINE, SIZE[1] * FINE), colours["paper"])
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, SPINE * FINE, SIZE[1] * FINE), colours["brand"])
    cover, title, site = card["cover"], words.can(card["title"]), words.can(card["site"])
    if cover and not all(map(words.can, cover_words(cover))):
        cover = None
    if not cover:
        waves(pen, colours["line"], card["pattern"], bottom=title != "")
    sign(pen, EDGE, 64, 46, colours)
    if site:
        pen.text(at(EDGE + 64, 87), site, colours["ink"], words.font(34), "lm")
    if title and title != site:
        write_title(pen, words, title, words.can(card["below"]), colours, wide=not cover)
    if card["host"].isascii():
        pen.text(at(EDGE, 566), card["host"], colours["muted"], words.font(27), "ls")
    if cover:
        write_cover(image, words, cover, colours)
    small = image.resize(SIZE, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.quantize(96, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def at(x: float, y: float) -> tuple[float, float]:
    """A point of the finished picture, in the large one."""
    return x * FINE, y * FINE


def write_title(pen: Pen, words: Words, title: str, below: str, colours: dict[str, str], *, wide: bool) -> None:
    """The title in the middle of the room that it has, over a stroke of the highlighter."""
    room = (1104 if wide else COVER_AT[0] - 56) - EDGE
    lines, size = set_title(words, title, room)
    font, step = words.font(size), size * 1.16
    top = 312 - (len(lines) * step + (48 if below else 0)) / 2
    for number, line in enumerate(lines):
        base = top + step * number + size * 0.86
        if number == len(lines) - 1:
            width = font.getlength(line) / FINE
            stroke = (*at(EDGE - 4, base - size * 0.16), *at(EDGE + width + 6, base + size * 0.12))
            pen.rectangle(stroke, colours["mark"])
        pen.text(at(EDGE, base), line, colours["ink"], font, "ls")
    if below:
        pen.text(at(EDGE, top + len(lines) * step + 40), below, colours["muted"], words.font(30), "ls")


def sign(pen: Pen, x: float, y: float, size: float, colours: dict[str, str]) -> None:
    """The bookmark that is drawn where a site has no logo."""
    unit = size / 24
    pen.rounded_rectangle((*at(x, y), *at(x + size, y + size)), 5 * unit * FINE, colours["brand"])
    points = [(8, 5), (16, 5), (16, 18), (12, 15), (8, 18)]
    pen.polygon([at(x + px * unit, y + py * unit) for px, py in points], colours["on-brand"])


def waves(pen: Pen, colour: str, pattern: str, *, bottom: bool) -> None:
    """The pattern of covers, large and pale, at the side where no words are."""
    if pattern == "none":
        return
    scale, begin = (1.5, (760, 110)) if bottom else (3.6, (380, -830))
    for line in strokes(PATTERNS[pattern]):
        pen.line([at(begin[0] + x * scale, begin[1] + y * scale) for x, y in line], colour, 2 * FINE, "curve")


PATTERNS = {
    "waves": "".join(f"M42 {y}c28-24 56-24 74 0s64 24 116 0" for y in range(254, 325, 14)),
    "rings": "".join(f"M{165 - r} 300a{r} {r} 0 1 0 {2 * r} 0" for r in range(10, 91, 10)),
    "grid": "".join(f"M42 {y}h232" for y in range(254, 350, 16)),
}


def cover_words(cover: dict[str, Any]) -> list[str]:
    """Everything that is written on the cover."""
    lines = [line["text"] for part in ("title", "subtitle") for line in cover[part]]
    return [text for text in (*lines, cover["author"]) if text]


def write_cover(image: Image.Image, words: Words, cover: dict[str, Any], colours: dict[str, str]) -> None:
    """The offer's drawn cover, as on its landing page."""
    pen, (left, top), by = ImageDraw.Draw(image), COVER_AT, COVER_BY

    def spot(x: float, y: float) -> tuple[float, float]:
        return at(left + x * by, top + y * by)

    width, height = COVER
    pen.rounded_rectangle((*spot(5, 8), *spot(width + 5, height + 8)), 8 * by * FINE, colours["line"])
    pen.rounded_rectangle((*spot(0, 0), *spot(width, height)), 8 * by * FINE, colours["cover"])
    corners = (True, False, False, True)
    pen.rounded_rectangle((*spot(0, 0), *spot(18, height)), 8 * by * FINE, colours["spine"], corners=corners)
    faint = mixed(colours["cover"], colours["on-cover"], 0.55)
    for line in strokes(cover["pattern"]):
        pen.line([spot(x, y) for x, y in line], faint, 3, "curve")
    for part, size in (("title", cover["size"]), ("subtitle", 15)):
        font = words.font(size * by)
        for line in cover[part]:
            narrow = words.font(size * by * min(1, 236 * by * FINE / max(font.getlength(line["text"]), 1)))
            pen.text(spot(42, line["y"]), words.can(line["text"]), colours["on-cover"], narrow, "ls")
    if cover["author"]:
        pen.text(spot(42, 376), words.can(cover["author"]), colours["on-cover"], words.font(15 * by), "ls")


def mixed(ground: str, colour: str, share: float) -> str:
    """``colour`` as it looks on ``ground`` when it lets some of that through."""
    pairs = [(int(ground[n : n + 2], 16), int(colour[n : n + 2], 16)) for n in (1, 3, 5)]
    return "#" + "".join(f"{round(below + (above - below) * share):02x}" for below, above in pairs)


def strokes(path: str) -> list[list[tuple[float, float]]]:
    """The lines of the few kinds of path that cover.py writes: M, h, v, c, s, and a for circles."""
    found: list[list[tuple[float, float]]] = []
    x = y = 0.0
    control = (0.0, 0.0)
    for letter, rest in re.findall(r"([Mhvcsa])([^Mhvcsa]*)", path):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", rest)]
        if letter == "M":
            x, y = numbers
            found.append([(x, y)])
        elif letter in "hv":
            x, y = (x + numbers[0], y) if letter == "h" else (x, y + numbers[0])
            found[-1].append((x, y))
        elif letter == "a":
            radius = numbers[0]
            ring = [(x + radius + radius * cos(t * pi / 40), y + radius * sin(t * pi / 40)) for t in range(81)]
            found.append(ring)
        else:
            first = (x + numbers[0], y + numbers[1]) if letter == "c" else (2 * x - control[0], 2 * y - control[1])
            second, end = numbers[-4:-2], numbers[-2:]
            control, last = (x + second[0], y + second[1]), (x + end[0], y + end[1])
            for step in range(1, 25):
                t = step / 24
                near, far = 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2
                found[-1].append(
                    (
                        (1 - t) ** 3 * x + near * first[0] + far * control[0] + t**3 * last[0],
                        (1 - t) ** 3 * y + near * first[1] + far * control[1] + t**3 * last[1],
                    )
                )
            x, y = last
    return [line for line in found if len(line) > 1]


if __name__ == "__main__":
    sys.stdout.buffer.write(paint(json.load(sys.stdin)))
