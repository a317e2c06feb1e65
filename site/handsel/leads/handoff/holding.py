"""Letters wait while sales works with a lead, and go on where they stood when it comes back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead
from handsel.leads.pause import by_event
from handsel.mail import queue
from handsel.offers.project import Project


def park(session: Session, lead_id: int, project: Project, at: datetime) -> int:
    """Let the letters of a lead wait, how many; reminders of an event wait for nobody."""
    return queue.park(session, lead_id, at, by_event(project.offers.values()))


def resume(session: Session, lead: Lead, handoff: Handoff, at: datetime) -> int:
    """Let the letters go on, with the same days between them, as if they had never waited; how many."""
    pause = max(lead.paused_until - at, at - at) if lead.paused_until else at - at
    return queue.unpark(session, handoff.lead_id, at - handoff.at + pause, at)
