"""The measures of a font, read from its WOFF2 file."""

from __future__ import annotations

from contextlib import suppress

import brotli
import pytest

from handsel.content import woff2
from handsel.content.woff2 import Face
from support import fonts


@pytest.mark.parametrize("short", [False, True], ids=["whole metrics", "short metrics"])
def test_height_and_width_are_shares_of_the_size(short: bool) -> None:
    assert woff2.read(fonts.woff2(short_metrics=short)) == Face(0.9, 0.25, 0.0, 0.6, serif=True)


def test_the_measures_that_a_font_prefers_are_taken() -> None:
    assert woff2.read(fonts.woff2(typo=True, serif=False, width=500)) == Face(0.8, 0.2, 0.1, 0.5, serif=False)


def test_a_font_without_latin_letters_has_no_width() -> None:
    assert woff2.read(fonts.woff2("אבגד")).width == 0


@pytest.mark.parametrize("data", [b"", b"wOFF", b"<svg>", b"wOF2", b"wOF2" + bytes(44)])
def test_what_is_no_font_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no WOFF2 font|damaged"):
        woff2.read(data)


def test_a_font_that_breaks_off_anywhere_is_refused() -> None:
    whole = fonts.woff2()

    for end in range(4, len(whole) - 4, 7):
        with pytest.raises(ValueError, match="damaged"):
            woff2.read(whole[:end])


def test_a_font_never_unpacks_to_more_than_fonts_have() -> None:
    whole = fonts.woff2()
    begin, size = packed_part(whole)
    bomb = brotli.compress(brotli.decompress(whole[begin : begin + size]) + bytes(200_000_000))
    bombed = whole[:20] + len(bomb).to_bytes(4, "big") + whole[24:begin] + bomb

    with pytest.raises(ValueError, match="damaged"):
        woff2.read(bombed)


def packed_part(font: bytes) -> tuple[int, int]:
    """Where the packed tables begin and how long they are: they end at most three filling zeros before the file."""
    size = int.from_bytes(font[20:24], "big")
    for begin in range(len(font) - size, len(font) - size - 4, -1):
        with suppress(brotli.error):
            brotli.decompress(font[begin : begin + size])
            return begin, size
    raise AssertionError("no tables")
