"""What stands for the merge fields of one lead's mail."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from handsel.offers import events
from handsel.offers.library import Offer
from handsel.offers.project import Project

TYPED = ("name", "first_name", "last_name", "company", "job_title", "country")
LONGEST_NAME = 60
# What mail programs turn into a link: an address with its kind, or anything like name.tld, in any script.
_LINKED = re.compile(r"://|www\.|@|\w\.\w\w|[\\/]|\w(?:\s*\(\s*dot\s*\)|\s*\[\s*dot\s*\])\s*\w", re.IGNORECASE)


def modest(value: str) -> str:
    """``value`` if it may stand in a mail to a mailbox that nobody has proven: short and without any address; else "".

    Else a form could be made to carry a stranger's advertisement to anyone.
    """
    seen = unicodedata.normalize("NFKC", value).replace("。", ".")
    return "" if len(value) > LONGEST_NAME or _LINKED.search(seen) else value


def of_lead(lead: Mapping[str, Any], project: Project, offer: Offer | None, url: str) -> dict[str, str]:
    """The fields of a mail to ``lead`` (the columns of its row) about ``offer``; ``url`` is the site's address.

    What the lead typed is limited while its mailbox is unproven. Addresses of pages are added by the caller.
    """
    typed = {name: str(lead[name] or "").strip() for name in TYPED}
    typed |= {name: _words(answer) for name, answer in (lead["custom"] or {}).items() if name not in typed}
    if not typed["first_name"]:
        typed["first_name"] = typed["name"].split(" ")[0]
    if lead["confirmed_at"] is None:
        typed = {name: modest(value) for name, value in typed.items()}
    ours = {"email": str(lead["address"]), "site_name": project.site.name, "site_url": url,
            "preferences_url": f"{url}/preferences/{lead['key']}"}
    if offer is not None:
        cover = offer.meta.cover
        ours |= {"offer_title": offer.title, "asset_title": cover.title if cover else offer.title,
                 "link_days": str(offer.meta.link_days), "landing_url": url + offer.path}
        if (event := offer.meta.event) is not None:
            zone = project.site.timezone
            ours |= {"event_date": events.day(event, zone), "event_time": events.hour(event, zone),
                     "event_place": events.where(event), "event_url": f"{url}/event/{lead['key']}/{offer.slug}"}
    return typed | ours


def _words(answer: object) -> str:
    if isinstance(answer, list | tuple):
        return ", ".join(str(part) for part in answer)
    return "" if answer is None or isinstance(answer, bool) else str(answer).strip()
