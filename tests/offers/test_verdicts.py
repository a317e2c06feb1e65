"""After a change as little as can be is judged again, and the verdict is the same as if all had been read anew."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.offers.project import read
from support.faulty import SAMPLE

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
TURNS: dict[str, tuple[str, str, str]] = {
    "a heading is renamed": ("content/privacy.md", "## Your rights", "## My rights"),
    "a page becomes a draft": ("content/privacy.md", "title: Privacy notice", "title: Privacy notice\ndraft: true"),
    "a page is to be taken down": ("content/privacy.md", "description:",
                                   "unpublish_at: 2026-11-22 13:00\ndescription:"),
    "a page cannot be read": ("content/privacy.md", "title:", "titel:"),
    "an alias moves": ("content/blog/first-post.md", "/blog/train-books/", "/privacy/"),
    "a post gets another tag": ("content/blog/first-post.md", "habits]", "habit]"),
    "a link to that tag": ("content/index.md", "## Begin here", "## [Begin](/blog/tags/habits/) here"),
    "a link to an alias": ("content/index.md", "or [book", "or [this](/blog/train-books/) or [book"),
    "an author leaves": ("content/_site.yml", "  ada:", "  bea:"),
    "a topic is renamed": ("content/_site.yml", "  advice:", "  tips:"),
    "an offer closes": ("offers/guide/offer.md", "stage: iql", "stage: iql\ncloses_at: 2026-11-22 14:00"),
    "an offer takes another form": ("offers/demo/offer.md", "form: detailed", "form: short"),
    "a form alone on a page": ("content/index.md", "## Begin here", "/// form | detailed\n///\n\n## Begin here"),
    "a form asks for less": ("forms/short.yml", "  - {name: first_name, label: First name, type: given-name}\n", "#\n"),
    "a wording is emptied": ("forms/wording/advice.md", "Yes, send me three letters", "\n"),
    "a letter breaks": ("offers/guide/emails/01-begin.md", "wait: 2 days", "wait: soon"),
}
GONE = ["content/privacy.md", "content/images/ticket.png", "offers/guide/landing.b.md", "forms/newsletter.yml",
        "offers/demo/offer.md"]


def turn(root: Path, what: str) -> None:
    """Make the change, or take it back if it was made."""
    file, old, new = TURNS[what]
    path = root / file
    text = path.read_text() if path.exists() else ""
    if new in text and new not in old:
        path.write_text(text.replace(new, old))
    elif old in text:
        path.write_text(text.replace(old, new))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([*TURNS, *GONE]) | st.integers(min_value=0, max_value=200), min_size=2, max_size=7))
def test_after_any_changes_the_faults_are_those_of_a_first_reading(changes: list[str | int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, at = Path(folder) / "project", START
        shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("instance"))
        state = read(root, at=at)
        for change in changes:
            if isinstance(change, int):
                at = START + timedelta(minutes=change)
            elif change in TURNS:
                turn(root, change)
            elif (root / change).exists():
                (root / change).unlink()
            else:
                shutil.copy2(SAMPLE / change, root / change)
            state = read(root, state, at)

            assert state.faults == read(root, at=at).faults
