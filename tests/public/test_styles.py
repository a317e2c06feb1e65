"""The style sheet holds what a page asks for, in few bytes and in any look that the theme can have."""

from __future__ import annotations

import re

from handsel.content.schema import Theme
from handsel.content.theme import palette
from handsel.public.styles import minify, names_in, part, stylesheet


def test_a_scheme_can_be_fixed() -> None:
    assert "prefers-color-scheme" in stylesheet(Theme(), ())
    for scheme, ink in (("light", "#1b222e"), ("dark", "#efede7")):
        css = stylesheet(Theme(scheme=scheme), ())
        assert f"color-scheme:{scheme};" in css
        assert ink in css
        assert "prefers-color-scheme" not in css


def test_rules_for_what_a_page_has_not_are_left_out_with_their_tokens() -> None:
    html = '<main><section class="band"><p class="lead">Words</p><details><summary>A</summary></details></section>'

    css = stylesheet(Theme(), ("note", "table"), names_in(html))

    assert ".lead{" in css
    assert ".band:nth-of-type(even)" in css
    assert ".note" not in css
    assert "table" not in css
    assert "#8a5601" not in css
    assert len(css) < len(stylesheet(Theme(), ("note", "table"))) * 0.7


def test_what_must_not_be_there_is_not_asked_for() -> None:
    css = stylesheet(Theme(), (), names_in('<a class="skip" href="#main">'))

    assert ".skip:not(:focus){" in css


def test_small_css_means_the_same() -> None:
    assert (
        minify("/* a */ .a > .b,\n .c { inline-size : calc(100% - 2rem) ; margin: 0 }\n")
        == ".a>.b,.c{inline-size :calc(100% - 2rem);margin:0}"
    )


def test_style_files_have_whole_blocks_and_logical_directions_only() -> None:
    from handsel.public.styles import CSS

    for path in [CSS / "base.css", *sorted((CSS / "parts").glob("*.css"))]:
        css = path.read_text()
        assert css.count("{") == css.count("}"), path.name
        for physical in (
            "-left",
            "-right",
            " left:",
            " right:",
            "text-align: left",
            "margin-top",
            "padding-bottom",
            "float:",
        ):
            assert physical not in css, (path.name, physical)
        assert part(path.stem) or path.stem == "base", path.name


def test_a_drawn_cover_keeps_the_colours_of_the_light_scheme() -> None:
    for scheme in ("auto", "dark", "light"):
        theme = Theme(scheme=scheme)
        light, css = palette(theme).light, stylesheet(theme, ("cover",))
        words, _, _ = css.partition("@media screen")  # what the dark scheme changes comes after it
        fill = re.search(r"\.cover rect\{fill:var\((--\w+)\)", css)

        assert fill
        assert f"{fill[1]}:{light['brand']}" in words
        assert css.count(f"{fill[1]}:") == 1, scheme
