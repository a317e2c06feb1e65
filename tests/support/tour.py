"""Every kind of page that there is, on the repository's own site: where it is, and how one gets there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from functools import cached_property

from support.ledger import Ledger
from support.running import Site, wait_until
from support.web import CHROME, Web

GUIDE, PAPER, NEWS = "/offers/home-energy-guide/", "/offers/heat-pump-whitepaper/", "/offers/newsletter/"
PERSON = {"email": "ann@example.org", "first_name": "Ann", "consent-advice": "yes"}
BOARD = {"email": "bea@school.example", "name": "Bea Marsh", "company": "Mill Lane Primary School", "country": "Wales",
         "job_title": "Bursar", "phone": "+44 113 496 0000", "timeline": "this_year", "floor_area": "1200"}
WORDS = (
    "home", "page", "privacy", "blog", "post", "tag", "guide", "blocks", "landing a", "landing b", "mistake",
    "long form", "long mistake", "newsletter", "thanks", "thanks, not proven", "thanks, newsletter", "get",
    "get, expired", "confirm", "unsubscribe", "unsubscribed", "preferences", "my data", "erase", "lost", "not found",
    "sign-in", "sign-in, wrong", "desk home", "leads", "leads, none", "lead", "offers", "offer", "messages", "inbox",
    "mail", "files", "accounts", "account", "log", "more", "keys", "password",
)
"""A word for each stop of the tour."""


@dataclass(frozen=True)
class Stop:
    """One page: its address, the button that leads on to what is meant, and whose browser sees it."""

    path: str
    press: str = ""
    browser: str = CHROME
    desk: bool = False
    status: int = 200


class Tour:
    """People ask, get mail, press buttons and leave, until each page has something to show."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.ledger = Ledger(site.project)

    def ask(self, path: str, browser: str = CHROME, **typed: str) -> str:
        """Fill in the form of a landing page; the path of the thank-you page."""
        web = Web(self.site.url, User_Agent=browser)
        landing = web.get(path)
        self.site.move_clock(seconds=5)  # the forms of this site are not for those who type faster than people
        answer = web.send(landing, landing.form("form-token"), **typed)
        assert answer.status == 303, answer.text
        wait_until(lambda: self.mails(typed["email"]), why=f"a mail for {typed['email']}")
        return self.path(answer.location)

    def mails(self, email: str) -> list[str]:
        """The texts of all mail that was caught for somebody, oldest first."""
        found = [BytesParser(policy=policy.default).parsebytes(file.read_bytes())
                 for file in sorted((self.site.project / "instance/inbox").glob("*.eml"))]
        return [mail.get_body(("plain",)).get_content() for mail in found if mail["To"] == email]

    def link(self, email: str, below: str, number: int = -1) -> str:
        """The path of a link in one of somebody's mails."""
        found = re.search(rf"http\S+({below}[\w.-]+)", self.mails(email)[number])
        assert found, self.mails(email)[number]
        return found[1]

    def path(self, url: str) -> str:
        return url.removeprefix(self.site.url)

    def browsers(self) -> dict[str, str]:
        """A browser that is shown each variant of the guide's landing page."""
        seen: dict[str, str] = {}
        for number in range(40):
            browser = CHROME.replace("126", str(100 + number))
            title = re.search(r"<h1[^>]*>(.*?)</h1>", Web(self.site.url, User_Agent=browser).get(GUIDE).text, re.S)
            assert title
            seen.setdefault(title[1], browser)
        assert len(seen) == 2, "forty browsers saw one variant"
        return dict(zip(("a", "b"), (seen[title] for title in sorted(seen)), strict=True))

    @cached_property
    def stops(self) -> dict[str, Stop]:
        """All pages, by a word for each."""
        return dict(self._public()) | dict(self._desk())

    def _public(self) -> Iterator[tuple[str, Stop]]:
        expired = self._expired()  # first, because days go by
        web, browsers = Web(self.site.url), self.browsers()
        thanks = self.ask(GUIDE, **PERSON)
        used = self.link(PERSON["email"], "/get/")
        web.post(used)
        paper = self.ask(PAPER, **BOARD)
        letter = self.ask(NEWS, email="cy@example.org")
        post, tag = self._post_and_tag(web)
        yield from {
            "home": Stop("/"), "page": Stop("/about/"), "privacy": Stop("/privacy/"), "blog": Stop("/blog/"),
            "post": Stop(post), "tag": Stop(tag), "guide": Stop("/guide/"), "blocks": Stop("/guide/blocks/"),
            "landing a": Stop(GUIDE, browser=browsers["a"]), "landing b": Stop(GUIDE, browser=browsers["b"]),
            "mistake": Stop(GUIDE, press="E-mail me the guide", browser=browsers["a"], status=422),
            "long form": Stop(PAPER), "long mistake": Stop(PAPER, press="E-mail me the paper", status=422),
            "newsletter": Stop(NEWS), "thanks": Stop(thanks), "thanks, not proven": Stop(paper),
            "get": Stop(self.link(BOARD["email"], "/get/")), "get, expired": Stop(expired),
            "confirm": Stop(self.link("cy@example.org", "/confirm/")), "thanks, newsletter": Stop(letter),
            "unsubscribe": Stop(f"/u/{self._key(PERSON['email'])}.advice"),
            "unsubscribed": Stop("/u/nobody.advice", press="Stop all letters"),
            "preferences": Stop(f"/preferences/{self._key(PERSON['email'])}"),
            "my data": Stop(f"/preferences/{self._key(PERSON['email'])}/data"),
            "erase": Stop(f"/preferences/{self._key(PERSON['email'])}/erase"),
            "lost": Stop("/get/nobody", status=404), "not found": Stop("/no/such/page/", status=404),
        }.items()

    def _post_and_tag(self, web: Web) -> tuple[str, str]:
        links = [self.path(to) for tag, to in web.get("/blog/").links if tag == "a"]
        posts = [to for to in links if to.startswith("/blog/") and to.count("/") == 3 and "/tags/" not in to]
        tags = [self.path(to) for tag, to in web.get(posts[0]).links if "/blog/tags/" in to]
        return posts[0], tags[0]

    def _expired(self) -> str:
        self.ask(GUIDE, email="old@example.org")
        self.site.move_clock(days=8)
        return self.link("old@example.org", "/get/")

    def sign_in(self) -> str:
        """A link that signs a new owner in, once."""
        told = self._add("ola@warmhouse.example", "owner", "Ola Hart")
        return next(word for word in told.split() if "/desk/enter/" in word)

    def _add(self, email: str, role: str, name: str) -> str:
        words = ("user", "add", email, "--role", role, "--name", name)
        return subprocess.run([sys.executable, "-m", "handsel", *words],
                              cwd=self.site.project, env=self.site.environ, timeout=60,
                              capture_output=True, text=True, check=True).stdout

    def _key(self, email: str) -> str:
        return str(self.ledger.value("SELECT key FROM lead WHERE email = ?", email))

    def _desk(self) -> Iterator[tuple[str, Stop]]:
        lead = self.ledger.value("SELECT id FROM lead WHERE email = ?", PERSON["email"])
        self._add("sam@warmhouse.example", "sales", "Sam Reed")
        account = self.ledger.value("SELECT id FROM account WHERE email = ?", "sam@warmhouse.example")
        mail = sorted((self.site.project / "instance/inbox").glob("*.eml"))[-1].stem
        for word, path in {
            "desk home": "", "leads": "leads", "leads, none": "leads?search=nobody", "lead": f"leads/{lead}",
            "offers": "offers", "offer": "offers/home-energy-guide", "messages": "messages", "inbox": "inbox",
            "mail": f"inbox/{mail}", "files": "files", "accounts": "accounts", "account": f"accounts/{account}",
            "log": "log", "more": "more", "keys": "keys", "password": "password",
        }.items():
            yield word, Stop(f"/desk/{path}", desk=True)
        yield "sign-in", Stop("/desk/sign-in")
        yield "sign-in, wrong", Stop("/desk/sign-in", press="Sign in", status=422)
