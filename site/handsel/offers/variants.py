"""Landing pages that are tested against each other: what can be wrong with the test, and what each shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from handsel.content import parse
from handsel.content.files import Tree
from handsel.content.library import Page, Read
from handsel.content.parse import Broken
from handsel.errors import Fault, Notice
from handsel.experiments import plan
from handsel.offers.library import CONTROL, Offer, equal_split, even_split
from handsel.offers.schema import ExperimentSpec, OfferMeta

PAUSING = frozenset({"unknown-variant", "experiment-without-challenger"})
"""Faults that stop the test alone: everybody sees the control, and the rest of the offer is as its files say."""
SEEN = ("title", "image", "image_alt", "lang", "dir", "layout", "date", "author", "cta")
"""The front matter that shows on a page; the rest is for search engines, lists and the desk."""
LEAST_CAP, MOST_CAP = 0.01, 1e12  # of what one visitor may bring, in any currency
_PLAN_KEYS = {"the baseline": "baseline", "the smallest lift": "mde", "the lifted rate": "mde", "alpha": "alpha",
              "power": "power"}

Pages = Mapping[str, Read[Page]]


def shown(pages: Pages) -> set[str]:
    """The variants that visitors could be shown: every landing page that is no draft."""
    return {name for name, page in pages.items() if name != "thanks" and not (page.value and page.value.meta.draft)}


def faults(read: Read[OfferMeta], pages: Pages, bodies: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with the test of one offer, as far as its files tell; ``bodies`` are its landing pages' texts."""
    meta = read.value
    spec = meta.experiment if meta else None
    if meta is None or spec is None:
        return
    there = shown(pages) | {CONTROL}  # an offer without its control has a fault of its own
    if len(there) < 2:
        yield read.fault(("experiment",), "experiment-without-challenger",
                         "There is nothing to test the control against, so everybody sees the control.",
                         "Write landing.b.md, or delete `experiment`.")
    yield from _split_faults(read, spec, pages, there)
    yield from _goal_faults(read, meta, spec, there)
    yield from _plan_faults(read, spec)
    shares = spec.split or even_split(sorted(there))
    yield from same_pages({name: bodies[name] for name in sorted(there & set(bodies)) if shares.get(name)},
                          {name: page.file for name, page in pages.items()})


def notices(read: Read[OfferMeta], pages: Pages) -> Iterator[Notice]:
    """Challengers that nobody sees, because no test runs."""
    if read.value is not None and read.value.experiment is None:
        for name in sorted(shown(pages) - {CONTROL}):
            file = pages[name].file
            yield Notice(file, 0, "variant-without-experiment", "Nobody sees this page until a test of it is started.",
                         f"Start it: handsel experiment start {file.split('/')[1]}")


def same_pages(bodies: Mapping[str, str], files: Mapping[str, str]) -> Iterator[Fault]:
    """A fault for each page whose text is that of an earlier one."""
    first: dict[str, str] = {}
    for name, body in bodies.items():
        other = first.setdefault(body, name)
        if other != name:
            yield Fault(files[name], 0, "identical-variants",
                        f"The page says the same as {files[other].rsplit('/', 1)[1]}, so there is nothing to find out.",
                        "Change what you want to learn about.")


def _split_faults(read: Read[OfferMeta], spec: ExperimentSpec, pages: Pages, there: set[str]) -> Iterator[Fault]:
    split, place = spec.split, ("experiment", "split")
    if split is None:
        return
    total, shares = sum(split.values()), {share for share in split.values() if share}
    as_even_as_can_be = bool(shares) and total == sum(equal_split(list(filter(split.get, split))).values())
    if total != 100 and not (spec.goal == "value" and as_even_as_can_be):
        yield read.fault(place, "bad-split", f"The shares add up to {total}.", "Let them add up to 100.")
    elif CONTROL in split and not split[CONTROL]:
        yield read.fault((*place, CONTROL), "control-without-share",
                         "Nobody sees the control, so there is nothing to measure the challengers against.",
                         "Give it a share, such as half.")
    elif len(split) > 1 and len([share for share in split.values() if share]) < 2:
        yield read.fault(place, "bad-split", "One variant has all visitors, so nothing is compared.",
                         "Give another one a share, or delete `experiment` to end the test.")
    for name in split:
        if name not in there and name in pages:
            yield read.fault((*place, name), "unknown-variant",
                             f"The variant '{name}' is a draft, so everybody sees the control.",
                             f"Delete `draft` in {pages[name].file.rsplit('/', 1)[1]}, or the variant here.")
        elif name not in there and len(there) > 1:
            yield read.fault((*place, name), "unknown-variant",
                             f"There is no variant '{name}', so everybody sees the control.",
                             f"Bring landing.{name}.md back, or take '{name}' out here.")
    for name in sorted(there - set(split)):
        yield read.fault(place, "variant-not-in-split", f"The variant '{name}' has no share.",
                         f"Add {name}, with 0 if it is to rest.")


def _goal_faults(read: Read[OfferMeta], meta: OfferMeta, spec: ExperimentSpec, there: set[str]) -> Iterator[Fault]:
    place = ("experiment", "goal")
    if spec.goal == "confirmed" and meta.delivery in {"instant", "none"} and meta.kind != "newsletter":
        yield read.fault(place, "goal-out-of-reach",
                         f"With `delivery: {meta.delivery}` nobody proves a mailbox, so nobody reaches this goal.",
                         "Use `goal: capture`, or `delivery: email`.")
    if spec.goal == "value":
        yield from _value_faults(read, spec, there)
    elif spec.value_cap is not None:
        yield read.fault(("experiment", "value_cap"), "cap-without-value",
                         f"There is nothing to cap: the goal is {spec.goal}.", "Delete the line, or use `goal: value`.")


def _value_faults(read: Read[OfferMeta], spec: ExperimentSpec, there: set[str]) -> Iterator[Fault]:
    place = ("experiment", "goal")
    if spec.value_cap is None:
        yield read.fault(place, "value-without-cap", "One large order could decide the test alone.",
                         "Add `value_cap: …`: the most that one visitor may count.")
    elif not LEAST_CAP <= spec.value_cap <= MOST_CAP:
        yield read.fault(("experiment", "value_cap"), "out-of-range", "'value_cap' is out of range.",
                         f"Write a number from {LEAST_CAP:g} to {MOST_CAP:,.0f}.")
    if not spec.planned:
        yield read.fault(place, "value-without-plan", "A test of values needs its plan.",
                         "Add `baseline: …` (the rate of orders) and `mde: …` (the smallest lift worth finding).")
    if len({share for share in (spec.split or {}).values() if share}) > 1:
        shares = ", ".join(f"{name}: {share}" for name, share in equal_split(sorted(there)).items())
        yield read.fault(("experiment", "split"), "value-uneven-split", "A test of values needs equal shares.",
                         f"Write {{{shares}}}.")
    if spec.shifting:
        yield read.fault(("experiment", "shifting"), "value-shifting",
                         "A test of values needs equal shares, so they cannot be shifted.", "Delete the line.")


def _plan_faults(read: Read[OfferMeta], spec: ExperimentSpec) -> Iterator[Fault]:
    if (spec.baseline is None) != (spec.mde is None):
        there, missing = ("mde", "baseline") if spec.baseline is None else ("baseline", "mde")
        yield read.fault(("experiment", there), "half-a-plan", f"`{there}` without `{missing}` is half a plan.",
                         "Add " + ("`mde: .2` for +20 %." if missing == "mde" else "`baseline: .03` for 3 %."))
    elif spec.baseline is None and {"alpha", "power"} & spec.model_fields_set:
        key = "alpha" if "alpha" in spec.model_fields_set else "power"
        yield read.fault(("experiment", key), "half-a-plan", f"`{key}` belongs to a plan, and there is none.",
                         "Add `baseline` and `mde`, or delete the line.")
    wrong = plan_words(spec.baseline, spec.mde, spec.alpha, spec.power)
    if wrong:
        key = next((key for words, key in _PLAN_KEYS.items() if wrong.startswith(words)), "baseline")
        yield read.fault(("experiment", key), "bad-plan", f"These numbers describe no test: {wrong}.",
                         "Example: baseline: .03, mde: .2")


def plan_words(baseline: float | None, mde: float | None, alpha: float = 0.05, power: float = 0.8) -> str:
    """Why these numbers describe no test; empty if they do. A number that is None is not looked at."""
    try:
        plan.check(plan.LEAST_BASELINE if baseline is None else baseline, plan.LEAST_LIFT if mde is None else mde,
                   alpha, power)
    except ValueError as error:
        together = str(error).startswith("the lifted rate")  # says something only about two numbers that were written
        return "" if together and None in (baseline, mde) else str(error)
    return ""


def body(tree: Tree, file: str) -> str:
    """The text below a page's front matter, without what an editor may leave at the ends; empty if unreadable."""
    try:
        parsed, _ = parse.markdown(file, tree.read(file))
    except Broken:
        return ""
    return "\n".join(line.rstrip() for line in parsed.body.split("\n")).strip() if parsed else ""


def digest(tree: Tree, page: Page, text: str) -> str:
    """A SHA-256 in hexadecimal of all that a landing page alone decides of what visitors see.

    That is its body ``text``, the front matter that shows, and the pictures beside it. It stays the same whatever
    release of the program reads the page.
    """
    meta = page.meta.model_dump(mode="json", include=set(SEEN), exclude_defaults=True)
    found = hashlib.sha256(json.dumps([meta, text], sort_keys=True).encode())
    folder = page.file.rpartition("/")[0]
    for target in (*(image.src for image in page.body.images), page.meta.image or ""):
        file = f"{folder}/{target.removeprefix(f'/{folder}/files/')}"
        if file in tree.stamps:
            found.update(_bytes(tree, file))
    return found.hexdigest()


def _bytes(tree: Tree, file: str) -> bytes:
    try:
        with tree.path(file).open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError:
        return b""


def changed(offer: Offer, variant: str) -> Notice:
    """What to say of a page that was edited under its test."""
    return Notice(offer.variants[variant].file if variant in offer.variants else f"offers/{offer.slug}/", 0,
                  "running-variant-changed",
                  "The page changed while its test runs: what was counted before belongs to another page.",
                  "After more than a slip of the pen, stop the test and start it anew: "
                  f"handsel experiment stop {offer.slug}")


def edited(before: Mapping[str, Offer], after: Mapping[str, Offer]) -> Iterator[Notice]:
    """The pages of running tests that show something else in ``after`` than in ``before``; both are offers by slug."""
    for slug, offer in after.items():
        was = before.get(slug)
        if was is not None and was.runs and offer.runs:
            for name, share in offer.split.items():
                if share and was.digests.get(name, offer.digests[name]) != offer.digests[name]:
                    yield changed(offer, name)
