"""Letters: their order, their times, and the places in them that are filled for each lead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel import merge
from handsel.merge import Merge
from handsel.offers.library import Letter
from handsel.offers.project import read


def letters(project: Path) -> dict[str, Letter]:
    found = read(project)
    assert found.faults == ()
    return {letter.step: letter for letter in found.offers["guide"].letters}


def write(project: Path, step: str, text: str) -> None:
    (project / "offers" / "guide" / "emails" / f"{step}.md").write_text(text)


def test_a_letter_is_text_with_places_to_fill(project: Path) -> None:
    begin = letters(project)["01-begin"]

    assert begin.subject == (Merge("first_name", "Hello"), ", have you begun?")
    assert begin.preheader == ("The first page is the hardest.",)
    assert begin.html[:3] == ("<p>Hello ", Merge("first_name", "there"),
                              ",</p>\n<p>two days ago you asked for our guide. "
                              "Read the first page today:</p>\n<ul>\n<li>put the book beside the kettle</li>\n"
                              "<li>read while the water boils</li>\n</ul>\n<p><a href=\"")
    assert begin.html[3:] == (Merge("site_url"), '/blog/first-post/">Read more on our site</a></p>\n<p>Ada</p>')
    assert begin.text == ("Hello ", Merge("first_name", "there"),
                          ",\n\ntwo days ago you asked for our guide. "
                          "Read the first page today:\n\n- put the book beside the kettle\n"
                          "- read while the water boils\n\n"
                          "Read more on our site (", Merge("site_url"), "/blog/first-post/)\n\nAda")
    assert begin.fields_used == {"first_name", "site_url"}


def test_a_button_keeps_its_place_in_both_parts(project: Path) -> None:
    delivery = letters(project)["00-delivery"]

    assert Merge("get_url") in delivery.html
    assert Merge("get_url") in delivery.text
    assert any(isinstance(part, str) and 'class="button"' in part for part in delivery.html)


def test_letters_wait_from_the_capture_or_after_another_step(project: Path) -> None:
    write(project, "02-stop", "---\nsubject: Stop\nwait: 12 hours\nafter: 01-begin\n---\nStop.\n")

    assert {step: letter.due_after for step, letter in letters(project).items()} == {
        "00-delivery": timedelta(), "01-begin": timedelta(days=2), "02-stop": timedelta(days=2, hours=12),
        "03-leave": timedelta(days=9)}


def test_a_letter_has_the_topic_of_its_own_or_of_its_offer(project: Path) -> None:
    form = project / "forms" / "short.yml"
    form.write_text(form.read_text().replace(
        "consents:", "consents:\n  - {purpose: newsletter, wording: wording/newsletter.md}"))
    write(project, "03-leave", "---\nsubject: Leave\nwait: 9 days\ntopic: newsletter\n---\nLeave.\n")

    assert {step: letter.topic for step, letter in letters(project).items()} == {
        "00-delivery": "advice", "01-begin": "advice", "02-stop": "advice", "03-leave": "newsletter"}


def test_custom_fields_of_the_form_can_be_named(project: Path) -> None:
    offer = project / "offers" / "demo"
    (offer / "emails" / "00-delivery.md").write_text(
        "---\nsubject: For {{ team_size }} readers\n---\n{{ wishes | Everything }} [here]({{ get_url }}).\n")

    demo = read(project).offers["demo"]

    assert demo.letters[0].subject == ("For ", Merge("team_size"), " readers")


def test_a_letters_digest_changes_with_its_words(project: Path) -> None:
    before = letters(project)["02-stop"].digest
    write(project, "02-stop", "---\nsubject: Stop\nwait: 5 days\n---\nStop!\n")

    assert letters(project)["02-stop"].digest != before


def test_an_own_mail_can_be_written_anew(project: Path) -> None:
    (project / "content" / "_emails").mkdir()
    (project / "content" / "_emails" / "confirm.md").write_text(
        "---\nsubject: Please confirm\n---\nHello, [this is me]({{ confirm_url }}){.button}\n")

    found = read(project)

    assert found.faults == ()
    assert found.emails["confirm"].subject == ("Please confirm",)
    assert "/_emails/confirm/" not in found.pages


@pytest.mark.parametrize(("source", "parts"), [
    ("Hello {{ first_name | there }}!", ("Hello ", Merge("first_name", "there"), "!")),
    ("{{name}}", (Merge("name"),)),
    ("{{ name|a | b }}", (Merge("name", "a | b"),)),
    ("{ name } and {{ }} and {{ first name }}", ("{ name } and {{ }} and {{ first name }}",)),
    ("{{ a }}{{ b }}", (Merge("a"), Merge("b"))),
    ("", ()),
])
def test_merge_fields_are_told_from_text(source: str, parts: merge.Text) -> None:
    assert merge.parse(source) == parts


PIECES = ["Hello ", "{{ name | there }}", "{{ site_url }}", "hxm0xh", "hxm12xh", "h", "<b>", "é"]


@given(st.lists(st.sampled_from(PIECES)))
def test_hidden_fields_are_found_again_in_order(parts: list[str]) -> None:
    words, fields = merge.hide("".join(parts))

    assert "{{" not in words
    shown = merge.show(words, fields)
    assert [part for part in shown if isinstance(part, Merge)] == [
        part for part in merge.parse("".join(parts)) if isinstance(part, Merge)]
