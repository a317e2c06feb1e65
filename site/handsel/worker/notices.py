"""Mails about a lead to people of the house, and mails of a seller to a lead: each is made for one message alone.

What they say is looked up when they go out. None where there is nothing to tell any more: the lead was erased, the
hand-over decided, the task done.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts.models import Account
from handsel.db import db
from handsel.leads.handoff import alerts, telling
from handsel.leads.handoff.links import Answer, Link, mint
from handsel.leads.handoff.models import Activity, Handoff, Task
from handsel.leads.mailboxes import head_of
from handsel.leads.models import Lead
from handsel.mail.compose import Draft
from handsel.mail.queue import Claimed
from handsel.offers.project import Project
from handsel.rules.working import between
from handsel.worker.house import house, plain_domain, site_url
from handsel.worker.sheets import MailSheet

KINDS = ("notice", "personal")
GONE = "There is nothing to tell any more: the lead is gone, or it is done already."


def draft(app: Flask, message: Claimed, project: Project, at: datetime) -> Draft | None:
    """The mail behind a message; None when there is nothing to tell any more."""
    with Session(db.engine) as session:
        notice = Notice(session, app, project, message, at)
        if message.kind == "personal":
            return notice.personal()
        account = session.get(Account, message.account_id or 0)
        if account is None:
            return None
        made = {alerts.HAND_OFF: notice.handed, alerts.GIVEN: notice.given, alerts.LATE: notice.late,
                alerts.REMINDER: notice.reminder}.get(message.step)
        return made(account) if made is not None else None


class Notice:
    """One message, and what it is made of."""

    def __init__(self, session: Session, app: Flask, project: Project, message: Claimed, at: datetime) -> None:
        self.session, self.app, self.project, self.message, self.at = session, app, project, message, at
        self.url = site_url(app, project.site)
        self.zone = ZoneInfo(project.site.timezone)
        self.sheet = MailSheet()

    def handed(self, account: Account) -> Draft | None:
        """A lead was handed over: who, why, and the two links."""
        handoff = self._handoff()
        if handoff is None or handoff.state != "open" or handoff.owner_id != account.id:
            return None
        lead = self._lead(handoff.lead_id)
        who = telling.who(lead)
        why = telling.why(handoff.context, self.project)
        self.sheet.says(f"Hello {account.name or 'there'},")
        by = self.message.values.get("by")
        self.sheet.says(f"{f'{by} gave you {who}' if by else f'{who} is ready for you'}: {why}")
        if handoff.due_at is not None:
            rules = self.project.rules.handoff
            length = telling.length(rules.within(handoff.stage))
            self.sheet.says(f"Please get in touch by {telling.moment(handoff.due_at, rules.hours.zone)}, "
                            f"which is within {length} of working time.")
        until = self.at + self.project.rules.handoff.links
        self.sheet.button("Accept this lead", self._answer(handoff, account, "accept", until))
        self.sheet.link("Reject it, with a reason", self._answer(handoff, account, "reject", until))
        self._about(lead, handoff)
        self.sheet.says("The links open a page; nothing is decided until you press the button there. They are yours "
                        f"alone and work until {telling.moment(until, self.zone)}.")
        return self._draft(f"New lead: {who}", why)

    def given(self, account: Account) -> Draft | None:
        """Somebody gave a lead to this account by hand."""
        lead = self.session.scalar(select(Lead).where(Lead.id == self.message.values.get("lead")))
        if lead is None or lead.owner_id != account.id:
            return None
        who = telling.who(lead)
        self.sheet.says(f"Hello {account.name or 'there'},")
        self.sheet.says(f"{self.message.values.get('by') or 'Somebody'} gave you {who}.")
        self._about(lead, None)
        return self._draft(f"A lead for you: {who}", f"Stage {lead.stage}, {lead.score} points.")

    def late(self, account: Account) -> Draft | None:
        """Nobody spoke with a lead in time."""
        handoff = self._handoff()
        if handoff is None or handoff.ended_at is not None or handoff.contact_at is not None:
            return None
        lead = self._lead(handoff.lead_id)
        who, rules = telling.who(lead), self.project.rules.handoff
        owner = self.session.get(Account, handoff.owner_id or 0)
        waits = telling.length(between(handoff.at, self.at, rules.hours))
        with_whom = "Nobody has the lead." if owner is None else (
            "The lead is with you." if owner.id == account.id else f"The lead is with {owner.name or owner.email}.")
        answered = "It was accepted" if handoff.state == "accepted" else "Nobody has accepted or rejected it"
        self.sheet.says(f"Hello {account.name or 'there'},")
        self.sheet.says(f"{who} has waited for {waits} of working time, and nobody has spoken with them. "
                        f"{with_whom} {answered}{self._tried(handoff)}.")
        if owner is not None and owner.id == account.id and handoff.state == "open":
            until = self.at + rules.links
            self.sheet.button("Accept this lead", self._answer(handoff, account, "accept", until))
            self.sheet.link("Reject it, with a reason", self._answer(handoff, account, "reject", until))
        self._about(lead, handoff)
        return self._draft(f"Still waiting: {who}", f"{waits} of working time without a word.")

    def reminder(self, account: Account) -> Draft | None:
        """A task is due."""
        task = self.session.scalar(select(Task).where(Task.id == self.message.values.get("task")))
        if task is None or task.done_at is not None or task.due_at > self.at:
            return None
        lead = self._lead(task.lead_id)
        self.sheet.says(f"Hello {account.name or 'there'},")
        self.sheet.says(f"this is due since {telling.moment(task.due_at, self.zone)}: {task.title}")
        self._about(lead, None)
        return self._draft(f"Due now: {task.title}", telling.who(lead))

    def personal(self) -> Draft | None:
        """What a seller wrote to a lead."""
        activity = self.session.scalar(select(Activity).where(Activity.message_id == self.message.id))
        if activity is None:
            return None
        seller = self.session.get(Account, activity.account_id or 0)
        self.sheet.typed(activity.text)
        ours = house(self.app, self.project.site)
        name = f"{seller.name}, {ours.sender_name}" if seller is not None and seller.name else ours.sender_name
        reply_to = plain_domain(seller.email) if seller is not None and seller.active else ""
        return Draft("personal", (activity.subject,), (self.sheet.html,), (self.sheet.text,),
                     sender=(name, ours.sender), reply_to=reply_to)

    def _lead(self, lead_id: int) -> Lead:
        """The lead that a mailbox belongs to by now."""
        return self.session.get_one(Lead, head_of(self.session, lead_id))

    def _handoff(self) -> Handoff | None:
        return self.session.scalar(select(Handoff).where(Handoff.id == self.message.values.get("handoff")))

    def _answer(self, handoff: Handoff, account: Account, answer: Answer, until: datetime) -> str:
        token = mint(str(self.app.config["SECRET_KEY"]), Link(handoff.key, account.id, answer, until))
        return f"{self.url}/hand-off/{token}"

    def _tried(self, handoff: Handoff) -> str:
        tries = len(self.session.scalars(select(Activity.id).where(
            Activity.lead_id == handoff.lead_id, Activity.kind == "call", Activity.outcome == "no-answer",
            Activity.at >= handoff.at)).all())
        return f"; {tries} call{'' if tries == 1 else 's'} went unanswered" if tries else ""

    def _about(self, lead: Lead, handoff: Handoff | None) -> None:
        """Who it is, what the points are for, what they did, and the way to the desk."""
        self.sheet.heads("Who")
        self.sheet.facts(telling.facts_of(lead))
        if handoff is not None:
            points = telling.points(handoff.context)
            if points:
                self.sheet.heads(f"Why {handoff.context.get('score', 0)} points")
                self.sheet.lists(points)
            did = telling.did(handoff.context, self.project, self.zone)
            if did:
                self.sheet.heads("What they did")
                self.sheet.lists(did)
        self.sheet.link("Open the lead in the desk", f"{self.url}/desk/leads/{lead.id}")

    def _draft(self, subject: str, preheader: str) -> Draft:
        return Draft("notice", (subject[:150],), (self.sheet.html,), (self.sheet.text,), (preheader[:150],))
