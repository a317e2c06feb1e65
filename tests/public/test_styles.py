"""The style sheet holds what a page asks for, in few bytes and in any look that the theme can have."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import brotli
import pytest
from flask import Flask

from handsel import assembly, create_app
from handsel.content.schema import FONTS, Theme
from handsel.content.theme import palette
from handsel.content.woff2 import Face
from handsel.public.styles import CSS, Font, minify, names_in, part, stylesheet
from support import fonts


def test_a_scheme_can_be_fixed() -> None:
    assert "prefers-color-scheme" in stylesheet(Theme(), ())
    for scheme, ink in (("light", "#1b222e"), ("dark", "#efede7")):
        css = stylesheet(Theme(scheme=scheme), ())
        assert f"color-scheme:{scheme};" in css
        assert ink in css
        assert "prefers-color-scheme" not in css


def looks() -> Iterator[Theme]:
    """Every choice of the theme beside the others' first ones, and the longest of all together."""
    for key in ("paper", "scheme", "headings", "text", "radius", "density", "pattern"):
        for choice in get_args(Theme.model_fields[key].annotation) or FONTS:
            yield Theme.model_validate({key: choice})
    yield Theme(headings="slab", text="rounded", density="airy", paper="cool", radius="large")


LARGEST = ("/offers/home-energy-guide/", "/offers/heat-pump-whitepaper/", "/guide/blocks/", "/")


def styles_of(site: Flask, theme: Theme) -> Iterator[tuple[str, bytes]]:
    """The style of each of the largest pages of the site in that look."""
    table = site.extensions["handsel.pages"]
    for path in LARGEST:
        state, sheet = table.sheet(path)
        settings = state.project.site.model_copy(update={"theme": theme})
        press = replace(state.press, project=replace(state.project, site=settings))
        for variant in sheet.variants:
            html = press.draw(sheet, variant, lambda hole: "token").html
            yield path, re.findall(r"<style>(.*?)</style>", html, re.S)[0].encode()


@pytest.mark.parametrize("theme", list(looks()), ids=str)
def test_the_largest_pages_keep_their_budget_in_every_look(theme: Theme, site: Flask) -> None:
    for path, css in styles_of(site, theme):
        assert len(css) <= 8_000, path
        assert len(brotli.compress(css)) <= 2_800, path


@pytest.fixture
def own_font(house: Path, tmp_path: Path) -> Iterator[Flask]:
    """An application on the repository's own site with a font of its own for headings."""
    root = tmp_path / "with-a-font"
    shutil.copytree(house, root, ignore=shutil.ignore_patterns("instance"))
    (root / "content" / "_theme").mkdir()
    (root / "content" / "_theme" / "a-long-name-of-a-font.woff2").write_bytes(fonts.woff2())
    settings = root / "content" / "_site.yml"
    settings.write_text(settings.read_text().replace("headings: old-style", "headings: a-long-name-of-a-font.woff2"))
    app = create_app(root, ENV="test", SECRET_KEY="a key for tests, long enough to be one", SITE_URL="http://localhost")
    yield app
    assembly.close(app)


def test_a_font_of_their_own_keeps_them_in_their_budget_too(own_font: Flask) -> None:
    assert own_font.extensions["handsel.offers"].project.faults == ()
    theme = own_font.extensions["handsel.offers"].project.site.theme
    for path, css in styles_of(own_font, theme):
        assert css.startswith(b"@font-face{font-family:heads;src:url(/_theme/a-long-name-of-a-font.")
        assert len(css) <= 8_000, path
        assert len(brotli.compress(css)) <= 2_800, path


def test_a_font_of_headings_is_fetched_early_and_kept_for_good(own_font: Flask, ask: Callable[..., Any]) -> None:
    html = ask(own_font, "/about/")[2].decode()
    (address,) = re.findall(r'<link rel="preload" href="([^"]+)" as="font" type="font/woff2" crossorigin>', html)

    status, headers, body = ask(own_font, address)

    uploaded = own_font.config["PROJECT_ROOT"] / "content" / "_theme" / "a-long-name-of-a-font.woff2"
    assert (status, headers["Content-Type"], body) == ("200 OK", "font/woff2", uploaded.read_bytes())
    assert "immutable" in headers["Cache-Control"]
    assert f"src:url({address})" in html
    assert ask(own_font, "/_theme/other.woff2")[0] == "404 NOT FOUND"


def test_the_font_of_headings_brings_a_stand_in_of_its_own_measures() -> None:
    font = Font("/_theme/own.woff2", Face(0.9, 0.25, 0, 0.6, serif=False))
    css = stylesheet(Theme(headings="own.woff2"), (), None, font)

    assert '@font-face{font-family:heads;src:url(/_theme/own.woff2)format("woff2");' in css
    assert "font-display:optional" in css
    assert 'src:local("Arial Bold"),' in css
    assert "ascent-override:73%;descent-override:20.3%;line-gap-override:0%;size-adjust:123.4%" in css  # .6 / .4864
    assert "heads,heads2,sans-serif" in css


def test_a_font_without_latin_letters_has_no_stand_in() -> None:
    font = Font("/_theme/own.woff2", Face(0.9, 0.25, 0, 0, serif=True))
    css = stylesheet(Theme(headings="own.woff2"), (), None, font)

    assert "local(" not in css


def test_headings_and_text_may_have_the_same_letters() -> None:
    both = stylesheet(Theme(headings="slab", text="slab"), ())

    assert both.count("Rockwell,") == 1


def test_density_sets_the_room_around_bands_and_between_lines() -> None:
    rooms = {density: stylesheet(Theme(density=density), ()) for density in ("compact", "normal", "airy")}

    assert "clamp(1.75rem,5vw,3rem)" in rooms["compact"]
    assert "clamp(2.5rem,7vw,4.5rem)" in rooms["normal"]
    assert "clamp(3.25rem,9vw,6rem)" in rooms["airy"]


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


def test_sizes_and_the_block_axis_get_their_short_names_and_sides_stay_open() -> None:
    assert (
        minify(".a { max-inline-size: 3rem; margin-block-end: 1em; padding-inline-start: 2px; margin-block: 0 }")
        == ".a{max-width:3rem;margin-bottom:1em;padding-inline-start:2px;margin-block:0}"
    )


def test_style_files_have_whole_blocks_and_logical_directions_only() -> None:
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
        css = stylesheet(theme, ("cover",))

        assert f".cover rect{{fill:{palette(theme).light['brand']}}}" in css


def test_code_runs_from_left_to_right_on_every_page() -> None:
    assert "direction:ltr" in re.findall(r"(?:^|})pre\{([^}]*)\}", part("code"))[0]
