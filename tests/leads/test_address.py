"""One mailbox, one spelling."""

from __future__ import annotations

import pytest

from handsel.leads.address import is_disposable, mailbox, normalised, sendable
from handsel.mail.suppress import normalise


@pytest.mark.parametrize(("typed", "identity", "sent_to"), [
    ("Ann.Lee@Example.ORG", "ann.lee@example.org", "Ann.Lee@example.org"),
    (" ann+news@example.org ", "ann+news@example.org", "ann+news@example.org"),
    ("STRASSE@example.org", "strasse@example.org", "STRASSE@example.org"),
    ("jo@Bücher.example.org", "jo@xn--bcher-kva.example.org", "jo@bücher.example.org"),
    ("u\u0308ber@example.org", "über@example.org", "über@example.org"),
])
def test_an_address_has_one_identity_and_is_sent_to_as_typed(typed: str, identity: str, sent_to: str) -> None:
    assert (normalised(typed), sendable(typed)) == (identity, sent_to)


@pytest.mark.parametrize("typed", [
    "Ann.Lee@Example.ORG", "jo@Bücher.example.org", "u\u0308ber@example.org", "A+b@x.org",
])
def test_the_suppression_list_knows_a_mailbox_by_the_same_spelling(typed: str) -> None:
    assert normalise(normalised(typed)) == normalised(typed)
    assert normalise(typed) == normalised(typed)


def test_plus_tags_and_gmails_dots_are_one_mailbox_for_limits() -> None:
    spellings = ("a.nn@gmail.com", "ann+x@gmail.com", "ann@googlemail.com")
    assert {mailbox(address) for address in spellings} == {"ann@gmail.com"}
    assert mailbox("a.nn+x@example.org") == "a.nn@example.org"


def test_throw_away_domains_are_known_with_all_below_them() -> None:
    assert is_disposable("a@mailinator.com")
    assert is_disposable("a@b.mailinator.com")
    assert not is_disposable("a@example.org")
