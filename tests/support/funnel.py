"""An offer and a visitor's claim as plain values, for tests of what happens to leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from handsel import clock
from handsel.forms.library import CaptureForm, ConsentBox, Field, Spam, wording_hash
from handsel.leads import token
from handsel.leads.address import normalised, sendable
from handsel.leads.capture import Captured, Claim, capture
from handsel.offers.library import Asset, Letter, Offer
from handsel.offers.schema import LetterMeta, OfferMeta
from handsel.traffic.visitor import Visit, visit

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
ADVICE = ConsentBox("advice", "Send me tips.", "Send me tips.", wording_hash("advice", "en", "Send me tips."))
NEWS = ConsentBox("newsletter", "Send me the letter.", "Send me the letter.",
                  wording_hash("newsletter", "en", "Send me the letter."))
FIELDS = (Field("email", "email", "E-mail", required=True), Field("first_name", "given-name", "Name"))
SHORT = CaptureForm("short", "Get it", "", FIELDS, (ADVICE, NEWS), "Send it", "", Spam(0), "d" * 64)


def make_letter(step: str, days: float = 0, topic: str = "advice") -> Letter:
    """A letter of a sequence, due so many days after the capture."""
    meta = LetterMeta(subject="Hello")
    return Letter(step, int(step[:2]), f"emails/{step}.md", meta, topic, ("Hello",), (), "", ("Hi",), ("Hi",),
                  frozenset(), timedelta(days=days), "d" * 64)


LETTERS = (make_letter("00-delivery"), make_letter("01-first", 2), make_letter("02-second", 5),
           make_letter("03-news", 9, "newsletter"))


def make_offer(slug: str = "guide", *, asset: bool = True, letters: tuple[Letter, ...] = LETTERS,
               form: CaptureForm = SHORT, **meta: Any) -> Offer:
    """An offer without files: an e-book unless told otherwise."""
    page: Any = None  # no part of leads looks at pages
    found = Asset(f"offers/{slug}/guide.pdf", "guide.pdf", "application/pdf", 5, "d" * 64, 1) if asset else None
    whole = {"title": "The guide", "kind": "ebook", "form": "short", "tags": ("reading",), "asset": "guide.pdf"} | meta
    return Offer(slug, OfferMeta(**whole), "", {"a": page, "b": page}, page, letters, found, form, "advice")


def make_visit(address: str = "192.0.2.7", browser: str = CHROME, **environ: str) -> Visit:
    """A person's visit on a day whose secret is known."""
    return visit({"REMOTE_ADDR": address, "HTTP_USER_AGENT": browser, "REQUEST_METHOD": "GET"} | environ, b"s" * 32)


def make_ticket(seen: Visit | None = None, *, variant: str = "a", offer: str = "guide") -> token.Ticket:
    """What the form on a landing page brings back."""
    minted = token.mint(b"k" * 32, seen or make_visit(), offer=offer, form="short", variant=variant,
                        page=f"/offers/{offer}/", at_ms=int(clock.now().timestamp() * 1000))
    ticket = token.read(b"k" * 32, minted)
    assert ticket is not None
    return ticket


def make_claim(email: str = "ann@example.org", consents: tuple[ConsentBox, ...] = (), *, seen: Visit | None = None,
               ticket: token.Ticket | None = None, at: datetime | None = None, quarantine: str = "",
               **answers: Any) -> Claim:
    """What one visitor claims."""
    seen = seen or make_visit()
    return Claim(normalised(email), sendable(email), {"email": email} | answers, consents, ticket or make_ticket(seen),
                 seen, at or clock.now(), quarantine=quarantine)


def take(app: Flask, email: str = "ann@example.org", consents: tuple[ConsentBox, ...] = (), *,
         offer: Offer | None = None, **more: Any) -> Captured:
    """One capture, on disk."""
    return capture(app, offer or make_offer(), make_claim(email, consents, **more))


def write_asset(root: Path, offer: Offer, content: bytes = b"%PDF-") -> None:
    """Put the offer's file where its path says."""
    assert offer.asset is not None
    path = root / offer.asset.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
