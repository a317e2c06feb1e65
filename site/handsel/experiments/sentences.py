"""How an experiment stands in plain sentences: what is known, what is still needed, and what to do now.

Everybody who tells of an experiment says it with these: the desk, the command, the mails. Nothing here computes a
verdict; it is read from the results. Probabilities stay out of the verdict's words: people take 94 % for a yes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from math import ceil
from typing import TYPE_CHECKING

from handsel.experiments.figures import day_words, lift_words, listed, rate_words, some, span_words
from handsel.experiments.plan import LONGEST_WEEKS
from handsel.experiments.value import FEWEST
from handsel.experiments.verdict import CONTROL_WAIT, CONVERSIONS_WAIT, DAYS_WAIT, FEWEST_CONVERSIONS, FEWEST_DAYS

if TYPE_CHECKING:
    from handsel.experiments.results import ArmResult, Results

DAY = timedelta(days=1)
PACE_DAYS = 14  # two whole weeks: how many visitors come now, not how many came in spring
DONE = {"capture": "sent the form", "confirmed": "proved their mailbox", "mql": "became leads for marketing",
        "sql": "were accepted by sales", "value": "brought"}
GOALS = {"capture": "forms sent", "confirmed": "mailboxes proven", "mql": "leads for marketing",
         "sql": "leads accepted by sales", "value": "value per visitor"}
"""What each goal counts."""
STATES = {"winner": "Winner", "loser": "Loses", "no_difference": "No difference", "withheld": "Withheld",
          "none": "Running"}
ENDINGS = {"stopped": "Stopped", "shipped": "Shipped", "changed": "Ended"}


@dataclass(frozen=True)
class Told:
    """An experiment in words: its ``state`` in one or two of them, the ``headline`` with the verdict or what stands in
    its way, ``details`` around it, what is still ``needed``, and the ``advice`` on what to do now (empty once it
    ended)."""

    state: str
    headline: str
    details: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    advice: str = ""

    def lines(self) -> list[str]:
        """All of it, a sentence or two each, for a terminal or a mail."""
        return [line for line in (self.headline, *self.details, *self.needed, self.advice) if line]


def tell(results: Results, now: datetime, zone: tzinfo = UTC) -> Told:
    """The sentences for ``results`` at ``now``; days are those of ``zone``."""
    if not results.is_running:
        return _ended(results, zone)
    if results.paused_at is not None:
        return _paused(results, zone)
    if results.alarm:
        return Told(STATES["withheld"], "The verdict is withheld: visitors are not shared out as planned.",
                    (split_words(results),), (), " ".join(where_to_look(results)))
    known = {"winner": _winner, "loser": _loser, "no_difference": _no_difference}.get(results.verdict)
    if known is not None:
        return known(results)
    return _open(results, now, zone)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def versus(results: Results, arm: ArmResult, *, named: bool = False) -> str:
    """``3.6 % of its visitors sent the form, against 3.0 % of the control's``, or the same of values; ``named`` says
    whose they are."""
    whose = f"{arm.variant}'s" if named else "its"
    mine, other = (rate_words(each.rate, results.goal) for each in (arm, results.arms[0]))
    if results.goal == "value":
        return f"{whose} visitors brought {mine} each, against {other} of the control's"
    return f"{mine} of {whose} visitors {DONE.get(results.goal, results.goal)}, against {other} of the control's"


def _winner(results: Results) -> Told:
    arm = results.leader
    details = [f"That is {lift_words(arm.lift)}: {_bounds(arm)}."]
    advice = f"Ship variant {arm.variant}. Letting the test run on makes the figures finer, not the verdict."
    if not results.best:
        rest = [each.variant for each in results.arms[1:] if each.variant != arm.variant]
        details.append(f"It beats the control. Whether it also beats {listed(rest)} is not certain yet.")
        advice = f"Ship variant {arm.variant} now, or let the test run on to find the best of them."
    return Told(STATES["winner"], f"Variant {arm.variant} wins: {versus(results, arm)}.",
                (*details, *_beaten(results, arm)), (), advice)


def _loser(results: Results) -> Told:
    arm = results.leader
    if len(results.arms) > 2:
        headline = f"Every challenger loses. The best of them is variant {arm.variant}: {versus(results, arm)}."
    else:
        headline = f"Variant {arm.variant} loses: {versus(results, arm)}."
    return Told(STATES["loser"], headline, (f"That is {lift_words(arm.lift)}: {_bounds(arm)}.",), (),
                "Stop the test: each further visitor of a challenger costs you. Write down what you learned.")


def _no_difference(results: Results) -> Told:
    arm, plan = results.leader, results.plan or {}
    wanted = f" You asked for {lift_words(plan['mde'])}." if "mde" in plan else ""
    return Told(STATES["no_difference"],
                f"There is no difference worth finding: {versus(results, arm, named=True)}.",
                (f"Whatever is left lies within {span_words(arm.lo, arm.hi)}.{wanted}",), (),
                "Stop the test, keep the page you like better, and test a bolder change.")


def _bounds(arm: ArmResult) -> str:
    """The interval of an arm with a verdict, as the least and the most."""
    lift = arm.lift or 0.0
    if lift >= 0:
        least = f"at least {lift_words(arm.lo)}" if arm.lo > 0.0005 else f"more than {lift_words(0)}"
        return f"{least}, at most {lift_words(arm.hi)}" if arm.hi is not None else least
    best = f"at best {lift_words(arm.hi)}" if arm.hi is not None and arm.hi < -0.0005 else f"less than {lift_words(0)}"
    return f"{best}, at worst {lift_words(arm.lo)}"


def _beaten(results: Results, but: ArmResult) -> Iterator[str]:
    """Challengers that are worse than the control beyond doubt, while the test is about another."""
    for arm in results.arms[1:]:
        if arm.variant != but.variant and arm.hi is not None and arm.hi < 0:
            yield f"Variant {arm.variant} is worse than the control: {lift_words(arm.lift)}, {_bounds(arm)}."


# --- on the way -------------------------------------------------------------------------------------------------------


def _open(results: Results, now: datetime, zone: tzinfo) -> Told:
    needed = tuple(still_needed(results, now, zone))
    if not results.visitors:
        return Told(STATES["none"], "It runs. Nobody has seen a variant yet.",
                    ("The first visit shows here within a second.",), needed, "")
    arm = results.leader
    if results.verdict == "withheld":
        ahead = "ahead of" if (arm.lift or 0) > 0 else "behind"
        return Told(STATES["withheld"], f"Variant {arm.variant} is {ahead} the control, and the verdict only waits.",
                    (f"So far {versus(results, arm)}: {lift_words(arm.lift)}, within "
                     f"{span_words(arm.lo, arm.hi)}.",), needed,
                    "Let it run: what the verdict waits for keeps one odd day from deciding.")
    advice = "Let it run. You may look as often as you like: looking decides nothing."
    if _overdue(results):
        advice = "Stop it and test a bolder change: this one is too small for your traffic to show."
    return Told(STATES["none"], f"There is no verdict yet. {_standing(results, arm)}",
                (*_beaten(results, arm), *_unheeded(results)), needed, advice)


def _standing(results: Results, arm: ArmResult) -> str:
    if not results.conversions:
        return f"None of {some(results.visitors, 'visitor')} has reached the goal."
    if arm.lift is None:
        return f"Variant {arm.variant} cannot be compared before the control has reached the goal once."
    lead = (f"Variant {arm.variant} is ahead by {lift_words(arm.lift)[1:]} so far" if arm.lift > 0.0005 else
            f"Variant {arm.variant} is behind by {lift_words(arm.lift)[1:]} so far" if arm.lift < -0.0005 else
            f"Variant {arm.variant} and the control are level so far")
    if arm.hi is None:
        return f"{lead}, which says little yet: there are too few conversions."
    return f"{lead}, and anything from {span_words(arm.lo, arm.hi)} is still possible."


def _unheeded(results: Results) -> Iterator[str]:
    if results.asked:
        yield (f"offer.md now says something else of {listed(sorted(results.asked))}. A test keeps the plan that it "
               "began with.")


def still_needed(results: Results, now: datetime, zone: tzinfo = UTC) -> Iterator[str]:
    """What a verdict still waits for, a sentence each: visitors, days, conversions, with the day when they may be
    there."""
    if results.planned and results.visitors < results.planned:
        yield _visitors_needed(results, now, zone)
    elif not results.planned:
        yield "It has no plan, so it has no planned end: it goes on until the evidence is beyond doubt or you stop it."
    if DAYS_WAIT in results.reasons:
        yield (f"A full week, until {day_words(results.started_at + FEWEST_DAYS * DAY, zone)}: Sunday's people are "
               "not Tuesday's.")
    if CONVERSIONS_WAIT in results.reasons or CONTROL_WAIT in results.reasons:
        few = [f"{FEWEST_CONVERSIONS - arm.conversions} of {arm.variant}" for arm in results.arms
               if arm.conversions < FEWEST_CONVERSIONS]
        yield f"More conversions: {listed(few)}. Under {FEWEST_CONVERSIONS} for each variant, chance looks like a rule."
    if f"{FEWEST} conversions" in results.reasons:
        yield f"{FEWEST - results.conversions} more conversions: values vary too much to be judged by fewer."
    if "full weeks" in results.reasons:
        end = results.started_at + ((now - results.started_at) // (7 * DAY) + 1) * 7 * DAY
        yield f"The end of the week, on {day_words(end, zone)}: the sample is complete."
    if "values need an even split that never changes" in results.reasons:
        yield "An even split: values can only be compared where it was even from the first day to the last."
    if _overdue(results):
        yield (f"It has run for more than {LONGEST_WEEKS} weeks. People, prices and browsers have changed since it "
               "began.")


def _visitors_needed(results: Results, now: datetime, zone: tzinfo) -> str:
    missing = (results.planned or 0) - results.visitors
    words = f"{some(missing, 'visitor')} of the {results.planned:,} planned are still to come"
    a_day = pace(results, now)
    if a_day <= 0:
        return f"{words}."
    days = ceil(missing / a_day)
    if days > 365:
        return f"{words}: at the present {a_day:,.0f} a day, more than a year."
    # Whole weeks, as the plan promises: a test that ends on a Wednesday has counted one weekday once more than others.
    end = results.started_at + ceil((now - results.started_at + days * DAY) / (7 * DAY)) * 7 * DAY
    return (f"{words}: about {some(days, 'day')} at the present {max(a_day, 1):,.0f} a day, in full weeks until "
            f"{day_words(end, zone)}.")


def pace(results: Results, now: datetime) -> float:
    """Visitors a day of late: of the last two weeks where the daily looks reach back, else since the start."""
    since, before = results.started_at, 0
    for look in results.course:
        if now - look.at >= PACE_DAYS * DAY:
            since, before = look.at, sum(arm.visitors for arm in look.arms)
    return (results.visitors - before) / max((now - since) / DAY, 1.0)


def _overdue(results: Results) -> bool:
    return f"more than {LONGEST_WEEKS} weeks" in results.reasons


def chance_words(arm: ArmResult) -> str:
    """What the evidence against "both pages are equally good" weighs, as a sentence without any threshold in it."""
    of_hundred = 100 * arm.p_anytime
    if of_hundred >= 50:
        return "Chance alone explains what is seen."
    seldom = ("fewer than 1 in 1,000" if of_hundred < 0.1 else "fewer than 1 in 100" if of_hundred < 1
              else f"at most {ceil(of_hundred)} in 100")
    return f"Were both pages equally good, {seldom} such tests would ever show as much."


# --- the split --------------------------------------------------------------------------------------------------------


def split_rows(results: Results) -> list[tuple[str, float, int, float]]:
    """By variant: its letter, the visitors it should have had, those it had, and the share of all that this is.

    The right number is summed over the periods, each with its own split.
    """
    rows = []
    for index, arm in enumerate(results.arms):
        right = sum(sum(cell.visitors for cell in period.cells) * period.weights[index] / sum(period.weights)
                    for period in results.periods)
        rows.append((arm.variant, right, arm.visitors, arm.visitors / results.visitors if results.visitors else 0.0))
    return rows


def split_words(results: Results) -> str:
    """``Planned are 50.0 % for a and 50.0 % for b; 55.0 % and 45.0 % have come.``"""
    rows, whole = split_rows(results), max(results.visitors, 1)
    planned = listed([f"{rate_words(right / whole)} for {name}" for name, right, _, _ in rows])
    return f"Planned are {planned}; {listed([rate_words(share) for *_, share in rows])} have come."


def where_to_look(results: Results) -> list[str]:
    """What usually makes a split wrong, a sentence each, beginning with the variant that misses most visitors."""
    rows = split_rows(results)
    missing, wrong, _, _ = min(rows, key=lambda row: row[2] - row[1])
    return [
        f"Variant {missing} has too few visitors" + (f" (about {wrong:,.0f} were due)." if wrong else "."),
        "Look for a cache or a redirect in front of the site that answers everybody with one page.",
        "Look for robots or a monitor that reaches one variant only, and for links or advertisements that open a "
        "preview of one.",
        "Look at who is left out, by reason: a page that is slow or broken for some people loses them before they "
        "count.",
        "When it is mended, begin a new test: what was counted under a wrong split proves nothing.",
    ]


# --- pauses and ends --------------------------------------------------------------------------------------------------


def _paused(results: Results, zone: tzinfo) -> Told:
    assert results.paused_at is not None
    detail = next((event.detail for event in reversed(results.events) if event.kind == "paused"), "")
    # The headline says what comes of it already.
    reason = detail.rstrip(".").removesuffix(", so everybody sees the control")
    details = (f"{reason}.",) if reason else ()
    return Told("Paused", f"The test is paused since {day_words(results.paused_at, zone)}: everybody sees the control.",
                (*details, f"Until then {some(results.visitors, 'visitor')} were counted; they are kept."), (),
                "Put the missing page back, and the test goes on. Or stop it.")


def _ended(results: Results, zone: tzinfo) -> Told:
    assert results.ended_at is not None
    day = day_words(results.ended_at, zone)
    before = {"winner": f"Variant {results.variant} had won", "loser": "The challenger had lost",
              "no_difference": "There was no difference worth finding"}.get(results.verdict,
                                                                            "There was no verdict by then")
    if results.verdict == "winner" and results.shipped_variant == results.variant:
        before = "It had won"
    if results.alarm:
        before = "Its split was wrong, so it proved nothing"
    if results.ending == "shipped" and results.shipped_variant:
        headline = f"Variant {results.shipped_variant} was shipped on {day}. {before}."
    elif results.ending == "changed":
        headline = f"The test ended on {day}, because other variants took part from then on. {before}."
    else:
        headline = f"The test was stopped on {day}. {before}."
    arm = results.leader
    details = [] if not results.conversions or arm.lift is None else [
        f"At the end {versus(results, arm, named=True)}: {lift_words(arm.lift)}, within "
        f"{span_words(arm.lo, arm.hi)}."]
    return Told(ENDINGS.get(results.ending, "Ended"), headline, tuple(details))
