"""Tags by rule: a segment with a tag puts it on whoever it holds for, and takes off what it put on."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, select

from handsel.leads import profile
from handsel.leads.believing import CLAIM
from handsel.leads.models import LeadTag
from handsel.leads.qualify.looking import Look, soonest
from handsel.leads.qualify.people import seen
from handsel.rules.evaluate import holds, next_change
from handsel.rules.person import Person
from handsel.rules.segments import Segment

BY_RULE = "rule:"
"""How the source of a tag begins that a segment put on; the segment's name follows."""


def keep(look: Look) -> None:
    """Bring the tags that rules put on the leads in hand up to date. A tag that came in another way is left alone."""
    rules = look.project.rules.segments.tagging
    had: dict[int, dict[str, str]] = {lead_id: {} for lead_id in look.leads}
    for lead_id, tag, source in look.session.execute(
            select(LeadTag.lead_id, LeadTag.tag, LeadTag.source).where(LeadTag.lead_id.in_(look.leads))):
        had[lead_id][tag] = source
    if not rules and not any(source.startswith(BY_RULE) for tags in had.values() for source in tags.values()):
        return
    people = seen(look) if rules else {}
    changed = [lead_id for lead_id in look.leads if _keep_one(look, lead_id, people.get(lead_id), rules, had[lead_id])]
    if changed:
        profile.refresh_all_texts(look.session, [look.leads[lead_id] for lead_id in changed])


def _keep_one(look: Look, lead_id: int, person: Person | None, rules: tuple[Segment, ...], had: dict[str, str]) -> bool:
    """Put on and take off the tags of one lead; whether any changed."""
    wanted = _wanted(look, lead_id, person, rules, had) if person is not None else {}
    for tag in [tag for tag in wanted if had.get(tag, "").startswith(CLAIM)]:
        look.session.get_one(LeadTag, (lead_id, tag)).source = wanted[tag]
    gone = [tag for tag, source in had.items() if source.startswith(BY_RULE) and tag not in wanted]
    new = [tag for tag in wanted if tag not in had]
    if gone:
        look.session.execute(delete(LeadTag).where(LeadTag.lead_id == lead_id, LeadTag.tag.in_(gone)))
    look.session.add_all(LeadTag(lead_id=lead_id, tag=tag, at=look.at, source=wanted[tag]) for tag in new)
    return bool(gone or new)


def _wanted(look: Look, lead_id: int, person: Person, rules: tuple[Segment, ...],
            had: dict[str, str]) -> dict[str, str]:
    """The tags that rules put on, with their source; each rule sees the tags of the ones before it."""
    tags = {tag for tag, source in had.items() if not source.startswith((BY_RULE, CLAIM))}
    wanted: dict[str, str] = {}
    for rule in rules:
        person = replace(person, values={**person.values, "tag": frozenset(tags)})
        if holds(rule.condition, person, look.at):
            wanted.setdefault(rule.tag, BY_RULE + rule.name)
            tags.add(rule.tag)
        soonest(look.leads[lead_id], next_change(rule.condition, person, look.at))
    return wanted
