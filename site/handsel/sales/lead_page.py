"""What stands on the page of one lead: every subject hangs up its panel here.

A panel is a template ``desk/lead/_<panel>.html`` that ``desk/lead.html`` includes, and a function in PANELS that gives
the values its template asks for. The function stands in the module of its subject, beside the panel's acts (their
routes may hang on ``sales.leads.bp``); it gets the lead, reads through ``db.session()`` and changes nothing.
Every value has one giver: a name given twice is a mistake, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handsel import clock
from handsel.db import db
from handsel.leads import finding
from handsel.leads.models import Lead
from handsel.leads.pause import paused
from handsel.sales import answers, companies, hand_off, merging, rights, scoring, stages, story, tasks

Panel = Callable[[Lead], Mapping[str, Any]]


def _facts(lead: Lead) -> Mapping[str, Any]:
    return {"pause_ends": paused(lead, clock.now())}


def _tags(lead: Lead) -> Mapping[str, Any]:
    return {"known_tags": finding.tags_in_use(db.session())}


PANELS: tuple[Panel, ...] = (story.panel, _facts, stages.panel, _tags, answers.panel, companies.panel, merging.panel,
                             hand_off.panel, tasks.panel, scoring.panel, rights.panel)


def values(lead: Lead) -> dict[str, Any]:
    """All values of the page of ``lead``: ``lead``, ``now``, and what the panels give."""
    given: dict[str, Any] = {"lead": lead, "now": clock.now()}
    for panel in PANELS:
        for name, value in panel(lead).items():
            if name in given:
                raise KeyError(f"two panels of a lead's page give the value '{name}'")
            given[name] = value
    return given
