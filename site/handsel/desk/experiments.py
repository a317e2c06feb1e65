"""An experiment as the desk shows it: the rows of its table and its three pictures, ready for a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from markupsafe import Markup

from handsel.desk.charts import Bar, Point, Table, course, intervals, sparkline
from handsel.experiments.figures import NOTHING, lift_words, rate_words, span_words
from handsel.experiments.rates import rate_interval
from handsel.experiments.results import ArmResult, LookResult, Results
from handsel.experiments.sentences import chance_words
from handsel.offers.library import Offer


@dataclass(frozen=True)
class ArmRow:
    """One variant as a row: counts as numbers, all else as words. ``missing`` is the visitors that its plan still asks
    for, None without a plan and after the end. ``title`` is empty after the end too: the files go on, and what they are
    called now is not what was tested."""

    variant: str
    title: str
    control: bool
    share: str
    visitors: int
    conversions: int
    rate: str
    rate_within: str
    lift: str
    lift_within: str
    chance: str
    missing: int | None


def titles(offer: Offer | None) -> dict[str, str]:
    """By variant the name that the marketer gave its page; empty for an offer that is gone."""
    return {name: page.meta.label or page.title for name, page in offer.variants.items()} if offer else {}


def arm_rows(results: Results, named: Mapping[str, str]) -> list[ArmRow]:
    """The table of the variants, the control first; ``named`` holds their titles."""
    weights = tuple((results.plan or {}).get("weights", ()))
    rows = []
    for index, arm in enumerate(results.arms):
        missing = None
        if results.is_running and results.planned and len(weights) == len(results.arms):
            missing = max(0, round(results.planned * weights[index] / sum(weights)) - arm.visitors)
        bounds = _rate_bounds(results, arm)
        rows.append(ArmRow(
            arm.variant, named.get(arm.variant, "no longer there") if results.is_running else "", arm.is_control,
            rate_words(arm.share), arm.visitors, arm.conversions, rate_words(arm.rate, results.goal),
            f"{rate_words(bounds[0])} to {rate_words(bounds[1])}" if bounds and arm.visitors else "",
            "" if arm.is_control else lift_words(arm.lift),
            span_words(arm.lo, arm.hi) if not arm.is_control and arm.lift is not None else "",
            "" if arm.is_control or arm.lift is None else chance_words(arm), missing))
    return rows


def _rate_bounds(results: Results, arm: ArmResult) -> tuple[float, float] | None:
    return None if results.goal == "value" else rate_interval(arm.visitors, arm.conversions)


def rates_chart(results: Results) -> Markup:
    """The rates side by side; empty for values, whose interval is that of the lift, and before the first visitors."""
    if results.goal == "value" or any(arm.visitors == 0 for arm in results.arms):
        return Markup()
    bars, rows = [], []
    for series, arm in enumerate(results.arms):
        low, high = rate_interval(arm.visitors, arm.conversions)
        rate = rate_words(arm.rate)
        bars.append(Bar(_name(arm), low, arm.rate, high, rate, series))
        rows.append((_name(arm), f"{arm.visitors:,}", f"{arm.conversions:,}", rate,
                     f"{rate_words(low)} to {rate_words(high)}"))
    table = Table("Rates by variant", ("Variant", "Visitors", "Conversions", "Rate", "Anytime interval"), rows)
    finding = (f"Each rate with the stretch in which it may lie after this many visitors: "
               f"{', '.join(f'{rate_words(arm.rate)} for {arm.variant}' for arm in results.arms)}. Stretches that "
               "overlap prove nothing; the lift is what is judged.")
    return intervals("rates", bars, rate_words, finding=finding, table=table)


def lifts_chart(results: Results) -> Markup:
    """The lift of each challenger against 0; empty while there is none to be compared."""
    shown = [(series, arm) for series, arm in enumerate(results.arms) if series and arm.lift is not None]
    bars = [Bar(_name(arm), arm.lo, arm.lift, arm.hi, f"{lift_words(arm.lift)} ({span_words(arm.lo, arm.hi)})", series)
            for series, arm in shown]
    table = Table("Lift over the control by variant", ("Variant", "Lift", "Anytime interval"),
                  [(_name(arm), lift_words(arm.lift), span_words(arm.lo, arm.hi)) for _, arm in shown])
    return intervals("lifts", bars, lift_words, finding=_lifts_finding([arm for _, arm in shown]), table=table,
                     against=0.0)


def _lifts_finding(arms: list[ArmResult]) -> str:
    above = [arm.variant for arm in arms if arm.lo > 0]
    below = [arm.variant for arm in arms if arm.hi is not None and arm.hi < 0]
    said = [f"{' and '.join(names)} {'lie' if len(names) > 1 else 'lies'} wholly {side} 0"
            for names, side in ((above, "above"), (below, "below")) if names]
    if not said:
        one = "The interval holds" if len(arms) == 1 else "Each interval holds"
        return f"Lift over the control. {one} 0, so chance may be all there is."
    rest = " The others hold 0." if len(above) + len(below) < len(arms) else ""
    return f"Lift over the control. {', '.join(said)}.{rest}"


def course_charts(results: Results, zone: tzinfo) -> list[Markup]:
    """The course of each challenger's lift, the one that the verdict is about first; those without two days are left
    out."""
    order = sorted(range(1, len(results.arms)), key=lambda index: results.arms[index].variant != results.variant)
    return [chart for index in order if (chart := _course(results, index, zone))]


def _course(results: Results, index: int, zone: tzinfo) -> Markup:
    looks = [look for look in results.course if look.arms[index].lift is not None]
    name = results.arms[index].variant

    def day(at: datetime) -> str:
        return at.astimezone(zone).strftime("%-d %b")

    points = [Point(look.at, look.arms[index].lo, look.arms[index].lift, look.arms[index].hi,
                    f"{day(look.at)}: {_lift_then(look, index)}") for look in looks]
    rows = [(day(look.at), f"{sum(arm.visitors for arm in look.arms):,}", lift_words(look.arms[index].lift),
             span_words(look.arms[index].lo, look.arms[index].hi)) for look in looks]
    table = Table(f"Lift of {name} day by day", ("Day", "Visitors", "Lift", "Anytime interval"), rows)
    mde = (results.plan or {}).get("mde")
    finding = f"Lift of {name} day by day, with its interval. {_lift_then(looks[-1], index)}." if looks else ""
    return course(f"course-{name}", points, lift_words, day, finding=finding, table=table, goal=mde,
                  goal_word="worth finding", series=index)


def _lift_then(look: LookResult, index: int) -> str:
    arm = look.arms[index]
    return f"{lift_words(arm.lift)}, within {span_words(arm.lo, arm.hi)}"


def spark(results: Results) -> Markup:
    """The leader's lift in the height of a line."""
    index = results.variants.index(results.leader.variant)
    return sparkline([look.arms[index].lift for look in results.course])


def _name(arm: ArmResult) -> str:
    return f"{arm.variant} (control)" if arm.is_control else arm.variant


def lift_now(results: Results) -> str:
    """The leader's lift with its interval, or a dash."""
    arm = results.leader
    return NOTHING if arm.lift is None else f"{lift_words(arm.lift)} ({span_words(arm.lo, arm.hi)})"
