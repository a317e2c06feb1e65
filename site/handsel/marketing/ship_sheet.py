"""The sheets that end a test: stop it, or put a challenger in the control's place."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel import clock
from handsel.desk import experiments as shown
from handsel.desk import person
from handsel.desk.compare import compare
from handsel.desk.shell import site_zone
from handsel.errors import HandselError
from handsel.experiments.results import Results
from handsel.experiments.sentences import tell
from handsel.leads import testing
from handsel.marketing.sheets import live, offer_or_404, seen, text_of
from handsel.marketing.tests import LONGEST, bp, load
from handsel.offers.library import CONTROL, Offer


def learned_text() -> str:
    """What was typed about the learning."""
    return request.form.get("learned", "").replace("\r\n", "\n").strip()[:LONGEST]


@bp.route("/tests/<int:experiment_id>/stop", methods=["GET", "POST"])
def stop(experiment_id: int) -> ResponseReturnValue:
    """Stop a test: everybody sees the control from then on, and the challengers stay as files."""
    found, offer = _asked_of(experiment_id)
    if _over(found, offer):
        return _already(found)
    if request.method != "POST":
        return _stop_sheet(found, offer, found.learned)
    text = learned_text()
    try:
        testing.stop(live(), found.offer, actor=person().actor, learned="" if text == found.learned else text)
    except HandselError as error:
        if _over(found, offer_or_404(found.offer)):
            return _already(found)
        return _stop_sheet(found, offer, text, conflict=f"{error.what} {error.do}".strip(), code=409)
    flash("The test is stopped: everybody sees the control.", "good")
    return redirect(url_for("tests.test", experiment_id=found.id), 303)


def _asked_of(experiment_id: int) -> tuple[Results, Offer]:
    """The test and its offer; before an act, as the files stand at this moment."""
    found = load(experiment_id)
    if request.method == "POST":
        live().refresh()
    return found, offer_or_404(found.offer)


def _over(found: Results, offer: Offer) -> bool:
    """Whether the test has ended, or will as soon as the worker looks."""
    return not found.is_running or offer.meta.experiment is None


def _already(found: Results) -> ResponseReturnValue:
    flash("The test has ended already.", "good")
    return redirect(url_for("tests.test", experiment_id=found.id), 303)


def _stop_sheet(found: Results, offer: Offer, learned: str, conflict: str = "", code: int = 200) -> ResponseReturnValue:
    page = render_template("desk/test-stop.html", test=found, offer=offer, learned=learned, conflict=conflict,
                           told=tell(found, clock.now(), site_zone()), longest=LONGEST)
    return page, code


@bp.route("/tests/<int:experiment_id>/ship", methods=["GET", "POST"])
def ship(experiment_id: int) -> ResponseReturnValue:
    """Ship a challenger: what will happen, what changes on the page, and one button."""
    found, offer = _asked_of(experiment_id)
    if _over(found, offer):
        return _already(found)
    variant = request.values.get("variant", found.variant)
    if variant not in found.variants or variant == CONTROL or variant not in offer.variants:
        variant = next((name for name in found.variants[1:] if name in offer.variants), "")
    if not variant:
        flash("No challenger of this test has a file any more. Put it back, or stop the test.", "bad")
        return redirect(url_for("tests.test", experiment_id=found.id), 303)
    if request.method != "POST":
        return _ship_sheet(found, offer, variant, found.learned)
    return _shipped(found, offer, variant)


def _shipped(found: Results, offer: Offer, variant: str) -> ResponseReturnValue:
    text, proven = learned_text(), is_proven(found, variant)
    if request.form.get("seen") != seen(offer):
        return _ship_sheet(found, offer, variant, text, code=409, conflict=(
            "The pages changed while this sheet was open. Nothing was shipped, and what you typed is kept: read the "
            "changes once more."))
    if not proven and not request.form.get("sure"):
        return _ship_sheet(found, offer, variant, text, code=422, conflict=(
            f"Nothing was shipped. Tick that you want variant {variant} without a verdict for it."))
    try:
        testing.ship(live(), found.offer, actor=person().actor, variant=variant, force=not proven,
                     learned="" if text == found.learned else text)
    except HandselError as error:
        if _over(found, offer_or_404(found.offer)):
            return _already(found)
        return _ship_sheet(found, offer, variant, text, conflict=f"{error.what} {error.do}".strip(), code=409)
    flash(f"Variant {variant} is shipped: it is the landing page now, and everybody sees it.", "good")
    return redirect(url_for("tests.test", experiment_id=found.id), 303)


def is_proven(found: Results, variant: str) -> bool:
    """Whether the verdict is that this variant wins."""
    return found.verdict == "winner" and found.variant == variant and not found.alarm


def _ship_sheet(found: Results, offer: Offer, variant: str, learned: str, *, conflict: str = "",
                code: int = 200) -> ResponseReturnValue:
    page = render_template(
        "desk/test-ship.html", test=found, offer=offer, variant=variant, learned=learned, conflict=conflict,
        proven=is_proven(found, variant), told=tell(found, clock.now(), site_zone()), titles=shown.titles(offer),
        challengers=[name for name in found.variants[1:] if name in offer.variants],
        lines=compare(text_of(offer, CONTROL), text_of(offer, variant)), seen=seen(offer), longest=LONGEST)
    return page, code
