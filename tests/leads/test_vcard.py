"""A lead as a vCard: read back by the rules of RFC 6350, whatever somebody typed into the form."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from factories import NOON
from handsel.leads import vcard
from handsel.leads.models import Lead

HOSTILE = Path(__file__).parent.parent / "hostile"


def lead(**fields: object) -> Lead:
    return Lead(**{"id": 7, "email": "ada@example.org", "address": "ada@example.org", "name": "", "first_name": "",
                   "last_name": "", "company": "", "job_title": "", "phone": "", "country": "", "tags_text": "",
                   "last_capture_at": NOON} | fields)


def read(card: bytes) -> list[tuple[str, str]]:
    """The lines of a card, unfolded: names and values as they stand."""
    assert card.endswith(b"\r\n")
    lines = card.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]
    assert all("\n" not in line and "\r" not in line for line in lines)
    return [(line.partition(":")[0], line.partition(":")[2]) for line in lines]


def meant(value: str) -> list[str]:
    """The parts of a value, at its bare semicolons, with what the backslashes stand for."""
    parts = re.split(r"(?<!\\)((?:\\\\)*);", value)
    joined = [a + b for a, b in zip(parts[::2], [*parts[1::2], ""], strict=True)]
    return [re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], part) for part in joined]


def test_a_card_says_who_it_is():
    card = vcard.of(lead(name="Ada Marsh", company="Mill, Lane; Press", job_title="Editor", phone="+44 20 7946 0958",
                         country="United Kingdom", tags_text="energy, site-visit"), "https://press.example/")
    assert card.decode().split("\r\n") == [
        "BEGIN:VCARD", "VERSION:4.0", "KIND:individual", "UID:urn:uuid:0ee7c3bb-cbf6-51c6-a00c-4568e902e930",
        "FN:Ada Marsh", "N:Marsh;Ada;;;", "EMAIL:ada@example.org", "TEL:+44 20 7946 0958", "TITLE:Editor",
        "ORG:Mill\\, Lane\\; Press", "ADR:;;;;;;United Kingdom", "CATEGORIES:energy,site-visit",
        "REV:20260302T120000Z", "END:VCARD", ""]


def test_a_first_name_tells_which_part_of_the_whole_name_is_the_last_one():
    for fields, parts in (({"name": "Ada van Mill", "first_name": "Ada"}, "van Mill;Ada;;;"),
                          ({"name": "Ada", "first_name": "Ada"}, ";Ada;;;"),
                          ({"name": "Adabel Mill", "first_name": "Ada"}, ";Ada;;;")):
        assert ("N", parts) in read(vcard.of(lead(**fields), "https://press.example"))


def test_without_a_name_the_address_stands_there():
    assert ("FN", "ada@example.org") in read(vcard.of(lead(), "https://press.example"))


def test_hostile_names_end_no_line_and_begin_none():
    hostile = [text for name in ("formulas", "xss", "headers", "unicode")
               for text in json.loads((HOSTILE / f"{name}.json").read_text("utf-8"))]
    for text in [*hostile, "x\r\nEMAIL:eve@evil.example", "a\\", "b\\;c", "d\nEND:VCARD"]:
        lines = read(vcard.of(lead(name=text, company=text, job_title=text), "https://press.example"))
        assert [name for name, _ in lines if name in ("EMAIL", "END", "BEGIN")] == ["BEGIN", "EMAIL", "END"]


words = st.text(st.characters(exclude_categories=("Cs", "Cc"))) | st.text("\\;,:\n\r abé", max_size=100)


@given(words)
def test_what_is_written_is_read_back_in_lines_of_75_bytes(text):
    card = vcard.of(lead(company=text), "https://press.example")
    assert all(len(line) <= 75 for line in card.split(b"\r\n"))
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert dict(read(card)).get("ORG", "") == vcard.escaped(text)
    assert meant(vcard.escaped(text)) == [expected]
