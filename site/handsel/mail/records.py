"""What the DNS says of a domain that mail comes from, and what receivers make of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dns.resolver import Resolver

PATIENCE = 3.0  # seconds for one question
POLICIES = ("none", "quarantine", "reject")


class Silent(Exception):
    """No name server answered, or none that knows."""


class Remark(NamedTuple):
    """Something to mend (``bad``) or to know about a domain's records: what, and what to do."""

    bad: bool
    what: str
    do: str


@dataclass(frozen=True)
class Records:
    """The records of one domain that matter to mail.

    ``dmarc`` is the record of the domain or of the nearest one above it, as receivers look for it, and ``dmarc_at`` the
    domain where it stands. ``signs`` is False only when there certainly is no DKIM key. ``mx`` are the hosts that take
    mail, ``.`` alone where the domain says that it takes none.
    """

    domain: str
    spf: tuple[str, ...]
    dmarc: tuple[str, ...]
    dmarc_at: str
    signs: bool
    mx: tuple[str, ...]
    has_address: bool


def resolver(server: str = "") -> Resolver:
    """One that asks ``server`` (``address`` or ``address:port``), or whom this machine asks."""
    import dns.resolver  # 60 ms

    found = dns.resolver.Resolver(configure=not server)
    if server:
        address, _, port = server.rpartition(":") if server.count(":") == 1 else (server.strip("[]"), "", "")
        found.nameservers = [address]
        found.port = int(port or 53)
    found.timeout = found.lifetime = PATIENCE
    return found


def look(domain: str, asked: Resolver) -> Records:
    """The records of ``domain``. Raises Silent when the answers cannot be had."""
    import dns.exception

    try:
        dmarc, dmarc_at = _dmarc(asked, domain)
        mx = tuple(sorted(str(row.exchange) for row in _rows(asked, domain, "MX")))
        return Records(
            domain, tuple(text for text in _texts(asked, domain) if _begins(text, "v=spf1")), dmarc, dmarc_at,
            _exists(asked, f"_domainkey.{domain}"), mx,
            bool(mx) or bool(_rows(asked, domain, "A")) or bool(_rows(asked, domain, "AAAA")))
    except (dns.exception.DNSException, OSError) as error:
        raise Silent(domain) from error


def judge(found: Records) -> Iterator[Remark]:
    """What receivers will mind about the records, the worst first."""
    yield from _spf(found)
    yield from _policy(found)
    if not found.signs:
        yield Remark(False, "It publishes no DKIM key, so nobody can see that a mail was signed for it.",
                     "Switch DKIM on at your mail provider and add the record that it names under "
                     f"_domainkey.{found.domain}.")
    if found.mx == (".",):
        yield Remark(True, "It says that it takes no mail (a null MX): replies and bounces are lost.",
                     "Send from a domain that takes mail.")
    elif not found.mx and not found.has_address:
        yield Remark(True, "Nothing takes mail for it: replies and bounces are lost, and many receivers refuse such "
                     "a sender.", "Add the MX record that your mail provider names.")


def _spf(found: Records) -> Iterator[Remark]:
    if len(found.spf) != 1:
        yield Remark(True, f"It has {len(found.spf) or 'no'} SPF record{'s' if found.spf else ''}; "
                     "receivers want exactly one.", "Add the TXT record `v=spf1 …` that your mail provider names."
                     if not found.spf else "Join them into one TXT record.")
        return
    terms = found.spf[0].lower().split()
    ends = {term.lstrip("+-~?") for term in terms}
    if {"all", "+all"} & set(terms):
        yield Remark(True, "Its SPF record lets the whole world send in its name (`+all`).",
                     "End it with `~all` or `-all`.")
    elif "all" not in ends and not any(term.startswith("redirect=") for term in terms):
        yield Remark(False, "Its SPF record says nothing about everybody else.", "End it with `~all` or `-all`.")


def _policy(found: Records) -> Iterator[Remark]:
    if not found.dmarc:
        yield Remark(True, "It has no DMARC record; large receivers refuse such mail.",
                     f"Add the TXT record `_dmarc.{found.domain}` with `v=DMARC1; p=none; rua=mailto:…`.")
        return
    if len(found.dmarc) > 1:
        yield Remark(True, f"{found.dmarc_at} has {len(found.dmarc)} DMARC records, so receivers heed none.",
                     "Keep one of them.")
        return
    tags = dict(part.strip().lower().split("=", 1) for part in found.dmarc[0].split(";") if "=" in part)
    if tags.get("p", "").strip() not in POLICIES:
        yield Remark(True, f"The DMARC record of {found.dmarc_at} names no policy, so receivers heed none of it.",
                     "Add `p=none`, `p=quarantine` or `p=reject`.")


def _dmarc(asked: Resolver, domain: str) -> tuple[tuple[str, ...], str]:
    """The DMARC records of the domain or of the nearest one above it, and where they stand."""
    labels = domain.split(".")
    for above in range(max(1, len(labels) - 1)):
        name = ".".join(labels[above:])
        texts = tuple(text for text in _texts(asked, f"_dmarc.{name}") if _begins(text, "v=dmarc1"))
        if texts:
            return texts, name
    return (), domain


def _begins(text: str, version: str) -> bool:
    return text.lower().replace(" ", "").startswith(version)


def _texts(asked: Resolver, name: str) -> list[str]:
    return [b"".join(row.strings).decode("ascii", "replace") for row in _rows(asked, name, "TXT")]


def _rows(asked: Resolver, name: str, kind: str) -> list[Any]:
    import dns.resolver

    try:
        return list(asked.resolve(name, kind))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []


def _exists(asked: Resolver, name: str) -> bool:
    """Whether the name or one below it exists: a name without records of its own is answered with nothing, not no."""
    import dns.resolver

    try:
        asked.resolve(name, "TXT", raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return False
    return True
