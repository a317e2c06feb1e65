"""Forms as they are read: every field with what the page needs to draw it, every consent with the words to prove it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from handsel.forms.library import CaptureForm, Field, Spam
from handsel.offers.project import check, read


def form(project: Path, name: str) -> CaptureForm:
    found = read(project)
    assert found.faults == ()
    return found.forms[name]


def test_a_field_knows_all_that_its_line_says(project: Path) -> None:
    detailed = form(project, "detailed")

    assert detailed.field("seats") == Field("seats", "number", "How many seats exactly?", min=11, max=5000,
                                            show_when=("team_size", "large"))
    assert detailed.field("team_size") == Field("team_size", "select", "How many readers?", required=True,
                                                choices=(("small", "1 to 10"), ("large", "More than 10")))
    assert detailed.field("fax") is None


def test_browsers_are_told_what_a_field_is(project: Path) -> None:
    tokens = {field.name: field.autocomplete for field in form(project, "detailed").fields}

    assert tokens == {"email": "email", "name": "name", "company": "organization", "job_title": "organization-title",
                      "phone": "tel", "country": "country-name", "team_size": "", "seats": "", "wishes": ""}


def test_choices_may_be_a_plain_list_and_stay_the_words_they_are(project: Path) -> None:
    file = project / "forms" / "short.yml"
    file.write_text(file.read_text().replace(
        "consents:", "  - {name: moved, label: Have you moved?, type: radio, choices: [yes, no, 2026]}\nconsents:"))

    moved = form(project, "short").field("moved")

    assert moved is not None
    assert moved.choices == (("yes", "yes"), ("no", "no"), ("2026", "2026"))


def test_only_what_must_be_filled_counts_as_always_filled(project: Path) -> None:
    filled = {field.name for field in form(project, "detailed").fields if field.always_filled}

    assert filled == {"email", "name", "team_size"}


def test_a_consent_keeps_its_words_and_a_hash_of_purpose_language_and_words(project: Path) -> None:
    box = form(project, "short").consents[0]
    words = ("Yes, send me three letters with tips on finishing books. I can stop them at any time; "
             "see the privacy notice (/privacy/).")

    assert (box.purpose, box.text) == ("advice", words)
    assert box.hash == hashlib.sha256(f"advice\nen\n{words}".encode()).hexdigest()
    assert box.html == ('Yes, send me three letters with tips on finishing books. I can stop them at any time; '
                        'see the <a href="/privacy/">privacy notice</a>.')


def test_a_newsletters_button_may_be_the_consent(project: Path) -> None:
    assert [(box.purpose, box.by) for box in form(project, "newsletter").consents] == [("newsletter", "button")]
    assert [(box.purpose, box.by) for box in form(project, "short").consents] == [("advice", "box")]


def test_the_digest_changes_with_the_form_and_with_its_wordings(project: Path) -> None:
    first = form(project, "short").digest
    wording = project / "forms" / "wording" / "advice.md"
    wording.write_text("Yes, write to me.\n")
    second = form(project, "short").digest
    file = project / "forms" / "short.yml"
    file.write_text(file.read_text().replace("label: E-mail", "label: Mail"))
    third = form(project, "short").digest

    assert len({first, second, third}) == 3


def test_spam_defence_has_defaults(project: Path) -> None:
    file = project / "forms" / "short.yml"
    file.write_text(file.read_text().replace("spam: {min_seconds: 0, disposable: quarantine}\n", ""))

    assert form(project, "short").spam == Spam(2, "quarantine")


def test_a_wording_that_no_form_uses_is_no_fault(project: Path) -> None:
    (project / "forms" / "wording" / "phone.md").write_text("Yes, call me.\n")

    assert check(project) == []
