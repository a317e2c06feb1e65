"""What the sample's sellers do: they answer hand-overs, ring people, note what they hear, and sell now and then.

They work in the hours of ``content/_handoff.yml`` and with the program's own acts. Whoever fits better is accepted and
buys more often, so that scores and predictions have something true to find.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.demo.people import COMPANIES, work_domain
from handsel.leads import goals
from handsel.leads.companies.looking import AT_THE_DESK
from handsel.leads.handoff import activities, ending, tasks
from handsel.leads.handoff.activities import Entry
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Company, Lead
from handsel.leads.stages import bant
from handsel.offers.project import Project
from handsel.rules.working import after

SELLERS = (("sara@example.org", "Sara Lindqvist"), ("ben@example.org", "Ben Osei"))
UNANSWERED = 0.04  # of the hand-overs nobody ever answers, so that the clock has somebody to tell of
SAID = ("Boiler from 2006, two leaks this winter.", "Wants the board to decide in spring.", "Roof is due anyway.",
        "Has two quotes and trusts neither.", "Asked about noise next to the car park.",
        "Their fuse is 60 amps; the network operator comes first.", "Grant runs out in March.")
LEARNED = (("budget", "About £{}0,000 set aside"), ("authority", "Decides with the board"),
           ("need", "Boiler will not last another winter"), ("timeline", "Wants to begin before next winter"))
NEXT = ("Send the price of a planning day", "Ring again about the roof", "Send the list of questions",
        "Ask how the board decided")

Act = Callable[[Session, datetime], None]


@dataclass
class Sellers:
    """The sellers of one history. ``diary`` holds what they mean to do, by its time."""

    project: Project
    random: Random
    actors: dict[int, Actor]
    diary: list[tuple[datetime, int, Act]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    number: int = 0

    @classmethod
    def hired(cls, session: Session, project: Project, random: Random, at: datetime) -> Sellers:
        """Two sellers with accounts that nobody has a password for, and the companies they know. Needs a write
        transaction."""
        accounts = [Account(email=email, name=name, role="sales", created_at=at) for email, name in SELLERS]
        session.add_all(accounts)
        session.add_all(Company(domain=work_domain(name), name=name, industry=industry, size=size, at=at,
                                country="United Kingdom", source=f"{AT_THE_DESK}{SELLERS[0][0]}")
                        for name, (industry, size) in COMPANIES.items())
        session.flush()
        return cls(project, random, {account.id: Actor(account.email, account.id) for account in accounts})

    def work(self, session: Session, until: datetime) -> None:
        """Do what the diary says up to ``until``, and plan for what was handed over. Needs a write transaction."""
        new = session.scalars(select(Handoff).where(Handoff.state == "open", Handoff.id.not_in(self.seen))
                              .order_by(Handoff.id)).all()
        for handoff in new:
            self.seen.add(handoff.id)
            if self.random.random() >= UNANSWERED:
                self._plan(handoff.at, self._hours(0.3, 6), self._answer(handoff.id, handoff.lead_id))
        while self.diary and self.diary[0][0] <= until:
            at, _, act = heapq.heappop(self.diary)
            act(session, at)

    def _hours(self, least: float, most: float) -> timedelta:
        return timedelta(hours=self.random.triangular(least, most, least))

    def _plan(self, since: datetime, work: timedelta, act: Act) -> None:
        """Put an act into the diary, so many working hours after ``since``."""
        self.number += 1
        heapq.heappush(self.diary, (after(since, work, self.project.rules.handoff.hours), self.number, act))

    def _once(self) -> str:
        self.number += 1
        return f"sample-{self.number}"

    def _answer(self, handoff_id: int, lead_id: int) -> Act:
        def act(session: Session, at: datetime) -> None:
            handoff, lead = session.get_one(Handoff, handoff_id), session.get(Lead, lead_id)
            if handoff.state != "open" or lead is None:
                return
            actor = self.actors.get(handoff.owner_id or 0) or self.random.choice(list(self.actors.values()))
            asked = handoff.stage == "sql"
            if self.random.random() < (0.85 if asked else 0.2 + lead.fit / 60):
                ending.accept(session, handoff_id, actor=actor, at=at, way=self.random.choice(("mail", "desk")))
                self._plan(at, self._hours(0.1, 5), self._call(lead_id, actor))
            else:
                ending.reject(session, handoff_id, self.project, reason=self._reason(), note="", actor=actor, at=at,
                              way=self.random.choice(("mail", "desk")))
        return act

    def _reason(self) -> str:
        reasons = sorted(self.project.rules.handoff.reject_reasons)
        return self.random.choices(reasons, range(len(reasons), 0, -1))[0]

    def _call(self, lead_id: int, actor: Actor, tries: int = 1) -> Act:
        def act(session: Session, at: datetime) -> None:
            lead = session.get(Lead, lead_id)
            if lead is None or lead.stage != "sql":
                return
            outcome = self.random.choices(("spoke", "no-answer", "message"), (60, 25, 15))[0]
            said = self.random.choice(SAID) if outcome == "spoke" else ""
            activities.put_down(session, lead, Entry("call", self._once(), said, outcome), actor=actor, at=at)
            if outcome == "spoke":
                self._spoke(session, lead, actor, at)
            elif tries < 4:
                self._plan(at, self._hours(3, 16), self._call(lead_id, actor, tries + 1))
        return act

    def _spoke(self, session: Session, lead: Lead, actor: Actor, at: datetime) -> None:
        """What they learned, what they mean to do next, and how it will end."""
        for question, words in self.random.sample(LEARNED, self.random.randrange(4)):
            bant.answer(session, lead, question, met=self.random.random() < 0.75, evidence="On the telephone",
                        value=words.format(self.random.randrange(1, 9)), actor=actor, at=at)
        due = after(at, self._hours(8, 40), self.project.rules.handoff.hours)
        task = tasks.add(session, lead, self.random.choice(NEXT), due, once=self._once(), actor=actor, at=at)
        if task is not None and self.random.random() < 0.8:
            self._plan(due, self._hours(0.1, 6), self._tick(task.id, actor))
        if self.random.random() < 0.35:
            self._plan(at, self._hours(16, 80), self._meet(lead.id, actor))
        self._plan(at, self._hours(24, 200), self._end(lead.id, actor))

    def _tick(self, task_id: int, actor: Actor) -> Act:
        def act(session: Session, at: datetime) -> None:
            tasks.done(session, task_id, actor=actor, at=at)
        return act

    def _meet(self, lead_id: int, actor: Actor) -> Act:
        def act(session: Session, at: datetime) -> None:
            lead = session.get(Lead, lead_id)
            if lead is not None and lead.stage == "sql":
                outcome = "held" if self.random.random() < 0.9 else "no-show"
                activities.put_down(session, lead, Entry("meeting", self._once(), "", outcome), actor=actor, at=at)
        return act

    def _end(self, lead_id: int, actor: Actor) -> Act:
        def act(session: Session, at: datetime) -> None:
            lead = session.get(Lead, lead_id)
            if lead is None or lead.stage != "sql":
                return
            if self.random.random() < 0.2 + lead.fit / 100:
                amount = Decimal(self.random.randrange(45, 480) * 10)
                goals.sell(session, lead_id, amount, self.project.site.currency, actor=actor, at=at)
            elif self.random.random() < 0.5:
                held = session.scalars(select(Handoff).where(
                    Handoff.lead_id == lead_id, Handoff.state == "accepted", Handoff.ended_at.is_(None))).first()
                if held is not None:
                    ending.reject(session, held.id, self.project, reason=self._reason(), note="", actor=actor, at=at,
                                  way="desk")
        return act
