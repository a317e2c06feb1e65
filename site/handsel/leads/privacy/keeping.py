"""How long everything is kept: the limits, each with the words in which the manual and the register say it.

``worker.purge`` acts by it once a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from handsel.content.schema import SiteSettings

UNPROVEN = timedelta(days=14)
MONTH = timedelta(days=30)
TWO_YEARS = timedelta(days=730)
PROOF = timedelta(days=3 * 366)
VISITS = timedelta(days=396)  # thirteen months, so that a month can be held against the same one a year ago
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """What goes and when: ``what`` as the worker counts it, ``words`` as people read it, and the tables it is about."""

    what: str
    words: str
    tables: tuple[str, ...]


def years(site: SiteSettings) -> timedelta:
    """How long a lead may be silent: what the line below each form promises."""
    return timedelta(days=366 * site.keep_years)


def rules(site: SiteSettings) -> tuple[Rule, ...]:
    """Every limit, with the site's own years in it."""
    long = "1 year" if site.keep_years == 1 else f"{site.keep_years} years"
    return (
        Rule("leads that never proved their mailbox",
             "A lead whose mailbox was never proven goes 14 days after its last form, unless sales works with it.",
             ("lead",)),
        Rule("leads that have been silent for years",
             f"A lead that did nothing for {long} goes, unless it is a customer or sales works with it. "
             "Whoever agreed to letters stays while they want them.", ("lead",)),
        Rule("", "The record of a consent is kept for 3 years after the last word on it, to prove it.", ("consent",)),
        Rule("secrets of past days", "The secret by which a visitor is known for a day goes with the day.",
             ("day_secret",)),
        Rule("beginnings of past days' visits", "How a visit began is kept for its day.", ("visitor",)),
        Rule("consents to be recognised that have ended",
             f"To be recognised by a cookie ends after {site.recognition_days} days.", ("known_visitor",)),
        Rule("visits older than 13 months", "Single visits are kept for 13 months; the daily counts stay.", ("hit",)),
        Rule("what leads did on the site and in the product, older than 13 months",
             "Visits and clicks of leads who agreed to be recognised, and events of the product, are kept for 13 "
             "months.",
             ("page_visit", "letter_click", "product_event", "lead_fact")),
        Rule("texts of messages", "The values of a mail's text are kept for 30 days.", ("message",)),
        Rule("messages", "That a mail was sent, and what the server answered, is kept for 24 months.",
             ("message", "attempt")),
        Rule("caught mails", "Mail that the built-in inbox caught is kept for 30 days.", ()),
        Rule("download links", "A download link goes 30 days after it ended.", ("download_grant",)),
        Rule("counts of mails to mailboxes given up",
             "That mails went to a mailbox whose address was corrected is remembered for a day.", ("gone_mail",)),
        Rule("blocks that have run out", "A block that ends by itself goes 30 days after its end; the others stay, as "
             "hashes.", ("suppression",)),
        Rule("refused rows of imports", "Rows of an import that could not be taken are kept for 30 days.",
             ("import_refusal",)),
        Rule("uploaded files that nobody went on with", "A file that was uploaded for an import is deleted once it is "
             "brought in, or after a day when nobody goes on with it.", ()),
        Rule("acts on lists of leads", "What was done to several leads at once is remembered, and can be undone, for "
             "30 days.", ("lead_act", "lead_act_item")),
        Rule("changes of segments that stand",
             "A change of a segment at the desk is remembered, and can be undone, for 30 days.", ("segment_edit",)),
        Rule("changes of the scoring that stand",
             "A change of the scoring rules at the desk is remembered, and can be undone, for 30 days.",
             ("scoring_edit",)),
        Rule("sign-in links", "Sign-in links of the desk go 30 days after they ended.", ("sign_in_link",)),
        Rule("desk sessions", "Sessions of the desk go 30 days after they were last used.", ("desk_session",)),
        Rule("entries of the log", "The log of the desk is kept for 24 months.", ("audit_entry",)),
    )


def of_table(site: SiteSettings, table: str) -> list[str]:
    """What the rules say of one table, in words."""
    return [rule.words for rule in rules(site) if table in rule.tables]
