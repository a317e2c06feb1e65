"""The plain text of a letter, made from its HTML, so that both parts say the same."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SPACE = re.compile(r"[ \t\r\n]+")
_BLOCKS = frozenset((
    "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "figure", "figcaption", "section",
    "aside", "table", "tr", "hr", "pre", "dl", "dt", "dd", "header", "footer", "article", "nav"))


def plain(html: str) -> str:
    """``html`` as a reader of plain text wants it: paragraphs apart, lists with marks, links with their address."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.line = ""
        self.marks: list[tuple[str, int]] = []  # open lists: kind and number of the last item
        self.quotes = 0
        self.heading = 0
        self.mark = ""  # stands before the next block: "- " or "3. "
        self.hidden = 0
        self.verbatim = 0
        self.links: list[tuple[str, int]] = []  # open links: target, and where their words begin
        self.lone = ("", "")  # a block that is one link, and how it reads as a block
        self.tight = False  # the block belongs to the one before it: items of one list

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "style", "head", "title"):
            self.hidden += 1
        if tag in _BLOCKS:
            self._end_block()
        if tag in ("ul", "ol"):
            self.marks.append((tag, int(given.get("start") or 1) - 1))
            self.tight = len(self.marks) > 1
        elif tag == "li" and self.marks:
            kind, number = self.marks[-1]
            self.marks[-1] = (kind, number + 1)
            self.mark = f"{number + 1}. " if kind == "ol" else "- "
        elif tag == "blockquote":
            self.quotes += 1
        elif tag in ("h1", "h2", "h3"):
            self.heading = int(tag[1])
        elif tag == "a":
            self.links.append((given.get("href") or "", len(self.line)))
        elif tag == "img":
            self._words(given.get("alt") or "")
        elif tag == "br":
            self.line = self.line.rstrip(" ") + "\n"
        elif tag == "hr":
            self._add("-" * 20)
        elif tag == "pre":
            self.verbatim += 1
        elif tag in ("td", "th") and self.line:
            self.line += "  "

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head", "title"):
            self.hidden = max(0, self.hidden - 1)
        if tag == "a" and self.links:
            self._end_link(*self.links.pop())
        if tag in _BLOCKS:
            self._end_block()
        if tag in ("ul", "ol") and self.marks:
            self.marks.pop()
            self.tight, self.mark = bool(self.marks), ""
        elif tag == "blockquote":
            self.quotes = max(0, self.quotes - 1)
        elif tag == "pre":
            self.verbatim = max(0, self.verbatim - 1)

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            if self.verbatim:
                self.line += data
            else:
                self._words(data)

    def _words(self, data: str) -> None:
        words = _SPACE.sub(" ", data)
        if self.line in ("", " ") or self.line.endswith(("\n", " ")):
            words = words.lstrip(" ")
        self.line += words

    def _end_link(self, target: str, begin: int) -> None:
        words = self.line[begin:].strip()
        shown = target.removeprefix("mailto:")
        if not target or target.startswith("#") or words in (target, shown):
            return
        alone = not self.line[:begin].strip()
        self.line = self.line.rstrip() + (f" <{shown}>" if words else shown)
        if alone and words:
            self.lone = (self.line.strip(), f"{words}:\n{shown}")

    def _end_block(self) -> None:
        line, self.line = self.line.strip(" \n"), ""
        if not line:
            return
        if line == self.lone[0]:
            line = self.lone[1]
        if self.heading:
            line += "\n" + ("=" if self.heading == 1 else "-") * min(len(line), 60)
            self.heading = 0
        self._add(line)

    def _add(self, text: str) -> None:
        deep = "  " * max(0, len(self.marks) - 1)
        hang = deep + (" " * len(self.mark) if self.mark else "  " if self.marks else "")
        first = deep + self.mark if self.mark else hang
        quote = "> " * self.quotes
        lines = text.split("\n")
        block = "\n".join(quote + (first if number == 0 else hang) + line for number, line in enumerate(lines))
        if self.tight and self.blocks:
            self.blocks[-1] += "\n" + block
        else:
            self.blocks.append(block)
        self.tight, self.mark = bool(self.marks), ""

    def text(self) -> str:
        self._end_block()
        return "\n\n".join(self.blocks) + "\n"
