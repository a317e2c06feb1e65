"""Killed thirty times at random, nothing that was acknowledged is lost and no letter comes twice."""

from __future__ import annotations

import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from handsel.db import instant_text
from support.crowd import Crowd, Ledger, Readers
from support.running import Site, wait_until
from support.smtp import FaultyServer

KILLS = 30
VISITORS = 20
STEPS = ("00-delivery", "01-begin", "02-stop", "03-leave")


class Killer:
    """Kills one process of a site at a time, whichever chance picks; a parent that is gone is started again."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.chance = random.Random(seed)
        self.killed: Counter[str] = Counter()

    def kill(self, times: int) -> None:
        for _ in range(times):
            # Sometimes long enough for everything to be up again, sometimes in the middle of that.
            psutil.wait_procs(self.site.children(), timeout=self.chance.uniform(0.05, 0.9))
            self._kill_one()

    def _kill_one(self) -> None:
        assert self.site.process is not None
        parent = psutil.Process(self.site.process.pid)
        family = [parent, *parent.children()]
        victim = self.chance.choice(family)
        self.killed["parent" if victim == parent else "child"] += 1
        victim.send_signal(signal.SIGKILL)
        if victim == parent:
            psutil.wait_procs(family, timeout=30)
            self.site.process.wait(30)
            self.site.start(wait=False)
            wait_until(lambda: len(self.site.children()) > 1, 60, "children are started again")


@pytest.mark.timeout(420)
def test_no_acknowledged_lead_is_lost_and_no_letter_comes_twice(
        start_site: Callable[..., Site], engine_url: str, smtp: FaultyServer) -> None:
    site = start_site(engine_url, mail_url=smtp.url, workers=2)
    killer = Killer(site, seed=20261122)
    engine = create_engine(engine_url)
    crowd = Crowd(site.url, VISITORS, pause=6.0).come()
    readers = Readers(site.url, smtp).come()

    def settled(true: Callable[[], object], why: str) -> None:
        wait_until(true, 120, why, lambda: f"{_story(engine)}\n{site.output[-2000:]}")

    killer.kill(12)
    for _day in range(9):  # the letters fall due after 2, 5 and 9 days, while the killing goes on
        site.move_clock(days=1)
        morning = site.now()
        killer.kill(2)
        site.move_clock(minutes=2)  # what a killed worker had claimed is anybody's again
        # What nobody sends for two days is given up, so each day's mail has its chance before the next day comes.
        settled(lambda at=morning: not _waiting(engine, at), "a day's mail is sent")
        came = len(smtp.received)
        settled(lambda mails=came: readers.read >= mails, "a day's mail is read")
    ledger = crowd.leave()
    site.move_clock(minutes=2)
    settled(lambda: len(readers.proven) >= len(ledger.acknowledged), "everyone has read the first mail")
    readers.leave()
    evening = site.now()
    settled(lambda: not _waiting(engine, evening), "all due mail is handed over")
    site.stop()

    assert sum(killer.killed.values()) == KILLS
    assert len(ledger.acknowledged) > 2 * VISITORS
    assert not ledger.unanswered
    assert {status for status, _ in ledger.refused} <= {422}, Counter(status for status, _ in ledger.refused)
    _check_rows(engine, ledger)
    _check_letters(engine, smtp)
    engine.dispose()
    if engine_url.startswith("sqlite"):
        with closing(sqlite3.connect(engine_url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def _rows(engine: Engine, question: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def _story(engine: Engine) -> str:
    """How everything stands, for the one who has to find out why."""
    return "\n".join(str(row) for row in [
        *_rows(engine, "SELECT kind, step, state, count(*), min(created_at), max(due_at), max(reason) FROM message "
                       "GROUP BY kind, step, state ORDER BY kind, step, state"),
        *_rows(engine, "SELECT 'leads', count(*), count(confirmed_at) FROM lead"),
        *_rows(engine, "SELECT 'pause', scope, reason FROM mail_pause"),
        *_rows(engine, "SELECT 'attempt', outcome, count(*), max(answer) FROM attempt GROUP BY outcome")])


def _waiting(engine: Engine, until: datetime) -> list[tuple[Any, ...]]:
    """Messages that fell due until then and are not handed over: first mails, and letters to proven mailboxes."""
    return _rows(engine, "SELECT id FROM message JOIN (SELECT id AS lead, confirmed_at FROM lead) l ON lead = lead_id "
                         f"WHERE state IN ('queued', 'claimed') AND due_at <= '{instant_text(until)}' "
                         "AND (kind = 'delivery' OR confirmed_at IS NOT NULL)")


def _check_rows(engine: Engine, ledger: Ledger) -> None:
    """Each acknowledged address has one lead, one capture under the acknowledged key, and each of its messages once."""
    captured = {(email, key) for email, key in _rows(engine, "SELECT email, key FROM capture")}
    assert set(ledger.acknowledged.items()) <= captured
    assert max(Counter(email for email, _ in captured).values()) == 1
    leads = {email for (email,) in _rows(engine, "SELECT email FROM lead")}
    assert leads == {email for email, _ in captured}
    steps: dict[str, list[str]] = {}
    for email, step in _rows(engine, "SELECT capture.email, step FROM capture JOIN message ON capture.id = capture_id"):
        steps.setdefault(email, []).append(step)
    wrong = {email: sorted(steps.get(email, [])) for email, _ in captured
             if sorted(steps.get(email, [])) != list(STEPS)}
    assert wrong == {}
    consents = Counter(email for (email,) in _rows(
        engine, "SELECT capture.email FROM consent JOIN capture ON capture.id = capture_id WHERE state = 'given'"))
    assert {email for email, _ in captured} == {email for email, number in consents.items() if number == 1}


def _check_letters(engine: Engine, smtp: FaultyServer) -> None:
    """No letter came twice, none that was sent is missing, and what may have come or not is said to be unknown."""
    letters = Counter(mail.id for mail in smtp.received if mail.message["List-Unsubscribe"])
    states = Counter(state for (state,) in _rows(engine, "SELECT state FROM message WHERE kind = 'letter'"))
    assert [id for id, times in letters.items() if times > 1] == []
    assert states["sent"] > 50
    assert states["sent"] <= len(letters) <= states["sent"] + states["unknown"], states
    assert set(states) <= {"sent", "unknown", "queued"}, states
    first = {mail.recipient for mail in smtp.received if not mail.message["List-Unsubscribe"]}
    assert first >= {email for (email,) in _rows(engine, "SELECT email FROM capture")}
