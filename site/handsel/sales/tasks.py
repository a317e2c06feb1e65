"""Tasks: whom to call first and why, what is due, and what was meant to be done about a lead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from handsel import clock
from handsel.db import db, writing
from handsel.desk import DeskBlueprint, person
from handsel.desk.door import safe_next
from handsel.desk.shell import site_zone
from handsel.leads.confirm import locked
from handsel.leads.handoff import owners, tasks, worklist
from handsel.leads.handoff.models import Task
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import ask
from handsel.offers.live import current
from handsel.rules.working import is_open
from handsel.sales.hand_off import act, moment_typed, once

bp = DeskBlueprint("tasks", __name__, roles=("sales", "owner"))
LATELY = timedelta(minutes=10)  # how long a task that was ticked off offers to take the tick back
RECENT = 5


@bp.get("/tasks")
def index() -> ResponseReturnValue:
    """Whom to call first, and what is due: one's own, or everybody's."""
    session, now = db.session(), clock.now()
    everybody = request.args.get("of") == "all"
    whose = None if everybody else person().account_id
    return render_template("desk/tasks.html", calls=worklist.calls(session, current(), whose), everybody=everybody,
                           now=now, days=_by_day(worklist.steps(session, whose), now), at_work=_at_work(now),
                           ticked=_ticked(now))


def _ticked(now: datetime) -> list[Task]:
    """What this person ticked off a moment ago."""
    return list(db.session.scalars(select(Task).where(
        Task.done_by == person().email, Task.done_at > now - LATELY).order_by(Task.done_at.desc()).limit(RECENT)))


def _at_work(now: datetime) -> bool:
    return is_open(now, current().rules.handoff.hours)


def _by_day(found: list[worklist.Step], now: datetime) -> list[tuple[str, list[worklist.Step]]]:
    """The tasks under what a person says of their day: late, today, tomorrow, this week, later."""
    today = now.astimezone(site_zone()).date()
    groups: dict[str, list[worklist.Step]] = {"Late": [], "Today": [], "Tomorrow": [], "In the next days": [],
                                              "Later": []}
    for step in found:
        days = (step.task.due_at.astimezone(site_zone()).date() - today).days
        name = ("Late" if step.task.due_at < now else "Today" if days == 0 else "Tomorrow" if days == 1
                else "In the next days" if days <= 7 else "Later")
        groups[name].append(step)
    return [(name, steps) for name, steps in groups.items() if steps]


def panel(lead: Lead) -> Mapping[str, Any]:
    """For _tasks: the open tasks of the lead, and when a new one would be due."""
    mailboxes = mailboxes_of(db.session(), [lead.id])[lead.id]
    open_ = db.session.scalars(select(Task).where(Task.lead_id.in_(mailboxes), Task.done_at.is_(None))
                               .order_by(Task.due_at)).all()
    return {"tasks": open_, "task_owners": {account.id: account for account in owners.candidates(db.session())},
            "suggested": next_morning(clock.now())}


def next_morning(at: datetime) -> datetime:
    """Nine o'clock of the next day on which the house is at work, on the site's clocks."""
    hours, zone = current().rules.handoff.hours, site_zone()
    day = at.astimezone(zone).date() + timedelta(days=1)
    for number in range(60):
        begins = next(iter(hours.on(day + timedelta(days=number))), None)
        if begins is not None:
            return begins[0].astimezone(zone)
    return datetime.combine(day, time(9), zone)


@bp.post("/leads/<int:lead_id>/tasks")
def add(lead_id: int) -> ResponseReturnValue:
    """Set a task about the lead."""
    key, typed = once(), request.form.get("owner", "")

    def make(write: Any, lead: Lead) -> object:
        due_at = moment_typed("due") or next_morning(clock.now())
        known = {str(account.id): account.id for account in owners.candidates(write)}
        return tasks.add(write, lead, request.form.get("title", ""), due_at, once=key, actor=person().actor,
                         at=clock.now(), owner_id=known.get(typed, person().account_id))

    return act(lead_id, make, "Set. You are reminded by mail when it is due.")


@bp.post("/tasks/<int:task_id>/done")
def done(task_id: int) -> ResponseReturnValue:
    """Tick a task off."""
    task = db.get_or_404(Task, task_id)
    lead_id, title = task.lead_id, task.title
    with writing() as write:
        locked(write, lead_id)  # before the log, as everywhere
        ticked = tasks.done(write, task_id, actor=person().actor, at=clock.now())
        ask(write, lead_id, clock.now())
    if ticked:
        flash(f"Done: {title}", "good")
    return _back(lead_id)


@bp.post("/tasks/<int:task_id>/undone")
def undone(task_id: int) -> ResponseReturnValue:
    """Take the tick back."""
    lead_id = db.get_or_404(Task, task_id).lead_id
    with writing() as write:
        tasks.undo(write, task_id, actor=person().actor)
    return _back(lead_id)


@bp.post("/tasks/<int:task_id>/time")
def put_off(task_id: int) -> ResponseReturnValue:
    """Put a task off to the next day of work, or to the time that was typed."""
    lead_id = db.get_or_404(Task, task_id).lead_id

    def move(write: Any, _lead: Lead) -> object:
        return tasks.put_off(write, task_id, moment_typed("due") or next_morning(clock.now()),
                             actor=person().actor) or None

    return act(lead_id, move, "Put off.", back=safe_next(request.form["next"]) if "next" in request.form else "")


def _back(lead_id: int) -> ResponseReturnValue:
    wanted = request.form.get("next", "")
    return redirect(safe_next(wanted) if wanted else url_for("leads.lead", lead_id=lead_id), 303)
