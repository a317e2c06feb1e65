"""The plain-text meaning of our HTML: what an e-mail's text part says, and what a search or a description reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

from handsel.content.rendered import Slot

_BLOCKS = {
    "p",
    "div",
    "ul",
    "ol",
    "dl",
    "blockquote",
    "pre",
    "table",
    "figure",
    "figcaption",
    "details",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}
_LINES = {"li", "dt", "dd", "tr", "summary", "caption", "br"}
_VOID = {"br", "hr", "img"}


def of_slot(slot: Slot) -> str:
    """What a slot says in words; forms and breaks say nothing that text can do."""
    options = slot.options
    if slot.kind == "cta":
        return f"{options['label']}: /offers/{options['offer']}/"
    if slot.kind == "image":
        return f"[{options['alt']}]" if options.get("alt") else ""
    if slot.kind == "video":
        where = options.get("src") or f"https://www.youtube.com/watch?v={options.get('youtube', '')}"
        return f"{options['title']}: {where}"
    return ""


def text(html: str, slots: Mapping[str, str], place: str, mark: str) -> str:
    """``html`` as plain text with blank lines between paragraphs.

    ``slots`` says what stands for each number under the attribute ``place``; ``mark`` is the one with trusted names.
    """
    reader = _Reader(slots, place, mark)
    reader.feed(html)
    reader.close()
    return reader.result()


class _Reader(HTMLParser):
    """Collects paragraphs; lists, quotes and answers are indented by what begins their lines."""

    def __init__(self, slots: Mapping[str, str], place: str, mark: str) -> None:
        super().__init__(convert_charrefs=True)
        self.slots, self.place, self.mark = slots, place, mark
        self.paragraphs: list[str] = []
        self.words = ""
        self.indents: list[str] = []
        self.bullet = ""
        self.counts: list[int | None] = []
        self.links: list[tuple[str, int]] = []
        self.stack: list[tuple[str, str]] = []
        self.pre = 0
        self.tight = False  # the next paragraph follows without a blank line
        self.after_item = False
        self.term = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get(self.mark, "")
        if tag not in _VOID:
            self.stack.append((tag, name))
        if tag in _BLOCKS:
            self.end_paragraph()
        if said := self.slots.get(given.get(self.place, "-")):
            self.words += said
        self._open(tag, given)

    def _open(self, tag: str, given: dict[str, str]) -> None:
        if tag == "a":
            self.links.append((given.get("href", ""), len(self.words)))
        elif tag == "br":
            self.words += "\n"
        elif tag == "img" and given.get("alt"):
            self.words += f"[{given['alt']}]"
        elif tag == "hr":
            self.paragraphs.append("-" * 20)
        elif tag == "ol":
            start = given.get("start", "")
            self.counts.append(int(start) if start.isdigit() else 1)
        elif tag == "ul":
            self.counts.append(None)
        elif tag == "li":
            self._item()
        elif tag == "blockquote":
            self.indents.append("> ")
        elif tag == "pre":
            self.pre += 1
        elif tag in {"td", "th"} and self.words.strip():
            self.words = self.words.rstrip() + " | "
        elif tag in {"dt", "dd", "tr", "summary", "caption"}:
            self.end_paragraph()
            self.tight = tag in {"dd", "tr"}

    def _item(self) -> None:
        self.end_paragraph()
        count = self.counts[-1] if self.counts else None
        self.bullet = "- " if count is None else f"{count}. "
        if self.counts and count is not None:
            self.counts[-1] = count + 1
        self.indents.append(" " * len(self.bullet))

    def handle_endtag(self, tag: str) -> None:
        if tag not in {each for each, _ in self.stack}:
            return
        while self.stack:
            last, name = self.stack.pop()
            self._close(last, name)
            if last == tag:
                return

    def _close(self, tag: str, name: str) -> None:
        if tag == "a":
            target, at = self.links.pop()
            label = self.words[at:].strip()
            bare = target.removeprefix("mailto:").removeprefix("tel:")
            if target and not target.startswith("#") and label not in {target, bare}:
                self.words += f": {target}" if name == "button" else f" ({bare})"
        elif tag in {"ul", "ol"}:
            self.end_paragraph()
            self.counts.pop()
            self.after_item = bool(self.counts)
        elif tag in {"li", "blockquote"}:
            self.end_paragraph()
            self.indents.pop()
        elif tag == "dt" and ("dl", "stats") in self.stack:
            self.term, self.words = self.words.strip(), ""
        elif tag == "dd" and self.term:
            self.words, self.term = f"{self.words.strip()} {self.term}", ""
            self.bullet = "- "
            self.indents.append("  ")
            self.end_paragraph()
            self.indents.pop()
        elif tag in _BLOCKS or tag in _LINES:
            self.end_paragraph()
            self.pre -= tag == "pre"
            self.after_item = self.after_item and tag != "dl"

    def handle_data(self, data: str) -> None:
        if self.pre:
            self.words += data
            return
        data = re.sub(r"\s+", " ", data)
        self.words += data.lstrip() if not self.words or self.words.endswith(("\n", " ")) else data

    def end_paragraph(self) -> None:
        words, self.words = (self.words.strip("\n") if self.pre else self.words.strip()), ""
        if not words:
            return
        indent = "".join(self.indents)
        first = indent[: len(indent) - len(self.bullet)] + self.bullet
        lines = words.split("\n")
        paragraph = "\n".join([first + lines[0], *(indent + line for line in lines[1:])])
        joins = (self.bullet and self.after_item) or (self.tight and not self.bullet)
        if joins and self.paragraphs:
            self.paragraphs[-1] += "\n" + paragraph
        else:
            self.paragraphs.append(paragraph)
        self.after_item = any(not each.startswith(">") for each in self.indents)
        self.bullet, self.tight = "", False

    def result(self) -> str:
        self.end_paragraph()
        return "\n\n".join(line.rstrip() for line in self.paragraphs)
