"""Starting, stopping and shipping a test of landing pages: what the desk and the command line share.

A test runs because ``offer.md`` says so. Each act here is a change of files together with a line in the record, both or
neither; the worker takes it from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import db
from handsel.errors import HandselError
from handsel.experiments import journal
from handsel.experiments.models import Experiment
from handsel.experiments.results import Results, latest
from handsel.experiments.sentences import tell
from handsel.leads.carrying import carry_out
from handsel.leads.outlook import Wanted, outcome, outlook
from handsel.offers import acts
from handsel.offers.library import CONTROL, Offer
from handsel.offers.live import Live
from handsel.offers.writing import Change


@dataclass(frozen=True)
class Done:
    """What an act did: each file with ``written``, ``kept`` or ``deleted`` before it, in order; and for a ship the
    variant, and how the control changed, as lines of a unified diff."""

    offer: str
    files: tuple[tuple[str, str], ...]
    variant: str = ""
    diff: tuple[str, ...] = ()


def start(live: Live, slug: str, wanted: Wanted, *, actor: Actor) -> Done:
    """Start a test of the offer: its challengers are shown within a second.

    Raises HandselError, and changes nothing, where the test cannot run.
    """
    project = live.refresh()
    offer = acts.offer_of(project, slug)
    with db.engine.connect() as connection:
        seen = outlook(connection, project, offer, wanted, clock.now())
    if seen.hindrances:
        raise HandselError(f"offers/{offer.slug}", f"The test cannot start. {seen.hindrances[0]}")
    changes = acts.started(project, offer, seen.wanted.block())
    outcome(project, offer, changes, running=True)

    def record(session: Session) -> None:
        audit.record(session, "started a test", actor, f"offer:{offer.slug}", {"goal": wanted.goal})

    carry_out(live, changes, record)
    return _done(offer, changes)


def stop(live: Live, slug: str, *, actor: Actor, learned: str = "") -> Done:
    """End the test of the offer without shipping: everybody sees the control, and the challengers stay as files.

    Raises HandselError, and changes nothing, where no test runs.
    """
    project = live.refresh()
    offer = acts.offer_of(project, slug)
    if offer.meta.experiment is None:
        raise HandselError(f"offers/{offer.slug}", "No test of this offer runs.",
                           f"Start one: handsel experiment start {offer.slug}")
    changes = acts.stopped(project, offer)
    outcome(project, offer, changes, running=False)

    def record(session: Session) -> None:
        _note(session, offer, "stopped", "", actor=actor, learned=learned)
        audit.record(session, "stopped a test", actor, f"offer:{offer.slug}")

    carry_out(live, changes, record)
    return _done(offer, changes)


def ship(live: Live, slug: str, *, actor: Actor, variant: str | None = None, learned: str = "",
         force: bool = False) -> Done:
    """Put a challenger in the place of the control and end the test: the winner, unless ``variant`` names another.

    The pages that lose are kept in the folder ``retired/``. Raises HandselError, and changes nothing, where there is no
    winner, or ``variant`` is not it, and not ``force``; and where the outcome would have a fault.
    """
    project = live.refresh()
    offer = acts.offer_of(project, slug)
    with db.engine.connect() as connection:
        found = latest(connection, offer.slug)
    chosen = _chosen(offer, found, variant, force=force)
    today = clock.now().astimezone(ZoneInfo(project.site.timezone)).date()
    changes, lines = acts.shipped(project, offer, chosen, today), acts.diff(project, offer, chosen)
    outcome(project, offer, changes, running=False)

    def record(session: Session) -> None:
        _note(session, offer, "shipped", chosen, actor=actor, learned=learned)
        audit.record(session, "shipped a test", actor, f"offer:{offer.slug}", {"variant": chosen})

    carry_out(live, changes, record)
    return _done(offer, changes, chosen, tuple(lines))


def _chosen(offer: Offer, found: Results | None, variant: str | None, *, force: bool) -> str:
    """The variant to ship."""
    if variant == CONTROL:
        raise HandselError(f"offers/{offer.slug}", "The control is live already.",
                           f"End the test without shipping: handsel experiment stop {offer.slug}")
    runs = found is not None and found.is_running and offer.meta.experiment is not None
    if found is not None and runs and found.verdict == "winner" and variant in {None, found.variant}:
        return found.variant
    if variant is not None:
        acts.page_file(offer, variant)
        if force:
            return variant
    known = tell(found, clock.now()).headline if found is not None and runs else "No test of this offer runs."
    name = variant or next((each for each in offer.shown if each != CONTROL), "b")
    raise HandselError(f"offers/{offer.slug}", f"{known} Nothing was shipped.",
                       f"To ship it all the same: handsel experiment ship {offer.slug} --variant {name} --force")


def _note(session: Session, offer: Offer, kind: str, variant: str, *, actor: Actor, learned: str) -> None:
    """Lines in the timeline of the open test, if the worker has begun one."""
    # Locked, so that the worker does not end it by what it sees of the files before this is told.
    found = session.scalar(select(Experiment.id).where(Experiment.offer == offer.slug, Experiment.ended_at.is_(None))
                           .with_for_update())
    if found is None:
        return
    journal.note(session, found, kind, variant, actor=actor.name, at=clock.now())
    if learned.strip():
        journal.learn(session, found, learned, actor=actor.name, at=clock.now())


def _done(offer: Offer, changes: list[Change], variant: str = "", diff: tuple[str, ...] = ()) -> Done:
    return Done(offer.slug, tuple((_verb(change), change.file) for change in changes), variant, diff)


def _verb(change: Change) -> str:
    if change.after is None:
        return "deleted"
    return "kept" if f"/{acts.RETIRED}/" in change.file else "written"
