"""Charts are well-formed, hold their numbers twice (drawn and in a table), and stay calm at the edges of data."""

from __future__ import annotations

import re
from datetime import timedelta
from math import inf, nan
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON
from handsel.desk.charts import Bar, Point, Table, course, intervals, progress, sparkline
from handsel.desk.charts.scale import Scale

TABLE = Table("Rates by variant", ("Variant", "Rate"), (("a", "3.0 %"), ("b <i>", "3.6 %")))


def percents(value: float) -> str:
    return f"{value:+.0%}"


def day(at) -> str:
    return f"{at:%-d %b}"


def drawn(chart: str) -> ElementTree.Element:
    """The chart as a tree: fails for anything that a strict reader would refuse."""
    return ElementTree.fromstring(f"<div>{chart}</div>".replace(" tabindex", " data-tabindex"))


def test_a_chart_is_a_figure_with_a_finding_a_picture_and_a_table():
    chart = drawn(intervals("lifts", [Bar("b", .02, .2, .4, "+20 %", 1)], percents, finding="b brings more.",
                            table=TABLE, against=0))
    figure = chart.find("figure")
    assert figure is not None
    svg, caption = figure.find("svg"), figure.find("figcaption")
    assert svg is not None
    assert caption is not None
    assert (svg.get("role"), svg.get("aria-labelledby"), caption.text) == ("img", caption.get("id"), "b brings more.")
    cells = [cell.text for cell in figure.iter() if cell.tag in {"th", "td"}]
    assert cells == ["Variant", "Rate", "a", "3.0 %", "b <i>", "3.6 %"]


def test_a_chart_asks_for_no_inline_style_and_no_script():
    points = [Point(NOON + timedelta(days=n), -.1, n / 50, .4, f"day {n}") for n in range(30)]
    charts = [intervals("a", [Bar("b", .02, .2, None, "x")], percents, finding="", table=TABLE, against=0),
              course("c", points, percents, day, finding="", table=TABLE, goal=.2, goal_word="worth finding"),
              sparkline([1, 2, 3]), progress(2, 3)]
    for chart in charts:
        assert chart
        assert not re.search(r"\sstyle=|\son\w+=|<script|<style", chart)


def test_bars_stand_where_their_values_are():
    chart = intervals("l", [Bar("b", 0.0, 0.5, 1.0, "", 1)], percents, finding="", table=TABLE)
    spans = [(line.get("x1"), line.get("x2")) for line in drawn(chart).iter("line")
             if line.get("class") == "chart__range"]
    scale = Scale.around([0, 1])
    assert spans == [(f"{100 * scale.place(0):.2f}%", f"{100 * scale.place(1):.2f}%")]
    assert re.search(r'chart__marker" x="50%"', chart)


def test_an_open_end_is_an_arrow_at_the_edge():
    bars = [Bar("b", -0.9, 0.1, None, ""), Bar("c", -.2, .1, .3, "")]
    chart = intervals("l", bars, percents, finding="", table=TABLE, against=0)
    assert 'x2="100%"' in chart
    assert "M-6-5 0 0-6 5" in chart


def test_each_variant_has_a_marker_of_its_own():
    bars = [Bar(name, -.1, 0, .1, "", series) for series, name in enumerate("abcdef")]
    chart = intervals("l", bars, percents, finding="", table=TABLE)
    paths = re.findall(r'chart__marker"[^>]*><path d="([^"]+)"', chart)
    assert len(set(paths)) == 6


def test_nothing_to_show_is_nothing_and_never_a_blank_chart():
    point = Point(NOON, None, None, None, "")
    assert intervals("l", [], percents, finding="", table=TABLE) == ""
    assert course("c", [], percents, day, finding="", table=TABLE) == ""
    assert course("c", [point], percents, day, finding="", table=TABLE) == ""
    assert (sparkline([]), sparkline([None, 1.0]), progress(1, 0)) == ("", "", "")


def test_names_are_text_whatever_is_in_them():
    chart = intervals("l", [Bar('<b onx="1">&', 0, 1, 2, "<i>")], percents, finding="<u>", table=TABLE)
    assert "<b onx" not in chart
    assert "<u>" not in chart
    drawn(chart)


some = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -1.0, 1e-9, nan, inf, -inf])


@given(st.lists(st.tuples(some, some, some), min_size=1, max_size=6))
def test_any_numbers_make_a_chart_that_can_be_drawn(rows):
    bars = [Bar(f"v{index}", *row, words="", series=index) for index, row in enumerate(rows)]
    chart = intervals("l", bars, percents, finding="", table=TABLE, against=0)
    points = [Point(NOON + timedelta(days=index), *row, words="") for index, row in enumerate(rows)]
    for text in (chart, course("c", points, percents, day, finding="", table=TABLE, goal=.1, goal_word="g")):
        drawn(text)
        assert not re.search(r'"[^"]*\b(nan|inf)\b[^"]*"', text.split("<details")[0])


@pytest.mark.parametrize(("low", "high"), [(-.06, .5), (0, 1), (-.9, 4), (.029, .0355), (0, 3e-7), (-1, 1e6), (5, 5.1)])
def test_an_axis_names_a_few_round_values_within_it(low, high):
    ticks = Scale(low, high).ticks()
    assert 2 <= len(ticks) <= 5
    assert all(low <= tick <= high for tick in ticks)
    assert ticks == sorted(set(ticks))


def test_a_progress_is_never_more_than_whole():
    assert 'width="100%" height="6"/>' in progress(7, 3)
    assert 'rect width="0%"' in progress(-1, 3)
    assert 'rect width="33.33%"' in progress(1, 3)
