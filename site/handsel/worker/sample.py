"""Letters with sample values: for a look at them, and for a test mail to oneself."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy

from flask import Flask

from handsel import clock
from handsel.errors import HandselError, nearest
from handsel.mail import envelope
from handsel.mail.compose import Compiled, message_id
from handsel.mail.transport import Answer, Handover, open_transport
from handsel.offers.library import Letter, Offer
from handsel.offers.project import Project
from handsel.worker.house import plain_domain, site_url
from handsel.worker.letters import Letters
from handsel.worker.own import LETTERS
from handsel.worker.values import of_lead

ADA = {"address": "ada@example.org", "key": "sample", "name": "Ada Lovelace", "first_name": "Ada",
       "last_name": "Lovelace", "company": "Analytical Engines", "job_title": "Programmer", "country": "United Kingdom",
       "custom": {}, "confirmed_at": "proven"}


@dataclass(frozen=True)
class Sample:
    """One letter as it would arrive: its bytes and its parts."""

    subject: str
    text: str
    html: str
    data: bytes
    sender: str


def make(app: Flask, name: str, step: str = "", to: str = "ada@example.org") -> Sample:
    """The letter ``step`` of the offer ``name``, or one of our own mails by its name, filled with sample values.

    ``step`` may be a number such as ``1``. Raises HandselError for a name that does not exist.
    """
    project: Project = app.extensions["handsel.offers"].project
    letters = Letters(app)
    house = letters.use(project)
    offer = project.offer(name)
    if offer is None:
        if name not in {*LETTERS, *project.emails}:
            raise HandselError(name, "There is no such offer.", nearest(name, [*project.offers, *LETTERS]))
        kind, slug, found = {"sign-in": "account"}.get(name, name), "", name
        first = next(iter(project.offers), "")
        slug = first if kind == "delivery" else ""
    else:
        letter = _step(offer, step)
        kind, slug, found = ("delivery" if letter.is_delivery else "letter"), offer.slug, letter.step
    compiled = letters.find(kind, slug, found)
    if compiled is None:
        raise HandselError(name, "This mail is not in the project.", "")
    data = _filled(app, compiled, project, project.offer(slug) if slug else None, plain_domain(to))
    mail = message_from_bytes(data, policy=policy.default)
    parts = {part.get_content_subtype(): str(part.get_content()) for part in mail.walk() if not part.is_multipart()}
    bounces = str(app.config.get("BOUNCE_ADDRESS") or f"b@{house.domain}")
    return Sample(str(mail["Subject"]), parts["plain"], parts.get("html", ""), data,
                  envelope.sender(_secret(app), 0, clock.now(), bounces))


def _filled(app: Flask, compiled: Compiled, project: Project, offer: Offer | None, to: str) -> bytes:
    url = site_url(app, project.site)
    values = of_lead(ADA | {"address": to}, project, offer, url)
    values |= {"get_url": f"{url}/get/sample", "confirm_url": f"{url}/confirm/sample",
               "link": f"{url}/desk/enter/sample", "coupon_code": "SAMPLE-CODE", "unsubscribe_url": f"{url}/u/sample"}
    return compiled.fill(values, to=to, at=clock.now(), message_id=message_id(
        _secret(app), f"sample {clock.now().isoformat()}", compiled.domain))


def _step(offer: Offer, step: str) -> Letter:
    for letter in offer.letters:
        if step in (letter.step, str(letter.number), f"{letter.number:02}") or (not step and letter.is_delivery):
            return letter
    raise HandselError(f"offers/{offer.slug}/emails", f"There is no step '{step or '00'}'.",
                       nearest(step, [letter.step for letter in offer.letters]))


def send(app: Flask, sample: Sample, to: str) -> Answer:
    """Hand ``sample`` over to ``to`` at once, past the queue."""
    transport = open_transport(app, sample.sender.rpartition("@")[2])
    try:
        return transport.hand_over(Handover(sample.sender, plain_domain(to), sample.data))
    finally:
        transport.close()


def _secret(app: Flask) -> bytes:
    return str(app.config["SECRET_KEY"]).encode()
