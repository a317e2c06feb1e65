"""The letters of the project as it stands, compiled when first needed and kept until a file changes."""

from __future__ import annotations

from email.utils import parseaddr
from functools import lru_cache

from flask import Flask

from handsel.mail.compose import Compiled, Draft, compile_letter
from handsel.mail.layout import House
from handsel.merge import Merge, Text, hide, parse, show
from handsel.offers.library import Letter, Offer
from handsel.offers.project import Project
from handsel.worker.following import followed
from handsel.worker.house import house, plain_domain, site_url
from handsel.worker.own import LETTERS


class Letters:
    """Compiled letters by kind, offer and step."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.project: Project | None = None
        self.house: House | None = None
        self._made: dict[tuple[str, str, str, bool], Compiled | None] = {}

    def use(self, project: Project) -> House:
        """Work with ``project`` from here on; a new one makes all letters be compiled anew."""
        if self.house is None or project is not self.project:
            self.project = project
            self.house = house(self.app, project.site)
            self._made.clear()
        return self.house

    def find(self, kind: str, offer: str, step: str, *, follow: bool = False) -> Compiled | None:
        """The letter, or None when the project has no such letter any more.

        With ``follow`` its links to our pages are noted when they are used; see ``worker.following``.
        """
        key = (kind, offer, step, follow)
        if key not in self._made:
            draft = self._draft(kind, offer, step)
            assert self.house is not None
            assert self.project is not None
            if draft is not None and follow:
                draft = followed(draft, site_url(self.app, self.project.site))
            self._made[key] = compile_letter(draft, self.house) if draft else None
        return self._made[key]

    def _draft(self, kind: str, slug: str, step: str) -> Draft | None:
        assert self.project is not None
        if kind == "account":
            return self._own(kind, step or "sign-in", None)
        offer = self.project.offer(slug)
        if kind == "notice":
            return None
        if offer is None:
            return self._own("confirm", "confirm", None) if kind == "confirm" else None
        letter = offer.letter(step) if step else None
        if kind == "letter":
            return self._of_offer(kind, offer, letter) if letter is not None else None
        letter = letter or (offer.delivery if kind == "delivery" else None)
        return self._of_offer(kind, offer, letter) if letter is not None else self._own(kind, kind, offer)

    def _of_offer(self, kind: str, offer: Offer, letter: Letter) -> Draft:
        assert self.project is not None
        sender = parseaddr(letter.meta.from_) if letter.meta.from_ else None
        topic = self.project.site.topics.get(letter.topic, "")
        return Draft(kind, letter.subject, letter.html, letter.text, letter.preheader, offer.slug, offer.title,
                     letter.step, topic, (sender[0], plain_domain(sender[1])) if sender and sender[1] else None,
                     plain_domain(str(letter.meta.reply_to)) if letter.meta.reply_to else "")

    def _own(self, kind: str, name: str, offer: Offer | None) -> Draft | None:
        """One of our own mails, in the marketer's words if there are any."""
        assert self.project is not None
        slug, title = (offer.slug, offer.title) if offer else ("", "")
        theirs = self.project.emails.get(name)
        if theirs is not None:
            return Draft(kind, theirs.subject, theirs.html, theirs.text, theirs.preheader, slug, title, name)
        if name not in LETTERS:
            return None
        ours = LETTERS[name]
        return Draft(kind, parse(ours.subject), *own_parts(ours.body), parse(ours.preheader), slug, title, name)


@lru_cache(maxsize=16)
def own_parts(source: str) -> tuple[Text, Text]:
    """The HTML and the plain text of a letter written in Markdown, its merge fields in their places."""
    from handsel.content.markdown import render  # 4 MB, only for our own letters

    words, found = hide(source)
    rendered = render(words, file="", first_line=1, kind="letter")
    return _shown(rendered.html, found), _shown(rendered.text, found)


def _shown(words: str, found: tuple[Merge, ...]) -> Text:
    return tuple(piece for part in show(words, found) for piece in (parse(part) if isinstance(part, str) else (part,)))
