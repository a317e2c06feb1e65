"""What one visitor is to one experiment when the split changes under their feet."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from factories import NOON
from handsel.experiments.assign import choose
from handsel.experiments.enrol import BETWEEN, CROSSED, Done, Frame, Seen, Standing, Stretch, standing

AB = frozenset("ab")
SECOND, LATER = NOON + timedelta(hours=2), NOON + timedelta(hours=3)
FRAME = Frame("capture", NOON, None, (Stretch(1, AB, NOON, NOON + timedelta(hours=1)), Stretch(2, AB, SECOND, None)),
              None)
FIRST = Seen(NOON + timedelta(minutes=5), "b")


def test_who_is_moved_by_a_change_of_the_split_stays_with_the_first_variant_and_brings_it_the_conversion() -> None:
    done = Done(LATER + timedelta(minutes=1), "a", "capture", None)
    assert standing(FRAME, [FIRST, Seen(LATER, "a")], [done]) == Standing(1, "b", FIRST.at, done.at, None, "")


def test_who_sees_the_control_in_a_pause_stays_with_the_first_variant() -> None:
    pause = Seen(NOON + timedelta(minutes=90), "a")
    done = Done(pause.at, "a", "capture", None)
    assert standing(FRAME, [FIRST, pause], [done]) == Standing(1, "b", FIRST.at, done.at, None, "")


def test_who_came_first_in_a_pause_counts_for_nobody_whatever_they_see_later() -> None:
    pause = Seen(NOON + timedelta(minutes=90), "a")
    assert standing(FRAME, [pause, Seen(LATER, "a")], []) == Standing(None, "a", pause.at, None, None, BETWEEN)
    assert standing(FRAME, [pause, Seen(LATER, "b")], []) == Standing(None, "a", pause.at, None, None, BETWEEN)


def test_two_variants_under_one_split_are_crossed_over_and_a_variant_never_seen_brings_no_conversion() -> None:
    both = standing(FRAME, [FIRST, Seen(FIRST.at + timedelta(minutes=1), "a")], [])
    unseen = standing(FRAME, [FIRST], [Done(LATER, "a", "capture", None)])
    assert both == Standing(None, "b", FIRST.at, None, None, CROSSED)
    assert unseen == Standing(1, "b", FIRST.at, None, None, "")


def test_a_change_of_the_split_takes_nobody_out_of_the_counts_when_everybody_comes_back() -> None:
    people = [f"visitor {number}" for number in range(2000)]
    begun = {name: choose(name, "guide", {"a": 90, "b": 10}) for name in people}
    stands = [standing(FRAME, [Seen(FIRST.at, begun[name]),
                               Seen(LATER, choose(name, "guide", {"a": 50, "b": 50}))], []) for name in people]
    counted = Counter((each.period_id, each.variant, each.excluded) for each in stands if each)
    control = list(begun.values()).count("a")
    assert counted == {(1, "a", ""): control, (1, "b", ""): 2000 - control}
