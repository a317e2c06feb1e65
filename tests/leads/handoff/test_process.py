"""Two workers and a kill: every lead is handed over once, and every alert is one message."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select

from factories import make_account, make_capture, make_lead
from handsel.clock import system_now
from handsel.db import db, writing
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import ask
from handsel.leads.stages.moving import move
from handsel.mail.models import Message
from handsel.worker.qualifying import qualify_now
from support.handoff import MARKETER
from support.running import wait_until
from support.smtp import FaultyServer

LEADS = 40


def ready(number: int = LEADS) -> None:
    """So many leads that a marketer found ready, and that nobody has looked at yet."""
    for _ in range(number):
        lead = make_lead()
        make_capture(lead)
        with writing() as session:
            move(session, session.get_one(Lead, lead.id), "mql", way="person", reason="Ready.", actor=MARKETER,
                 at=system_now())
            ask(session, lead.id, system_now())


def handed_over() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Handoff)) or 0


def test_two_workers_of_which_one_is_killed_tell_of_every_lead_in_one_message(
        work: Callable[[], subprocess.Popen[bytes]], smtp: FaultyServer) -> None:
    sellers = [make_account("sales") for _ in range(2)]
    ready()
    first = work()
    work()
    wait_until(lambda: handed_over() > 3, 120)
    first.send_signal(signal.SIGKILL)
    wait_until(lambda: handed_over() == LEADS, 120)
    db.session.rollback()
    alerts = list(db.session.scalars(select(Message).where(Message.kind == "notice")))
    told = sorted(message.values["handoff"] for message in alerts)
    assert told == list(db.session.scalars(select(Handoff.id).order_by(Handoff.id)))
    by_seller = Counter(db.session.scalars(select(Handoff.owner_id)))
    assert by_seller == {seller.id: LEADS // 2 for seller in sellers}
    assert Counter(message.account_id for message in alerts) == by_seller


def test_threads_that_look_at_the_same_leads_at_once_hand_each_over_once(app: Flask) -> None:
    sellers = [make_account("sales") for _ in range(4)]
    ready(20)
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        with app.app_context():
            qualify_now(app)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert handed_over() == 20
    assert Counter(db.session.scalars(select(Handoff.owner_id))) == {seller.id: 5 for seller in sellers}
    assert db.session.scalar(select(func.count()).select_from(Message).where(Message.kind == "notice")) == 20
