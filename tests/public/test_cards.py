"""The card that stands for a page where it is shared: drawn once, in letters that its font has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from handsel.content.schema import Theme
from handsel.content.theme import palette
from handsel.public import cover
from handsel.public.card import Card
from handsel.public.paint import paint
from handsel.public.sheets import addresses

Ask = Callable[..., tuple[str, dict[str, str], bytes]]
RAMP = palette(Theme()).light
COLOURS = {name: RAMP[name] for name in ("paper", "ink", "muted", "line", "mark", "brand", "on-brand")}
COLOURS |= {"cover": RAMP["brand"], "spine": RAMP["brand-hi"], "on-cover": RAMP["on-brand"]}
PLAIN = Card("Small books", "", "Little Press", "press.example", COLOURS, "none")
WORDS = (96, 130, 1100, 500)  # where a title stands
COVER = (842, 131, 1118, 499)


def drawn(card: Card) -> Image.Image:
    return Image.open(BytesIO(paint(json.loads(card.written)))).convert("RGB")


def colours_in(picture: Image.Image, box: tuple[int, int, int, int]) -> dict[str, int]:
    """How many pixels of ``box`` have which colour."""
    return {"#{:02x}{:02x}{:02x}".format(*colour): count for count, colour in picture.crop(box).getcolors(200_000)}


def card_address(page: bytes) -> str:
    return re.findall(rb'<meta property="og:image" content="http://localhost(/cards/[^"]+)">', page)[0].decode()


def test_every_page_has_a_picture_of_known_size_with_words_for_it(site: Flask, ask: Ask) -> None:
    state = site.extensions["handsel.pages"].state()
    for path in addresses(state.project, state.press.at):
        page = ask(site, path)[2].decode()
        found = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)"', page))
        assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630"), path
        assert found["og:image:alt"], path
        assert found["twitter:card"] == "summary_large_image"
        assert found["og:image"].endswith((".png", ".jpg", ".webp")), path  # networks show nothing else


def test_a_card_is_a_picture_of_the_right_size_that_may_be_kept_for_good(small: Flask, ask: Ask) -> None:
    status, headers, body = ask(small, card_address(ask(small, "/offers/guide/")[2]))

    assert (status, headers["Content-Type"]) == ("200 OK", "image/png")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert Image.open(BytesIO(body)).size == (1200, 630)
    assert len(body) < 100_000


def test_a_card_is_drawn_once(small: Flask, project: Path, ask: Ask) -> None:
    address = card_address(ask(small, "/offers/guide/")[2])
    ask(small, address)
    (kept,) = (project / "instance" / "cache" / "cards").iterdir()
    assert kept.name == address.rpartition("/")[2]
    kept.write_bytes(b"as it was kept")

    assert ask(small, address)[2] == b"as it was kept"


def test_other_words_are_another_card_and_the_old_address_gives_it_too(
    small: Flask, project: Path, ask: Ask
) -> None:
    before = card_address(ask(small, "/blog/first-post/")[2])
    old = ask(small, before)[2]
    page = project / "content" / "blog" / "first-post.md"
    page.write_text(re.sub("title: .*", "title: Another title", page.read_text(), count=1))
    small.extensions["handsel.offers"].refresh()

    after = card_address(ask(small, "/blog/first-post/")[2])

    assert after != before
    now = ask(small, before)
    assert (now[0], now[1]["Cache-Control"]) == ("200 OK", "public, max-age=300")
    assert now[2] == ask(small, after)[2] != old


def test_all_variants_of_a_landing_page_share_one_card(site: Flask) -> None:
    state, sheet = site.extensions["handsel.pages"].sheet("/offers/home-energy-guide/")
    pages = [state.press.draw(sheet, variant, lambda hole: "").html.encode() for variant in sheet.variants]

    assert len(pages) == 2
    assert len({card_address(page) for page in pages}) == 1


@pytest.mark.parametrize("path", ["/cards/0123456789.png", "/cards/no/such/page/0123456789.png", "/cards/x.png",
                                  "/cards/offers/guide/short.png"])
def test_there_is_a_card_for_pages_alone(small: Flask, ask: Ask, path: str) -> None:
    expected = "200 OK" if path == "/cards/0123456789.png" else "404 NOT FOUND"  # the front page is a page

    assert ask(small, path)[0] == expected


def test_pillow_stays_out_of_the_process_that_serves(project: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from handsel import assembly, create_app\n"
        "app = create_app(Path(sys.argv[1]), ENV='test', SECRET_KEY='k' * 40, RATE_LIMITS='off')\n"
        "answer = app.test_client().get('/cards/0123456789.png')\n"
        "print(answer.status_code, len(answer.data) > 5000, 'PIL' in sys.modules)\n"
        "assembly.close(app)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(project)], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["200", "True", "False"]


@pytest.mark.parametrize(
    "title", ["Small books", "Маленькие книги", "Μικρά βιβλία", "Những cuốn sách nhỏ", "Malé knížky"]
)
def test_a_title_stands_in_ink_over_the_highlighter(title: str) -> None:
    found = colours_in(drawn(replace(PLAIN, title=title)), WORDS)

    assert found[COLOURS["ink"]] > 3_000
    assert found[COLOURS["mark"]] > 2_000


@pytest.mark.parametrize("title", ["小さな本", "كتب صغيرة", "ספרים קטנים", "छोटी किताबें", "Small 本"])
def test_words_that_the_font_cannot_write_are_left_away_and_never_boxes(title: str) -> None:
    assert set(colours_in(drawn(replace(PLAIN, title=title)), WORDS)) == {COLOURS["paper"]}


def test_a_sign_that_is_no_letter_is_left_away_alone() -> None:
    assert paint(json.loads(replace(PLAIN, title="Small books 🎉").written)) == paint(json.loads(PLAIN.written))


@pytest.mark.parametrize("title", ["word " * 80, "W" * 300, "Advice", "A", "Donaudampfschifffahrtsgesellschaft " * 3])
@pytest.mark.parametrize("with_cover", [False, True])
def test_no_title_runs_out_of_its_room(title: str, with_cover: bool) -> None:
    drawing = cover.draw(title, "", "Ada Quill", "rings") if with_cover else None
    picture = drawn(replace(PLAIN, title=title, below="Ada Quill", cover=drawing))

    right = COVER[0] - 40 if with_cover else 1120
    assert set(colours_in(picture, (right, 0, right + 20, 630))) == {COLOURS["paper"]}
    assert set(colours_in(picture, (96, 118, right, 124))) == {COLOURS["paper"]}  # below the name of the site


def test_an_offer_shows_its_cover() -> None:
    drawing = cover.draw("Small books", "For busy people", "Ada Quill", "waves")
    found = colours_in(drawn(replace(PLAIN, cover=drawing)), COVER)

    assert found[COLOURS["cover"]] > 60_000
    assert sum(count for colour, count in found.items() if colour > "#f0f0f0") > 500  # its words


def test_a_folder_that_cannot_be_written_costs_time_alone(small: Flask, project: Path, ask: Ask) -> None:
    cache = project / "instance" / "cache"
    cache.mkdir(exist_ok=True)
    (cache / "cards").write_text("no folder")

    assert ask(small, card_address(ask(small, "/offers/guide/")[2]))[0] == "200 OK"
