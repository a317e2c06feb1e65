"""Taking due messages out of the queue and handing them over, one after another.

A claim is committed before anything is sent, and every result before the next message: a worker that dies leaves
nothing in doubt but the one letter whose text was going out.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from flask import Flask
from sqlalchemy import Table, func, select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from handsel import clock
from handsel.db import db, write_connection
from handsel.forms.schema import RECOGNITION
from handsel.leads import coupons
from handsel.leads.models import Lead
from handsel.mail import envelope, pauses, queue, suppress
from handsel.mail.compose import Compiled, compile_letter, message_id
from handsel.mail.models import Message
from handsel.mail.queue import Claimed, Result
from handsel.mail.schedule import retry_at
from handsel.mail.transport import Answer, Handover, Transport, always, open_transport
from handsel.offers.project import Project
from handsel.worker import following, notices
from handsel.worker.facts import Facts, gather
from handsel.worker.house import plain_domain, site_url
from handsel.worker.judge import judge
from handsel.worker.letters import Letters
from handsel.worker.values import of_lead

BATCH = 32
LONGEST_BATCH = 2.0  # seconds after which the rest goes back, so that a slow server does not keep urgent mail waiting
REMOVED = "The text of this mail is no longer in the project."
log = logging.getLogger("handsel.mail")
T = TypeVar("T")
_message, _lead = cast(Table, Message.__table__), cast(Table, Lead.__table__)


@dataclass
class Counts:
    """What became of the messages of one round, by state."""

    by_state: dict[str, int] = field(default_factory=dict)

    def add(self, state: str, number: int = 1) -> None:
        """Count ``number`` more."""
        self.by_state[state] = self.by_state.get(state, 0) + number

    @property
    def total(self) -> int:
        """How many were taken in hand."""
        return sum(self.by_state.values())

    def __getitem__(self, state: str) -> int:
        return self.by_state.get(state, 0)


@dataclass
class Batch:
    """What is known while one batch is in hand: the facts, the project, domains now paused, pauses that may end."""

    facts: Facts
    project: Project
    paused: dict[str, tuple[datetime, str]]
    known: set[str]


def worker_name() -> str:
    """A name that no other worker has, alive or dead."""
    return f"{socket.gethostname()[:30]}/{os.getpid()}/{random.randbytes(4).hex()}"  # noqa: S311  a name, no secret


class Deliverer:
    """One worker: its name, its line to the mail server, its compiled letters."""

    def __init__(self, app: Flask, transport: Transport | None = None, stop: threading.Event | None = None) -> None:
        self.app = app
        self.name = worker_name()
        self.letters = Letters(app)
        self.stop = stop or threading.Event()
        self.secret = str(app.config["SECRET_KEY"]).encode()
        self._transport = transport
        self.busy = False

    @property
    def project(self) -> Project:
        """The project as it stands."""
        return cast(Project, self.app.extensions["handsel.offers"].project)

    @property
    def transport(self) -> Transport:
        """The line out, made at the first mail."""
        if self._transport is None:
            self._transport = open_transport(self.app, self.letters.use(self.project).domain)
        return self._transport

    def close(self) -> None:
        """Let go of the line and of what is still in hand."""
        self.hang_up()
        self.let_go()

    def hang_up(self) -> None:
        """Close the line; the next mail opens it again."""
        if self._transport is not None:
            self._transport.close()

    def let_go(self) -> None:
        """Put back into the queue what is in hand and was not begun."""
        if self.busy:
            self._write(lambda connection: queue.give_back(connection, self.name))
            self.busy = False

    def round(self, limit: int = BATCH) -> Counts:
        """Claim up to ``limit`` due messages and see each to its result."""
        counts = Counts()
        at = clock.now()
        with db.engine.connect() as connection:
            run_out, due = queue.has_run_out(connection, at), queue.is_due(connection, at)
            paused = pauses.everything(connection, at) if due else None
        if run_out:
            again, unknown = self._write(lambda connection: queue.recover(connection, clock.now()))
            counts.add("unknown", unknown)
            due = due or bool(again)
        if not due or paused is not None or self.stop.is_set():
            return counts
        self.busy = True
        claimed = self._write(lambda connection: queue.claim(connection, self.name, clock.now(), limit))
        self._batch(claimed, counts)
        self.busy = False
        return counts

    def _batch(self, claimed: list[Claimed], counts: Counts) -> None:
        if not claimed:
            return
        project = self.project
        self.letters.use(project)
        with db.engine.connect() as connection:
            facts = gather(connection, self.app, claimed, clock.now())
            scopes = {pauses.domain_scope(facts.address(message)) for message in claimed}
            batch = Batch(facts, project, pauses.domains(connection, scopes, clock.now()),
                          {pause.scope for pause in pauses.current(connection)})
        began = time.monotonic()
        for place, message in enumerate(claimed):
            if self.stop.is_set() or (place and time.monotonic() - began > LONGEST_BATCH):
                self._write(lambda connection: queue.give_back(connection, self.name))
                return
            result, answer = self._one(message, batch)
            result = self._settle(message, result, answer, batch)
            counts.add(result.state)
            if answer is not None and answer.scope in ("server", "access"):
                self._write(lambda connection: queue.give_back(connection, self.name))
                return

    def _one(self, message: Claimed, batch: Batch) -> tuple[Result, Answer | None]:
        """Judge, fill and hand over one message: its result so far, and the server's answer if it was asked."""
        at = clock.now()
        stopped = judge(message, batch.facts, batch.project, self.app, at)
        if stopped is not None:
            return stopped, None
        waits = batch.paused.get(pauses.domain_scope(batch.facts.address(message)))
        if waits is not None:
            return Result("queued", waits[1], waits[0]), None
        try:
            mail = self._fill(message, batch.facts, batch.project, at)
        except Exception:  # a letter that cannot be made must not stop all others
            log.exception("message %s (%s %s) cannot be made", message.id, message.offer, message.step)
            return Result("failed", "The mail could not be made; the log says why.", outcome="failed"), None
        if mail is None:
            return Result("cancelled", notices.GONE if message.kind in notices.KINDS else REMOVED), None
        verdict: list[Result] = []
        asked = message.kind in queue.AT_MOST_ONCE
        last_word = (lambda: self._last_word(message, batch.project, verdict)) if asked else always
        answer = self.transport.hand_over(mail, last_word)
        if answer.outcome == "withheld":
            return verdict[0], answer
        return self._result(message, answer), answer

    def _fill(self, message: Claimed, facts: Facts, project: Project, at: datetime) -> Handover | None:
        letter = self._letter(message, facts, project, at)
        if letter is None:
            return None
        house = self.letters.use(project)
        address = plain_domain(facts.address(message))
        data = letter.fill(self._values(message, facts, project), to=address, at=at,
                           message_id=message_id(self.secret, message.key, letter.domain))
        bounces = str(self.app.config.get("BOUNCE_ADDRESS") or f"b@{house.domain}")
        sender = house.sender if message.kind == "notice" else envelope.sender(self.secret, message.id, at, bounces)
        return Handover(sender, address, data)

    def _letter(self, message: Claimed, facts: Facts, project: Project, at: datetime) -> Compiled | None:
        """The text of a message: one of the project's letters, or one that is made for this message alone."""
        if message.kind not in notices.KINDS:
            follow = facts.consents.get((message.lead_id or 0, RECOGNITION)) == "confirmed"
            return self.letters.find(message.kind, message.offer, message.step, follow=follow)
        draft = notices.draft(self.app, message, project, at)
        return compile_letter(draft, self.letters.use(project)) if draft is not None else None

    def _values(self, message: Claimed, facts: Facts, project: Project) -> dict[str, str]:
        url = site_url(self.app, project.site)
        given = {name: str(value) for name, value in message.values.items()}
        lead = facts.leads.get(message.lead_id or 0)
        if lead is None:
            return {"site_name": project.site.name, "site_url": url} | given
        values = of_lead(lead, project, project.offer(message.offer), url) | given
        values["unsubscribe_url"] = f"{url}/u/{lead['key']}" + (f".{message.topic}" if message.topic else "")
        offer = project.offer(message.offer)
        if offer is not None and offer.asset is not None and offer.asset.codes:
            with db.engine.connect() as connection:
                values["coupon_code"] = coupons.given(connection, offer.slug, message.lead_id or 0)
        values |= following.values(url, message.key, offer.path if offer is not None else "/")
        grant = facts.grants.get(message.grant_id or 0)
        if grant:
            page = "confirm" if message.kind == "confirm" else "get"
            values["get_url"] = values["confirm_url"] = f"{url}/{page}/{grant}"
        return values

    def _last_word(self, message: Claimed, project: Project, verdict: list[Result]) -> bool:
        """The look directly before a letter's text goes out; a yes is written down first."""

        def look(connection: Any) -> Result | None:
            at = clock.now()
            stopped = judge(message, gather(connection, self.app, [message], at), project, self.app, at)
            if stopped is None and not queue.begin(connection, message, self.name, at):
                return Result("queued", "Another worker has it.", message.due_at)
            return stopped

        stopped = self._write(look)
        if stopped is not None:
            verdict.append(stopped)
        return stopped is None

    def _result(self, message: Claimed, answer: Answer) -> Result:
        at = clock.now()
        if answer.outcome in ("sent", "failed"):
            return Result(answer.outcome, answer.text, outcome=answer.outcome)
        if answer.outcome == "unknown" and message.kind in queue.AT_MOST_ONCE:
            return Result("unknown", answer.text, outcome="unknown")
        if answer.scope in ("server", "access", "domain"):
            return Result("queued", answer.text, message.due_at)
        again = retry_at(at, message.attempts + 1, message.give_up_at, random.random())  # noqa: S311  no secret
        if again is None:
            return Result("failed", f"Given up after {message.attempts + 1} tries: {answer.text}", outcome="failed")
        return Result("queued", answer.text, again, outcome=answer.outcome)

    def _settle(self, message: Claimed, result: Result, answer: Answer | None, batch: Batch) -> Result:
        """Store the result, and what the answer says about the server, the domain and the address."""
        address = batch.facts.address(message)
        scope = pauses.domain_scope(address)

        def settle(connection: Any) -> Result:
            at, final = clock.now(), result
            if answer is not None and answer.outcome == "sent":
                over = batch.known & {pauses.SERVER, scope}
                if over:
                    pauses.go_on(connection, over)
            elif answer is not None and answer.scope in ("server", "access"):
                kind = "access" if answer.scope == "access" else "back-off"
                pauses.stop(connection, pauses.SERVER, kind, answer.text, at)
            elif answer is not None and answer.scope == "domain":
                until = pauses.stop(connection, scope, "back-off", answer.text, at)
                batch.paused[scope] = (until, answer.text)
                _push(connection, scope, until)
                if final.state == "queued":
                    final = Result("queued", final.reason, until, final.outcome)
            queue.store(connection, message, self.name, final, at)
            if answer is not None and answer.hard_bounce and message.lead_id is not None:
                suppress.add(connection, address, "bounce", at)
            if final.outcome == "failed" and message.lead_id is not None:
                connection.execute(update(_lead).where(_lead.c.id == message.lead_id).values(look_at=at))
            return final

        settled = self._write(settle)
        if settled.state in ("failed", "unknown"):
            log.warning("message %s (%s) is %s: %s", message.id, message.kind, settled.state, settled.reason)
        return settled

    def _write(self, act: Callable[[Any], T]) -> T:
        """``act`` in a write transaction, again and again while the database cannot take it; a result is never lost.

        Only when the process has to stop and the database still cannot take it after ten seconds, it is given up.
        """
        pause, last = 0.05, time.monotonic() + 10
        while True:
            try:
                with write_connection() as connection:
                    return act(connection)
            except (OperationalError, InterfaceError):
                if self.stop.is_set() and time.monotonic() > last:
                    raise
                log.warning("the database cannot be written; trying again in %.1f s", pause, exc_info=True)
                time.sleep(pause)
                pause = min(pause * 2, 5.0)


def _push(connection: Any, scope: str, until: datetime) -> None:
    """Let the queued mail of a paused domain come back when the pause is over, out of everybody's way."""
    leads = select(_lead.c.id).where(func.lower(_lead.c.address).like("%" + scope.replace("%", "").replace("_", "\\_"),
                                                                      escape="\\"))
    connection.execute(update(_message).where(
        _message.c.state == "queued", _message.c.due_at < until, _message.c.lead_id.in_(leads)).values(due_at=until))


def deliver_due(app: Flask, limit: int | None = None, transport: Transport | None = None) -> Counts:
    """Hand over what is due now, at most ``limit`` messages, and come back when nothing is left; needs a context."""
    counts = Counts()
    deliverer = Deliverer(app, transport)
    try:
        while limit is None or counts.total < limit:
            done = deliverer.round(BATCH if limit is None else min(BATCH, limit - counts.total))
            for state, number in done.by_state.items():
                counts.add(state, number)
            if not done.total:
                return counts
    finally:
        deliverer.close()
    return counts


LEASE_RENEWAL = queue.RENEWED_EVERY / timedelta(seconds=1)


class Heartbeat(threading.Thread):
    """Keeps a worker's leases while it lives; a worker that is killed stops beating."""

    def __init__(self, app: Flask, deliverer: Deliverer) -> None:
        super().__init__(name="handsel-heartbeat", daemon=True)
        self.app = app
        self.deliverer = deliverer
        self.ended = threading.Event()

    def run(self) -> None:
        with self.app.app_context():
            while not self.ended.wait(LEASE_RENEWAL):
                if self.deliverer.busy:
                    try:
                        with write_connection() as connection:
                            queue.renew(connection, self.deliverer.name, clock.now())
                    except (OperationalError, InterfaceError):
                        log.warning("the leases could not be renewed", exc_info=True)
