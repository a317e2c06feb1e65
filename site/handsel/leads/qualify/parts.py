"""What a look consists of."""

from __future__ import annotations

from handsel.leads import merging
from handsel.leads.companies import looking as companies
from handsel.leads.handoff import looking as handoff
from handsel.leads.listing import words
from handsel.leads.qualify import facts
from handsel.leads.qualify.looking import Part
from handsel.leads.scoring import looking as scoring
from handsel.leads.segments import tagging
from handsel.leads.stages import bant, judging

PARTS: tuple[Part, ...] = (
    merging.unite,
    companies.place,
    facts.keep,
    bant.keep,
    tagging.keep,
    scoring.keep,
    words.keep,
    judging.judge,
    handoff.hand_over,
)
"""In their order: each may use what the ones before it wrote. A part that wants to see a lead again sets the earliest
``look_at`` (``looking.soonest``); it finds None there."""
