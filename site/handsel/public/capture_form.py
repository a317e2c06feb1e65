"""A marketer's form file becomes a WTForms class at run time, through a closed registry of field types.

Every mistake is answered with a sentence that says how to mend it. What a visitor typed is kept as typed; what we store
is the answer that was read from it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectMultipleField, StringField, ValidationError
from wtforms import Field as Bound
from wtforms.form import BaseForm
from wtforms.meta import DefaultMeta
from wtforms.validators import StopValidation

from handsel.forms.library import CaptureForm, Field
from handsel.leads import answers

TOKEN = "form-token"  # noqa: S105  the name of a field
HONEYPOT = "your-website"
CONSENT = "consent-"


class Typed(StringField):  # type: ignore[misc]  # WTForms has no types
    """One line or text as typed, without the characters that no keyboard makes."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the first value sent."""
        self.data = answers.tidy(valuelist[0]) if valuelist else ""


class Ticked(SelectMultipleField):  # type: ignore[misc]
    """Several choices of a closed list."""

    def pre_validate(self, form: BaseForm) -> None:
        """Leave what is not on the list to our own check, which says it in better words."""


class Read:
    """The validator of one field: reads the answer, or stops with the words that say how to mend it."""

    def __init__(self, spec: Field) -> None:
        self.spec = spec

    def __call__(self, form: Answers, field: Bound) -> None:
        """Put the answer where the form keeps them; an empty one is no answer."""
        typed = field.data
        if not typed:
            if self.spec.required:
                raise StopValidation(answers.missing(self.spec))
            return
        try:
            form.read[self.spec.name] = answers.READERS[self.spec.type](typed, self.spec)
        except ValueError as mistake:
            raise ValidationError(str(mistake)) from None


class Answers(BaseForm):  # type: ignore[misc]
    """The common part of all capture forms.

    Fields are reached as ``form["name"]`` alone: as attributes, a marketer's field called ``data`` or ``errors`` would
    take the place of WTForms' own. The signed token in the form does what a CSRF token would, and needs no cookie.
    """

    spec: ClassVar[CaptureForm]
    unbound: ClassVar[dict[str, Any]]

    def __init__(self, formdata: MultiDict[str, str] | None = None) -> None:
        super().__init__(self.unbound, meta=DefaultMeta())
        self.read: dict[str, Any] = {}
        self.process(formdata)

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether every answer could be read. Questions whose condition is not met are left out, whatever was sent."""
        for spec in self.spec.fields:
            if spec.show_when and spec.name in self and not self._shown(spec):
                del self[spec.name]
        return bool(super().validate(extra_validators))

    def _shown(self, spec: Field) -> bool:
        assert spec.show_when is not None
        name, value = spec.show_when
        other = self[name].data if name in self else ""
        if isinstance(other, bool):
            return value == ("yes" if other else "no")
        return value in other if isinstance(other, list) else str(other) == value

    @property
    def hint(self) -> str:
        """What the e-mail address may have been meant to be; empty when nothing seems mistyped."""
        return answers.likely(str(self["email"].data or "")) if "email" in self else ""

    @property
    def consents(self) -> tuple[str, ...]:
        """The purposes agreed to, in the form's order: by a ticked box, or by the button where that is what it says."""
        return tuple(box.purpose for box in self.spec.consents
                     if box.by == "button" or self[CONSENT + box.purpose].data)


KINDS: dict[str, type[Bound]] = {"checkboxes": Ticked, "checkbox": BooleanField}


@lru_cache(maxsize=256)
def form_class(spec: CaptureForm) -> type[Answers]:
    """The WTForms class of a form file."""
    fields: dict[str, Any] = {}
    for field in spec.fields:
        kind = KINDS.get(field.type, Typed)
        more: dict[str, Any] = {"choices": []} if kind is Ticked else {}  # our own check knows them
        fields[field.name] = kind(field.label, [Read(field)], default=field.value or None, **more)
    for box in spec.consents:
        fields[CONSENT + box.purpose] = BooleanField(box.text)
    return type(f"Form_{spec.digest[:12]}", (Answers,), {"spec": spec, "unbound": fields})
