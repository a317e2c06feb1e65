"""Visitors with bad intentions: nothing they type runs, leads astray, opens a file or writes to anybody else."""

from __future__ import annotations

import random
import re
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import pytest
from playwright.sync_api import Browser

from support.hostile import payloads
from support.ledger import Ledger
from support.running import Site
from support.smtp import FaultyServer
from support.web import Answer, Web

GUIDE, DEMO = "/offers/guide/", "/offers/demo/"
TYPED = ("name", "company", "job_title", "country", "wishes")
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
URLS = {"href", "src", "action", "formaction", "data", "poster", "xlink:href"}


class Dangers(HTMLParser):
    """What in a page would run, or load from elsewhere, if no policy kept it from it."""

    def __init__(self, page: str, own: str) -> None:
        super().__init__()
        self.own = own
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: (value or "").strip() for name, value in attrs}
        ours = at.get("src", "").startswith("/static/") or at.get("type") == "application/ld+json"
        if tag in {"object", "embed", "base", "portal"} or (tag == "script" and not ours):
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name in at if name.startswith("on") or name == "srcdoc"]
        for name in URLS & set(at):
            plain = re.sub(r"[\s\x00-\x1f]", "", at[name]).lower()
            loads = tag not in {"a", "form"} and plain.startswith(("http", "//")) and not plain.startswith(self.own)
            if plain.startswith(("javascript:", "vbscript:", "data:text")) or loads or "evil.example" in plain:
                self.found.append(f"{tag} {name}={at[name]}")


def is_harmless(answer: Answer, own: str) -> None:
    assert Dangers(answer.text, own).found == [], answer.url


@pytest.fixture(scope="module")
def owner(site: Site) -> Web:
    """The owner at the desk, without a browser."""
    web = Web(site.url)
    page = web.get(site.sign_in)
    assert web.send(page, page.form("csrf_token")).status == 303
    return web


def in_a_header(text: str) -> str:
    """What of a text a client can send in a header at all."""
    return re.sub(r"[\x00-\x08\x0a-\x1f\x7f]", " ", text).encode("utf-8", "replace").decode("latin-1").strip()


def test_nothing_that_visitors_send_runs_at_the_desk_or_in_mail(
        site: Site, mailbox: FaultyServer, ledger: Ledger, owner: Web, browser: Browser) -> None:
    lists = payloads("xss", "sql", "formulas", "unicode")
    for number in range(0, len(lists), 5):
        some = [lists[(number + step) % len(lists)] for step in range(13)]
        web = Web(site.url, User_Agent=in_a_header(f"Mozilla/5.0 {some[10]}"),
                  Referer=in_a_header(f"https://evil.example/{some[11]}"), Accept_Language=in_a_header(some[12]))
        landing = web.get(f"{DEMO}?{urlencode(dict(zip(UTM, some[5:10], strict=True)), errors='replace')}")
        is_harmless(landing, site.url)
        typed = dict(zip(TYPED, some, strict=False)) | {
            "email": f"hostile{number}@example.org", "team_size": "small", "consent-advice": "yes"}
        answer = web.send(landing, landing.form("form-token"), **typed)
        while answer.status == 422:  # what is refused comes back as it was typed; the rest must get in all the same
            is_harmless(answer, site.url)
            for name in set(re.findall(r'href="#get-([\w]+)"', answer.text)):
                typed[name] = "Ann"
            answer = web.send(answer, answer.form("form-token"), **typed)
        assert answer.status == 303, (answer.status, typed)
        is_harmless(web.follow(answer), site.url)
        thanks = web.post(answer.location + "/address", [("email", some[0])])
        assert thanks.status in {303, 422}
        is_harmless(web.follow(thanks), site.url)
    ledger.settled()
    script = "%<script>alert(1)</script>%"
    for column in ("answers", "utm_source", "utm_content", "browser"):
        assert ledger.count("capture", f"{column} LIKE ?", script), f"no script came as far as {column}"

    context = browser.new_context()
    context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in owner.cookies.items()])
    page, mail_program = context.new_page(), context.new_page()  # the second one knows no policy of ours
    wrong: list[str] = []
    for opened in (page, mail_program):
        opened.on("dialog", lambda dialog: (wrong.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        opened.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(site.url) else None)
        opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    leads = [row[0] for row in ledger.rows("SELECT id FROM lead ORDER BY id")]
    assert len(leads) > 30
    for path in ["", "leads", "messages", "offers", "offers/demo", "log", "files", *(f"leads/{id_}" for id_ in leads)]:
        answer = owner.get(f"/desk/{path}")
        assert answer.status == 200, path
        is_harmless(answer, site.url)
    for path in ["", "leads", "messages", *(f"leads/{id_}" for id_ in leads[::4])]:
        page.goto(f"{site.url}/desk/{path}")
        for folded in page.locator("main details").all():
            folded.evaluate("place => place.open = true")
    for mail in mailbox.received:
        assert Dangers(mail.html, site.url).found == []
        mail_program.set_content(mail.html)
    assert wrong == []
    context.close()


def test_no_line_break_becomes_a_header_and_no_mail_goes_to_anybody_else(
        site: Site, mailbox: FaultyServer, ledger: Ledger) -> None:
    web = Web(site.url)
    before = len(mailbox.received)
    sent = {"plain@example.org"}
    assert _ask(web, "plain@example.org", "Ann").status == 303
    for number, text in enumerate(payloads("headers")):
        email = f"header{number}@example.org"
        answer = _ask(web, email, text)
        assert answer.status in {303, 422}, text
        if answer.status == 303:
            sent.add(email)
    for text in payloads("addresses"):
        assert _ask(web, text, "Ann").status in {303, 422}, text
    ledger.settled()

    mails = mailbox.received[before:]
    assert sent <= {mail.recipient for mail in mails}
    (plain,) = [mail for mail in mails if mail.recipient == "plain@example.org"]
    for mail in mails:
        assert mail.message.keys() == plain.message.keys(), mail.recipient
        assert len(mail.message.get_all("To")) == 1
        assert [part.get_content_type() for part in mail.message.walk()] == [
            "multipart/alternative", "text/plain", "text/html"]
        assert not mail.recipient.endswith("evil.example")
        assert "\r" not in mail.data.decode("latin-1").replace("\r\n", "")
        assert "\n" not in mail.data.decode("latin-1").replace("\r\n", "")
    assert len({mail.recipient for mail in mails}) == len(mails)


def _ask(web: Web, email: str, name: str) -> Answer:
    landing = web.get(GUIDE)
    return web.send(landing, landing.form("form-token"), email=email, first_name=name)


def test_links_lead_to_us_whatever_host_a_request_names(site: Site, mailbox: FaultyServer) -> None:
    web = Web(site.url)
    landing = web.get(GUIDE)
    answer = web.post(GUIDE, landing.form("form-token").filled(email="host@example.org"), Host="evil.example",
                      X_Forwarded_Host="evil.example", X_Forwarded_Proto="https", Forwarded="host=evil.example")
    assert answer.status == 303
    assert "evil.example" not in answer.headers["Location"]
    (mail,) = mailbox.wait(1, to="host@example.org")
    assert {found.rstrip("/") for found in re.findall(r"http://[^/\s\"<>]+/?", mail.text)} == {site.url}
    assert b"evil.example" not in mail.data


def test_a_thousand_altered_links_give_no_file(site: Site, mailbox: FaultyServer, ledger: Ledger) -> None:
    web = Web(site.url)
    assert _ask(web, "token@example.org", "Ann").status == 303
    (mail,) = mailbox.wait(1, to="token@example.org")
    (token,) = re.findall(r"/get/([\w-]+)", mail.text)
    before = ledger.count("download")
    dice = random.Random(7)
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def altered() -> str:
        at, sign = dice.randrange(len(token)), dice.choice(signs)
        return dice.choice((token[:at] + sign + token[at + 1 :], token[:at], token + sign, token[:at] + token[at + 1 :],
                            token.swapcase(), token[::-1], f"{token}/", f"{token}%00", f"{token}.pdf", f"1:{token}"))

    for number in range(1000):
        other = altered()
        if other.rstrip("/") == token:
            continue
        answer = web.raw(("POST", "GET")[number % 2], f"/get/{other}")
        assert answer.status in {400, 404, 405, 308}, (other, answer.status)
        assert b"%PDF" not in answer.body
    assert ledger.count("download") == before
    for _ in range(20):
        web.head(f"/get/{token}")
        web.get(f"/get/{token}", User_Agent="Mail scanner that follows links")
    assert ledger.count("download") == before
    given = web.post(f"/get/{token}")
    assert web.follow(given).body.startswith(b"%PDF")
    assert web.raw("GET", re.sub(r"/get/[\w-]+/", "/get/other/", given.headers["Location"])).status == 404


def test_no_path_leaves_the_public_folders(site: Site, owner: Web) -> None:
    web = Web(site.url)
    secrets = [b"root:x:0", b"SQLite format", b"%PDF", b"asset: guide.pdf", b"controller: {", b"def create_app",
               (site.project / "instance/secret_key").read_bytes().strip()]
    for text in payloads("traversal"):
        for below in ("/", "/static/", "/images/", "/offers/guide/", "/offers/guide/files/", "/desk/inbox/"):
            target = below + text.replace(" ", "%20").replace("\\", "%5c").lstrip("/")
            for who in (web, owner):
                answer = who.raw("GET", target)
                assert answer.status < 500, target
                assert not any(secret in answer.body for secret in secrets), target


def test_no_address_sends_anybody_elsewhere(site: Site, owner: Web) -> None:
    web = Web(site.url)
    for text in payloads("redirects"):
        target = urlencode({"x": text}, errors="replace")[2:]
        raw = re.sub(r"[\s]", "%20", text).encode("utf-8").decode("latin-1")
        raw = "".join(sign if sign.isascii() else f"%{ord(sign):02x}" for sign in raw)
        for asked in (raw if raw.startswith("/") else f"/{raw}", f"//{raw}", f"/blog/{raw}",
                      f"/desk/sign-in?next={target}", f"/desk/leads?next={target}"):
            for who in (web, owner):
                answer = who.raw("GET", asked)
                assert answer.status < 500, asked
                where = answer.headers["Location"]
                assert not where or urljoin(site.url, where).startswith(site.url + "/"), f"{asked} -> {where}"
        page = owner.get("/desk/messages")
        assert page.status == 200


def test_no_filter_of_the_desk_can_be_broken(site: Site, owner: Web) -> None:
    for text in payloads("sql", "unicode", "xss"):
        for path, names in (("leads", ("search", "offer", "tag", "stage", "since", "after", "before")),
                            ("messages", ("state", "offer", "kind", "after"))):
            fields = dict.fromkeys(names, text) if path == "messages" else {"search": text}
            answer = owner.get(f"/desk/{path}?{urlencode(fields, errors='replace')}")
            assert answer.status in {200, 400}, (path, text, answer.status)
            is_harmless(answer, site.url)
        one = random.Random(len(text)).choice(("offer", "tag", "stage", "since", "after", "before", "page"))
        assert owner.get(f"/desk/leads?{urlencode({one: text}, errors='replace')}").status in {200, 400}, (one, text)
