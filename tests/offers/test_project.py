"""The project as one value: what is live, what stays live when a file breaks, and when something changes by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from handsel.offers.project import Project, read

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def edit(project: Path, file: str, old: str, new: str) -> None:
    path = project / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def kinds(found: Project) -> list[tuple[str, str]]:
    return [(fault.where, fault.kind) for fault in found.faults]


def test_the_sample_is_read_whole(project: Path) -> None:
    found = read(project, at=NOON)

    assert {path: (page.file, page.layout) for path, page in found.pages.items()} == {
        "/": ("content/index.md", "home"), "/privacy/": ("content/privacy.md", "page"),
        "/blog/first-post/": ("content/blog/first-post.md", "post")}
    assert {slug: sorted(offer.variants) for slug, offer in found.offers.items()} == {
        "demo": ["a"], "guide": ["a", "b"], "newsletter": ["a"]}
    assert found.aliases == {"/blog/train-books/": "/blog/first-post/", "/offers/finishing-books/": "/offers/guide/"}
    assert (found.site.name, found.faults, found.next_change_at) == ("Little Press", (), None)


def test_an_unchanged_folder_gives_the_very_same_project(project: Path) -> None:
    first = read(project)

    assert read(project, first) is first


def test_a_changed_file_alone_is_read_again(project: Path) -> None:
    first = read(project)
    edit(project, "content/privacy.md", "title: Privacy notice", "title: Data notice")

    second = read(project, first)

    assert second.pages["/privacy/"].title == "Data notice"
    assert second.pages["/"] is first.pages["/"]
    assert second.offers["guide"].control is first.offers["guide"].control


def test_a_faulty_page_stays_as_it_was(project: Path) -> None:
    good = read(project)
    edit(project, "content/privacy.md", "title: Privacy notice", "titel: New words")

    faulty = read(project, good)

    assert faulty.pages["/privacy/"] is good.pages["/privacy/"]
    assert kinds(faulty) == [("content/privacy.md", "page-without-title"), ("content/privacy.md", "unknown-key")]


def test_a_faulty_page_stays_as_it_was_however_often_it_is_saved(project: Path) -> None:
    good = read(project)
    state = good
    for attempt in range(3):
        edit(project, "content/privacy.md", "title:", f"x{attempt}: y\ntitle:")
        state = read(project, state)

    assert state.pages["/privacy/"] is good.pages["/privacy/"]


def test_a_mended_page_goes_live(project: Path) -> None:
    good = read(project)
    edit(project, "content/privacy.md", "title: Privacy notice", "titel: Data notice")
    faulty = read(project, good)
    edit(project, "content/privacy.md", "titel", "title")

    mended = read(project, faulty)

    assert (mended.pages["/privacy/"].title, mended.faults) == ("Data notice", ())


def test_a_page_with_a_dead_link_waits_until_the_other_page_is_there(project: Path) -> None:
    good = read(project)
    edit(project, "content/privacy.md", "Write to", "Read [more](/more/). Write to")
    waiting = read(project, good)
    (project / "content" / "more.md").write_text("---\ntitle: More\n---\nMore.\n")

    done = read(project, waiting)

    assert waiting.pages["/privacy/"] is good.pages["/privacy/"]
    assert "more" in done.pages["/privacy/"].body.html
    assert done.faults == ()


def test_an_offer_goes_live_as_a_whole_or_not_at_all(project: Path) -> None:
    good = read(project)
    edit(project, "offers/guide/landing.md", "# Finish the books", "# Read the books")
    edit(project, "offers/guide/emails/02-stop.md", "wait: 5 days", "wait: soon")

    faulty = read(project, good)

    assert faulty.offers["guide"] == good.offers["guide"]
    assert kinds(faulty) == [("offers/guide/emails/02-stop.md", "bad-duration")]


def test_a_faulty_form_keeps_its_offers_live_with_the_form_as_it_was(project: Path) -> None:
    good = read(project)
    edit(project, "forms/short.yml", "type: given-name", "type: givenname")

    faulty = read(project, good)

    assert faulty.forms["short"] is good.forms["short"]
    assert faulty.offers["guide"].form is good.forms["short"]
    assert kinds(faulty) == [("forms/short.yml", "unknown-field-type")]


def test_a_mended_form_reaches_an_offer_that_is_faulty_itself(project: Path) -> None:
    good = read(project)
    edit(project, "offers/guide/offer.md", "kind: ebook", "kind: e-book")
    edit(project, "forms/short.yml", "label: E-mail", "label: Your e-mail")

    faulty = read(project, good)

    assert faulty.offers["guide"].meta is good.offers["guide"].meta
    assert faulty.offers["guide"].form.fields[0].label == "Your e-mail"


def test_faulty_settings_change_nothing_but_are_named(project: Path) -> None:
    good = read(project)
    edit(project, "content/_site.yml", "paper: warm", "paper: wram")

    faulty = read(project, good)

    assert faulty.site is good.site
    assert kinds(faulty) == [("content/_site.yml", "unknown-choice")]


def test_a_deleted_page_is_gone(project: Path) -> None:
    good = read(project)
    (project / "content" / "blog" / "first-post.md").unlink()

    after = read(project, good)

    assert "/blog/first-post/" not in after.pages
    assert after.pages["/"] is good.pages["/"]
    assert {fault.kind for fault in after.faults} == {"dead-link"}


def test_without_a_good_state_a_page_is_shown_as_far_as_it_can_be_understood(project: Path) -> None:
    edit(project, "content/privacy.md", "Write to", "Read [more](/more/). Write to")
    edit(project, "content/blog/first-post.md", "title:", "titel:")

    found = read(project)

    assert "/privacy/" in found.pages
    assert "/blog/first-post/" not in found.pages


def test_a_folder_without_anything_is_a_project_too(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()

    found = read(tmp_path)

    assert (found.pages, found.offers, kinds(found)) == ({}, {}, [("content/_site.yml", "missing-site-file")])


def test_a_page_appears_and_disappears_on_the_minute(project: Path) -> None:
    edit(project, "content/privacy.md", "title: Privacy notice",
         "title: Privacy notice\npublish_at: 2026-11-22 13:00\nunpublish_at: 2026-11-23 13:00 +01:00")

    found = read(project, at=NOON)
    page = found.pages["/privacy/"]
    one, two = datetime(2026, 11, 22, 13, tzinfo=UTC), datetime(2026, 11, 23, 12, tzinfo=UTC)

    assert found.next_change_at == one
    assert [page.is_live(at) for at in (NOON, one - timedelta(seconds=1), one, two - timedelta(seconds=1), two)] == [
        False, False, True, True, False]
    assert read(project, found, at=one).next_change_at == two
    assert read(project, found, at=two).next_change_at is None


def test_the_project_is_put_together_anew_when_something_planned_has_come(project: Path) -> None:
    edit(project, "content/privacy.md", "title: Privacy notice", "title: Privacy notice\npublish_at: 2026-11-22 13:00")
    first = read(project, at=NOON)

    assert read(project, first, at=NOON + timedelta(minutes=59)) is first
    assert read(project, first, at=NOON + timedelta(minutes=60)) is not first
    assert read(project, first, at=NOON - timedelta(days=1)) is not first


def test_an_offer_opens_and_closes_on_the_minute(project: Path) -> None:
    edit(project, "offers/demo/offer.md", "stage: mql",
         "stage: mql\nopens_at: 2026-11-22 13:00\ncloses_at: 2026-11-22 14:00")

    found = read(project, at=NOON)
    demo = found.offers["demo"]

    assert [demo.is_open(NOON + timedelta(minutes=m)) for m in (59, 60, 119, 120)] == [False, True, True, False]
    assert found.next_change_at == NOON + timedelta(hours=1)


def test_a_call_to_action_for_an_offer_that_has_closed_is_a_fault_from_that_minute(project: Path) -> None:
    edit(project, "offers/demo/offer.md", "stage: mql", "stage: mql\ncloses_at: 2026-11-22 14:00")
    edit(project, "content/blog/first-post.md", "cta: guide", "cta: demo")
    open_ = read(project, at=NOON)

    closed = read(project, open_, at=NOON + timedelta(hours=2))

    assert (open_.faults, kinds(closed)) == ((), [("content/blog/first-post.md", "closed-offer")])
    assert closed.pages["/blog/first-post/"] is open_.pages["/blog/first-post/"]


def test_an_alias_of_a_page_that_is_not_live_leads_nowhere(project: Path) -> None:
    edit(project, "content/blog/first-post.md", "author: ada", "author: ada\nunpublish_at: 2026-11-22 13:00")

    assert "/blog/train-books/" in read(project, at=NOON).aliases
    assert "/blog/train-books/" not in read(project, at=NOON + timedelta(hours=1)).aliases


def test_a_variant_that_is_a_draft_has_no_share(project: Path) -> None:
    edit(project, "offers/guide/offer.md", "  split: {a: 50, b: 50}\n", "")
    even = read(project)
    edit(project, "offers/guide/landing.b.md", "label:", "draft: true\nlabel:")
    (project / "offers" / "guide" / "landing.c.md").write_text(
        (project / "offers/guide/landing.md").read_text() + "\nOne sentence more.\n")

    assert even.offers["guide"].split == {"a": 50, "b": 50}
    assert read(project).offers["guide"].split == {"a": 50, "c": 50}


def test_a_link_to_a_tag_of_a_post_leads_somewhere(project: Path) -> None:
    edit(project, "content/privacy.md", "Write to",
         "[Habits](/blog/tags/habits/), [all](/blog/) and [wrong](/blog/tags/x/).")

    assert [str(fault) for fault in read(project).faults] == [
        "content/privacy.md:6: There is no page or file at /blog/tags/x/. Mend the link, or write the page."]


def test_an_offer_is_found_by_the_slug_it_had_before(project: Path) -> None:
    found = read(project)

    assert found.offer("finishing-books") is found.offers["guide"]
    assert found.offer("never-was") is None


def test_an_offer_without_experiment_shows_its_control_alone(project: Path) -> None:
    found = read(project)

    assert (found.offers["demo"].split, found.offers["guide"].split) == ({"a": 100}, {"a": 50, "b": 50})
    assert found.offers["guide"].control.file == "offers/guide/landing.md"
