"""The sheet of a segment as it is typed: rows or text, what they mean, and how many leads that is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from handsel import clock
from handsel.content import parse
from handsel.content.parse import Parsed
from handsel.db import db
from handsel.errors import Fault
from handsel.leads.segments.acts import Draft
from handsel.leads.segments.counting import Size, size
from handsel.rules.builder import MOST, OPS, Row, kind_of, problem, rows_of, rule_of
from handsel.rules.catalogue import ACTS, Act, Attribute, Vocabulary
from handsel.rules.conditions import Condition
from handsel.rules.reading import read_condition
from handsel.rules.sentence import sentence
from handsel.rules.writing import written

_TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LONGEST = 10_000  # characters of a rule typed as text


@dataclass(frozen=True)
class Sheet:
    """What stands in the form. ``text`` is the rule as text, None while it is shown in rows."""

    label: str = ""
    note: str = ""
    tag: str = ""
    match: str = "all"
    rows: tuple[Row, ...] = ()
    text: str | None = None

    def rule(self, words: Vocabulary) -> dict[str, Any]:
        """What would stand below ``when``."""
        if self.text is None:
            return rule_of(self.rows, self.match, words)
        parsed, _ = parse.settings("rule", self.text.encode())
        return parsed.values if parsed else {}


@dataclass
class Meaning:
    """What a sheet says: the sentence and the count, or what keeps it from meaning anything; ``wrong`` by the name of
    the input."""

    sentence: str = ""
    size: Size | None = None
    condition: Condition | None = None
    wrong: dict[str, str] = field(default_factory=dict)


def typed(form: MultiDict[str, str]) -> Sheet:
    """The sheet as it was sent."""
    text = form.get("rule", "")[:LONGEST].replace("\r\n", "\n") if "rule" in form else None
    rows = tuple(_row(form, f"r{place}-") for place in range(MOST) if f"r{place}-about" in form)
    return Sheet(" ".join(form.get("label", "").split()), form.get("note", "").strip(),
                 "-".join(form.get("tag", "").lower().split()), "any" if form.get("match") == "any" else "all", rows,
                 text)


def _row(form: MultiDict[str, str], before: str) -> Row:
    about, op = form.get(before + "about", ""), form.get(before + "op", "")
    picked = form.getlist(before + "pick")
    values = tuple(dict.fromkeys([*picked, *_parted(form.get(before + "value", ""))]))
    of = form.get(before + "of", "")
    if about in ACTS and ACTS[about].what == "offer" and values:
        kinds = tuple(value.removeprefix("kind:") for value in values if value.startswith("kind:"))
        of = "offer_kind" if len(kinds) == len(values) else "offer"
        values = kinds if of == "offer_kind" else values
    extra = {name: form.get(before + name, "").strip() for name in ("times", "since", "before")}
    return Row(about, op, values, of if values else "", extra["times"], _days(form.get(before + "within", "")),
               extra["since"], extra["before"])


def _parted(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _days(text: str) -> str:
    """``30`` means 30 days."""
    text = text.strip()
    return f"{text} days" if text.isascii() and text.isdigit() else text


def filed(block: Mapping[str, Any], words: Vocabulary) -> Sheet:
    """The sheet of a segment as it stands in the file."""
    rule = block.get("when")
    found = rows_of(rule, words)
    label, note, tag = (str(block.get(key, "")) for key in ("label", "note", "tag"))
    sheet = Sheet(label, note, tag)
    if found is not None:
        return replace(sheet, rows=tuple(found[0]), match=found[1])
    return replace(sheet, text=text_of(rule))


def text_of(rule: Any) -> str:
    """A rule as text, one key on a line."""
    pairs = rule.items() if isinstance(rule, Mapping) else ()
    return "".join(line + "\n" for key, value in pairs for line in written(str(key), value))


def fresh_row(about: str, words: Vocabulary) -> Row | None:
    """A row that is yet to be filled in."""
    kind = kind_of(about, words)
    if not kind:
        return None
    return Row(about, next(iter(OPS[kind])), of=ACTS[about].what if about in ACTS else "")


def meaning(sheet: Sheet, words: Vocabulary) -> Meaning:
    """What the sheet means, and everything that is wrong with it."""
    found = Meaning(wrong=_wrong(sheet))
    if sheet.text is None:
        told = {f"r{place}": _said(problem(row, words)) for place, row in enumerate(sheet.rows)}
        found.wrong |= {name: words_ for name, words_ in told.items() if words_}
        if not sheet.rows:
            found.wrong["about"] = "Add at least one condition: a segment never means everybody."
        elif not any(told.values()):
            _read(found, sheet.rule(words), Parsed("", {}), words)
    else:
        _read_text(found, sheet.text, words)
    return found


def _read_text(found: Meaning, text: str, words: Vocabulary) -> None:
    parsed, faults = parse.settings("rule", text.encode())
    if parsed is None or faults:
        found.wrong["rule"] = _line_of(faults[0]) if faults else "The rule cannot be read."
    else:
        _read(found, parsed.values, parsed, words)


def _read(found: Meaning, rule: Mapping[str, Any], parsed: Parsed, words: Vocabulary) -> None:
    condition, faults = read_condition(rule, parsed, (), words)
    if condition is None:
        found.wrong["rule"] = _line_of(faults[0])
        return
    found.condition, found.sentence = condition, sentence(condition)
    found.size = size(db.session(), condition, clock.now())


def _line_of(fault: Fault) -> str:
    return _said(f"Line {fault.line}: {fault.what} {fault.do}")


def _said(words: str) -> str:
    """Advice without the marks of the manual."""
    return words.replace("`", "").strip()


def _wrong(sheet: Sheet) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not sheet.label or len(sheet.label) > 60:
        wrong["label"] = "Give it a name of 60 characters at most."
    if len(sheet.note) > 500:
        wrong["note"] = "Use 500 characters at most."
    if sheet.tag and not _TAG.fullmatch(sheet.tag):
        wrong["tag"] = "A tag is made of letters a to z, digits and dashes, such as 'site-visit'."
    return wrong


def draft(sheet: Sheet, words: Vocabulary) -> Draft:
    """What is to be written."""
    return Draft(sheet.label, sheet.rule(words), sheet.note, sheet.tag)


def offered(words: Vocabulary) -> dict[str, list[tuple[str, str]]]:
    """All that a row can be about, by group: pairs of a name and its words."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for attribute in words.attributes:
        groups.setdefault(attribute.group, []).append((attribute.name, _capital(attribute.words)))
    groups["What they did"] = [(act.kind, act_title(act)) for act in ACTS.values()]
    if words.segments:
        groups["Other segments"] = [("segment", "Is in a segment")]
    return groups


def act_title(act: Act) -> str:
    """How a row about an act is called: ``Did … in the product``."""
    return _capital(f"{act.words} … {act.tail}" if act.tail else act.words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def choices(attribute: Attribute | None, about: str, words: Vocabulary, owners: list[str]) -> list[tuple[str, str]]:
    """What a row can be ticked for; empty where people type."""
    if about == "segment":
        return [(name, name) for name, condition in words.segments if condition is not None]
    if about in ACTS:
        kinds = sorted({offer.kind for offer in words.offers if offer.kind}) if ACTS[about].what == "offer" else []
        named = words.offers if ACTS[about].what == "offer" else ()
        return [*((f"kind:{kind}", f"Any {kind}") for kind in kinds),
                *((offer.slug, offer.title or offer.slug) for offer in named)]
    if about == "offer":
        return [(offer.slug, offer.title or offer.slug) for offer in words.offers]
    if about == "consent":
        return [(topic, topic) for topic in words.topics]
    if about == "owner":
        return [(owner, owner) for owner in owners]
    return list(attribute.choices) if attribute else []
