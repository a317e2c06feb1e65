"""Form tokens: what they carry, and that nobody else can make one."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from handsel.leads.token import mint, read, signing_key
from support.funnel import make_visit

KEY = signing_key("a secret")


def test_a_token_brings_back_what_was_true_when_the_form_was_shown() -> None:
    seen = make_visit(HTTP_REFERER="https://news.example/", QUERY_STRING="utm_source=Säure&utm_term=a|b")
    token = mint(KEY, seen, offer="guide", form="short", variant="b", page="/blog/x/", at_ms=1_795_300_000_123)
    ticket = read(KEY, token)
    assert ticket is not None
    assert (ticket.offer, ticket.form, ticket.variant, ticket.page) == ("guide", "short", "b", "/blog/x/")
    assert (ticket.visitor, ticket.source, ticket.referrer) == (seen.visitor, "säure", "https://news.example/")
    assert (ticket.utm, ticket.issued_ms) == (("Säure", "", "", "a|b", ""), 1_795_300_000_123)


def test_a_visitor_who_asks_not_to_be_followed_is_not_in_it() -> None:
    token = mint(KEY, make_visit(HTTP_SEC_GPC="1"), offer="guide", form="short", variant="a", page="/", at_ms=1)
    ticket = read(KEY, token)
    assert ticket is not None
    assert ticket.visitor == ""


def test_no_two_tokens_are_alike() -> None:
    seen = make_visit()
    tokens = {mint(KEY, seen, offer="guide", form="short", variant="a", page="/", at_ms=1) for _ in range(5000)}
    assert len({ticket.nonce for token in tokens if (ticket := read(KEY, token))}) == 5000


def test_a_changed_token_is_nobodys() -> None:
    token = mint(KEY, make_visit(), offer="guide", form="short", variant="a", page="/offers/guide/", at_ms=1)
    blob = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 1
        assert read(KEY, base64.urlsafe_b64encode(bytes(changed)).rstrip(b"=").decode()) is None
    assert read(signing_key("another secret"), token) is None


@given(st.text(max_size=300))
def test_whatever_is_sent_in_its_place_is_no_token(text: str) -> None:
    assert read(KEY, text) is None
