"""Colours as eyes see them: OKLCH to and from sRGB, and the contrast of WCAG 2.

OKLCH is Björn Ottosson's: lightness 0 to 1, chroma 0 to about .37 in sRGB, hue in degrees.
"""

from __future__ import annotations

from math import atan2, cbrt, cos, degrees, hypot, radians, sin
from typing import NamedTuple

STEP = 1 / 512  # finer than one step of an 8-bit channel


class Oklch(NamedTuple):
    """One colour by lightness, chroma and hue."""

    lightness: float
    chroma: float
    hue: float


def parse(text: str) -> Oklch:
    """The colour written as ``#rrggbb``."""
    red, green, blue = (_linear(channel) for channel in _channels(text))
    long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return Oklch(lightness, hypot(a, b), degrees(atan2(b, a)) % 360)


def render(colour: Oklch) -> str:
    """``#rrggbb`` of the colour; chroma that sRGB cannot show is taken out, lightness and hue are kept."""
    lightness = min(max(colour.lightness, 0.0), 1.0)
    low, high = 0.0, colour.chroma
    if not _inside(_to_linear(Oklch(lightness, high, colour.hue))):
        while high - low > 0.0002:
            middle = (low + high) / 2
            if _inside(_to_linear(Oklch(lightness, middle, colour.hue))):
                low = middle
            else:
                high = middle
        high = low
    channels = _to_linear(Oklch(lightness, high, colour.hue))
    return "#" + "".join(f"{round(255 * _gamma(min(max(channel, 0.0), 1.0))):02x}" for channel in channels)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours written as ``#rrggbb``, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _channels(text: str) -> tuple[float, float, float]:
    red, green, blue = (int(text[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _gamma(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)


def _luminance(text: str) -> float:
    red, green, blue = (_linear(channel) for channel in _channels(text))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_linear(colour: Oklch) -> tuple[float, float, float]:
    lightness, chroma, hue = colour
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _inside(channels: tuple[float, float, float]) -> bool:
    return all(-0.0005 <= channel <= 1.0005 for channel in channels)
