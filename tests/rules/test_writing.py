"""Edits of rule files: what is not meant stays byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.content import parse
from handsel.errors import HandselError
from handsel.rules.writing import edited, lines_at, put_back

FILE = "content/_segments.yml"
TEXT = """\
# Ours.
segments:

  warm:   # the best
    label: Warm
    when:
      stage: mql   # not sql
      score: {at_least: 50}
    # and that is all

  # Quiet ones:
  quiet:
    label: Gone quiet
    when: {last_act: {older_than: 90 days}}
# The end.
"""
WARM = ("segments", "warm")


def change(text: str, way: tuple[str, ...], value: object) -> str:
    return edited(FILE, text.encode(), way, value).decode()


def test_one_key_changes_and_every_comment_stays():
    changed = change(TEXT, (*WARM, "label"), "Very warm: yes")
    assert changed == TEXT.replace("label: Warm", "label: 'Very warm: yes'")
    assert change(changed, (*WARM, "label"), "Warm") == TEXT


def test_a_new_segment_stands_behind_the_last_one_and_numbers_stay_as_people_write_them():
    rule = {"score": {"at_least": "50"}, "all": [{"tag": ["a", "b"]}, {"unsubscribed": "false"}]}
    new = {"label": "Hot", "when": rule}
    assert change(TEXT, ("segments", "hot"), new) == TEXT.replace("# The end.", """\
  hot:
    label: Hot
    when:
      score: {at_least: 50}
      all:
      - tag: [a, b]
      - {unsubscribed: false}
# The end.""")


def test_a_segment_goes_with_the_comments_inside_it():
    assert change(TEXT, WARM, None) == """\
# Ours.
segments:


  # Quiet ones:
  quiet:
    label: Gone quiet
    when: {last_act: {older_than: 90 days}}
# The end.
"""


@pytest.mark.parametrize("empty", ["", "# Nothing yet.\n", "segments: {}\n", "segments:\n",
                                   "# A\n\nsegments: {}  # none\n"])
def test_the_first_segment_finds_its_place(empty):
    changed = change(empty, ("segments", "hot"), {"label": "Hot", "when": {"stage": "mql"}})
    assert changed.endswith("segments:\n  hot:\n    label: Hot\n    when: {stage: mql}\n")
    assert changed.startswith(empty.partition("segments")[0])


def test_line_ends_and_the_mark_at_the_beginning_stay():
    text = "\ufeffsegments:\r\n  a: {label: A, when: {stage: mql}}\r\n  b: {label: B, when: {stage: sql}}"
    changed = edited(FILE, text.encode(), ("segments", "b"), {"label": "B", "when": {"stage": "iql"}}).decode()
    assert changed == ("\ufeffsegments:\r\n  a: {label: A, when: {stage: mql}}\r\n"
                       "  b:\r\n    label: B\r\n    when: {stage: iql}\r\n")


def test_what_was_taken_away_comes_back_where_it_stood():
    before = lines_at(FILE, TEXT.encode(), WARM)
    gone = edited(FILE, TEXT.encode(), WARM, None)
    assert lines_at(FILE, gone, WARM) is None
    back = put_back(FILE, gone, WARM, before).decode()
    assert parse.settings(FILE, back.encode())[0].values == parse.settings(FILE, TEXT.encode())[0].values
    assert "warm:   # the best" in back
    assert "# and that is all" in back
    changed = change(TEXT, (*WARM, "when"), {"stage": "sql"})
    assert put_back(FILE, changed.encode(), WARM, before).decode() == TEXT
    assert put_back(FILE, TEXT.encode(), WARM, None) == gone


def test_the_last_one_goes_and_comes_back():
    alone = "segments:\n  warm: {label: Warm, when: {stage: mql}}\n"
    gone = change(alone, WARM, None)
    assert gone == "segments: {}\n"
    back = put_back(FILE, gone.encode(), WARM, lines_at(FILE, alone.encode(), WARM))
    assert parse.settings(FILE, back)[0].values == parse.settings(FILE, alone.encode())[0].values


def test_a_file_on_one_line_is_left_to_whoever_wrote_it():
    with pytest.raises(HandselError, match="cannot be edited here"):
        change("segments: {warm: {label: Warm, when: {stage: mql}}}\n", (*WARM, "label"), "Hot")


SIGNS = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029\ufeff")
TEXTS = st.text(SIGNS, min_size=1, max_size=20)
RULES = st.recursive(TEXTS | st.lists(TEXTS, max_size=3),
                     lambda inner: st.dictionaries(TEXTS, inner, max_size=3) | st.lists(inner, max_size=3),
                     max_leaves=8)


@given(rule=st.dictionaries(st.from_regex("[a-z_]{1,8}", fullmatch=True), RULES, min_size=1, max_size=4))
def test_whatever_is_written_is_read_again(rule):
    data = edited(FILE, TEXT.encode(), (*WARM, "when"), rule)
    parsed, faults = parse.settings(FILE, data)
    assert not faults
    assert parsed.values["segments"]["warm"]["when"] == rule
    assert data.decode().endswith(TEXT[TEXT.index("  # Quiet"):])
