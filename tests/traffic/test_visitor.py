"""Who is looking, for one day, and what a request tells of its source."""

from __future__ import annotations

import pytest

from handsel.traffic.visitor import address_prefix, clean, visit
from support.funnel import CHROME, make_visit

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148"


def test_the_same_browser_in_the_same_network_is_one_visitor_for_the_day() -> None:
    assert make_visit("192.0.2.7").visitor == make_visit("192.0.2.99").visitor
    assert make_visit("192.0.2.7").visitor != make_visit("192.0.3.7").visitor
    assert make_visit().visitor != make_visit(browser=PHONE).visitor
    environ = {"REMOTE_ADDR": "192.0.2.7", "HTTP_USER_AGENT": CHROME}
    assert visit(environ, b"monday").visitor != visit(environ, b"tuesday").visitor


@pytest.mark.parametrize(("address", "prefix"), [
    ("192.0.2.7", "192.0.2.0/24"), ("::ffff:192.0.2.7", "192.0.2.0/24"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ("", ""), ("unix:", ""), ("999.1.1.1", ""),
])
def test_of_an_address_only_its_network_is_kept(address: str, prefix: str) -> None:
    assert address_prefix(address) == prefix


@pytest.mark.parametrize("browser", [
    "", "curl/8.5.0", "python-requests/2.32.0", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "facebookexternalhit/1.1", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36",
])
def test_declared_robots_count_for_nothing(browser: str) -> None:
    assert make_visit(browser=browser).excluded == "bot"


def test_people_count() -> None:
    assert [make_visit(browser=browser).excluded for browser in (CHROME, PHONE)] == ["", ""]
    assert [make_visit(browser=browser).device for browser in (CHROME, PHONE)] == ["computer", "phone"]


def test_what_nobody_looks_at_yet_counts_for_nothing() -> None:
    assert make_visit(HTTP_SEC_PURPOSE="prefetch;prerender").excluded == "prefetch"
    assert make_visit(HTTP_PURPOSE="prefetch").excluded == "prefetch"
    assert make_visit(REQUEST_METHOD="HEAD").excluded == "head"


def test_one_who_asks_not_to_be_followed_is_given_a_variant_and_not_kept() -> None:
    seen = make_visit(HTTP_SEC_GPC="1")
    assert (seen.kept, len(seen.visitor)) == ("", 32)


def test_the_source_is_the_campaign_the_referring_host_or_direct() -> None:
    assert make_visit().source == "direct"
    seen = make_visit(HTTP_REFERER="https://www.news.example/a/b?token=secret#x")
    assert (seen.source, seen.referrer) == ("news.example", "https://www.news.example/a/b")
    seen = make_visit(QUERY_STRING="utm_source=Spring+Mail&utm_campaign=S%C3%A4ure&x=1", HTTP_REFERER="https://a.example/")
    assert (seen.source, seen.utm) == ("spring mail", ("Spring Mail", "", "Säure", "", ""))
    assert make_visit(HTTP_REFERER="http://localhost/blog/", HTTP_HOST="localhost:8000").source == ""


@pytest.mark.parametrize("referrer", ["javascript:alert(1)", "http://[::1", "data:text/html,x", "x" * 9000, "http://"])
def test_a_referrer_that_is_none_tells_nothing(referrer: str) -> None:
    assert (make_visit(HTTP_REFERER=referrer).referrer, make_visit(HTTP_REFERER=referrer).source) == ("", "direct")


@pytest.mark.parametrize("query", [
    "utm_source=" + "x" * 5000, "utm_source=%00%0d%0aX", "utm_source=%ff%fe", "&utm_=" * 900,
    "utm_source=<script>alert(1)</script>", "utm_source=\ud800",
])
def test_whatever_stands_in_an_address_fits_the_database(query: str) -> None:
    seen = make_visit(QUERY_STRING=query)
    for text in (seen.source, *seen.utm):
        assert len(text) <= 120
        assert text.isprintable()
        text.encode()


def test_cleaning_keeps_what_can_be_read() -> None:
    assert clean("Ünï\x00\u202ecode\n", 20) == "Ünïcode"
    assert clean("abc" * 50, 10) == "abcabcabca"
