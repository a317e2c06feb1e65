"""What a domain's records mean for its mail, asked of a real name server on loopback."""

from __future__ import annotations

import pytest

from handsel.mail import records
from handsel.mail.records import Silent, judge, look, resolver
from support.names import NameServer

GOOD = {
    ("press.co.uk", "TXT"): ['"v=spf1 include:_spf.provider.net ~all"', '"other=1"'],
    ("_dmarc.press.co.uk", "TXT"): ['"v=DMARC1; p=none; " "rua=mailto:a@press.co.uk"'],
    ("s1._domainkey.press.co.uk", "TXT"): ['"v=DKIM1; p=MIIB"'],
    ("press.co.uk", "MX"): ["10 mx.provider.net."],
}
Zone = dict[tuple[str, str], list[str]]


def remarks(zone: Zone, domain: str = "press.co.uk") -> list[tuple[bool, str]]:
    with NameServer(zone) as server:
        return [(bad, what) for bad, what, _ in judge(look(domain, resolver(server.address)))]


def test_a_domain_with_all_its_records_is_well() -> None:
    assert remarks(GOOD) == []


def without(*names: tuple[str, str]) -> Zone:
    return {key: rows for key, rows in GOOD.items() if key not in names}


@pytest.mark.parametrize(("zone", "said"), [
    (without(("press.co.uk", "TXT")), (True, "It has no SPF record; receivers want exactly one.")),
    (GOOD | {("press.co.uk", "TXT"): ['"v=spf1 a -all"', '"v=spf1 mx -all"']},
     (True, "It has 2 SPF records; receivers want exactly one.")),
    (GOOD | {("press.co.uk", "TXT"): ['"v=spf1 +all"']},
     (True, "Its SPF record lets the whole world send in its name (`+all`).")),
    (GOOD | {("press.co.uk", "TXT"): ['"v=spf1 a mx"']},
     (False, "Its SPF record says nothing about everybody else.")),
    (without(("_dmarc.press.co.uk", "TXT")), (True, "It has no DMARC record; large receivers refuse such mail.")),
    (GOOD | {("_dmarc.press.co.uk", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']},
     (True, "press.co.uk has 2 DMARC records, so receivers heed none.")),
    (GOOD | {("_dmarc.press.co.uk", "TXT"): ['"v=DMARC1; rua=mailto:a@press.co.uk"']},
     (True, "The DMARC record of press.co.uk names no policy, so receivers heed none of it.")),
    (without(("s1._domainkey.press.co.uk", "TXT")),
     (False, "It publishes no DKIM key, so nobody can see that a mail was signed for it.")),
    (GOOD | {("press.co.uk", "MX"): ["0 ."]},
     (True, "It says that it takes no mail (a null MX): replies and bounces are lost.")),
    (without(("press.co.uk", "MX")),
     (True, "Nothing takes mail for it: replies and bounces are lost, and many receivers refuse such a sender.")),
])
def test_what_is_missing_or_wrong_is_named(zone: Zone, said: tuple[bool, str]) -> None:
    assert remarks(zone) == [said]


def test_a_domain_without_mx_takes_mail_at_its_address() -> None:
    assert remarks(without(("press.co.uk", "MX")) | {("press.co.uk", "A"): ["192.0.2.1"]}) == []


def test_a_redirected_spf_record_is_whole() -> None:
    assert remarks(GOOD | {("press.co.uk", "TXT"): ['"v=spf1 redirect=_spf.provider.net"']}) == []


def test_a_domain_below_is_covered_by_the_dmarc_record_above_it() -> None:
    below = {(name.replace("press.co.uk", "news.press.co.uk") if not name.startswith("_dmarc") else name, kind): rows
             for (name, kind), rows in GOOD.items()}
    with NameServer(below) as server:
        found = look("news.press.co.uk", resolver(server.address))

    assert (found.dmarc_at, list(judge(found))) == ("press.co.uk", [])


def test_a_domain_that_does_not_exist_lacks_everything() -> None:
    assert [bad for bad, _ in remarks({}, "nowhere.co.uk")] == [True, True, False, True]


def test_a_server_that_says_nothing_is_told_from_one_that_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PATIENCE", 0.2)
    with NameServer(GOOD, silent=True) as server, pytest.raises(Silent):
        look("press.co.uk", resolver(server.address))


def test_a_server_that_is_not_there_is_silent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PATIENCE", 0.2)
    with pytest.raises(Silent):
        look("press.co.uk", resolver("127.0.0.1:9"))
