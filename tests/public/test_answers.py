"""What visitors type, and the words for what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from handsel.forms.library import CaptureForm, ConsentBox, Field, Spam
from handsel.forms.schema import FIELD_TYPES
from handsel.public.answers import READERS, likely, read_as, tidy
from handsel.public.capture_form import form_class

GOOD = [
    ("email", " Ann@Example.org ", "Ann@Example.org"), ("phone", "+44 (0)113 496-0 ext. 7", "+44 (0)113 496-0 ext. 7"),
    ("url", "www.example.org/a?b=1", "https://www.example.org/a?b=1"), ("number", "12,500", 12500),
    ("number", "3,5", 3.5),
    ("number", "1\u202f250", 1250), ("date", "30.11.2026", "2026-11-30"), ("date", "2026-11-30", "2026-11-30"),
    ("given-name", "  Zoë   Anne ", "Zoë Anne"), ("company", "A. & B. Ltd", "A. & B. Ltd"),
    ("textarea", "one\ntwo", "one\ntwo"), ("name", "O'Neil-Müller", "O'Neil-Müller"),
    ("postal-code", "LS1 4AB", "LS1 4AB"),
]
BAD = [
    ("email", "ann.example.org", "An e-mail address has an @ in it"), ("email", "ann@", "not an e-mail address"),
    ("email", "a@b@c.org", "not an e-mail address"), ("email", "ann@localhost", "not an e-mail address"),
    ("phone", "call me", "in digits"), ("phone", "12", "in digits"),
    ("url", "javascript:alert(1)", "not a web address"),
    ("url", "nowhere", "not a web address"), ("number", "twelve", "in digits"), ("number", "1e99", "in digits"),
    ("number", "٣", "in digits"), ("date", "30 November", "year-month-day"), ("date", "2026-02-30", "year-month-day"),
    ("given-name", "See www.spam.example", "without an address"), ("name", "Win at http://x.y", "without an address"),
    ("name", "x" * 61, "Shorten the name"), ("text", "x" * 201, "Shorten this to 200 characters. It has 201."),
]


@pytest.mark.parametrize(("kind", "typed", "answer"), GOOD)
def test_what_people_mean_is_read(kind: str, typed: str, answer: Any) -> None:
    assert read_as(kind, tidy(typed)) == answer


@pytest.mark.parametrize(("kind", "typed", "words"), BAD)
def test_what_cannot_be_read_is_answered_with_how_to_mend_it(kind: str, typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"[.]$") as mistake:
        read_as(kind, tidy(typed))
    assert words in str(mistake.value)


def test_every_field_type_has_its_reader() -> None:
    assert set(READERS) == set(FIELD_TYPES)


@pytest.mark.parametrize(("typed", "meant"), [
    ("ann@gmial.com", "ann@gmail.com"), ("ann@hotmail.con", "ann@hotmail.com"), ("ann@example.con", "ann@example.com"),
    ("ann@gmail.com", ""), ("ann@example.org", ""), ("ann", ""), ("@gmial.com", ""), ("ann@web.de", ""),
    ("ann@gmx.net", ""),
])
def test_a_slip_is_guessed_and_a_right_address_is_left_alone(typed: str, meant: str) -> None:
    assert likely(typed) == meant


def every_kind() -> CaptureForm:
    choices = (("s", "Small"), ("l", "Large"))
    fields = tuple(Field("email" if kind == "email" else f"f_{kind.replace('-', '_')}", kind, kind,  # type: ignore[arg-type]
                         required=kind == "email", choices=choices) for kind in FIELD_TYPES)
    taken = ("data", "errors", "validate", "process", "meta", "spec", "read")
    named = tuple(Field(name, "text", name) for name in taken)
    box = ConsentBox("advice", "Yes", "Yes", "h")
    return CaptureForm("all", "All", "", fields + named, (box,), "Go", "", Spam(), "e" * 64)


FORM = form_class(every_kind())
NAMES = [field.name for field in every_kind().fields] + ["consent-advice", "made-up", "form-token"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=40)), max_size=30))
def test_whatever_is_sent_gives_answers_or_words(pairs: list[tuple[str, str]]) -> None:
    form = FORM(MultiDict([*pairs, ("email", "ann@example.org")]))
    if form.validate():
        for answer in form.read.values():
            str(answer).encode()
            assert "\x00" not in str(answer)
    for words in form.errors.values():
        assert all(sentence.endswith(".") for sentence in words)


def test_a_field_may_be_called_as_the_library_calls_its_own() -> None:
    form = FORM(MultiDict({"email": "ann@example.org", "data": "d", "errors": "e", "validate": "v"}))
    assert form.validate()
    assert (form.read["data"], form.read["errors"], form.read["validate"]) == ("d", "e", "v")


def test_a_question_whose_condition_is_not_met_is_left_out() -> None:
    size = Field("size", "select", "Size", required=True, choices=(("s", "Small"), ("l", "Large")))
    seats = Field("seats", "number", "Seats", required=True, show_when=("size", "l"))
    email = Field("email", "email", "E-mail", required=True)
    spec = CaptureForm("x", "X", "", (email, size, seats), (), "Go", "", Spam(), "f")
    small = form_class(spec)(MultiDict({"email": "a@example.org", "size": "s", "seats": "not a number"}))
    assert (small.validate(), "seats" in small.read) == (True, False)
    large = form_class(spec)(MultiDict({"email": "a@example.org", "size": "l"}))
    assert (large.validate(), large.errors) == (False, {"seats": ["Fill in “Seats”."]})
