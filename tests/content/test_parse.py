"""From bytes to values: what marketers write, and what nobody should."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.content import parse
from handsel.content.parse import MAX_YAML, Parsed


def values(source: str) -> Parsed:
    parsed, faults = parse.markdown("page.md", source.encode())
    assert parsed is not None
    assert faults == []
    return parsed


def test_values_stay_as_they_are_written() -> None:
    parsed = values("---\ntitle: 2026\ncountry: no\nversion: 1.10\nsince: 2026-11-22\nempty:\ntilde: ~\n---\n")

    assert parsed.values == {"title": "2026", "country": "no", "version": "1.10", "since": "2026-11-22"}


def test_every_value_knows_its_line() -> None:
    parsed = values("---\ntitle: A\ncover:\n  title: B\ntags:\n  - one\n  - two\n---\n\n\nText\n")

    assert parsed.lines == {("title",): 2, ("cover",): 3, ("cover", "title"): 4, ("tags",): 5, ("tags", 0): 6,
                            ("tags", 1): 7}
    assert (parsed.body, parsed.body_line) == ("Text\n", 11)


def test_a_value_without_a_line_has_that_of_what_is_around_it() -> None:
    parsed = values("---\ntitle: A\ncover: {title: B}\n---\n")

    assert (parsed.line("cover", "author"), parsed.line("image"), parsed.line()) == (3, 1, 1)


def test_blank_lines_after_the_fence_are_counted() -> None:
    parsed = values("---\n\n\ntitle: A\n---\nText")

    assert (parsed.line("title"), parsed.body_line) == (4, 6)


def test_line_ends_and_byte_order_marks_of_other_systems_make_no_difference() -> None:
    assert parse.markdown("page.md", b"\xef\xbb\xbf---\r\ntitle: A\r\n---\r\nOne\r\nTwo\r\n") == parse.markdown(
        "page.md", b"---\ntitle: A\n---\nOne\nTwo\n")


def test_a_rule_in_the_body_is_no_fence() -> None:
    assert values("---\ntitle: A\n---\nOne\n\n---\n\nTwo\n").body == "One\n\n---\n\nTwo\n"


HOSTILE = {
    "billion laughs": "---\na: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)) + "---\n",
    "an anchor that holds itself": "---\na: &a [*a]\n---\n",
    "deep lists": "---\na: " + "[" * 60_000 + "\n---\n",
    "deep groups": "---\na: " + "{a: " * 15_000 + "\n---\n",
    "deep by indentation": "---\n" + "".join(" " * n + "a:\n" for n in range(300)) + "---\n",
    "deep dashes": "---\n" + "- " * 30_000 + "a\n---\n",
    "very many keys": "---\n" + "".join(f"k{n}: v\n" for n in range(9_000)) + "---\n",
    "one very long word": "---\ntitle: " + "x" * (MAX_YAML - 20) + "\n---\n",
    "one very long number": "---\nweight: " + "9" * 50_000 + "\n---\n",
    "a tag that runs code": "---\na: !!python/object/apply:os.system ['true']\n---\n",
    "a tag of its own": "---\n%TAG ! tag:evil,2000:\n---\na: !x y\n---\n",
    "a merge key": "---\n<<: {title: A}\n---\n",
    "a question mark key": "---\n? [a, b]\n: c\n---\n",
    "many documents": "---\na: b\n...\n" * 500 + "---\n",
    "unclosed quotes": "---\ntitle: \"" + "a" * 50_000 + "\n---\n",
    "fences alone": "---\n" * 50_000,
    "dashes alone": "-" * 900_000,
    "blanks after a fence": "---" + " " * 900_000 + "x",
    "blank lines after a fence": "---" + "\n" * 900_000 + "x",
    "odd line ends": "---\rtitle: A\u2028b: c\u0085d: e\r---\rText",
    "right to left and joined": "---\ntitle: \u202eevil\u200d\u2066\n---\n",
    "a surrogate written out": '---\ntitle: "\\ud800"\n---\n',
    "a null written out": '---\ntitle: "\\0"\n---\n',
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_front_matter_is_answered_within_a_second(source: str) -> None:
    began = time.process_time()

    parse.markdown("page.md", source.encode())
    parse.settings("_site.yml", source.encode())

    assert time.process_time() - began < 1


def test_a_control_character_written_out_is_a_fault_as_one_in_the_file_is() -> None:
    for value in ('"a\\0b"', '"\\x07"', '["\\e[2J"]'):
        _, faults = parse.markdown("offer.md", f"---\ntitle: A\nsummary: {value}\n---\n".encode())

        assert [(fault.kind, fault.line) for fault in faults] == [("control-character", 3)]


SIGNS = "-:[]{}&*!|>'\"%@`#,?\n\t \x00\u2028ab0"


@given(st.binary(max_size=400) | st.text(alphabet=SIGNS, max_size=200).map(str.encode))
def test_no_bytes_make_the_parser_raise(data: bytes) -> None:
    for given_bytes in (data, b"---\n" + data + b"\n---\n" + data):
        for read in (parse.markdown, parse.settings):
            parsed, faults = read("a file", given_bytes)
            assert parsed is not None or faults
