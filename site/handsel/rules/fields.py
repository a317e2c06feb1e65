"""``content/_fields.yml``: custom fields of leads, with the type that their answers have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator
from pydantic import Field as Limited

from handsel.content.library import Read, Reading
from handsel.content.parse import Parsed
from handsel.content.schema import Part
from handsel.content.values import Line, Sentence
from handsel.errors import Fault, nearest
from handsel.forms.schema import STANDARD, FieldName
from handsel.rules.catalogue import reserved
from handsel.rules.settings import read_settings

FILE = "content/_fields.yml"
ValueType = Literal["text", "number", "choice", "choices", "date", "yes-no"]
BantQuestion = Literal["budget", "authority", "need", "timeline"]


def _choices(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return {item: item for item in value}
    return value


class CustomFieldSpec(Part):
    """One field."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "label": ("field-without-label", "The field has no label.", "Add `label: …`: what sellers see."),
    }

    label: Line
    type: ValueType = "text"
    choices: Annotated[dict[Line, Line], BeforeValidator(_choices)] | None = None
    help: Sentence = ""
    bant: BantQuestion | None = None
    bant_no: tuple[Line, ...] = ()


class FieldsSpec(Part):
    """The whole file."""

    fields: dict[FieldName, CustomFieldSpec] = Limited(default_factory=dict)


@dataclass(frozen=True)
class CustomField:
    """A declared field. ``choices`` maps values to labels; ``bant`` is the question of BANT that its answer
    answers, and ``bant_no`` the values that speak against a sale."""

    name: str
    label: str
    type: ValueType
    choices: Mapping[str, str] = field(default_factory=dict)
    help: str = ""
    bant: BantQuestion | None = None
    bant_no: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fields:
    """The declared fields by name."""

    by_name: Mapping[str, CustomField]


def read_fields(reading: Reading) -> Read[Fields]:
    """The fields of the project."""
    return read_settings(reading, FILE, FieldsSpec, _made)


def _made(spec: FieldsSpec, parsed: Parsed) -> tuple[Fields | None, list[Fault]]:
    faults = [
        parsed.fault(("fields", name), "reserved-name", f"'{name}' means something to rules already, for every lead.",
                     "Use another name.") for name in spec.fields if name in STANDARD or reserved(name)]
    faults += [
        parsed.fault(("fields", name), "field-without-choices", f"The field '{name}' has nothing to choose from.",
                     "Add `choices: [one, two]`.")
        for name, one in spec.fields.items() if one.type in {"choice", "choices"} and not one.choices]
    faults += [
        parsed.fault(("fields", name, "bant_no"), "unknown-choice", f"'{value}' is no choice of the field '{name}'.",
                     nearest(value, one.choices or {}))
        for name, one in spec.fields.items() for value in one.bant_no if one.choices and value not in one.choices]
    made = {name: CustomField(name, one.label, one.type, one.choices or {}, one.help, one.bant, one.bant_no)
            for name, one in spec.fields.items()}
    return (None if faults else Fields(made)), faults
