"""Reading ``forms/``: each YAML file with the words of its consents."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import partial

from handsel.content import parse
from handsel.content.body import rendered
from handsel.content.files import printable
from handsel.content.library import SITE_FILE, Read, Reading
from handsel.content.parse import Broken, Parsed
from handsel.content.schema import SLUG
from handsel.content.validate import validate
from handsel.errors import Fault, nearest
from handsel.forms.asking import ALWAYS
from handsel.forms.library import AUTOCOMPLETE, CaptureForm, ConsentBox, Field, Spam, wording_hash
from handsel.forms.schema import CHOOSING, RECOGNITION, RESERVED_NAMES, ConsentSpec, FieldSpec, FormSpec


def read_forms(reading: Reading) -> dict[str, Read[CaptureForm]]:
    """Every form by its name."""
    files, stamps = reading.tree.of("forms"), reading.tree.stamps
    wordings = tuple((file, stamps[file]) for file in files if file.endswith(".md"))
    circumstances = (reading.site.language, reading.settled, frozenset(reading.site.topics), wordings)
    return {file.removeprefix("forms/").removesuffix(".yml"): reading.once(file, partial(_form, reading), circumstances)
            for file in files if file.endswith(".yml") and file.count("/") == 1 and not file.startswith("forms/_")}


def stray_faults(reading: Reading) -> Iterator[Fault]:
    """Files of ``forms/`` that nothing reads, because of their name."""
    for file in reading.tree.of("forms"):
        if file.endswith((".yaml", ".json")) or (file.count("/") == 1 and not file.endswith((".yml", "/README.md"))):
            yield Fault(file, 0, "unknown-file", "Nothing here has this name.",
                        "Name a form <name>.yml; the words of consents belong into wording/.")


def _form(reading: Reading, file: str) -> Read[CaptureForm]:
    name = file.removeprefix("forms/").removesuffix(".yml")
    if not SLUG.fullmatch(name):
        fault = Fault(printable(file), 0, "bad-file-name", f"'{printable(name)}' cannot be the name of a form.",
                      "Rename it with small letters, digits and hyphens.")
        return Read(file, None, (fault,))
    try:
        data = reading.tree.read(file)
    except Broken as broken:
        return Read(file, None, (broken.fault,))
    parsed, faults = parse.settings(file, data)
    if parsed is None:
        return Read(file, None, tuple(faults))
    spec, more = validate(FormSpec, parsed)
    faults += more
    if spec is None:
        return Read(file, None, tuple(faults), parsed.lines)
    faults += [*_field_faults(spec, parsed), *_consent_faults(spec, parsed, reading)]
    digest = hashlib.sha256(data)
    boxes: list[ConsentBox] = []
    for place, consent in enumerate(spec.consents):
        box, wrong = _box(reading, parsed, place, consent)
        faults += wrong
        if box:
            boxes.append(box)
            digest.update(box.hash.encode())
    form = CaptureForm(name, spec.title, spec.intro, tuple(map(_field, spec.fields)), tuple(boxes), spec.submit,
                       spec.note, Spam(spec.spam.min_seconds, spec.spam.disposable), digest.hexdigest())
    return Read(file, None if faults else form, tuple(faults), parsed.lines)


def _field(spec: FieldSpec) -> Field:
    return Field(spec.name, spec.type, spec.label, spec.help, spec.required,
                 spec.autocomplete or AUTOCOMPLETE.get(spec.type, ""), tuple((spec.choices or {}).items()),
                 spec.max_length, spec.min, spec.max,
                 next(iter(spec.show_when.items())) if spec.show_when else None, spec.value or "", spec.ask_later)


def _box(reading: Reading, form: Parsed, place: int, consent: ConsentSpec) -> tuple[ConsentBox | None, list[Fault]]:
    """The box with its words."""
    tree = reading.tree
    file = f"forms/{consent.wording}"
    if file not in tree.stamps:
        known = [name.removeprefix("forms/") for name in tree.of("forms") if name.endswith(".md")]
        return None, [form.fault(("consents", place, "wording"), "missing-wording",
                                 f"The wording '{consent.wording}' does not exist.",
                                 nearest(consent.wording, known) or f"Write the sentence into {file}.")]
    try:
        text = parse.text_of(file, tree.read(file)).strip()
    except Broken as broken:
        return None, [broken.fault]
    if not text:
        return None, [Fault(file, 0, "empty-wording", "The consent has no words.",
                            "Write the sentence that people agree to.")]
    words = rendered(text, file=file, first_line=1, kind="page")
    html, text = words.html.strip(), words.text.strip()
    if html.startswith("<p>") and html.endswith("</p>") and html.count("<p>") == 1:
        html = html[3:-4]
    key = wording_hash(consent.purpose, reading.site.language, text)
    return ConsentBox(consent.purpose, text, html, key, consent.by), list(words.faults)


def _field_faults(spec: FormSpec, parsed: Parsed) -> Iterator[Fault]:
    yield from _email_faults(spec, parsed)
    names = [field.name for field in spec.fields]
    times = Counter(names)
    for place, field in enumerate(spec.fields):
        at = ("fields", place)
        if times[field.name] > 1 and names.index(field.name) < place:
            yield parsed.fault((*at, "name"), "duplicate-field", f"The form has two fields named '{field.name}'.",
                               "Rename or delete one of them.")
        if field.name in RESERVED_NAMES:
            yield parsed.fault((*at, "name"), "reserved-field-name", f"A field cannot be named '{field.name}'.",
                               f"Choose another name, such as '{field.name}_given'.")
        if field.type in CHOOSING and not field.choices:
            yield parsed.fault(at, "field-without-choices", f"The field '{field.name}' offers nothing to choose from.",
                               "Add `choices: {value: Label, …}`.")
        if field.choices and field.type not in CHOOSING:
            yield parsed.fault((*at, "choices"), "choices-for-no-choice",
                               f"The field '{field.name}' has choices, but '{field.type}' is no type that shows them.",
                               "Use select, radio or checkboxes.")
        if field.type == "hidden" and field.value is None:
            yield parsed.fault(at, "hidden-without-value", f"The hidden field '{field.name}' has no value.",
                               "Add `value: …`.")
        if field.min is not None and field.max is not None and field.min > field.max:
            yield parsed.fault((*at, "min"), "bad-range", f"The least value of '{field.name}' is above its greatest.",
                               "Swap min and max.")
        if field.ask_later and (field.type in ALWAYS or field.show_when is not None):
            why = "is for everybody" if field.type in ALWAYS else "hangs on the answer to another one"
            yield parsed.fault((*at, "ask_later"), "never-later", f"'{field.name}' cannot be asked later: it {why}.",
                               "Delete `ask_later`." if field.type in ALWAYS else "Delete `ask_later` or `show_when`.")
        if field.show_when is not None:
            yield from _show_when_faults(spec, parsed, place, field)


def _email_faults(spec: FormSpec, parsed: Parsed) -> Iterator[Fault]:
    mailboxes = [(place, field) for place, field in enumerate(spec.fields) if field.type == "email"]
    if not mailboxes:
        yield parsed.fault(("fields",), "form-without-email", "The form does not ask for an e-mail address.",
                           "Add {name: email, label: E-mail, type: email, required: true}.")
        return
    for place, _ in mailboxes[1:]:
        yield parsed.fault(("fields", place), "two-email-fields", "The form asks for an e-mail address twice.",
                           "Keep one field of type email.")
    place, field = mailboxes[0]
    if field.name != "email":
        yield parsed.fault(("fields", place, "name"), "email-field-name",
                           f"The e-mail field is named '{field.name}'.", "Name it `email`.")
    if not field.required or field.show_when:
        yield parsed.fault(("fields", place), "email-not-required", "The e-mail field can be left empty.",
                           "Set `required: true`, without show_when.")


def _show_when_faults(spec: FormSpec, parsed: Parsed, place: int, field: FieldSpec) -> Iterator[Fault]:
    at = ("fields", place, "show_when")
    conditions = field.show_when or {}
    if len(conditions) != 1:
        yield parsed.fault(at, "wrong-type", "'show_when' needs one field and its value.", "Write {field: value}.")
    for name, value in conditions.items():
        others = {other.name: other for other in spec.fields if other.name != field.name}
        if name not in others:
            yield parsed.fault(at, "unknown-show-when", f"'show_when' names the field '{name}', which is not here.",
                               nearest(name, others))
        elif others[name].ask_later:
            yield parsed.fault(at, "unknown-show-when", f"'show_when' names '{name}', which strangers are not asked.",
                               f"Delete `ask_later` of '{name}', or `show_when`.")
        elif (choices := others[name].choices) and value not in choices:
            yield parsed.fault(at, "unknown-show-when", f"'{value}' is no choice of the field '{name}'.",
                               nearest(value, choices))
        elif others[name].type == "checkbox" and value not in {"yes", "no"}:
            yield parsed.fault(at, "unknown-show-when", f"'{value}' is no answer to the checkbox '{name}'.",
                               "Write yes or no.")


def _consent_faults(spec: FormSpec, parsed: Parsed, reading: Reading) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, consent in enumerate(spec.consents):
        at = ("consents", place)
        if consent.purpose in seen:
            yield parsed.fault((*at, "purpose"), "duplicate-consent",
                               f"The form asks twice to agree to '{consent.purpose}'.", "Keep one of the two.")
        seen.add(consent.purpose)
        if consent.purpose == RECOGNITION:
            if consent.by == "button":
                yield parsed.fault((*at, "by"), "recognition-by-button",
                                   "Nobody agrees to be recognised by pressing the button for something else.",
                                   "Delete `by`: the consent then has a box of its own.")
        elif reading.settled and consent.purpose not in reading.site.topics:
            yield parsed.fault((*at, "purpose"), "unknown-topic", f"There is no topic '{consent.purpose}'.",
                               nearest(consent.purpose, reading.site.topics) or f"Add it to topics in {SITE_FILE}.")
        if consent.required:
            yield parsed.fault((*at, "required"), "required-consent", "A consent that must be given is none.",
                               "Delete `required`; what was asked for comes without it.")
