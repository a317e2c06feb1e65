"""Custom fields as questions with a type: asked by a form, put down at the desk, or brought in with a file.

What ``content/_fields.yml`` declares comes first; a field that only a form knows is asked as that form asks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handsel.forms.library import Field
from handsel.forms.schema import STANDARD, FieldType
from handsel.leads import answers
from handsel.leads.cells import written
from handsel.offers.project import Project
from handsel.rules.fields import CustomField

_TYPES: dict[str, FieldType] = {"text": "text", "number": "number", "choice": "select", "choices": "checkboxes",
                                "date": "date", "yes-no": "checkbox"}
YES = frozenset({"yes", "y", "true", "1", "x", "on", "ja", "oui", "si", "sí"})
NO = frozenset({"no", "n", "false", "0", "off", "nein", "non"})
PROFILE = {field.name: field for field in (
    Field("name", "name", "Name"), Field("first_name", "given-name", "First name"),
    Field("last_name", "family-name", "Last name"), Field("company", "company", "Company"),
    Field("job_title", "job-title", "Job title"), Field("phone", "phone", "Phone"),
    Field("country", "country", "Country"))}
"""What every lead can be asked, beside the address."""

COMPANY = {field.name: field for field in (
    Field("company_size", "number", "People in the company", min=0), Field("industry", "text", "Industry"),
    Field("revenue", "number", "Revenue a year", min=0), Field("company_country", "country", "Country of the company"))}
"""What people and files can say of a lead's company; it is kept there."""


def question(declared: CustomField) -> Field:
    """A declared field as a question."""
    return Field(declared.name, _TYPES[declared.type], declared.label, declared.help,
                 choices=tuple(declared.choices.items()))


def custom(project: Project) -> dict[str, Field]:
    """The custom fields of a project by name, declared ones first."""
    found = {name: question(declared) for name, declared in project.rules.fields.by_name.items()}
    found |= COMPANY
    for form in project.forms.values():
        for field in form.fields:
            if field.name not in STANDARD and field.type != "email":
                found.setdefault(field.name, replace(field, label=in_words(field.name), help=field.label))
    return found


def in_words(name: str) -> str:
    """A field's name for people, where nobody has declared a label: a form words it as a question."""
    return name.replace("_", " ").capitalize()


def read(field: Field, typed: str) -> Any:
    """The answer in a text that a person or a file gives: choices by value or label, several parted by commas.

    Raises ValueError with a sentence that says how to mend it.
    """
    if field.type == "checkbox":
        return _yes(typed)
    if field.type == "checkboxes":
        return [_choice(field, part) for part in re.split(r"[,;]\s*", typed) if part.strip()]
    if field.choices:
        return _choice(field, typed)
    kind = "text" if field.type == "hidden" else field.type
    return answers.READERS[kind](answers.tidy(typed), field)


def _yes(typed: str) -> bool:
    word = typed.strip().casefold()
    if word not in YES | NO:
        raise ValueError(f"Write yes or no, not '{typed[:40]}'.")
    return word in YES


def _choice(field: Field, typed: str) -> str:
    word = typed.strip().casefold()
    for value, label in field.choices:
        if word in (value.casefold(), label.casefold()):
            return value
    known = ", ".join(value for value, _ in field.choices[:12])
    raise ValueError(f"'{typed.strip()[:40]}' is no choice of '{field.name}': {known}.")


def shown(field: Field | None, answer: Any) -> str:
    """An answer as people read it: labels in the place of values."""
    if field is not None and field.choices:
        labels: Mapping[Any, str] = dict(field.choices)
        parts = answer if isinstance(answer, list | tuple) else [answer]
        return ", ".join(labels.get(part, written(part)) for part in parts)
    return written(answer)
