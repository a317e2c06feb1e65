"""The words by which leads are found: of address, name and company, as a search asks for them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.orm import Session

from handsel.leads.listing.models import LeadWord
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import Look

LONGEST = 60  # characters of a word that are kept, as many as the column holds
MOST = 40  # words of one lead; names that need more are no names
_PIECE = re.compile(r"\w+")
_EDGES = re.compile(r"^\W+|\W+$")


def plain(text: str) -> str:
    """``text`` as words are compared: in small letters, without accents. "Chloé" and "CHLOE" are one."""
    parts = unicodedata.normalize("NFKD", text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def asked_words(search: str) -> tuple[str, ...]:
    """What a search asks for: each word is the beginning of a word of the lead. Signs around a word say nothing."""
    words = (_EDGES.sub("", word)[:LONGEST] for word in plain(search).split())
    return tuple(dict.fromkeys(word for word in words if word))


def words_of(addresses: Iterable[str], texts: Iterable[str]) -> set[str]:
    """All words by which a lead with these addresses, and with these names and companies, is found.

    An address is found whole, by its domain, and by each of its pieces but the last, which says only "com". Of a name
    like "O'Neill" there is the whole and each half.
    """
    found: dict[str, None] = {}
    for address in addresses:
        whole = plain(address)
        pieces = _PIECE.findall(whole)
        for word in (whole, whole.rpartition("@")[2], *pieces[:-1]):
            found[word[:LONGEST]] = None
    for text in texts:
        for word in plain(text).split():
            bare = _EDGES.sub("", word)
            for piece in (bare, *_PIECE.findall(bare)):
                found[piece[:LONGEST]] = None
    found.pop("", None)
    return set(list(found)[:MOST])


def keep(look: Look) -> None:
    """A part of the look: the words of these leads, and of the mailboxes merged into them, are as they should be."""
    write(look.session, look.leads)


def write(session: Session, leads: Mapping[int, Lead]) -> None:
    """Make the words of ``leads`` anew. Only what changed is written. No merged mailbox may be among them."""
    wanted = _wanted(session, leads)
    stand = {(id_, word) for id_, word in session.execute(
        select(LeadWord.lead_id, LeadWord.word).where(LeadWord.lead_id.in_(list(leads))))}
    gone, new = sorted(stand - wanted), sorted(wanted - stand)
    if gone:
        session.execute(delete(LeadWord).where(tuple_(LeadWord.lead_id, LeadWord.word).in_(gone)))
    if new:
        session.execute(insert(LeadWord), [{"lead_id": id_, "word": word} for id_, word in new])


def _wanted(session: Session, leads: Mapping[int, Lead]) -> set[tuple[int, str]]:
    addresses: dict[int, list[str]] = defaultdict(list)
    texts: dict[int, list[str]] = defaultdict(list)
    merged: Iterable[Any] = session.execute(
        select(Lead.merged_into_id, Lead.address, Lead.email, Lead.name, Lead.company)
        .where(Lead.merged_into_id.in_(list(leads))))
    own = ((id_, lead.address, lead.email, lead.name, lead.company) for id_, lead in leads.items())
    for id_, address, email, name, company in (*own, *merged):
        addresses[id_] += {address, email}
        texts[id_] += [name, company]
    return {(id_, word) for id_ in leads for word in words_of(addresses[id_], texts[id_])}
