"""Versions of the rules: when they change, every lead is looked at anew, a few at a time and after all fresh ones."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from handsel.db import is_alone
from handsel.leads.models import Lead
from handsel.leads.stages.models import RuleVersion
from handsel.offers.project import Project

SOME = 200  # leads that are asked for at once: whoever acts meanwhile waits for no more than these


def version_of(project: Project) -> str:
    """A digest of everything in the project that leads are judged by: the same in every process."""
    rules = project.rules
    offers = sorted((slug, offer.meta.stage, offer.meta.kind) for slug, offer in project.offers.items())
    # A segment that puts no tag on counts where another rule names it, and stands within that rule.
    tags = [(segment.tag, segment.condition) for segment in rules.segments.tagging]
    said = repr((rules.fields, tags, rules.stages, rules.scoring, offers))
    return sha256(said.encode()).hexdigest()[:12]


def ask_some(session: Session, version: str, at: datetime) -> int:
    """Ask for a look at the next few leads that were not judged by these rules yet; 0 when all were.

    Needs a write transaction. Two workers do not do it at once.
    """
    if not is_alone(session.connection(), "rule version"):
        return 0
    newest = session.scalars(select(RuleVersion).order_by(RuleVersion.at.desc(), RuleVersion.version).limit(1)).first()
    if newest is None or newest.version != version:
        newest = session.merge(RuleVersion(version=version, at=at, last_id=0, done_at=None))
    if newest.done_at is not None:
        return 0
    ids = session.scalars(select(Lead.id).where(Lead.id > newest.last_id).order_by(Lead.id).limit(SOME)).all()
    if not ids:
        newest.done_at = at
        return 0
    session.execute(update(Lead).where(Lead.id.in_(ids), Lead.merged_into_id.is_(None),
                                       or_(Lead.look_at.is_(None), Lead.look_at > at)).values(look_at=at))
    newest.last_id = ids[-1]
    return len(ids)
