"""Questions of forms held against the custom fields that the project declares: one name has one type everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from handsel.content.library import Read
from handsel.errors import Fault, nearest
from handsel.forms.library import CaptureForm, Field
from handsel.rules.fields import FILE, CustomField, Fields

FITTING: dict[str, tuple[str, ...]] = {
    "text": ("text", "textarea", "url", "postal-code", "hidden", "select", "radio"),
    "number": ("number",),
    "choice": ("select", "radio"),
    "choices": ("checkboxes",),
    "date": ("date",),
    "yes-no": ("checkbox",),
}
"""By the type of a custom field the types of form fields whose answers have it; the most usual one first."""


def asked_faults(read: Read[CaptureForm], fields: Fields | None) -> Iterator[Fault]:
    """Questions of a form whose answers would not have the type that is declared for their name."""
    form = read.value
    if form is None or fields is None:
        return
    for place, asked in enumerate(form.fields):
        declared = fields.by_name.get(asked.name)
        if declared is not None:
            yield from _faults(read, place, asked, declared)


def _faults(read: Read[CaptureForm], place: int, asked: Field, declared: CustomField) -> Iterator[Fault]:
    fitting = FITTING[declared.type]
    if asked.type not in fitting:
        yield read.fault(("fields", place, "type"), "other-type",
                         f"'{asked.name}' is a {declared.type} in {FILE}, and '{asked.type}' gives something else.",
                         f"Use {' or '.join(fitting)}, or change its type in {FILE}.")
    elif declared.choices:
        for value, _ in asked.choices:
            if value not in declared.choices:
                yield read.fault(("fields", place, "choices"), "other-choices",
                                 f"'{value}' is no choice of '{asked.name}' in {FILE}.",
                                 nearest(value, declared.choices))
