"""Cells of an export: nothing that a visitor types is computed, and nothing harmless is changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handsel.leads.cells import GUARDED, guarded, is_plain, written

HOSTILE = Path(__file__).parent.parent / "hostile"
FORMULAS = json.loads((HOSTILE / "formulas.json").read_text(encoding="utf-8"))
PLAIN = json.loads((HOSTILE / "formulas-plain.json").read_text(encoding="utf-8"))


def computed(cell: str) -> bool:
    """Whether some spreadsheet takes the cell, or what follows a separator in it, for a formula; written from scratch.

    Spaces and unseen signs before it are skipped. Numbers, and phone numbers without anything to compute, are none.
    """
    for part in [cell, *re.split(r"[;\t\r\n]", cell)[1:]]:
        bare = part.strip("".join(chr(n) for n in range(33)) + "\x7f\xa0\xad\u200b\u200c\u200d\u2060\ufeff\u3000")
        if bare[:1] in tuple("=+-@＝＋－＠−") and bare[:1] and not (
                re.fullmatch(r"[+-][0-9]+([.,][0-9]+)?|\+[0-9][0-9 ().]*|-+", cell)):
            return True
    return cell[:1] in ("\t", "\r", "\n")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_hostile_cell_is_computed(text):
    assert not computed(guarded(text))
    assert guarded(text).replace("'", "") == text.replace("'", ""), "nothing but apostrophes is added"


@pytest.mark.parametrize("text", PLAIN)
def test_no_harmless_cell_is_changed(text):
    assert guarded(text) == text


@given(st.text(st.sampled_from("=+-@;\t\r\n ab1'\"\u200b＝−"), max_size=8))
@example(" \u200b=1")
@example("a; +b")
def test_whatever_is_typed_is_not_computed(text):
    assert not computed(guarded(text))


@given(st.dictionaries(st.sampled_from(GUARDED),
                       st.text(st.sampled_from("=+-@;,\"\n\r\t ab1'\u200b\x1e\x1f"), max_size=6)))
def test_a_row_is_plain_only_if_no_cell_needs_quotes_or_a_guard(lead):
    if is_plain(lead):
        for cell in lead.values():
            assert guarded(cell) == cell
            assert not set(cell) & set('",\r\n\x1e\x1f')


def test_believable_rows_are_plain():
    assert is_plain({"address": "ada@example.org", "name": "Zoë O'Brien", "company": "Lindqvist & Co", "job_title": "",
                     "phone": "+44 20 7946 0958", "source": "google", "custom": {"team_size": "small", "rooms": 4}})


@pytest.mark.parametrize("value", [True, ["a", "b"], None, 1.5, {"a": 1}])
def test_a_custom_answer_that_the_engines_write_differently_is_not_plain(value):
    assert not is_plain({"address": "ada@example.org", "custom": {"x": value}})


def test_answers_are_written_as_people_read_them():
    assert [written(value) for value in (None, True, False, ["a", "b"], 4, "x")] == ["", "yes", "no", "a, b", "4", "x"]
