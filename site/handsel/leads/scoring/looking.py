"""The part of a look that gives a lead its points and its prediction, and says when they will be others."""

from __future__ import annotations

from handsel.leads.qualify.looking import Look, soonest
from handsel.leads.qualify.people import seen
from handsel.leads.quality.predicting import learned_of, newest, predicted
from handsel.leads.quality.properties import Seen
from handsel.leads.scoring.points import points


def keep(look: Look) -> None:
    """Write down fit, interest and predicted quality of the leads in hand; each is looked at again when its points
    change."""
    scoring = look.project.rules.scoring
    learned = learned_of(newest(look.session), scoring)
    for id_, person in seen(look).items():
        found, lead = points(scoring, person, look.at), look.leads[id_]
        look.points[id_] = found
        lead.fit, lead.interest, lead.score = found.fit, found.interest, found.score
        lead.quality, ends = predicted(learned, Seen(person, found, look.at))
        soonest(lead, found.next_at)
        soonest(lead, ends)
