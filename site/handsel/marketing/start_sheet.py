"""The sheet that starts a test: which pages, which goal, and what it takes at the offer's own traffic."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import Length

from handsel import clock
from handsel.db import db
from handsel.desk import experiments as shown
from handsel.desk import person
from handsel.errors import HandselError
from handsel.experiments.sentences import GOALS
from handsel.leads import testing
from handsel.leads.outlook import Outlook, Wanted, outlook
from handsel.marketing.sheets import live, offer_or_404, seen
from handsel.marketing.tests import bp, is_ready
from handsel.offers.library import Offer, even_split
from handsel.offers.live import current

USUAL_LIFT = "20"  # percent: half of it takes four times as many visitors


@bp.get("/tests/start")
def choose() -> ResponseReturnValue:
    """The offers: those with a challenger can be tested, the others say what is missing."""
    now = clock.now()
    offers = sorted(current().offers.values(), key=lambda offer: (not is_ready(offer), offer.title.lower()))
    return render_template("desk/test-choose.html", offers=[offer for offer in offers if offer.is_open(now)],
                           is_ready=is_ready)


class StartForm(FlaskForm):  # type: ignore[misc]
    """The plan of a test as people type it: percents without the sign, empty for what shall be left out."""

    goal = SelectField("Goal", choices=[SelectChoice(name, words.capitalize()) for name, words in GOALS.items()])
    hypothesis = TextAreaField("What do you expect, and why?", [Length(max=500, message="Use 500 characters at most.")])
    baseline = StringField("Rate of the page as it is, in percent")
    mde = StringField("Smallest lift worth finding, in percent")
    value_cap = StringField("Most that one visitor may count")
    shifting = BooleanField("Send more visitors to the page that does well, as the test goes on")

    def wanted(self, shares: dict[str, int]) -> Wanted:
        """The test that the form describes; only after ``understood``."""
        lift, rate = (number(field.data) for field in (self.mde, self.baseline))
        return Wanted(goal=self.goal.data, split=shares, baseline=rate and rate / 100, mde=lift and lift / 100,
                      hypothesis=" ".join((self.hypothesis.data or "").split()), value_cap=number(self.value_cap.data),
                      shifting=bool(self.shifting.data))

    def understood(self) -> bool:
        """Whether every figure can be read; what is wrong stands at its field."""
        good = bool(self.validate())
        for field, most in ((self.baseline, 100.0), (self.mde, 10_000.0), (self.value_cap, 1e9)):
            try:
                value = number(field.data)
            except ValueError:
                field.errors = ["That is not a number. Write it like 3 or 3.5."]
                good = False
                continue
            if value is not None and not 0 < value < most:
                field.errors = [f"Use a number over 0 and under {most:,.0f}."]
                good = False
        return good


def number(text: str | None) -> float | None:
    """A number as people type it: ``3``, ``3.5``, ``3,5 %``; None for nothing. Raises ValueError."""
    plain = (text or "").strip().removesuffix("%").strip().replace(",", ".")
    return float(plain) if plain else None


def shares_of(offer: Offer) -> tuple[dict[str, int], str]:
    """The split as it was typed, and what is wrong with it, if anything."""
    shares: dict[str, int] = {}
    for name in offer.shown:
        text = request.form.get(f"share_{name}", "").strip().removesuffix("%").strip()
        if not (text.isascii() and text.isdigit() and len(text) < 4):
            return shares, f"The share of {name} is not a whole number. Write it like 50."
        shares[name] = int(text)
    return shares, ""


@bp.route("/tests/start/<slug>", methods=["GET", "POST"])
def start(slug: str) -> ResponseReturnValue:
    """The sheet of one offer. Start begins the test; Recalculate only looks ahead, and changes nothing."""
    if request.method == "POST":
        live().refresh()
    offer = offer_or_404(slug)
    if offer.meta.experiment is not None:
        return _runs(offer)
    if request.method != "POST":
        return _fresh(offer)
    form = StartForm()
    shares, wrong = shares_of(offer)
    if not form.understood() or wrong:
        return _sheet(offer, form, shares, wrong=wrong, code=422)
    if request.form.get("act") != "start":
        return _sheet(offer, form, shares, form.wanted(shares))
    return _started(offer, form, shares)


def _started(offer: Offer, form: StartForm, shares: dict[str, int]) -> ResponseReturnValue:
    wanted = form.wanted(shares)
    if request.form.get("seen") != seen(offer):
        return _sheet(offer, form, shares, wanted, code=409, conflict=(
            "The files of this offer changed while this sheet was open. What you typed is kept: look at the pages "
            "once more, then press Start."))
    try:
        testing.start(live(), offer.slug, wanted, actor=person().actor)
    except HandselError as error:
        now = current().offers.get(offer.slug)
        if now is not None and now.meta.experiment is not None:
            return _runs(now)  # the button was pressed twice, and the other press was first
        return _sheet(offer, form, shares, wanted, conflict=f"{error.what} {error.do}".strip(), code=409)
    flash("The test has begun: from now on each visitor sees one of the pages.", "good")
    return redirect(url_for("tests.index"), 303)


def _runs(offer: Offer) -> ResponseReturnValue:
    flash(f"The test of {offer.title} runs.", "good")
    return redirect(url_for("tests.index"), 303)


def _fresh(offer: Offer) -> ResponseReturnValue:
    """The sheet with what the offer's own traffic suggests."""
    ahead = _ahead(offer, Wanted(mde=float(USUAL_LIFT) / 100))
    form = StartForm(formdata=None, goal="capture", mde=USUAL_LIFT,
                     baseline=f"{100 * ahead.rate:.3g}" if ahead.rate else "")
    shares = even_split(offer.shown)
    return _sheet(offer, form, shares, form.wanted(shares))


def _ahead(offer: Offer, wanted: Wanted) -> Outlook:
    return outlook(db.session().connection(), current(), offer, wanted, clock.now())


def _sheet(offer: Offer, form: StartForm, shares: dict[str, int], wanted: Wanted | None = None, *, wrong: str = "",
           conflict: str = "", code: int = 200) -> ResponseReturnValue:
    """The sheet; without ``wanted`` there is nothing to look ahead by."""
    typed: dict[str, Any] = {name: request.form.get(f"share_{name}", shares.get(name, 0)) for name in offer.shown}
    page = render_template(
        "desk/test-start.html", offer=offer, form=form, shares=typed, wrong=wrong, conflict=conflict,
        ahead=_ahead(offer, wanted) if wanted else None, titles=shown.titles(offer), goals=GOALS,
        seen=seen(offer))
    return page, code
