"""The part of a look that moves leads by the rules of ``content/_stages.yml`` and of the offers."""

from __future__ import annotations

from functools import lru_cache

from handsel.leads.qualify.facts import SHOWING
from handsel.leads.qualify.looking import Look, soonest
from handsel.leads.qualify.people import seen
from handsel.leads.stages.moving import move, standings
from handsel.offers.project import Project
from handsel.rules.stages import Stages, qualified, ripens_at, version


def judge(look: Look) -> None:
    """Bring the stages up to date and let the rules lead further whoever earned it. Claims earn nothing."""
    stands = standings(look.session, look.leads.values(), look.mailboxes)
    for lead in look.leads.values():
        lead.stage, lead.stage_at = stands[lead.id].stage, stands[lead.id].at
    rules, offers = look.project.rules.stages, of_offers(look.project)
    for id_, person in seen(look).items():
        lead = look.leads[id_]
        if lead.confirmed_at is None and not any(fact.kind in SHOWING for fact in look.facts[id_]):
            continue
        soonest(lead, ripens_at(rules, person, stands[id_], look.at))
        earned = qualified(rules, offers, person, stands[id_], look.at)
        if earned is None:
            continue
        boxes = [mailbox for mailbox, head in look.mailboxes.items() if head == id_] if len(look.mailboxes) > len(
            look.leads) else [id_]
        change = move(look.session, lead, earned.stage, way="rule", at=look.at, rule=earned.rule,
                      evidence=earned.evidence, version=_version(rules), hands_over=earned.hands_over, mailboxes=boxes)
        if change is not None:
            look.changes[id_] = change
    look.session.flush()


def of_offers(project: Project) -> dict[str, str]:
    """The stage that each offer gives, by its present and its former slugs."""
    return {slug: offer.meta.stage for offer in project.offers.values() for slug in (offer.slug, *offer.former_slugs)}


@lru_cache(maxsize=4)
def _version(rules: Stages) -> str:
    return version(rules)
