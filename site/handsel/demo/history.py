"""The sample history is lived through day by day: visits, captures, proofs and letters, with the program's own acts.

Everything goes the way of real visitors from the moment that a request has been read, so reports, experiments and the
desk show what they would show of real ones, and ``handsel rebuild`` changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel import clock, schema
from handsel.db import db, write_connection, writing
from handsel.demo import letters, people, returning
from handsel.demo.people import Person, crowd
from handsel.demo.selling import Sellers
from handsel.demo.story import DAYS, OTHER_PAGES, TESTED, Story, stories, times, visitors
from handsel.errors import HandselError
from handsel.experiments.assign import choose
from handsel.experiments.keeping import keep
from handsel.experiments.sync import Wish, sync
from handsel.forms.schema import RECOGNITION
from handsel.leads.capture import Claim, Prepared
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import look
from handsel.leads.recognition import recognised
from handsel.leads.rows import Pen
from handsel.leads.token import Ticket
from handsel.mail import suppress
from handsel.offers.library import CONTROL, Offer
from handsel.offers.project import Project
from handsel.traffic import writing as hits
from handsel.traffic.models import Tally
from handsel.traffic.recorder import Noted
from handsel.traffic.secrets import forget_before
from handsel.traffic.visitor import Visit, visit

Wishes = Mapping[str, Wish]
HOURS = (10, 14, 18)  # at which a day is stopped, so that leads are judged and sellers look at their desks
AT_ONCE = 200  # leads looked at in one transaction


@dataclass
class History:
    """The past of one project, up to ``until``; the same ``seed`` gives the same people on the same days."""

    app: Flask
    project: Project
    wishes: Wishes
    until: datetime
    seed: int = 1
    days: int = DAYS
    leads: int = 0
    visits: int = 0
    random: Random = field(init=False)
    stories: dict[str, Story] = field(init=False)
    crowd: Iterator[Person] = field(init=False)
    mailboxes: Counter[str] = field(default_factory=Counter)
    owed: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311  it invents people, and guards nothing
        self.crowd = crowd(self.random)
        offers = self.project.offers
        # The longest sequence belongs to the offer that its marketer cares for most: it gets the best story.
        tested = sorted((slug for slug, wish in self.wishes.items() if wish.runs),
                        key=lambda slug: (-len(offers[slug].letters), slug))
        self.stories = stories(tested, [slug for slug in offers if slug not in tested])

    def live(self) -> Iterator[int]:
        """Live through all days; gives the number of days gone, for a progress bar. Needs an application context."""
        zone = ZoneInfo(self.project.site.timezone)
        last = self.until.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        began = last - timedelta(days=self.days - 1)
        with clock.standing(began), writing() as session:
            sellers = Sellers.hired(session, self.project, self.random, began)
        claims: list[tuple[Offer, Claim]] = []
        for number in range(self.days):
            midnight = last - timedelta(days=self.days - 1 - number)
            evening = min(midnight + timedelta(hours=24, minutes=-1), self.until)
            if number == max(0, self.days - TESTED):
                with writing() as session:
                    sync(session, self.wishes, midnight, midnight.date())
            claims += self._day(number, midnight, evening)
            for hour in HOURS if number < self.days - 1 else (*HOURS, 24):
                now = min(midnight + timedelta(hours=hour), evening)
                with clock.standing(now):
                    self._stretch([claims.pop(0) for _ in range(sum(claim.at < now for _, claim in claims))], sellers,
                                  now)
            while keep(evening, evening.date()):
                pass
            yield number + 1
        with write_connection() as connection:
            forget_before(connection, self.until.date())
            connection.execute(update(Lead).values(look_at=self.until))
        with clock.standing(self.until), writing() as session:
            self._judge(session, self.until)

    def _day(self, number: int, midnight: datetime, evening: datetime) -> list[tuple[Offer, Claim]]:
        """The visits of one day, which are written, and the forms that are sent in it, in the order of their hours."""
        secret = self.random.randbytes(32)
        noted, claims = self._others(number, midnight, secret), []
        for slug, story in self.stories.items():
            offer = self.project.offers[slug]
            tested = number >= self.days - TESTED and self.wishes[slug].runs
            for at in self._hours(number, midnight, story.visitors):
                person = next(self.crowd)
                seen = visit(person.environ, secret)
                variant = choose(seen.unit, slug, offer.split) if tested else CONTROL
                lost = story.lost if variant != CONTROL else 0.0
                if self.random.random() < lost:
                    continue
                noted.append(Noted(at, "view", offer.path, slug, variant, seen))
                if self._converts(slug, variant, story):
                    claims.append(self._claim(offer, person, seen, variant, at + timedelta(minutes=2)))
        noted = [hit for hit in noted if hit.at < evening]
        claims = [(offer, claim) for offer, claim in claims if claim.at < evening]
        noted += [Noted(claim.at, "submit", offer.path, offer.slug, claim.ticket.variant, claim.visit)
                  for offer, claim in claims]
        self.visits += len(noted)
        with write_connection() as connection:
            hits.write(connection, sorted(noted, key=lambda hit: hit.at))
        return sorted(claims, key=lambda pair: pair[1].at)

    def _stretch(self, claims: list[tuple[Offer, Claim]], sellers: Sellers, now: datetime) -> None:
        """A few hours: forms come in, mails go out, leads are judged, and sellers do what they meant to."""
        with write_connection() as connection:
            self._capture(connection, claims)
        letters.go_out(self.project, self.random, now)
        letters.notices_go_out(min(now, self.until - timedelta(days=1)))
        with writing() as session:
            returning.come_back(session, self.random, self.project, now - timedelta(hours=3), now)
            # That points fade is judged once, in the end: day by day it would take longer than all the rest.
            looked_at = self._judge(session, now)
            session.connection().execute(update(Lead).where(Lead.id.in_(looked_at)).values(look_at=None))
            sellers.work(session, now)

    def _judge(self, session: Session, now: datetime) -> list[int]:
        """Look at the leads whose time has come; which ones."""
        found: list[int] = []
        while ids := session.scalars(select(Lead.id).where(Lead.look_at <= now).limit(AT_ONCE)).all():
            look(session, self.project, ids, now)
            session.expire_all()
            found += ids
        return found

    def _converts(self, slug: str, variant: str, story: Story) -> bool:
        """Whether this visitor converts: as many do as the story says, so that each seed tells the same story."""
        owed = self.owed.get((slug, variant), self.random.random())
        owed += story.rate * (1 + (story.lift if variant != CONTROL else 0.0))
        self.owed[slug, variant] = owed % 1
        return owed >= 1

    def _hours(self, number: int, midnight: datetime, mean: float) -> Iterator[datetime]:
        grown = (number + 1) / max(1, self.days - TESTED)
        many = visitors(self.random, mean, midnight.weekday(), grown)
        return (midnight + timedelta(hours=hour) for hour in times(self.random, many))

    def _others(self, number: int, midnight: datetime, secret: bytes) -> list[Noted]:
        """Readers of the other pages, and the robots that come to all."""
        pages = sorted(page.path for page in self.project.pages.values() if page.is_live(self.until))
        landing = [(offer.path, offer.slug, CONTROL) for offer in self.project.offers.values()]
        found = [Noted(at, "view", self.random.choice(pages), "", "", visit(next(self.crowd).environ, secret))
                 for at in self._hours(number, midnight, OTHER_PAGES if pages else 0)]
        for at in self._hours(number, midnight, OTHER_PAGES / 5):
            found.append(Noted(at, "view", *self.random.choice(landing or [("/", "", "")]),
                               visit(people.robot(self.random), secret)))
        return found

    def _claim(self, offer: Offer, person: Person, seen: Visit, variant: str, at: datetime) -> tuple[Offer, Claim]:
        ticket = Ticket(self.random.randbytes(16).hex(), int(at.timestamp() * 1000) - 60_000, offer.slug,
                        offer.form.name, variant, offer.path, seen.visitor, seen.source, seen.referrer, seen.utm,
                        seen.unit)
        ticked = tuple(box for box in offer.form.consents
                       if box.purpose in self.project.site.topics
                       and (box.by == "button" or self.random.random() < 0.7))
        at_work = any(field.name == "company" for field in offer.form.fields)
        email = people.mailbox(self.random, person, self.mailboxes, at_work=at_work)
        claim = Claim(email, email, people.answers(self.random, person, email, offer.form), ticked, ticket,
                      seen, at, offer.meta.language or self.project.site.language)
        asked = [box for box in offer.form.consents if box.purpose == RECOGNITION]
        if asked and self.random.random() < returning.AGREED:
            number = recognised(self.random.randbytes(32), claim.once, at, self.project.site.recognition_days)
            claim = replace(claim, consents=(*ticked, *asked), recognised=number)
        return offer, claim

    def _capture(self, connection: Connection, claims: list[tuple[Offer, Claim]]) -> None:
        raw: Any = connection.connection.driver_connection
        cursor = raw.cursor()
        sqlite = connection.dialect.name == "sqlite"
        pen = Pen((lambda: cursor) if sqlite else raw.cursor, sqlite)
        for offer, claim in claims:
            self.leads += Prepared.of(offer, claim, suppress.address_hash(claim.email, self.app)).write(pen).is_new


def require_a_playground(app: Flask) -> None:
    """Raise HandselError unless invented people do no harm here. Needs an application context."""
    if app.config["ENV"] == "production":
        raise HandselError("HANDSEL_ENV", "Invented people have no place among real ones.",
                           "Try it in a project of its own: handsel init my-demo")
    if app.config["MAIL_URL"]:
        raise HandselError("HANDSEL_MAIL_URL", "Letters to invented people would leave the house.",
                           "Take the setting away for the demo, so that mail is caught in the inbox.")
    if not schema.current():
        return
    with db.engine.connect() as connection:
        if any(connection.execute(select(1).select_from(kept).limit(1)).first() for kept in (Lead, Tally)):
            raise HandselError("database", "It holds leads or visits; invented ones could not be told apart.",
                               "Try it in a project of its own: handsel init my-demo")
