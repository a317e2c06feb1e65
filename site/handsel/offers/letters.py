"""Reading letters: one Markdown file each, with merge fields that are looked up and never compiled."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from handsel import merge
from handsel.content import parse
from handsel.content.body import rendered
from handsel.content.files import printable
from handsel.content.library import Read, Reading
from handsel.content.parse import Broken, Parsed
from handsel.content.rendered import Rendered
from handsel.content.validate import validate
from handsel.errors import Fault, nearest
from handsel.forms.library import CaptureForm
from handsel.merge import Merge, Text
from handsel.offers import events
from handsel.offers.library import Letter
from handsel.offers.schema import Event, LetterMeta

STEP = re.compile(r"(\d{2})-[a-z0-9]+(-[a-z0-9]+)*")
OWN_FIELDS: dict[str, dict[str, bool]] = {
    "sign-in": {"email": True, "name": False, "site_name": True, "site_url": True, "link": True},
    "confirm": merge.KNOWN | {"confirm_url": True},
    "delivery": merge.KNOWN,
}
"""For each of our own mails: the fields that it knows, and whether they are never empty."""
OWN_LINKS = {"sign-in": {"link"}, "confirm": {"confirm_url", "get_url"}, "delivery": {"get_url"}}
"""For each of our own mails: the fields of which it needs one, or nobody can do what it asks for."""

_BRACES = re.compile(r"\{\{|\}\}")


def read_letter(reading: Reading, file: str, offer: str | None = None) -> Read[Letter]:
    """One letter by itself; ``topic`` and ``due_after`` are settled when the sequence is put together."""
    return reading.once(file, partial(_letter, reading, offer), offer)


def _letter(reading: Reading, offer: str | None, file: str) -> Read[Letter]:
    step = file.rsplit("/", 1)[1].removesuffix(".md")
    try:
        data = reading.tree.read(file)
    except Broken as broken:
        return Read(file, None, (broken.fault,))
    parsed, faults = parse.markdown(file, data)
    if parsed is None:
        return Read(file, None, tuple(faults))
    meta, more = validate(LetterMeta, parsed, {"zone": reading.zone})
    words, hidden = merge.hide(parsed.body)
    body = rendered(words, file=file, first_line=parsed.body_line, kind="letter", offer=offer)
    faults += [*more, *body.faults, *_brace_faults(parsed, meta, words), *_image_faults(file, body)]
    text = merge.show(body.text, hidden)
    if not any(isinstance(part, str) and re.search(r"\w", part) for part in text):
        faults.append(Fault(file, parsed.body_line, "letter-without-text", "The letter says nothing in plain text.",
                            "Write at least one sentence below the front matter."))
    if meta is None:
        return Read(file, None, tuple(faults), parsed.lines)
    subject, preheader = merge.parse(meta.subject), merge.parse(meta.preheader or "")
    html = merge.show("".join(part for part in body.parts if isinstance(part, str)), hidden)
    used = merge.fields((*subject, *preheader, *html, *text))
    number = int(step[:2]) if STEP.fullmatch(step) else 0
    letter = Letter(step=step, number=number, file=file, meta=meta, topic=meta.topic or "", subject=subject,
                    preheader=preheader, source=parsed.body, html=html, text=text, fields_used=used,
                    due_after=timedelta(), digest=hashlib.sha256(data).hexdigest(), whole=parse.text_of(file, data),
                    links=tuple((_target(link.target, hidden), link.line) for link in body.links),
                    images=tuple((_target(image.src, hidden), image.line) for image in body.images))
    return Read(file, letter, tuple(faults), parsed.lines)


def _target(target: str, hidden: tuple[Merge, ...]) -> str:
    """A link's target as the check can follow it: addresses of our own site begin with /, other fields stay."""
    text: Text = merge.show(target, hidden)
    first = text[0] if text else ""
    if isinstance(first, Merge) and first.field == "site_url":
        text = text[1:] or ("/",)
    return "".join(part if isinstance(part, str) else f"{{{{{part.field}}}}}" for part in text)


def _brace_faults(parsed: Parsed, meta: LetterMeta | None, words: str) -> Iterator[Fault]:
    """Braces that are left over once every well-formed field is hidden."""
    for place, line in enumerate(words.split("\n")):
        if _BRACES.search(line):
            yield Fault(parsed.where, parsed.body_line + place, "bad-merge-field", "Here is a broken merge field.",
                        "Write it as {{ first_name | there }}.")
    for key in ("subject", "preheader"):
        value = getattr(meta, key, None) or ""
        if _BRACES.search(merge.hide(value)[0]):
            yield parsed.fault((key,), "bad-merge-field", f"'{key}' holds a broken merge field.",
                               "Write it as {{ first_name | there }}.")


def _image_faults(file: str, body: Rendered) -> list[Fault]:
    return [Fault(file, image.line, "image-without-alt", f"The image '{image.src[:80]}' has no alternative text.",
                  "Write it between the brackets: ![what is to be seen](…).")
            for image in body.images if not (image.alt or "").strip()]


def field_faults(letter: Letter, form: CaptureForm | None,
                 fields: Mapping[str, bool] = merge.KNOWN) -> Iterator[Fault]:
    """Merge fields that do not exist, that may stay empty, or that have no place in this letter."""
    known = dict(fields)
    for field in form.fields if form else ():
        known[field.name] = known.get(field.name, False) or field.always_filled
    for name, fallback, line in _uses(letter):
        if name not in known:
            yield Fault(letter.file, line, "unknown-merge-field", f"There is no merge field '{name}'.",
                        nearest(name, known))
        elif name in merge.DELIVERY_ONLY and not letter.is_delivery:
            yield Fault(letter.file, line, "field-out-of-place", f"'{name}' exists in the delivery alone.",
                        "Link to the landing page with {{ landing_url }} instead.")
        elif name in merge.NOT_IN_DELIVERY and letter.is_delivery:
            yield Fault(letter.file, line, "field-out-of-place", f"'{name}' is known to later letters alone.",
                        "The button behind {{ get_url }} gives it, and so proves the mailbox.")
        elif not known[name] and not fallback:
            yield Fault(letter.file, line, "field-without-fallback", f"'{name}' may be empty.",
                        f"Say what stands there then: {{{{ {name} | there }}}}.")


def _uses(letter: Letter) -> Iterator[tuple[str, str, int]]:
    """Every merge field with its fallback and its line, once a line."""
    seen: set[tuple[str, str, int]] = set()
    for place, line in enumerate(letter.whole.split("\n"), start=1):
        for part in merge.parse(line):
            if isinstance(part, Merge) and (use := (part.field, part.fallback, place)) not in seen:
                seen.add(use)
                yield use


def sequence(letters: Iterable[Read[Letter]], files: Iterable[str], topic: str,
             event: Event | None = None) -> tuple[list[Letter], list[Fault]]:
    """The letters in order, each with its topic and its time from the capture, and what is wrong with the order."""
    reads = sorted((read for read in letters if read.value and STEP.fullmatch(read.value.step)),
                   key=lambda read: read.file)
    faults = [*_numbering(files), *(fault for read in reads for fault in _wait_faults(read, reads))]
    steps = {read.value.step: read.value for read in reads if read.value}
    done: list[Letter] = []
    for read in reads:
        letter = read.value
        assert letter is not None
        faults += events.letter_faults(read, letter.meta, event, is_delivery=letter.is_delivery)
        due = _due_after(letter, steps)
        if due is None:
            faults.append(read.fault(("after",), "sequence-cycle", f"'{letter.step}' waits for itself.",
                                     "Let `after` name an earlier step."))
            due = timedelta()
        elif letter.meta.is_by_event:
            pass  # when it goes depends on the capture and the event, not on its number
        elif done and due < done[-1].due_after and (letter.meta.wait is not None or letter.is_delivery):
            faults.append(read.fault(("wait",), "letter-overtakes",
                                     f"'{letter.step}' would be sent before '{done[-1].step}'.",
                                     "Wait longer, or number the letters in the order in which they are sent."))
        # A reminder belongs to what was asked for: it needs no consent of its own, and has no topic to be left.
        own = "" if letter.meta.before is not None else letter.meta.topic or topic
        done.append(replace(letter, topic=own, due_after=due))
    return done, faults


def _numbering(files: Iterable[str]) -> Iterator[Fault]:
    """Names that are none, numbers used twice, numbers left out."""
    expected = 0
    for file in sorted(files):
        step = file.rsplit("/", 1)[1].removesuffix(".md")
        match = STEP.fullmatch(step)
        if not match:
            yield Fault(printable(file), 0, "bad-letter-name", "The name does not say which step the letter is.",
                        "Rename it to two digits and a name, such as 01-welcome.md.")
            continue
        number = int(match[1])
        if number < expected:
            yield Fault(file, 0, "duplicate-step", f"Two letters have the number {number:02}.", "Renumber one of them.")
        elif number > expected and not (expected == 0 and number == 1):
            yield Fault(file, 0, "sequence-gap", f"There is no letter {expected:02} before this one.",
                        f"Renumber it to {expected:02}, or write the missing one.")
        expected = number + 1


def _wait_faults(read: Read[Letter], reads: list[Read[Letter]]) -> Iterator[Fault]:
    letter = read.value
    assert letter is not None
    steps = [other.value.step for other in reads if other.value]
    if letter.is_delivery:
        if letter.meta.wait or letter.meta.after:
            yield read.fault(("wait",), "wait-on-delivery", "The delivery is sent at once and cannot wait.",
                             "Delete `wait` and `after`.")
    elif letter.meta.wait is None and not letter.meta.is_by_event:
        yield read.fault((), "letter-without-wait", f"'{letter.step}' does not say when it is sent.",
                         "Add `wait: 2 days` to its front matter.")
    if letter.meta.after is not None and letter.meta.after not in steps:
        yield read.fault(("after",), "unknown-step", f"There is no step '{letter.meta.after}'.",
                         nearest(letter.meta.after, steps))


def _due_after(letter: Letter, steps: Mapping[str, Letter]) -> timedelta | None:
    """The time from the capture; None if the chain of ``after`` comes back to where it began."""
    due = timedelta()
    seen: set[str] = set()
    current: Letter | None = letter
    while current is not None:
        if current.step in seen:
            return None
        seen.add(current.step)
        due += current.meta.pause
        current = steps.get(current.meta.after or "")
    return due


def read_own_mails(reading: Reading) -> dict[str, Read[Letter]]:
    """What the marketer wrote in place of our own mails, by name."""
    reads: dict[str, Read[Letter]] = {}
    for file in reading.tree.of("content"):
        if not file.startswith("content/_emails/") or not file.endswith(".md"):
            continue
        name = file.removeprefix("content/_emails/").removesuffix(".md")
        if name not in OWN_FIELDS:
            fault = Fault(file, 0, "unknown-own-mail", f"We send no mail named '{name}'.", nearest(name, OWN_FIELDS))
            reads[name] = Read(file, None, (fault,))
            continue
        read = read_letter(reading, file)
        if read.value:
            faults = list(field_faults(read.value, None, OWN_FIELDS[name]))
            if not OWN_LINKS[name] & read.value.fields_used:
                link = sorted(OWN_LINKS[name])[0]
                faults.append(Fault(file, 0, "delivery-without-link", "The mail lacks the link that it is sent for.",
                                    f"Add a line [Press here]({{{{ {link} }}}}){{.button}}."))
            read = Read(file, read.value, (*read.faults, *faults), read.lines)
        reads[name] = read
    return reads
