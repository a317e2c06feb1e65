"""The style sheet that a page carries in its head: tokens, the sheet of paper, and the parts that the page uses.

The files under ``static/public/`` are read as written and put together in few bytes: without comments and idle spaces,
without tokens that nothing on the page asks for, and with short names for the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from handsel.content.schema import Theme
from handsel.content.theme import palette
from handsel.content.woff2 import Face

CSS = Path(__file__).parent.parent / "static" / "public"
OLD_STYLE = '"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",P052,Georgia,serif'
SANS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Ubuntu,Cantarell,"Helvetica Neue",Arial,sans-serif'
LETTERS = {
    "old-style": OLD_STYLE,
    "sans": SANS,
    "rounded": 'ui-rounded,"SF Pro Rounded",Quicksand,Nunito,Manjari,"Arial Rounded MT Bold",' + SANS,
    "slab": 'Rockwell,"Rockwell Nova","Roboto Slab","DejaVu Serif","Sitka Small",serif',
}
# Bold fonts that every system has under one of these names, and the width of their average letter.
STAND_INS = {
    True: ('local("Times New Roman Bold"),local("Liberation Serif Bold")', 0.4341),
    False: ('local("Arial Bold"),local("Liberation Sans Bold")', 0.4864),
}
RADIUS = {"none": (0, 0, 0), "small": (2, 4, 8), "medium": (4, 8, 16), "large": (8, 14, 24)}
DENSITY = {  # space above and below a band, and the height of a line of text
    "compact": ("clamp(1.75rem,5vw,3rem)", "1.5"),
    "normal": ("clamp(2.5rem,7vw,4.5rem)", "1.6"),
    "airy": ("clamp(3.25rem,9vw,6rem)", "1.7"),
}
CODE = 'ui-monospace,Consolas,"DejaVu Sans Mono",monospace'
# Every page runs in horizontal lines, where these are the same; which side is the start stays open.
SHORTER = {
    "margin-block-start": "margin-top",
    "margin-block-end": "margin-bottom",
    "padding-block-start": "padding-top",
    "padding-block-end": "padding-bottom",
    "border-block-start": "border-top",
    "border-block-end": "border-bottom",
    "inset-block-start": "top",
    "inset-block-end": "bottom",
    "inline-size": "width",
    "block-size": "height",
    "min-inline-size": "min-width",
    "min-block-size": "min-height",
    "max-inline-size": "max-width",
    "max-block-size": "max-height",
}
_LONGER = re.compile(r"(?<=[{;])(?:" + "|".join(SHORTER) + r")(?=:)")
_TOKEN = re.compile(r"--[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?=[:),])")


@dataclass(frozen=True)
class Font:
    """The uploaded font of headings: its address and its measures."""

    address: str
    face: Face


def stylesheet(
    theme: Theme, parts: Iterable[str], names: frozenset[str] | None = None, font: Font | None = None
) -> str:
    """The CSS of a page that uses ``parts``; names for which there is no file are no parts and do no harm.

    ``names`` are the elements and classes of the page (see ``names_in``): rules for others are left out.
    """
    base = f"@layer base{{{part('base')}}}"
    rules = f"{base}@layer parts{{{''.join(map(part, sorted(set(parts) - {'base'})))}}}"
    if names is not None:
        rules = _asked_for(rules, names)
    tokens, rules = _tokens(theme, rules, font)
    return (_font_faces(font) if font else "") + _short_names(tokens + rules)


def _font_faces(font: Font) -> str:
    """The uploaded font, and a local one in its measures for as long as it is not there.

    A font that comes late is not used on this page at all, so nothing ever moves while somebody reads.
    """
    own = (
        f'@font-face{{font-family:heads;src:url({font.address})format("woff2");'
        "font-weight:1 1000;font-display:optional}"
    )
    if not font.face.width:
        return own
    local, width = STAND_INS[font.face.serif]
    scale = font.face.width / width
    measures = (font.face.ascent / scale, font.face.descent / scale, font.face.gap / scale, scale)
    ascent, descent, gap, size = (f"{100 * measure:.1f}".removesuffix(".0") + "%" for measure in measures)
    return (
        f"{own}@font-face{{font-family:heads2;src:{local};font-weight:1 1000;ascent-override:{ascent};"
        f"descent-override:{descent};line-gap-override:{gap};size-adjust:{size}}}"
    )


def _heads(theme: Theme, font: Font | None) -> str:
    """The fonts of headings as CSS writes them."""
    if font:
        return "heads,heads2," + ("Georgia,serif" if font.face.serif else "sans-serif")
    kind = theme.headings if theme.headings in LETTERS else "old-style"
    return "var(--text)" if kind == theme.text else LETTERS[kind]


def names_in(html: str) -> frozenset[str]:
    """The elements of ``html``, its classes with a dot before them, and ``[aria-current]`` if anything has it."""
    classes = {f".{name}" for found in re.findall(r'class="([^"]*)"', html) for name in found.split()}
    current = {"[aria-current]"} if " aria-current=" in html else set()
    return frozenset(classes | current | set(re.findall(r"<([a-z][a-z0-9]*)", html)))


def _asked_for(css: str, names: frozenset[str]) -> str:
    """``css`` without the rules that no element of the page can match."""
    kept, at = [], 0
    while (opening := css.find("{", at)) >= 0:
        prelude = css[at:opening]
        end = _end_of_block(css, opening)
        body = css[opening + 1 : end]
        at = end + 1
        if prelude.startswith(("@media", "@layer")):
            body = _asked_for(body, names)
        elif not prelude.startswith("@"):
            prelude = ",".join(each.replace(" + ", "+") for each in _selectors(prelude) if _may_match(each, names))
        if prelude and body:
            kept.append(f"{prelude}{{{body}}}")
    return "".join(kept)


def _end_of_block(css: str, opening: int) -> int:
    depth = 0
    for found in re.compile(r"[{}]").finditer(css, opening):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return found.start()
    raise ValueError("a style file has a block without an end")


def _selectors(prelude: str) -> list[str]:
    """The selectors of a list; commas in parentheses are not its own."""
    return re.split(r",(?![^(]*\))", prelude)


@cache
def _needs(selector: str) -> frozenset[str]:
    """What a page must have for ``selector`` to match anything; what it must not have is not looked at."""
    plain = selector
    while (shorter := re.sub(r":(?:not|is|where)\((?:[^()]|\([^()]*\))*\)", "", plain)) != plain:
        plain = shorter
    current = {"[aria-current]"} if "[aria-current" in plain else set()
    plain = re.sub(r":nth-[a-z-]+\([^)]*\)|::?[a-z-]+\b(?!\()|\[[^\]]*\]", "", plain)
    classes = re.findall(r"\.[A-Za-z][\w-]*", plain)
    return frozenset(classes) | current | frozenset(re.findall(r"(?:^|[\s>+~(])([a-z][a-z0-9]*)", plain))


def _may_match(selector: str, names: frozenset[str]) -> bool:
    return _needs(selector) <= names


def _tokens(theme: Theme, rules: str, font: Font | None) -> tuple[str, str]:
    """The custom properties that ``rules`` ask for, in the schemes that the theme has; and the rules.

    A value that both schemes share and that is asked for once stands where it was asked for.
    """
    ramp = palette(theme)
    shape = {f"round-{n}": f"{radius}px" for n, radius in enumerate(RADIUS[theme.radius], 1)}
    shape |= {"cover": ramp.light["brand"], "on-cover": ramp.light["on-brand"], "spine": ramp.light["brand-hi"]}
    shape |= {"text": LETTERS[theme.text], "heads": _heads(theme, font), "code": CODE}
    shape["room"], shape["leading"] = DENSITY[theme.density]
    asked = Counter(name[2:] for name in _TOKEN.findall(rules + shape["heads"]))
    for name in shape:
        if asked[name] == 1 and f"var(--{name})" in rules:
            rules = rules.replace(f"var(--{name})", _hex(shape[name]))
            del asked[name]

    def written(tokens: dict[str, str]) -> str:
        return ";".join(f"--{name}:{_hex(value)}" for name, value in tokens.items() if name in asked)

    if theme.scheme == "light":
        return f":root{{color-scheme:light;{written(ramp.light | shape)}}}", rules
    if theme.scheme == "dark":
        return f":root{{color-scheme:dark;{written(ramp.dark | shape)}}}", rules
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{written(ramp.dark)}}}}}"  # paper stays white
    return f":root{{color-scheme:light dark;{written(ramp.light | shape)}}}{dark}", rules


def _hex(value: str) -> str:
    """``#aabbcc`` as ``#abc``."""
    pairs = re.fullmatch(r"#(.)\1(.)\2(.)\3", value)
    return "#" + "".join(pairs.groups()) if pairs else value


def _short_names(css: str) -> str:
    """``css`` with one or two letters for each custom property, the shortest for the one most used."""
    used = Counter(_TOKEN.findall(css))
    names = (f"--{_letters(n)}" for n in count())
    short = dict(zip(sorted(used, key=lambda name: (-used[name], name)), names, strict=False))
    return _TOKEN.sub(lambda found: short[found[0]], css)


def _letters(number: int) -> str:
    rest, letter = divmod(number, 26)
    return (_letters(rest - 1) if rest else "") + chr(97 + letter)


@cache
def part(name: str) -> str:
    """The rules of ``base``, or of one of ``static/public/parts/``, in few bytes; empty when there is none."""
    path = CSS / "base.css" if name == "base" else CSS / "parts" / f"{name}.css"
    if not path.is_file():
        return ""
    css = minify(path.read_text(encoding="utf-8"))
    return "".join(body[:-1] for body in re.split(r"@layer \w+(?:,\w+)*[{;]", css)[1:] if body)


def minify(css: str) -> str:
    """``css`` without comments and idle spaces; spaces inside calc() stay, since they mean something there."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r"\s*([{};,>])\s*", r"\1", css)
    css = re.sub(r":\s+", ":", css).replace("= ", "=").replace(" !important", "!important")
    css = _LONGER.sub(lambda found: SHORTER[found[0]], css)
    return css.replace(";}", "}").strip()
