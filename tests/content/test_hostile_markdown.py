"""Whatever an author writes, nothing in a page runs, loads, posts or frames, or takes the place of our own parts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from handsel.content.markdown import Slot, render
from handsel.content.sanitise import ATTRIBUTES, SCHEMES, TAGS
from support.hostile import payloads

OURS = {
    "hero",
    "hero--two",
    "hero--both",
    "hero--cover",
    "hero--picture",
    "hero-words",
    "hero-picture",
    "kicker",
    "lead",
    "cta",
    "cta--bare",
    "gate",
    "gate-words",
    "video",
    "logos",
    "small",
    "figures",
    "stats",
    "features",
    "inside",
    "quote",
    "faq",
    "steps",
    "note",
    "note--warn",
    "note--info",
    "note-title",
    "columns",
    "table",
    "end",
    "middle",
    "button",
    "round",
    "band-words",
}


def leads_somewhere_safe(address: str) -> bool:
    """Whether a browser reads ``address`` as relative or as one of our schemes; it drops tabs and line ends first."""
    address = re.sub(r"[\t\n\r]", "", address).lstrip("".join(map(chr, range(33))))
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)", address)
    return scheme is None or scheme[0].lower() in SCHEMES


class Watch(HTMLParser):
    """Collects what in a piece of HTML must not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.bad.append(f"<{tag}>")
        for name, value in attrs:
            self._look(tag, name, value or "")

    def _look(self, tag: str, name: str, value: str) -> None:
        allowed = ATTRIBUTES.get(tag, frozenset()) | ATTRIBUTES["*"]
        if name == "class":
            if set(value.split()) - OURS:
                self.bad.append(f"class={value}")
        elif name in {"role", "tabindex", "aria-label"}:
            if (tag, value) not in {("div", "group"), ("div", "0"), ("div", "Table"), ("pre", "0")}:
                self.bad.append(f"{name}={value}")
        elif name not in allowed:
            self.bad.append(f"{tag} {name}")
        if name in {"href", "src"} and not leads_somewhere_safe(value):
            self.bad.append(f"{name}={value}")

    def handle_pi(self, data: str) -> None:
        self.bad.append(f"<?{data}")

    def handle_comment(self, data: str) -> None:
        self.bad.append(f"<!--{data}")


def watch(html: str) -> list[str]:
    seen = Watch()
    seen.feed(html)
    seen.close()
    return seen.bad


@pytest.mark.parametrize("kind", ["page", "letter"])
@pytest.mark.parametrize("source", payloads("xss", "markdown_xss"))
def test_hostile_text_leaves_nothing_that_runs(source: str, kind: str) -> None:
    for text in (source, f"Before.\n\n{source}\n\nAfter.", f"- {source}", f"> {source}", f"## {source}"):
        rendered = render(text, file="a.md", kind=kind, default_form="short", offer="guide")  # type: ignore[arg-type]

        assert watch(rendered.html) == []
        assert "\x02" not in rendered.html
        slots = [part for part in rendered.parts if isinstance(part, Slot)]
        assert all(leads_somewhere_safe(slot.options.get(name, "")) for slot in slots for name in ("src", "poster"))


@pytest.mark.parametrize("source", payloads("xss", "markdown_xss"))
def test_hostile_text_makes_no_slot_that_was_not_written_as_a_block(source: str) -> None:
    rendered = render(source, file="a.md", default_form="short", offer="guide")

    kinds = {part.kind for part in rendered.parts if isinstance(part, Slot)} - {"image"}
    assert not kinds or "///" in source


def test_all_of_it_at_once_is_still_safe() -> None:
    rendered = render("\n\n".join(payloads("xss", "markdown_xss")), file="a.md", offer="guide", default_form="short")

    assert watch(rendered.html) == []
