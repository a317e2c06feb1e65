"""Files that visitors may have: which, under what name, for how long, and nothing else."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from flask import Flask

from handsel.public.imagesize import image_size, measure

Ask = Callable[..., tuple[str, dict[str, str], bytes]]


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IEND", b"")
    )


def test_a_picture_has_a_name_that_a_browser_may_keep_for_ever(small: Flask, project: Path, ask: Ask) -> None:
    files = small.extensions["handsel.pages"].files
    address = files.url("/images/ticket.png")

    assert re.fullmatch(r"/images/ticket\.[0-9a-f]{10}\.png", address)
    status, headers, body = ask(small, address)
    assert (status, headers["Content-Type"]) == ("200 OK", "image/png")
    assert "immutable" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert body == (project / "content/images/ticket.png").read_bytes()
    plain = ask(small, "/images/ticket.png")
    assert plain[2] == body
    assert plain[1]["Cache-Control"] == "max-age=300, public"


def test_a_changed_picture_has_a_new_name_and_the_old_one_still_works(small: Flask, project: Path, ask: Ask) -> None:
    files = small.extensions["handsel.pages"].files
    old = files.url("/images/ticket.png")
    (project / "content/images/ticket.png").write_bytes(png(7, 9))
    small.extensions["handsel.offers"].refresh()
    small.extensions["handsel.pages"].state()

    new = files.url("/images/ticket.png")

    assert new != old
    status, headers, body = ask(small, old)
    assert (status, body) == ("200 OK", png(7, 9))
    assert "immutable" not in headers["Cache-Control"]
    assert files.size("/images/ticket.png") == (7, 9)


def test_a_part_of_a_file_can_be_asked_for(small: Flask, project: Path, ask: Ask) -> None:
    whole = (project / "content/images/ticket.png").read_bytes()
    status, headers, body = ask(small, "/images/ticket.png", HTTP_RANGE="bytes=2-5")

    assert (status[:3], body, headers["Content-Range"]) == ("206", whole[2:6], f"bytes 2-5/{len(whole)}")


@pytest.mark.parametrize(
    "path",
    [
        "/_site.yml",
        "/content/_site.yml",
        "/index.md",
        "/privacy.md",
        "/offers/guide/guide.pdf",
        "/offers/guide/files/guide.pdf",
        "/offers/guide/offer.md",
        "/offers/guide/files/offer.md",
        "/forms/short.yml",
        "/instance/secret_key",
        "/secret_key",
        "/images/../_site.yml",
        "/images/%2e%2e/_site.yml",
        "/images/..%2f..%2finstance/handsel.db",
        "/static/../base.html",
        "/static/public/../../config.py",
        "/images/ticket.0123456789.txt",
        "/images/.png",
        "/images/ticket.png/",
        "/images/ticket.png\x00",
    ],
)
def test_nothing_else_is_given_out(small: Flask, ask: Ask, path: str) -> None:
    assert ask(small, path)[0][:3] in {"404", "400"}


def test_a_picture_beside_an_offer_is_public_once_a_page_names_it(small: Flask, project: Path, ask: Ask) -> None:
    (project / "offers/guide/shelf.png").write_bytes(png(640, 480))
    landing = project / "offers/guide/landing.md"
    landing.write_text(landing.read_text() + "\n![A shelf](shelf.png)\n")
    small.extensions["handsel.offers"].refresh()
    table = small.extensions["handsel.pages"]

    page = table.entry(*table.sheet("/offers/guide/")).pages["a"].start.decode()

    picture = re.findall(
        r'<img src="(/offers/guide/files/shelf\.[0-9a-f]{10}\.png)" alt="A shelf" width="640" height="480"', page
    )
    assert ask(small, picture[0])[2] == png(640, 480)


def test_our_own_files_have_hashed_names_too(small: Flask, ask: Ask) -> None:
    with small.test_request_context():
        from handsel.public import static_url

        address = static_url("public/base.css")

    status, headers, body = ask(small, address)
    assert (status, headers["Content-Type"]) == ("200 OK", 'text/css; charset="utf-8"')
    assert "immutable" in headers["Cache-Control"]
    assert b"@layer base" in body


def test_texts_travel_packed(small: Flask, ask: Ask) -> None:
    whole = ask(small, "/static/public/base.css")[2]
    for encoding, unpack in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        _, headers, body = ask(small, "/static/public/base.css", HTTP_ACCEPT_ENCODING=encoding)
        assert headers["Content-Encoding"] == encoding
        assert headers["Vary"] == "Accept-Encoding"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert unpack(body) == whole
        assert len(body) < len(whole) / 2


def test_a_method_that_is_not_for_files_goes_on_to_the_application(small: Flask, ask: Ask) -> None:
    assert ask(small, "/images/ticket.png", method="POST")[0][:3] == "405"


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (png(300, 200), (300, 200)),
        (b"GIF89a" + struct.pack("<HH", 3, 4) + b"\0" * 9, (3, 4)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x11\x08" + struct.pack(">HH", 60, 80) + b"\0" * 9, (80, 60)),
        (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" + (99).to_bytes(3, "little") + (49).to_bytes(3, "little"), (100, 50)),
        (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + (99 | 49 << 14).to_bytes(4, "little"), (100, 50)),
        (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 100, 50), (100, 50)),
        (b"\0\0\0\x1cftypavif" + b"\0" * 20 + b"ispe\0\0\0\0" + struct.pack(">II", 1200, 675) + b"\0" * 9, (1200, 675)),
        (b'<?xml version="1.0"?><svg xmlns="x" width="40" height="20">', (40, 20)),
        (b'<svg viewBox="0 0 24.5 12">', (24, 12)),
        (b"<svg>", None),
        (b"", None),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 16, None),
        (b"text", None),
    ],
)
def test_the_size_of_a_picture_is_read_from_its_head(head: bytes, size: tuple[int, int] | None) -> None:
    assert measure(head) == size


def test_a_file_that_breaks_off_has_no_size(tmp_path: Path) -> None:
    for head in (b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8 ", b"\0\0\0\0ftypavifispe"):
        path = tmp_path / "a"
        path.write_bytes(head)
        assert image_size(path) is None
        path.unlink()
