"""Blocks as they are written and as they come out, in tests/content/blocks/: name.md, name.html and name.txt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handsel.content.blocks import REGISTRY
from handsel.content.markdown import Heading, Image, Link, Rendered, Slot, render

FOLDER = Path(__file__).parent / "blocks"
CASES = sorted(path.stem for path in FOLDER.glob("*.md"))


def told(rendered: Rendered) -> str:
    """The parts in one text, each slot on a line of its own."""
    lines = []
    for part in rendered.parts:
        if isinstance(part, Slot):
            options = " ".join(f"{name}={value!r}" for name, value in sorted(part.options.items()))
            lines.append(f"[{part.kind}{' ' if options else ''}{options}]")
        else:
            lines.append(part)
    return "\n".join(lines) + "\n"


def page(source: str, **options: str) -> Rendered:
    return render(source, file="content/a.md", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CASES)
def test_a_block_comes_out_as_written_down(name: str) -> None:
    source = (FOLDER / f"{name}.md").read_text()
    rendered = render(source, file=f"{name}.md", default_form="short", offer="guide")

    assert told(rendered) == (FOLDER / f"{name}.html").read_text()
    assert rendered.text + "\n" == (FOLDER / f"{name}.txt").read_text()
    assert rendered.faults == ()


def test_every_block_is_written_down() -> None:
    assert set(REGISTRY) <= set(CASES)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_the_example_that_the_menu_inserts_has_no_fault(name: str) -> None:
    rendered = render(REGISTRY[name].example, file="a.md", default_form="short", offer="guide")

    assert rendered.faults == ()
    assert name in rendered.blocks


def test_an_unknown_block_is_named_with_the_nearest_one_and_keeps_its_words() -> None:
    rendered = page("One.\n\n/// fetures\n    look: big\n\n### Kept\n\nAnd **this**.\n///\n\nTwo.")

    assert [(fault.line, fault.what, fault.do) for fault in rendered.faults] == [
        (3, "There is no block 'fetures'.", "Did you mean 'features'?")
    ]
    assert "<h3" in rendered.html
    assert "<strong>this</strong>" in rendered.html
    assert "///" not in rendered.html
    assert "look: big" not in rendered.html


def test_an_unknown_option_is_named_on_its_own_line_and_the_block_stands() -> None:
    rendered = page("/// note | Tip\n    kind: tip\n    colour: red\n\nWords.\n///")

    assert [(fault.line, fault.kind) for fault in rendered.faults] == [(3, "unknown-option")]
    assert '<div class="note">' in rendered.html


@pytest.mark.parametrize(
    ("source", "line", "kind"),
    [
        ("/// note\n\nOpen for ever.", 1, "unclosed-block"),
        ("One.\n\n///\n", 3, "stray-fence"),
        ("/// cta\n    offer: guide\n///", 1, "missing-argument"),
        ("/// cta | Go\n///", 1, "cta-without-offer"),
        ("/// faq | Questions\n\n### One?\n\nYes.\n///", 1, "idle-argument"),
        ("/// figure | A\n    src: /a.png\n///", 1, "missing-option"),
        ("/// note\n    kind: loud\n\nA.\n///", 2, "bad-option"),
        ("/// figure\n    src: javascript:alert(1)\n    alt: A\n///", 2, "bad-option"),
        ("/// figure\n    src: //evil.example/a.png\n    alt: A\n///", 2, "bad-option"),
        ("/// note\n    kind: [tip, warn]\n\nA.\n///", 2, "bad-option"),
        ("/// note\n    kind: tip\n    kind: warn\n\nA.\n///", 1, "duplicate-option"),
        ("/// stats\n\nNo list.\n///", 1, "block-without-list"),
        ("/// faq\n\nNo question.\n///", 1, "block-without-items"),
        ("<div>\n/// note\nA\n///\n</div>", 2, "block-in-html"),
    ],
)
def test_what_is_wrong_with_a_block_is_told_with_its_line(source: str, line: int, kind: str) -> None:
    assert [(fault.line, fault.kind) for fault in page(source).faults] == [(line, kind)]


def test_lines_are_counted_from_where_the_text_stands_in_its_file() -> None:
    rendered = render("One.\n\n/// nothing\n///", file="a.md", first_line=7)

    assert rendered.faults[0].line == 9


def test_a_block_in_a_code_fence_is_code() -> None:
    rendered = page("```\n/// note\nA.\n///\n```")

    assert rendered.faults == ()
    assert "/// note\nA.\n///" in rendered.html


def test_blocks_of_one_length_may_stand_in_each_other() -> None:
    rendered = page("/// columns\n\nLeft.\n\n---\n\n/// note | Right\n\nWords.\n///\n\n///", offer="guide")

    assert rendered.faults == ()
    assert rendered.html.count("<div>") == 2
    assert '<div class="note">' in rendered.html


def test_author_html_names_neither_a_slot_nor_a_class_of_ours() -> None:
    source = (
        '<div data-s0="0" class="hero">a</div>\n\n<p class="lead" style="color:red" onclick="x()">b</p>\n\n'
        "/// hs | 0\n///\n\n[c](/c/){.hero #x onclick=y}\n\n/// cover\n///"
    )

    rendered = page(source, offer="guide")

    assert [part.kind for part in rendered.parts if isinstance(part, Slot)] == ["cover"]
    assert "class=" not in rendered.html
    assert "data-s" not in rendered.html
    assert "onclick" not in rendered.html


def test_marks_ids_tables_footnotes_and_tasks_are_understood() -> None:
    rendered = page(
        "## A head ==marked==\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\nText[^1] ~~gone~~.\n\n"
        "- [ ] one\n- [x] two\n\n"
        "[^1]: The note.\n"
    )

    assert rendered.headings == (Heading(2, "a-head-marked", "A head marked"),)
    assert "<mark>marked</mark>" in rendered.html
    assert '<div class="table" role="group" aria-label="Table" tabindex="0">' in rendered.html
    assert '<td class="end">2</td>' in rendered.html
    assert 'id="fn:1"' in rendered.html
    assert "<del>gone</del>" in rendered.html
    assert "☐ one" in rendered.html
    assert "☑ two" in rendered.html


def test_ids_of_the_page_itself_are_not_taken_by_headings() -> None:
    rendered = page("## Main\n\n## Get\n\n## Get 2")

    assert [heading.id for heading in rendered.headings] == ["main-part", "get-part", "get-2-part"]


def test_links_and_pictures_are_listed_with_their_lines() -> None:
    rendered = page("[a](/a/) and\n[b](https://b.example/)\n\n![c](c.png)\n![](d.png)\n\n[a](/a/)")

    assert rendered.links == (Link("/a/", 1), Link("https://b.example/", 2), Link("/a/", 7))
    assert rendered.images == (Image("c.png", "c", 4), Image("d.png", "", 5))


def test_the_first_paragraph_is_a_sentence_and_not_a_label() -> None:
    assert page("Free · PDF\n\n# Head\n\nThis is a *sentence*.").first_paragraph == "This is a sentence."


def test_a_letter_is_written_out_whole_with_addresses_of_the_site() -> None:
    rendered = render(
        "[Go](/x/){.button} ![p](/p.png)\n\n/// cta | Read on\n    offer: guide\n\nWhy.\n///",
        file="l.md",
        kind="letter",
    )

    assert rendered.parts == (rendered.html,)
    assert '<a class="button" href="{{ site_url }}/x/">Go</a>' in rendered.html
    assert 'src="{{ site_url }}/p.png"' in rendered.html
    assert rendered.text == "Go: {{ site_url }}/x/ [p]\n\nWhy.\n\nRead on: {{ site_url }}/offers/guide/"


def test_a_block_that_no_mail_program_shows_is_a_fault_in_a_letter() -> None:
    rendered = render("/// hero\n\n# A\n///", file="l.md", kind="letter")

    assert [(fault.kind, fault.do) for fault in rendered.faults] == [
        ("block-not-in-letter", "Use one of: cta, figure, note, quote.")
    ]


def test_rendering_in_many_threads_mixes_nothing_up() -> None:
    def one(number: int) -> bool:
        rendered = page(f"/// note | Title {number}\n\nWords {number}.[^1]\n\n[^1]: Note {number}.\n///")
        return f"Title {number}" in rendered.html and f"Words {number}" in rendered.text and not rendered.faults

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(200)))


def test_rendering_twice_gives_the_same() -> None:
    source = "\n\n".join(kind.example for kind in REGISTRY.values())

    assert page(source, offer="guide", default_form="short") == page(source, offer="guide", default_form="short")
