"""What changed between two texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handsel.desk.compare import Line, Part, compare


def sides(lines: list[Line]) -> tuple[list[str], list[str]]:
    """What the shown lines say of the text before and of the one after."""
    old = ["".join(part.text for part in line.parts if part.kind != "new") for line in lines
           if line.kind in {"same", "gone", "changed"}]
    new = ["".join(part.text for part in line.parts if part.kind != "gone") for line in lines
           if line.kind in {"same", "new", "changed"}]
    return old, new


def test_equal_texts_have_no_changes():
    assert compare("one\ntwo", "one\ntwo\n") == []


def test_a_changed_word_is_shown_within_its_line():
    assert compare("# Two pages for you\n", "# Two quick pages for you\n") == [
        Line("changed", (Part("same", "# Two"), Part("new", " quick"), Part("same", " pages for you")))]


def test_lines_with_little_in_common_are_two_lines():
    assert [line.kind for line in compare("A guide for readers.", "Ten minutes, and it is done!")] == ["gone", "new"]


def test_what_is_far_from_a_change_is_left_out():
    old = "\n".join(f"line {n}" for n in range(30))
    found = compare(old, old.replace("line 15", "line fifteen"))
    assert [line.kind for line in found] == ["skip", "same", "same", "changed", "same", "same", "skip"]


def test_very_long_texts_are_compared_in_time():
    found = compare("a\n" * 3000, "b\n" * 3000)
    assert len(found) == 6000
    assert [line.kind for line in compare("a b " * 3000, "b a " * 3000)] == ["gone", "new"]


@given(st.lists(st.sampled_from(["a b c", "a c", "", "d e f g", "x"]), max_size=8),
       st.lists(st.sampled_from(["a b c", "a c", "", "d e f g", "x"]), max_size=8))
def test_both_texts_can_be_read_from_the_comparison(old, new):
    found = compare("\n".join(old), "\n".join(new))
    before, after = sides(found)
    kept = {line.kind for line in found} - {"skip"}
    if not kept:
        assert "\n".join(old).splitlines() == "\n".join(new).splitlines()
    elif not any(line.kind == "skip" for line in found):
        assert (before, after) == ("\n".join(old).splitlines(), "\n".join(new).splitlines())
