"""The logo and the icon of a site, for the day and for the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask

Ask = Callable[..., tuple[str, dict[str, str], bytes]]
SIGN = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="{width}" height="24"><path d="M1 2h3"/></svg>'


@pytest.fixture
def pictures(project: Path) -> Path:
    """The folder of pictures, with a wide logo for each scheme and an icon."""
    folder = project / "content" / "images"
    (folder / "logo.svg").write_text(SIGN.format(width=120))
    (folder / "logo-dark.svg").write_text(SIGN.format(width=140))
    (folder / "icon.svg").write_text(SIGN.format(width=24))
    return folder


def plain(address: str) -> str:
    """The SVG in a ``data:`` address of a page, with the quotes it was written with."""
    return unquote(unescape(address)).replace("'", '"')


def front(app: Flask, project: Path, ask: Ask, theme: str) -> str:
    settings = project / "content" / "_site.yml"
    settings.write_text(settings.read_text().partition("theme:")[0] + f"theme: {{{theme}}}\n")
    assert app.extensions["handsel.offers"].refresh().faults == ()
    return ask(app, "/")[2].decode()


def test_the_dark_scheme_has_a_logo_of_its_own(small: Flask, project: Path, pictures: Path, ask: Ask) -> None:
    page = front(small, project, ask, "logo: /images/logo.svg, logo_dark: /images/logo-dark.svg")

    picture, dark, light = re.findall(
        r'<picture><source srcset="([^"]+)" media="([^"]+)"><img src="([^"]+)" alt="Little Press"', page
    )[0]
    assert (" " in picture, "," in picture.removeprefix("data:image/svg+xml,")) == (False, False)
    assert 'width="140"' in plain(picture)
    assert 'width="120"' in plain(light)
    assert dark == "screen and (prefers-color-scheme:dark)"


@pytest.mark.parametrize(("scheme", "width"), [("light", 120), ("dark", 140)])
def test_a_site_of_one_scheme_has_one_logo(
    small: Flask, project: Path, pictures: Path, ask: Ask, scheme: str, width: int
) -> None:
    page = front(small, project, ask, f"scheme: {scheme}, logo: /images/logo.svg, logo_dark: /images/logo-dark.svg")

    assert "<picture>" not in page
    (logo,) = re.findall(r'<img src="(data:[^"]+)" alt="Little Press"', page)
    assert f'width="{width}"' in plain(logo)


def test_the_icon_is_the_one_uploaded(small: Flask, project: Path, pictures: Path, ask: Ask) -> None:
    page = front(small, project, ask, "favicon: /images/icon.svg")

    (address,) = re.findall(r'<link rel="icon" href="([^"]+)" type="image/svg\+xml">', page)
    status, headers, body = ask(small, address)
    assert (status, headers["Content-Type"], body) == ("200 OK", "image/svg+xml", (pictures / "icon.svg").read_bytes())
    assert "immutable" in headers["Cache-Control"]
    assert ask(small, "/favicon.ico")[1]["Location"] == "/images/icon.svg"
