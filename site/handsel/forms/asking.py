"""Which of a form's questions a visitor is asked: what somebody has answered makes room for a later question.

A stranger gets the questions without ``ask_later``. Of somebody who is known, those that they answered are left out,
and later ones that they never answered come instead: as many as were left out, and one at least.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from handsel.forms.library import CaptureForm, Field

ALWAYS = frozenset({"email", "hidden"})
"""The types that are never left out: the address says who it is about, and a hidden field is no question."""


def asks_later(form: CaptureForm) -> bool:
    """Whether the form is not the same for everybody."""
    return any(field.ask_later for field in form.fields)


def for_strangers(form: CaptureForm) -> CaptureForm:
    """The form as it is for somebody of whom nothing is known."""
    return _only(form, [field for field in form.fields if not field.ask_later])


def for_known(form: CaptureForm, answered: Collection[str]) -> CaptureForm:
    """The form for somebody who has answered the questions of these names, in whichever form."""
    first = [field for field in form.fields if not field.ask_later]
    if not answered or len(first) == len(form.fields):
        return _only(form, first)
    left_out = {field.name for field in first if field.type not in ALWAYS and field.name in answered}
    # Whether a question that hangs on another one is to be shown must not tell how that one was answered.
    left_out |= {field.name for field in first if field.show_when and field.show_when[0] in left_out}
    later = [field for field in form.fields if field.ask_later and field.name not in answered]
    asked = {field.name for field in first} - left_out | {field.name for field in later[: max(1, len(left_out))]}
    return _only(form, [field for field in form.fields if field.name in asked])


def of_names(form: CaptureForm, names: Collection[str]) -> CaptureForm:
    """The form with the questions of these names alone: as it was when it was shown."""
    return _only(form, [field for field in form.fields if field.name in names])


def _only(form: CaptureForm, fields: list[Field]) -> CaptureForm:
    return form if len(fields) == len(form.fields) else replace(form, fields=tuple(fields))
