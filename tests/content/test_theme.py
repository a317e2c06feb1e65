"""The ramp of colours keeps its contrasts for any brand colour, and tells what it had to change."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.content.colour import contrast, parse, render
from handsel.content.schema import Theme
from handsel.content.theme import palette, rules

# The table of the design, light and dark; the source values are OKLCH, so a channel may be off by a few steps of 255.
DESIGN = {
    "paper": ("#fcfaf6", "#11151c"),
    "surface": ("#ffffff", "#191e27"),
    "sunk": ("#f3f0e9", "#0b0e14"),
    "line": ("#d9d6cd", "#333841"),
    "field": ("#7b8189", "#737b87"),
    "ink": ("#1b222e", "#efede7"),
    "muted": ("#545b67", "#a7adb6"),
    "brand": ("#046246", "#64d7aa"),
    "on-brand": ("#f9fdfb", "#071a13"),
    "mark": ("#fad371", "#624902"),
    "focus": ("#2d69de", "#7cb4fc"),
    "brand-tint": ("#ddf5e9", "#123226"),
    "ok": ("#196632", "#7cd591"),
    "ok-tint": ("#e0f7e4", "#1a2e1e"),
    "warn": ("#8a5601", "#ebc166"),
    "warn-tint": ("#fff0d3", "#362913"),
    "bad": ("#b51f1f", "#f78c8a"),
    "bad-tint": ("#feebea", "#431f1f"),
}
colours = st.integers(0, 0xFFFFFF).map("#{:06x}".format)
themes = st.builds(Theme, brand=colours, mark=colours, paper=st.sampled_from(["warm", "white", "cool"]))


def channels(text: str) -> list[int]:
    return [int(text[at : at + 2], 16) for at in (1, 3, 5)]


@settings(max_examples=150, deadline=None)
@given(themes)
def test_every_contrast_holds_in_both_schemes_for_any_brand_colour(theme: Theme) -> None:
    ramp = palette(theme)

    for tokens in (ramp.light, ramp.dark):
        assert [(word, ground) for word, ground, found, least in rules(tokens) if found < least] == []


@settings(max_examples=100, deadline=None)
@given(colours)
def test_the_hue_stays_the_marketers(brand: str) -> None:
    given_, ramp = parse(brand), palette(Theme(brand=brand))

    for used in (parse(ramp.light["brand"]), parse(ramp.dark["brand"])):
        turned = abs((used.hue - given_.hue + 180) % 360 - 180)
        assert turned < 8 or min(used.chroma, given_.chroma) < 0.03  # greys have no hue to keep


@settings(max_examples=100, deadline=None)
@given(colours)
def test_a_colour_survives_the_way_to_oklch_and_back(colour: str) -> None:
    assert max(abs(a - b) for a, b in zip(channels(render(parse(colour))), channels(colour), strict=True)) <= 1


def test_the_default_ramp_is_the_one_designed() -> None:
    ramp = palette(Theme())

    for name, designed in DESIGN.items():
        for tokens, colour in zip((ramp.light, ramp.dark), designed, strict=True):
            apart = max(abs(a - b) for a, b in zip(channels(tokens[name]), channels(colour), strict=True))
            assert apart <= 2, (name, tokens[name], colour)
    assert ramp.told == ()


def test_a_brand_colour_that_cannot_be_read_is_darkened_and_told() -> None:
    ramp = palette(Theme(brand="#ffd400", mark="#102030"))

    assert contrast(ramp.light["brand"], "#ffffff") >= 4.5
    assert ramp.told == (
        ("brand", "The brand colour #ffd400 is too light to be read on paper, "
                  f"so {ramp.light['brand']} is used in its place."),
        ("mark", "The highlighter #102030 is too dark under words, "
                 f"so {ramp.light['mark']} is used in the light scheme."),
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#046246", "#f9fdfb", 7.2),
        ("#ffffff", "#ffffff", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.06)
    assert contrast(one, other) == contrast(other, one)
