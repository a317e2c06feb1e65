"""The door of the desk is shut unless a role opens it: every address, every role, every way of asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from factories import (
    make_account,
    make_act,
    make_capture,
    make_company,
    make_experiment,
    make_import,
    make_layout,
    make_lead,
    make_message,
    make_task,
    make_view,
)
from handsel.accounts.links import link_address
from handsel.accounts.models import ROLES
from handsel.desk import DeskBlueprint, check_roles
from support import on_sqlite
from support.desk import AtDesk, contents, token_of

ALL = set(ROLES)
EVERYBODY = ALL | {None}
MARKETING = {"marketer", "owner"}
SALES = {"sales", "owner"}
OWNER = {"owner"}

# Who may use what. A new address must be written down here before this test passes.
MAY = {
    "sign_in.sign_in": EVERYBODY, "sign_in.sign_out": EVERYBODY, "sign_in.link": EVERYBODY, "sign_in.enter": EVERYBODY,
    "leads.recent": SALES, "leads.act": SALES, "leads.undo": SALES, "leads.save_view": ALL, "leads.remove_view": ALL,
    "pipeline.index": ALL, "pipeline.move": SALES,
    "sign_in.password": ALL, "home.home": ALL, "home.more": ALL, "home.keys": ALL,
    "leads.index": ALL, "leads.lead": ALL, "leads.add_tag": ALL, "leads.remove_tag": ALL, "leads.release": ALL,
    "leads.export": {"sales", "owner"}, "leads.stage": {"sales", "owner"}, "leads.bant": SALES,
    "leads.sale": {"sales", "owner"},
    "leads.export_page": SALES, "leads.remove_layout": SALES, "leads.card": SALES, "imports.index": SALES,
    "imports.upload": SALES, "imports.one": SALES, "imports.start": SALES, "imports.undo": SALES,
    "imports.discard": SALES, "imports.refused": SALES,
    "leads.told": ALL, "leads.correct": SALES, "leads.new": SALES, "leads.create": SALES, "leads.merge": SALES,
    "leads.privacy": ALL, "leads.hand_out": SALES, "leads.erase": SALES, "leads.join": SALES,
    "leads.part": SALES, "leads.companies": ALL, "leads.company": ALL, "leads.describe": SALES,
    "hand_off.accept": SALES, "hand_off.reject": SALES, "hand_off.owner": SALES, "hand_off.put_down": SALES,
    "hand_off.mail": SALES, "tasks.index": SALES, "tasks.add": SALES, "tasks.done": SALES, "tasks.undone": SALES,
    "segments.index": ALL, "segments.new": ALL, "segments.segment": ALL, "segments.remove": ALL, "segments.undo": ALL,
    "tasks.put_off": SALES, "offers.index": MARKETING, "offers.offer": MARKETING, "offers.report": MARKETING,
    "scoring.index": ALL, "scoring.trial": ALL, "scoring.save": MARKETING, "scoring.undo": MARKETING,
    "tests.index": MARKETING, "tests.test": MARKETING, "tests.learn": MARKETING, "tests.choose": MARKETING,
    "tests.start": MARKETING, "tests.stop": MARKETING, "tests.ship": MARKETING, "tests.look": MARKETING,
    "messages.index": MARKETING, "messages.retry": MARKETING, "files.index": MARKETING,
    "accounts.index": OWNER, "accounts.account": OWNER, "accounts.role": OWNER, "accounts.disable": OWNER,
    "accounts.enable": OWNER, "accounts.link": OWNER, "log.index": OWNER,
    "inbox.inbox": OWNER, "inbox.message": OWNER, "inbox.sheet": OWNER, "inbox.raw": OWNER,
}


@pytest.fixture
def things(app: Flask) -> dict[str, Any]:
    """One of each thing that addresses of the desk name."""
    lead = make_lead(tags=("energy",), offers=("guide",))
    return {"lead_id": lead.id, "other_id": make_lead().id, "company_id": make_company().id,
            "capture_id": make_capture(lead).id, "tag": "energy", "slug": "guide",
            "message_id": make_message(lead, state="failed").id, "account_id": make_account("sales").id,
            "task_id": make_task(lead).id, "secret": "no-such-link",
            "name": "none.eml", "experiment_id": make_experiment().id, "variant": "b", "edit_id": 1,
            "act_id": make_act(lead).id, "view_id": make_view().id,
            "import_id": make_import().id, "layout_id": make_layout().id}


def desk_rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        if rule.rule == "/desk" or rule.rule.startswith("/desk/"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


def address(app: Flask, rule: Rule, things: dict[str, Any]) -> str:
    with app.test_request_context():
        return app.url_for(rule.endpoint, **{name: things[name] for name in rule.arguments})


def is_shut(answer: Any) -> bool:
    to_sign_in = answer.status_code == 303 and answer.headers["Location"].startswith("/desk/sign-in")
    return to_sign_in or answer.status_code == 403


@on_sqlite
def test_every_address_of_the_desk_has_been_decided(app):
    decided = {endpoint for endpoint in MAY if not endpoint.startswith("inbox.")}
    found = {rule.endpoint for rule, _ in desk_rules(app) if not rule.endpoint.startswith("inbox.")}
    assert found == decided
    inbox = {rule.endpoint for rule, _ in desk_rules(app) if rule.endpoint.startswith("inbox.")}
    assert inbox, "the inbox is a page of the owner"


def test_each_role_gets_through_exactly_the_doors_that_are_its_own(app, things):
    cells = 0
    for role in (None, *ROLES):
        here = AtDesk(app, role)
        token = here.token()
        for rule, method in desk_rules(app):
            if rule.endpoint == "sign_in.sign_out":
                continue  # it would end the walk; see test_sign_in.py
            data = {"csrf_token": token} if method == "POST" else None
            answer = here.client.open(address(app, rule, things), method=method, data=data)
            expected = role in MAY.get(rule.endpoint, OWNER)
            assert is_shut(answer) != expected, f"{method} {rule.rule} as {role}: {answer.status}"
            assert answer.status_code < 500, f"{method} {rule.rule} as {role}: {answer.status}"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Cookie" in answer.headers["Vary"]
            cells += 1
    assert cells == 4 * (len(list(desk_rules(app))) - 1)


def test_who_may_not_act_changes_nothing(app, things):
    here = {role: AtDesk(app, role) for role in (None, *ROLES)}
    tokens = {role: client.token() for role, client in here.items()}
    before = contents()
    for role, client in here.items():
        for rule, method in desk_rules(app):
            if role not in MAY.get(rule.endpoint, OWNER):
                client.client.open(address(app, rule, things), method=method, data={"csrf_token": tokens[role]})
    assert contents() == before


def test_nothing_of_the_desk_changes_by_looking_at_it(app, things):
    owner = AtDesk(app, "owner")
    before = contents()
    for rule, method in desk_rules(app):
        if method == "GET":
            for asked in ("GET", "HEAD", "OPTIONS"):
                owner.client.open(address(app, rule, things), method=asked)
    assert contents() == before


@pytest.mark.parametrize("how", ["missing", "empty", "foreign", "made up", "another site", "cross-site", "plain text"])
def test_a_form_that_is_not_from_our_own_page_is_refused(app, things, how):
    owner, other = AtDesk(app, "owner"), AtDesk(app, "owner")
    token = owner.token()
    headers = {"another site": {"Origin": "https://evil.example"}, "cross-site": {"Sec-Fetch-Site": "cross-site"}}
    sent: Any = {
        "missing": {}, "empty": {"csrf_token": ""}, "foreign": {"csrf_token": other.token()},
        "made up": {"csrf_token": token[:-4] + "AAAA"}, "plain text": f'{{"csrf_token": "{token}"}}',
    }.get(how, {"csrf_token": token})
    before = contents()
    for rule, method in desk_rules(app):
        if method == "POST":
            kind = {"content_type": "text/plain"} if how == "plain text" else {}
            answer = owner.client.post(address(app, rule, things), data=sent, headers=headers.get(how), **kind)
            assert answer.status_code == 400, f"{rule.rule}: {answer.status}"
            assert "Nothing was changed" in answer.text
    assert contents() == before


@on_sqlite
def test_a_page_under_the_desk_without_a_role_stops_the_start(make_app: Callable[..., Flask]):
    app = make_app()
    app.add_url_rule("/desk/forgotten", "forgotten", lambda: "open to all by mistake")
    with pytest.raises(RuntimeError, match="/desk/forgotten"):
        check_roles(app)


def test_a_desk_blueprint_must_say_who_may_enter():
    with pytest.raises(ValueError, match="may enter"):
        DeskBlueprint("x", __name__, roles=())
    with pytest.raises(ValueError, match="admin"):
        DeskBlueprint("x", __name__, roles=("admin",))


@on_sqlite
def test_the_sign_in_leads_back_to_where_one_wanted_to_go_and_nowhere_else(app):
    wanted = AtDesk(app).get("/desk/leads?tag=energy").headers["Location"]
    assert wanted == "/desk/sign-in?next=/desk/leads?tag%3Denergy" or "next=" in wanted
    account = make_account("owner")
    from handsel.accounts import roster
    from handsel.db import writing

    with writing() as session:
        roster.set_password(session, session.merge(account), "four odd words here", actor="test")
    for target, expected in {
        "/desk/leads?tag=energy": "/desk/leads?tag=energy", "https://evil.example/": "/desk/",
        "//evil.example": "/desk/",
        "/desk//evil.example": "/desk/",
        "/\\evil.example": "/desk/", "/desk\\evil": "/desk/",
        "javascript:alert(1)": "/desk/", "/desk/../x": "/desk/", "/deskless": "/desk/",
        "/offers/": "/desk/", "": "/desk/",
    }.items():
        answer = AtDesk(app).sign_in(account.email, "four odd words here", next=target)
        assert answer.headers["Location"] == expected, target


@on_sqlite
def test_the_cookie_is_strict_and_locked_to_the_host_where_the_site_is_secure(make_app: Callable[..., Flask]):
    for site, name, secure in (("https://press.example", "__Host-desk", True), ("http://localhost", "desk", False)):
        app = make_app(SITE_URL=site)
        with app.app_context():
            page = app.test_client().get("/desk/sign-in", base_url=site)
            cookie = page.headers["Set-Cookie"]
            assert cookie.startswith(f"{name}=")
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert "Path=/" in cookie
            assert ("Secure" in cookie) is secure
            assert "Domain" not in cookie
            assert token_of(page.text)


@on_sqlite
def test_in_production_the_address_in_the_site_file_is_as_good_as_a_setting(make_app: Callable[..., Flask], project):
    file = project / "content" / "_site.yml"
    file.write_text(file.read_text().replace("url: http://127.0.0.1:8000", "url: https://press.example/"))
    for env, name, base in (("production", "__Host-desk", "https://press.example"),
                            ("test", "desk", "http://127.0.0.1:8000")):
        app = make_app(ENV=env, SITE_URL="", RATE_LIMITS="on")
        with app.app_context():
            page = app.test_client().get("/desk/sign-in", base_url="https://press.example")
            assert page.headers["Set-Cookie"].startswith(f"{name}=")
            assert link_address(app, "secret") == f"{base}/desk/enter/secret"


def test_public_pages_set_no_cookie_and_do_not_vary_by_one(app):
    answer = app.test_client().get("/")
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("path", ["/desk/leads/{}", "/desk/tests/{}", "/desk/tests/{}/ship", "/desk/accounts/{}"])
def test_numbers_that_no_database_holds_are_not_found(app: Flask, path: str) -> None:
    owner = AtDesk(app, "owner")
    for number in (2**31, 2**63 - 1, 2**63, 10**40):
        assert owner.get(path.format(number)).status_code == 404


def test_a_nul_is_refused_before_a_database_has_to(app: Flask, things: dict[str, Any]) -> None:
    owner = AtDesk(app, "owner")
    test = f"/desk/tests/{things['experiment_id']}"
    before = contents()

    for path in ("/desk/tests?search=%00", "/desk/messages?offer=a%00b", "/desk/leads?tag=%00", "/desk/offers/%00"):
        assert owner.get(path).status_code == 400
    for path, fields in ((f"{test}/learned", {"learned": "a\0b"}), (f"{test}/stop", {"learned": "\0"}),
                         (f"/desk/leads/{things['lead_id']}/tags", {"tag": "a\0"}),
                         ("/desk/tests/start/guide", {"hypothesis": ["fine", "a\0b"]})):
        assert owner.post(path, **fields).status_code == 400

    assert contents() == before
