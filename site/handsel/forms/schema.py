"""What may stand in ``forms/<name>.yml``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, StringConstraints
from pydantic import Field as Limited

from handsel.content.schema import Key, Part
from handsel.content.values import Line, Sentence

FieldType = Literal["email", "given-name", "family-name", "name", "company", "job-title", "phone", "country",
                    "postal-code", "url", "text", "textarea", "number", "select", "radio", "checkbox", "checkboxes",
                    "date", "hidden"]
FIELD_TYPES: tuple[str, ...] = get_args(FieldType)
CHOOSING = frozenset({"select", "radio", "checkboxes"})
"""The types that need choices."""
STANDARD = frozenset({"email", "name", "first_name", "last_name", "company", "job_title", "phone", "country"})
"""The names with a column of their own on a lead; every other name is a custom field."""

RESERVED_NAMES = frozenset({"data", "errors", "meta", "process", "validate", "populate_obj", "form_errors",
                            "hidden_tag", "is_submitted", "validate_on_submit", "csrf_token", "submit"})
"""What the class of a form calls its own."""

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
ConsentBy = Literal["box", "button"]
"""How people agree: by ticking a box, or by pressing the button of a form that asks for nothing else."""
RECOGNITION = "recognition"
"""The purpose that is no topic: to be recognised by a cookie when one comes back."""
Disposable = Literal["allow", "quarantine", "refuse"]


def _choices(value: Any) -> Any:
    """A list stands for a mapping in which each value is its own label."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return {item: item for item in value}
    return value


class FieldSpec(Part):
    """One field of a form."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "label": ("field-without-label", "The field has no label.", "Add `label: …`: people who listen need it too."),
    }
    kinds: ClassVar[dict[str, str]] = {"type": "unknown-field-type"}

    name: FieldName
    label: Line
    type: FieldType
    help: Sentence = ""
    required: bool = False
    autocomplete: Annotated[str, StringConstraints(pattern=r"^[a-z0-9 -]+$", max_length=60)] | None = None
    choices: Annotated[dict[Line, Line], BeforeValidator(_choices)] | None = None
    max_length: int | None = Limited(default=None, ge=1, le=10_000)
    min: float | None = None
    max: float | None = None
    show_when: dict[FieldName, Line] | None = None
    ask_later: bool = False
    value: Line | None = None


class ConsentSpec(Part):
    """One box to tick: what for, and the file with its words."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "wording": ("consent-without-wording", "The consent has no wording.",
                    "Add `wording: wording/<name>.md` and write there the sentence that people agree to."),
    }

    purpose: Key
    wording: Annotated[str, StringConstraints(pattern=r"^[\w-]+(/[\w-]+)*\.md$", max_length=200)]
    by: ConsentBy = "box"
    required: bool = False


class SpamSpec(Part):
    """How hard the form is for robots."""

    min_seconds: float = Limited(default=2, ge=0, le=60)
    disposable: Disposable = "quarantine"


class FormSpec(Part):
    """A whole form file."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "title": ("form-without-title", "The form has no title.", "Add `title: …`: the heading above it."),
        "submit": ("form-without-button", "The button has no words.", "Add `submit: …` and name what people get."),
    }

    title: Line
    intro: Sentence = ""
    fields: tuple[FieldSpec, ...]
    consents: tuple[ConsentSpec, ...] = ()
    submit: Line
    note: Sentence = ""
    spam: SpamSpec = SpamSpec()
