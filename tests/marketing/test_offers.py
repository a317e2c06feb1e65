"""Offers and their figures."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

from factories import NOON, make_capture, make_experiment, make_lead, make_message
from handsel.db import db, writing
from handsel.desk.figures import Span, change, funnels, percent, week
from handsel.leads.models import Download, Grant
from handsel.traffic.models import Tally
from support.desk import AtDesk


def cells(page: str, row: str) -> list[str]:
    """The cells of the row that begins with ``row``, as text."""
    for found in re.findall(r"<tr>(.*?)</tr>", page, re.S):
        texts = [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", cell))).strip()
                 for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", found, re.S)]
        if texts[0].startswith(row):
            return [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts]
    raise AssertionError(f"no row {row}")


def tally(day: date, hits: int, variant: str = "a", excluded: str = "", offer: str = "guide") -> None:
    with writing() as session:
        session.add(Tally(day=day, path=f"/offers/{offer}/", variant=variant, kind="view", excluded=excluded,
                          offer=offer, hits=hits))


def test_an_offer_shows_views_forms_and_rate_of_the_last_four_weeks(app, clock):
    today = NOON.date()
    tally(today, 150)
    tally(today - timedelta(days=27), 50, "b")
    tally(today - timedelta(days=28), 1000)
    tally(today, 70, excluded="bot")
    for days in (0, 1, 27, 29):
        make_capture(at=NOON - timedelta(days=days), proven_at=NOON if days == 0 else None)
    make_capture(quarantine="honeypot")
    marketer = AtDesk(app, "marketer")
    assert cells(marketer.get("/desk/offers").text, "The small guide to finishing")[4:] == ["200", "3", "1.5 %", "1"]
    page = marketer.get("/desk/offers/guide").text.replace("\N{NO-BREAK SPACE}", " ")
    assert "70 views by robots" in page
    assert "1.5 % of the views" in page


def test_a_funnel_counts_people_who_fetched_the_file_once_each(app, clock):
    lead = make_lead()
    with writing() as session:
        grant = Grant(key="g" * 22, lead_id=lead.id, offer="guide", created_at=NOON, expires_at=NOON, uses_left=1)
        session.add(grant)
        session.flush()
        session.add_all([Download(key=f"d{n}" * 11, grant_id=grant.id, lead_id=lead.id, offer="guide", at=NOON)
                         for n in range(3)])
    found = funnels(db.session(), Span.ending(NOON, 28), "guide")["guide"]
    assert (found.views, found.captures, found.downloads) == (0, 0, 1)


def test_an_offer_shows_how_its_test_stands(app, clock):
    make_experiment({"a": (500, 15), "b": (480, 12)}, excluded={"crossed over": 1})
    page = AtDesk(app, "marketer").get("/desk/offers/guide").text
    assert cells(page, "a (control)")[1:4] == ["50.0 %", "500", "15"]
    assert cells(page, "b ")[1:4] == ["50.0 %", "480", "12"]
    assert "There is no verdict yet." in page
    assert "people who saw two variants: 1" in page


def test_letters_show_what_became_of_their_messages(app, clock):
    for state in ("sent", "sent", "queued", "failed", "unknown", "cancelled"):
        make_message(step="01-begin", state=state)
    page = AtDesk(app, "marketer").get("/desk/offers/guide").text
    row = next(cells(page, name) for name in re.findall(r'<th scope="row">([^<]+)<span class="sub">01-begin', page))
    assert row[2:] == ["2", "1", "2", "1"]


def test_an_offer_that_is_gone_still_shows_what_it_brought(app, clock):
    make_capture(offer="old-guide")
    page = AtDesk(app, "marketer").get("/desk/offers").text
    assert cells(page, "old-guide")[2:6] == ["Gone from the project", "", "0", "1"]
    assert AtDesk(app, "marketer").get("/desk/offers/old-guide").status_code == 404


def test_the_four_figures_stand_beside_last_weeks(app, clock):
    today = NOON.date()
    tally(today, 100)
    tally(today - timedelta(days=6), 100)
    tally(today - timedelta(days=7), 400)
    for days in [0] * 24 + [6, 7, 13, 14] + [8] * 28:
        make_capture(at=NOON - timedelta(days=days), proven_at=None)
    figures = week(db.session(), NOON)
    assert [(figure.value.replace("\N{NO-BREAK SPACE}", " "), figure.before.replace("\N{NO-BREAK SPACE}", " "))
            for figure in figures] == [("200", "400"), ("25", "30"), ("12.5 %", "7.5 %"), ("0", "0")]
    changes = [figure.change.replace("\N{NO-BREAK SPACE}", " ") for figure in figures]
    assert changes == ["down 50 %", "down 17 %", "up 67 %", ""]


def test_shares_and_changes_read_well():
    assert [percent(*pair).replace("\N{NO-BREAK SPACE}", " ") for pair in ((0, 0), (1, 3), (9999, 10000), (1, 1))] == [
        "–", "33.3 %", "100 %", "100 %"]
    assert (change(5, 0, 0), change(5, 1, 6), change(20, 20, 20)) == ("", "", "the same")
