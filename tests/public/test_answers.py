"""Errors in the look of the site, and the security headers of every answer."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from flask import Flask, abort

from handsel.public.sheets import addresses

Ask = Callable[..., tuple[str, dict[str, str], bytes]]
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": None,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": None,
}


def policy_of(headers: dict[str, str]) -> dict[str, list[str]]:
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def check_headers(path: str, headers: dict[str, str], body: bytes) -> None:
    for name, value in EVERYWHERE.items():
        assert headers.get(name) == value or (value is None and headers.get(name)), (path, name)
    policy = policy_of(headers)
    for name in ("object-src", "base-uri", "frame-ancestors", "default-src"):
        assert policy[name] == ["'none'"], (path, name)
    assert "unsafe" not in headers["Content-Security-Policy"], path
    if headers["Content-Type"].startswith("text/html") and not path.startswith("/desk"):
        assert policy["form-action"] == ["'self'"]
        styles = re.findall(rb"<style>(.*?)</style>", body, re.S)
        hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(style).digest()).decode()}'" for style in styles]
        assert set(hashes) <= set(policy["style-src"]), path
        assert not re.search(rb"<[^>]+ style=", body), path


@pytest.fixture
def broken(small: Flask) -> Flask:
    """The application with an address for each error."""
    small.config["PROPAGATE_EXCEPTIONS"] = False

    @small.get("/fail/<int:status>")
    def fail(status: int) -> str:
        if status == 500:
            raise RuntimeError("a part is broken")
        abort(status)

    return small


WORDS = {
    400: "We could not read that",
    403: "This is not open to you",
    404: "There is no page here",
    405: "That does not work here",
    413: "That was too much at once",
    429: "That was a little fast",
    500: "Something broke on our side",
    503: "We are busy for a moment",
}


@pytest.mark.parametrize("status", sorted(WORDS))
def test_an_error_is_told_in_the_look_of_the_site_with_a_way_on(broken: Flask, ask: Ask, status: int) -> None:
    said, headers, body = ask(broken, f"/fail/{status}")

    page = body.decode()
    assert said.startswith(str(status))
    assert f"<h1>{WORDS[status]}</h1>" in page
    assert f"<title>{WORDS[status]} · Little Press</title>" in page
    assert '<meta name="robots" content="noindex">' in page
    assert '<a class="button" href="/">' in page
    assert headers["Cache-Control"] == "no-store"
    assert "Traceback" not in page
    assert "a part is broken" not in page
    check_headers("/fail", headers, body)


def test_an_address_that_leads_nowhere_names_what_may_help(small: Flask, ask: Ask) -> None:
    page = ask(small, "/nothing/here")[2].decode()

    assert '<li><a href="/offers/guide/">The small guide to finishing books</a></li>' in page


def test_a_form_too_large_is_refused_in_words(small: Flask, ask: Ask) -> None:
    response = small.test_client().post("/offers/guide/", data={"email": "a" * 1_100_000})

    assert response.status_code == 413
    assert "<h1>That was too much at once</h1>" in response.text


def test_a_wrong_method_names_those_that_work(small: Flask, ask: Ask) -> None:
    status, headers, body = ask(small, "/privacy/", method="DELETE")

    assert status == "405 METHOD NOT ALLOWED"
    assert set(headers["Allow"].replace(" ", "").split(",")) >= {"GET", "HEAD"}
    check_headers("/privacy/", headers, body)


def test_the_page_for_an_error_goes_out_even_when_the_project_cannot_be_read(broken: Flask, ask: Ask) -> None:
    del broken.jinja_env.globals["public_frame"]

    status, headers, body = ask(broken, "/fail/500")

    assert status.startswith("500")
    assert b"<h1>Something broke on our side</h1>" in body
    check_headers("/fail/500", headers, body)


def test_machines_get_an_error_as_data(small: Flask) -> None:
    response = small.test_client().get("/api/nothing")

    assert response.status_code == 404
    assert response.json == {"error": {"status": 404, "title": WORDS[404], "detail": response.json["error"]["detail"]}}


def test_every_page_and_machine_file_carries_the_security_headers(small: Flask, ask: Ask) -> None:
    state = small.extensions["handsel.pages"].state()
    paths = [
        *addresses(state.project, state.press.at),
        "/feed.xml",
        "/sitemap.xml",
        "/robots.txt",
        "/favicon.svg",
        "/nothing",
        "/get/wrong",
        "/u/wrong",
        "/preferences/wrong",
        "/confirm/wrong",
        "/desk/",
        "/desk/sign-in",
        "/healthz",
    ]
    for path in paths:
        for _ in range(2):  # once through Flask, once from the table
            _, headers, body = ask(small, path)
            if "Content-Type" in headers:
                check_headers(path, headers, body)


def test_browsers_are_told_to_stay_on_tls_once_they_came_over_it(small: Flask, ask: Ask) -> None:
    for path in ("/privacy/", "/privacy/", "/images/ticket.png", "/nothing"):
        plain = ask(small, path)[1]
        secure = ask(small, path, **{"wsgi.url_scheme": "https"})[1]
        assert "Strict-Transport-Security" not in plain
        assert secure["Strict-Transport-Security"] == "max-age=31536000"
