"""The look "Quiet press": a ramp of colours from one brand colour.

Every colour that words or edges have is moved in lightness until it keeps its contrast on every ground it may stand on,
in both schemes; hue stays the marketer's. ``Palette.told`` says what had to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from handsel.content.colour import STEP, Oklch, contrast, parse, render
from handsel.content.schema import Theme

WORDS, EDGES, INK = 4.5, 3.0, 7.0  # WCAG 2.2: text AA, user interface AA, text AAA
SPARE = 0.05  # rounding to 8 bits must not undercut a limit

PAPERS = {  # hue and chroma of grounds, as a share of those of warm paper: light, then dark
    "warm": ((90, 1.0), (260, 1.0)),
    "white": ((90, 0.0), (260, 0.0)),
    "cool": ((250, 0.9), (255, 1.3)),
}
STATUS = {  # light word, light tint, dark word, dark tint
    "ok": ("#196632", "#e0f7e4", "#7cd591", "#1a2e1e"),
    "warn": ("#8a5601", "#fff0d3", "#ebc166", "#362913"),
    "bad": ("#b51f1f", "#feebea", "#f78c8a", "#431f1f"),
}


class Change(NamedTuple):
    """A colour that is not used as it was given: the key of the theme, and the words for what happened."""

    key: str
    words: str


@dataclass(frozen=True)
class Palette:
    """Token names to ``#rrggbb`` for both schemes, and what was changed of the marketer's colours."""

    light: dict[str, str]
    dark: dict[str, str]
    told: tuple[Change, ...]


@lru_cache(maxsize=64)
def palette(theme: Theme) -> Palette:
    """The ramp for ``theme``; the rules of contrast hold for any brand and highlighter colour."""
    told: list[Change] = []
    light, dark = _grounds(theme, dark=False), _grounds(theme, dark=True)
    brand, mark = parse(theme.brand), parse(theme.mark)
    _light_brand(light, theme.brand, brand, told)
    _dark_brand(dark, brand)
    light["mark"] = _until(mark, up=True, ok=lambda colour: contrast(light["ink"], colour) >= INK + SPARE)
    if light["mark"] != theme.mark.lower():
        words = f"The highlighter {theme.mark} is too dark under words, so {light['mark']} is used in the light scheme."
        told.append(Change("mark", words))
    dark["mark"] = _until(
        Oklch(0.42, min(mark.chroma * 0.68, 0.1), mark.hue),
        up=False,
        ok=lambda colour: contrast(dark["ink"], colour) >= INK + SPARE,
    )
    return Palette(light, dark, tuple(told))


def _grounds(theme: Theme, dark: bool) -> dict[str, str]:
    """The tokens that owe nothing to the brand: papers, ink, edges, focus and the status words."""
    hue, share = PAPERS[theme.paper][dark]

    def ground(lightness: float, chroma: float) -> str:
        return render(Oklch(lightness, chroma * share, hue))

    if dark:
        tokens = {
            "paper": ground(0.195, 0.016),
            "surface": ground(0.235, 0.018),
            "sunk": ground(0.163, 0.013),
            "line": ground(0.34, 0.017),
            "field": ground(0.585, 0.021),
            "ink": "#efede7",
            "muted": "#a7adb6",
            "focus": "#7cb4fc",
        }
    else:
        tokens = {
            "paper": ground(0.985, 0.006),
            "surface": "#ffffff",
            "sunk": ground(0.955, 0.010),
            "line": ground(0.877, 0.012),
            "field": "#7b8189",
            "ink": "#1b222e",
            "muted": "#545b67",
            "focus": "#2d69de",
        }
    for name, values in STATUS.items():
        tokens[name], tokens[f"{name}-tint"] = values[2:] if dark else values[:2]
    return tokens


def _light_brand(tokens: dict[str, str], given: str, brand: Oklch, told: list[Change]) -> None:
    tokens["brand-tint"] = render(Oklch(0.95, min(brand.chroma * 0.33, 0.03), brand.hue))
    tokens["on-brand"] = render(Oklch(0.99, min(brand.chroma * 0.05, 0.005), brand.hue))
    grounds = [tokens[name] for name in ("paper", "surface", "sunk", "brand-tint", "on-brand")]

    def readable(colour: str) -> bool:
        return all(contrast(colour, ground) >= WORDS + SPARE for ground in grounds)

    tokens["brand"] = given.lower() if readable(given) else _until(brand, up=False, ok=readable)
    if tokens["brand"] != given.lower():
        words = f"The brand colour {given} is too light to be read on paper, so {tokens['brand']} is used in its place."
        told.append(Change("brand", words))
    used = parse(tokens["brand"])
    step = -0.07 if used.lightness > 0.25 else 0.1
    tokens["brand-hi"] = _until(used._replace(lightness=used.lightness + step), up=False, ok=readable)


def _dark_brand(tokens: dict[str, str], brand: Oklch) -> None:
    tokens["brand-tint"] = render(Oklch(0.29, min(brand.chroma * 0.5, 0.045), brand.hue))
    tokens["on-brand"] = render(Oklch(0.2, min(brand.chroma * 0.3, 0.028), brand.hue))
    grounds = [tokens[name] for name in ("paper", "surface", "sunk", "brand-tint", "on-brand")]

    def readable(colour: str) -> bool:
        return all(contrast(colour, ground) >= WORDS + SPARE for ground in grounds)

    chroma = min(brand.chroma * 1.375, 0.17)
    tokens["brand"] = _until(Oklch(0.80, chroma, brand.hue), up=True, ok=readable)
    lighter = parse(tokens["brand"])
    tokens["brand-hi"] = render(lighter._replace(lightness=min(lighter.lightness + 0.06, 0.97)))


def _until(colour: Oklch, up: bool, ok: Callable[[str], bool]) -> str:
    """``colour`` as ``#rrggbb``, moved to white (``up``) or black until it is ``ok``; at the end white or black."""
    while not ok(found := render(colour)) and (colour.lightness < 1 if up else colour.lightness > 0):
        colour = colour._replace(lightness=colour.lightness + (STEP if up else -STEP))
    return found


def rules(tokens: dict[str, str]) -> Iterable[tuple[str, str, float, float]]:
    """Each pair of tokens that must keep a contrast: (word, ground, its contrast, the least it may have)."""
    papers = ("paper", "surface", "sunk")
    pairs = [("ink", ground, INK) for ground in (*papers, "brand-tint", "mark", "ok-tint", "warn-tint", "bad-tint")]
    pairs += [
        (word, ground, WORDS) for word in ("muted", "brand", "brand-hi", "ok", "warn", "bad") for ground in papers
    ]
    pairs += [(word, f"{word}-tint", WORDS) for word in ("brand", "ok", "warn", "bad")]
    pairs += [("on-brand", "brand", WORDS), ("on-brand", "brand-hi", WORDS)]
    pairs += [(edge, ground, EDGES) for edge in ("field", "focus") for ground in papers]
    return [(word, ground, contrast(tokens[word], tokens[ground]), least) for word, ground, least in pairs]
