"""A mail of ours put together piece by piece, as HTML and as plain text at once. No value can be read as a mark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from handsel.mail.encode import clean


class MailSheet:
    """Pieces of a mail in their order."""

    def __init__(self) -> None:
        self._html: list[str] = []
        self._text: list[str] = []

    @property
    def html(self) -> str:
        """The HTML so far."""
        return "\n".join(self._html)

    @property
    def text(self) -> str:
        """The same, plainly."""
        return "\n\n".join(self._text)

    def says(self, words: str) -> None:
        """A paragraph."""
        line = clean(words)
        self._html.append(f"<p>{escape(line)}</p>")
        self._text.append(line)

    def heads(self, words: str) -> None:
        """A small heading."""
        line = clean(words)
        self._html.append(f"<h3>{escape(line)}</h3>")
        self._text.append(line + "\n" + "-" * len(line))

    def lists(self, rows: Iterable[str]) -> None:
        """Lines, each with a point before it."""
        lines = [clean(row) for row in rows]
        self._html.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")
        self._text.append("\n".join(f"- {line}" for line in lines))

    def facts(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """A table of labels and values; the third of a row is where the value links to, if anywhere."""
        html, text = [], []
        for label, value, target in rows:
            shown = escape(clean(value))
            shown = f'<a href="{escape(target)}">{shown}</a>' if target else shown
            html.append(f'<tr><th scope="row">{escape(clean(label))}</th><td>{shown}</td></tr>')
            text.append(f"{clean(label)}: {clean(value)}")
        self._html.append("<table>" + "".join(html) + "</table>")
        self._text.append("\n".join(text))

    def button(self, words: str, target: str) -> None:
        """A link to press, on a line of its own."""
        self._html.append(f'<p><a class="button" href="{escape(target)}">{escape(clean(words))}</a></p>')
        self._text.append(f"{clean(words)}:\n{target}")

    def link(self, words: str, target: str) -> None:
        """A link that is not pressed as often."""
        self._html.append(f'<p><a href="{escape(target)}">{escape(clean(words))}</a></p>')
        self._text.append(f"{clean(words)}:\n{target}")

    def typed(self, text: str) -> None:
        """What somebody typed, with its paragraphs and lines as they are."""
        paragraphs = [[clean(line) for line in part.split("\n")]
                      for part in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n")]
        kept = [lines for lines in paragraphs if any(lines)]
        self._html += ["<p>" + "<br>".join(escape(line) for line in lines) + "</p>" for lines in kept]
        self._text += ["\n".join(lines) for lines in kept]
