"""Capture forms: what a visitor is asked before an offer is theirs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType

from handsel.forms.schema import ConsentBy, Disposable, FieldType


@dataclass(frozen=True)
class Field:
    """One question. ``choices`` are (value, label) pairs, ``show_when`` a (field, value) pair."""

    name: str
    type: FieldType
    label: str
    help: str = ""
    required: bool = False
    autocomplete: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    max_length: int | None = None
    min: float | None = None
    max: float | None = None
    show_when: tuple[str, str] | None = None
    value: str = ""
    ask_later: bool = False
    """Asked of known visitors alone, in the place of what they have answered."""

    @property
    def always_filled(self) -> bool:
        """Whether every capture of the form holds an answer to it."""
        return (self.required or self.type == "hidden") and self.show_when is None and not self.ask_later


def wording_hash(purpose: str, language: str, text: str) -> str:
    """The key under which the words of a consent are kept: 64 hexadecimal digits."""
    return hashlib.sha256("\n".join((purpose, language, text)).encode()).hexdigest()


@dataclass(frozen=True)
class ConsentBox:
    """One consent: the topic it is for, its words as text and as HTML, and how it is given.

    ``by`` is ``box`` (ticked by the visitor) or ``button``: the words stand above the button, and pressing it agrees.
    ``hash`` is the SHA-256 of purpose, language and text, in hexadecimal: the key under which the words are kept.
    """

    purpose: str
    text: str
    html: str
    hash: str
    by: ConsentBy = "box"


@dataclass(frozen=True)
class Spam:
    """The form's defence: the least time a person needs to fill it, and what becomes of throw-away addresses."""

    min_seconds: float = 2
    disposable: Disposable = "quarantine"


@dataclass(frozen=True)
class CaptureForm:
    """One file of ``forms/``. ``digest`` changes with every change of the form or its wordings."""

    name: str
    title: str
    intro: str
    fields: tuple[Field, ...]
    consents: tuple[ConsentBox, ...]
    submit: str
    note: str
    spam: Spam
    digest: str

    def field(self, name: str) -> Field | None:
        """The field of that name, if the form has it."""
        return next((field for field in self.fields if field.name == name), None)

    def condition(self, field: Field) -> str:
        """Whom a question is for, in a sentence; empty when it is for everyone."""
        name, value = field.show_when or ("", "")
        other = self.field(name)
        if other is None:
            return ""
        if other.type == "checkbox":
            return f"Only if you {'ticked' if value == 'yes' else 'did not tick'} “{other.label}”."
        return f"Only if “{other.label}” is “{dict(other.choices).get(value, value)}”."


AUTOCOMPLETE = MappingProxyType({
    "email": "email", "given-name": "given-name", "family-name": "family-name", "name": "name",
    "company": "organization", "job-title": "organization-title", "phone": "tel", "country": "country-name",
    "postal-code": "postal-code", "url": "url",
})
"""The autocomplete token that a type has when the form names none."""
