"""How a file is to be brought in, as somebody says it: checked once, kept with the import, read again by the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handsel.errors import HandselError, nearest
from handsel.leads import questions
from handsel.leads.importing.chunk import Options
from handsel.leads.importing.mapping import Columns
from handsel.leads.importing.row import Rules, tag_list
from handsel.offers.project import Project

LONGEST = 4000  # characters of a consent's words


def options(project: Project, columns: Columns, *, offer: str = "", tags: Sequence[str] = (),
            words: Mapping[str, str] | None = None, proven: bool = False) -> Options:
    """The options of an import into ``project``; ``words`` are those agreed to, by topic. Raises HandselError."""
    if offer and project.offer(offer) is None:
        raise HandselError("--offer", f"There is no offer '{offer[:80]}'.", nearest(offer, project.offers))
    for topic, text in (words or {}).items():
        if topic not in project.site.topics:
            raise HandselError("--consent", f"There is no topic '{topic[:80]}'.", nearest(topic, project.site.topics))
        if " " not in text.strip() or len(text) > LONGEST:
            raise HandselError("--wording", "A consent needs the very words that were agreed to, or nobody can prove "
                               f"it; {LONGEST:,} characters at most.", "Write the sentence that people ticked.")
    said = {topic: text.strip() for topic, text in sorted((words or {}).items())}
    given = {*tag_list(tags), *(project.offers[offer].meta.tags if offer else ())}
    return _made(project, columns, offer, tuple(sorted(given)), said, proven=proven)


def again(project: Project, kept: Mapping[str, Any], head: Sequence[str]) -> Options:
    """The options as ``Options.written`` kept them, for a file with the columns in ``head``."""
    fields = tuple(kept["columns"])
    aside = tuple(name for name, field in zip(head, fields, strict=True) if name and not field)
    return _made(project, Columns(fields, aside), kept["offer"], tuple(kept["tags"]), dict(kept["wordings"]),
                 proven=bool(kept["proven"]))


def _made(project: Project, columns: Columns, offer: str, tags: tuple[str, ...], words: Mapping[str, str], *,
          proven: bool) -> Options:
    marks = f"{offer} {'confirmed' if proven else ''}".strip()
    rules = Rules(columns, questions.custom(project), tuple(words), tags, marks)
    return Options(rules, offer, words, project.site.language, proven)
