"""What a look consists of."""

from __future__ import annotations

from handsel.leads import merging
from handsel.leads.qualify import facts
from handsel.leads.qualify.looking import Part

PARTS: tuple[Part, ...] = (
    merging.unite,
    facts.keep,
)
"""In their order: each may use what the ones before it wrote. A part that wants to see a lead again sets the earliest
``look_at`` (``looking.soonest``); it finds None there."""
