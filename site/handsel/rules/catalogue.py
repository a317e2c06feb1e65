"""What rules can ask about a person: the attributes with their types, the acts, and the names that a project has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from handsel.rules.fields import CustomField, Fields

STAGES = ("iql", "mql", "sql", "pql", "service", "customer")
OFFER_KINDS = ("ebook", "whitepaper", "checklist", "template", "webinar", "coupon", "trial", "demo", "consultation",
               "course", "sample", "newsletter")

Type = Literal["text", "number", "date", "set", "switch"]

NUMBER = re.compile(r"[ \t\r\n]*-?(0|[1-9][0-9]*)(\.[0-9]+)?[ \t\r\n]*")
LONGEST_NUMBER = 25
"""The answers that are numbers, and how many characters they have at most: what both engines and Python read alike."""
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Attribute:
    """One thing that is believed of a person.

    ``words`` is how a sentence calls it; ``choices`` maps the values it can have to labels, if those are known (by
    pairs, so that it can be hashed). ``day``: a date without a time, kept as ``2026-11-22``. ``custom``: an answer that
    lies among the custom fields of a lead.
    """

    name: str
    type: Type
    words: str
    group: str = "Answers"
    choices: tuple[tuple[str, str], ...] = ()
    custom: bool = False
    day: bool = False


def _made(group: str, *rows: tuple[str, Type, str]) -> dict[str, Attribute]:
    return {name: Attribute(name, type_, words, group) for name, type_, words in rows}


STAGE_LABELS = {"iql": "IQL", "mql": "MQL", "sql": "SQL", "pql": "PQL", "service": "service", "customer": "customer"}
STANDING = Attribute("stage", "text", "stage", "How far they are", tuple(STAGE_LABELS.items()))

BUILT_IN: dict[str, Attribute] = {
    **_made("Who they are", ("email", "text", "e-mail address"), ("domain", "text", "mail domain"),
            ("name", "text", "name"), ("company", "text", "company"), ("job_title", "text", "job title"),
            ("phone", "text", "phone number"), ("country", "text", "country")),
    **_made("Their company", ("company_size", "number", "company size"), ("industry", "text", "industry"),
            ("revenue", "number", "revenue"), ("company_country", "text", "country of the company")),
    "stage": STANDING,
    **_made("How far they are", ("stage_since", "date", "stage reached"), ("score", "number", "score"),
            ("fit", "number", "fit"), ("interest", "number", "interest"),
            ("quality", "number", "predicted quality in percent"), ("bant", "number", "BANT questions answered"),
            ("owner", "text", "owner")),
    **_made("What they hold", ("tag", "set", "tag"), ("offer", "set", "offer"), ("consent", "set", "consent"),
            ("source", "text", "source"), ("unsubscribed", "switch", "unsubscribed")),
    **_made("When", ("captured", "date", "first form"), ("confirmed", "date", "mailbox proven"),
            ("last_form", "date", "last form"), ("last_act", "date", "last act")),
}
"""What every project can ask about, by name."""

ASKED_IN_FORMS = frozenset({"company_size", "industry", "revenue", "company_country"})
"""Attributes of the company that a form may ask for by the same name."""


@dataclass(frozen=True)
class Act:
    """Something that people do. ``what`` says of what its facts are: ``offer``, ``path``, ``name``, or nothing.

    ``words`` is the sentence's verb, ``tail`` what follows behind that.
    """

    kind: str
    words: str
    what: str = ""
    tail: str = ""


ACTS: dict[str, Act] = {act.kind: act for act in (
    Act("asked", "asked for", "offer"), Act("downloaded", "downloaded", "offer"), Act("attended", "attended", "offer"),
    Act("visited", "visited", "path"), Act("clicked", "clicked in a letter of", "offer"),
    Act("event", "did", "name", "in the product"), Act("called", "was called"), Act("met", "was met"),
    Act("wrote", "was written to by a seller"), Act("bought", "bought"), Act("left", "unsubscribed"),
    Act("bounced", "had a mail bounce"))}
"""All behaviour that rules can ask about, by the kind of its facts."""

WORDS_OF_RULES = frozenset({"all", "any", "not", "segment"})


def reserved(name: str) -> bool:
    """Whether a custom field of that name could not be told from what rules know already."""
    return name in WORDS_OF_RULES or name in ACTS or (name in BUILT_IN and name not in ASKED_IN_FORMS)


@dataclass(frozen=True)
class OfferName:
    """An offer as rules name it, with the slugs it had before."""

    slug: str
    kind: str = ""
    title: str = ""
    former: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The names that rules of a project can use. ``segments`` are pairs of a name and its condition, None for one that
    has a fault; ``zone`` is the timezone that dates are written in."""

    attributes: tuple[Attribute, ...] = tuple(BUILT_IN.values())
    offers: tuple[OfferName, ...] = ()
    segments: tuple[tuple[str, Any], ...] = ()
    zone: str = "UTC"
    topics: tuple[str, ...] = field(default=())

    @cached_property
    def by_name(self) -> Mapping[str, Attribute]:
        """The attributes by name."""
        return {attribute.name: attribute for attribute in self.attributes}

    def slugs(self, name: str) -> tuple[str, ...]:
        """All slugs that an offer has or had, by any of them; empty if there is none."""
        for offer in self.offers:
            if name == offer.slug or name in offer.former:
                return (offer.slug, *offer.former)
        return ()

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """The slugs of all offers of that kind."""
        return tuple(slug for offer in self.offers if offer.kind == kind for slug in (offer.slug, *offer.former))


_TYPES: dict[str, Type] = {"text": "text", "choice": "text", "number": "number", "choices": "set", "date": "date",
                           "yes-no": "switch"}
_FORM_TYPES: dict[str, Type] = {"number": "number", "date": "date", "checkboxes": "set", "checkbox": "switch"}


@dataclass(frozen=True)
class Asked:
    """A field that a form asks for beyond the columns of every lead; ``type`` is one of forms."""

    name: str
    type: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()


def attributes_of(fields: Fields, asked: Iterable[Asked] = ()) -> tuple[Attribute, ...]:
    """All attributes of a project: those that every one has, the declared fields, and what its forms ask for besides;
    a field of several forms can be answered by the choices of all of them."""
    found = dict(BUILT_IN)
    for name, declared in fields.by_name.items():
        found[name] = _declared(name, declared)
    for field_ in asked:
        if field_.name in fields.by_name or field_.name in BUILT_IN or reserved(field_.name):
            continue
        of = _FORM_TYPES.get(field_.type, "text")
        before = found.get(field_.name)
        choices = dict(before.choices if before else ()) | dict(field_.choices)
        found[field_.name] = Attribute(field_.name, of, _words(field_.label), choices=tuple(choices.items()),
                                       custom=True, day=of == "date")
    return tuple(found.values())


def _declared(name: str, declared: CustomField) -> Attribute:
    choices = tuple(declared.choices.items())
    if name in ASKED_IN_FORMS:
        own = BUILT_IN[name]
        return Attribute(name, own.type, own.words, own.group, choices)
    of = _TYPES[declared.type]
    return Attribute(name, of, _words(declared.label), choices=choices, custom=True, day=of == "date")


def _words(label: str) -> str:
    """A label as part of a sentence."""
    return label.strip().rstrip("?:.").strip() or label


def typed(attribute: Attribute, raw: Any) -> Any:
    """What a person's value says to a rule: a text, a float, a datetime (text for a day), a frozenset or a bool.

    Whatever is not of the attribute's type is unknown: "" for a text, None for numbers and dates, an empty set, False.
    """
    if attribute.type == "text":
        return raw if isinstance(raw, str) else ""
    if attribute.type == "number":
        return _number(raw)
    if attribute.type == "set":
        values = (raw,) if isinstance(raw, str) else raw if isinstance(raw, (list, tuple, set, frozenset)) else ()
        return frozenset(value for value in values if isinstance(value, str) and value)
    if attribute.type == "switch":
        return raw is True or (isinstance(raw, str) and raw in {"yes", "true"})
    if attribute.day:
        return raw if isinstance(raw, str) and DAY.fullmatch(raw) else None
    return raw if isinstance(raw, datetime) else None


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, (int, float)):
        return float(raw) if abs(raw) < 1e300 else None
    return float(raw) if isinstance(raw, str) and is_number(raw) else None


def is_number(text: str) -> bool:
    """Whether a text is a number to rules."""
    return len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text) is not None
