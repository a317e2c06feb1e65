"""Two pages that claim one address or one language, and old addresses that cannot be followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handsel.content.library import RESERVED, Page, Read
from handsel.errors import Fault
from handsel.offers.library import CONTROL
from handsel.offers.links import SCHEME
from handsel.offers.read import Folder
from handsel.offers.translations import translation_faults
from handsel.offers.world import World


def address_faults(world: World) -> Iterator[tuple[str, Fault]]:
    """Two pages at one address or in one language, and aliases that cannot be followed."""
    for file, read in world.pages.items():
        if read.value and world.by_path[read.value.path].file != file:
            yield file, Fault(file, 0, "duplicate-address",
                              f"{world.by_path[read.value.path].file} already answers at {read.value.path}.",
                              "Rename or delete one of the two.")
    seen: dict[str, str] = {}
    for owner, alias, target, fault in all_aliases(world.pages.values(), world.folders.values()):
        if wrong := _alias_fault(world, alias, target, seen, fault):
            yield owner, wrong
        seen.setdefault(alias, target)
    controls = ((f"offers/{slug}", folder.pages[CONTROL]) for slug, folder in world.folders.items()
                if CONTROL in folder.pages)
    yield from translation_faults((*world.pages.items(), *controls), world.site.language)


def _alias_fault(world: World, alias: str, target: str, seen: dict[str, str], at: Fault) -> Fault | None:
    first = alias.strip("/").split("/")[0]
    there = world.by_path.get(alias)
    kind = ""
    if alias == target:
        kind, what = "alias-loop", f"The alias {alias} is the page's own address."
    elif there and there.value and target in map(alias_path, there.value.meta.aliases):
        kind, what = "alias-loop", f"The alias {alias} leads in a circle: that page has {target} as an alias."
    elif there or alias in world.assets or alias in world.made or (first == "offers" and world.knows(alias) and
                                                                   alias.split("/")[2] in world.folders):
        kind, what = "alias-hides-page", f"Something else already answers at {alias}."
    elif alias in seen:
        kind, what = "duplicate-alias", f"The alias {alias} leads to {seen[alias]} already."
    elif first in RESERVED - {"offers"}:
        kind, what = "reserved-address", f"The program itself answers at /{first}/."
    elif SCHEME.match(alias.lstrip("/")) or "#" in alias or "?" in alias:
        kind, what = "bad-address", f"'{alias[:80]}' is no address of this site."
    return Fault(at.where, at.line, kind, what, "Delete the alias or choose another one.") if kind else None


def alias_path(alias: str) -> str:
    """An alias as an address: from the root, and with a slash at its end unless it names a file."""
    path = "/" + alias.strip("/")
    return path if "." in path.rpartition("/")[2] or path == "/" else f"{path}/"


def all_aliases(pages: Iterable[Read[Page]], folders: Iterable[Folder]) -> Iterator[tuple[str, str, str, Fault]]:
    """Every alias: the unit it belongs to, the old address, the present one, and where it is written."""
    for read in pages:
        for place, alias in enumerate(read.value.meta.aliases if read.value else ()):
            assert read.value is not None
            yield read.file, alias_path(alias), read.value.path, read.fault(("aliases", place), "", "", "")
    for folder in folders:
        meta, path = folder.meta, f"/offers/{folder.slug}/"
        for place, alias in enumerate(meta.value.aliases if meta.value else ()):
            old = alias if alias.startswith("/") else f"/offers/{alias}"
            yield f"offers/{folder.slug}", alias_path(old), path, meta.fault(("aliases", place), "", "", "")
        for variant in folder.pages.values():
            for place, alias in enumerate(variant.value.meta.aliases if variant.value else ()):
                yield (f"offers/{folder.slug}", alias_path(alias), path,
                       variant.fault(("aliases", place), "", "", ""))
