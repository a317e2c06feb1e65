"""Letters to people who agreed to be recognised: links to our own pages go by the door that notes the click."""

from __future__ import annotations

import re
from dataclasses import replace

from handsel.mail.compose import Draft
from handsel.merge import Merge, Text

FOLLOWED = {"site_url": "click_url", "landing_url": "click_landing_url"}
"""The merge fields that are addresses of pages, and what stands in their place inside a link."""
_OPEN = 'href="'


def followed(draft: Draft, site: str) -> Draft:
    """``draft`` with each link to a page of ``site`` leading by ``click_url``. What people read stays as it is, and so
    do the plain text and the links that open doors: the file, the choices, the way out."""
    return replace(draft, html=_html(draft.html, site))


def _html(text: Text, site: str) -> Text:
    literal = re.compile(rf'({_OPEN}){re.escape(site)}(?=[/"?#])')
    found: list[str | Merge] = []
    for part in text:
        before = found[-1] if found else ""
        if isinstance(part, Merge):
            in_link = isinstance(before, str) and before.endswith(_OPEN)
            found.append(Merge(FOLLOWED[part.field]) if in_link and part.field in FOLLOWED else part)
            continue
        pieces = literal.split(part)
        found.append(pieces[0])
        for opening, rest in zip(pieces[1::2], pieces[2::2], strict=True):
            found[-1] = str(found[-1]) + opening
            found += [Merge(FOLLOWED["site_url"]), rest]
    return tuple(part for part in found if part != "")


def values(url: str, key: str, landing: str) -> dict[str, str]:
    """What stands for the fields above in the letter of that key; ``landing`` is the path of its offer."""
    door = f"{url}/go/{key}"
    return {"click_url": door, "click_landing_url": door + landing}
