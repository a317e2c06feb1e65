"""Behaviour in a rule: which acts are meant, how often, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handsel.content.parse import Place
from handsel.errors import nearest
from handsel.rules.catalogue import OFFER_KINDS, Act
from handsel.rules.conditions import Behaviour, Condition, Did, Not

if TYPE_CHECKING:
    from handsel.rules.reading import Reader

WHEN = ("times", "within", "since", "before")
NAMED = {"offer": ("offer", "offer_kind"), "path": ("path", "starts_with"), "name": ("name", "starts_with"), "": ()}
"""The keys that say of what, by what an act is of."""


class Wrong(Exception):
    """A part of a rule that means nothing; its fault is noted already."""


def read_act(reader: Reader, act: Act, raw: Any, place: Place) -> Condition:
    """The condition that somebody did it: ``true``, a name, a list of names, or a group of keys. Raises Wrong."""
    if isinstance(raw, str) and raw.lower() in {"true", "false", "yes", "no"}:
        done = Did(Behaviour(act.kind))
        return done if reader.yes(raw, place) else Not(done)
    if not isinstance(raw, Mapping):
        if not act.what:
            raise reader.wrong(place, "wrong-type", f"'{act.kind}' is done or not.",
                               "Write true or false, or `within: 30 days` below it.")
        return Did(_named(reader, act, {act.what: raw}, place, {act.what: place}))
    keys = (*NAMED[act.what], *WHEN)
    wrong = [key for key in raw if key not in keys]
    for key in wrong:
        reader.wrong((*place, key), "unknown-operator", f"'{act.kind}' cannot be asked '{key[:60]}'.",
                     nearest(key, keys))
    if wrong:
        raise Wrong
    if not raw:
        raise reader.wrong(place, "empty-rule", f"'{act.kind}' asks for nothing.", "Write true if anything counts.")
    places = {key: (*place, key) for key in raw}
    behaviour = _named(reader, act, raw, place, places)
    return Did(behaviour, reader.count(raw["times"], places["times"]) if "times" in raw else 1,
               reader.length(raw["within"], places["within"]) if "within" in raw else None,
               reader.moment(raw["since"], places["since"]) if "since" in raw else None,
               reader.moment(raw["before"], places["before"]) if "before" in raw else None)


def _named(reader: Reader, act: Act, raw: Mapping[str, Any], place: Place, places: Mapping[str, Place]) -> Behaviour:
    if act.what == "offer":
        return _of_offers(reader, act, raw, places)
    if act.what and act.what in raw and "starts_with" in raw:
        raise reader.wrong(place, "wrong-type", f"'{act.what}' and 'starts_with' both say of what.",
                           "Keep one of the two.")
    if act.what and act.what in raw:
        names = reader.texts(raw[act.what], places[act.what])
        names = tuple(_path(name) for name in names) if act.what == "path" else names
        return Behaviour(act.kind, names, shown=names)
    if "starts_with" in raw:
        return Behaviour(act.kind, starts=reader.texts(raw["starts_with"], places["starts_with"]))
    return Behaviour(act.kind)


def _path(name: str) -> str:
    """A page's address as visits keep it: with a slash before it."""
    return name if name.startswith("/") else f"/{name}"


def _of_offers(reader: Reader, act: Act, raw: Mapping[str, Any], places: Mapping[str, Place]) -> Behaviour:
    names: tuple[str, ...] | None = None
    shown: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    if "offer" in raw:
        shown = reader.texts(raw["offer"], places["offer"])
        names = tuple(slug for name in shown for slug in reader.offer(name, places["offer"]))
    if "offer_kind" in raw:
        kinds = reader.texts(raw["offer_kind"], places["offer_kind"])
        for kind in kinds:
            if kind not in OFFER_KINDS:
                raise reader.wrong(places["offer_kind"], "unknown-offer-kind", f"There is no kind of offer '{kind}'.",
                                   nearest(kind, OFFER_KINDS))
        of_kinds = tuple(slug for kind in kinds for slug in reader.words.of_kind(kind))
        names = of_kinds if names is None else tuple(name for name in names if name in of_kinds)
    return Behaviour(act.kind, names, (), shown, kinds)

