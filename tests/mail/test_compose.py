"""Letters as they travel: right for every mail program, whatever stands in the values."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from factories import NOON
from handsel.mail.compose import LARGEST_HTML, Compiled, Draft, compile_letter, message_id
from handsel.mail.encode import clean
from handsel.mail.layout import House
from handsel.merge import parse

HOUSE = House("Little Press", "https://press.example", "Little Press", "hello@press.example", "hello@press.example",
              "Little Press Ltd, 2 Sample Street, Leeds LS1 1AA", "https://press.example/privacy/")
URLS = {"unsubscribe_url": "https://press.example/u/abcdefghijklmnopqrstuv.advice",
        "preferences_url": "https://press.example/preferences/abcdefghijklmnopqrstuv",
        "get_url": "https://press.example/get/abcdefghijklmnopqrstuv"}


def letter(kind: str = "letter", subject: str = "{{ first_name | Hello }}, have you begun?",
           html: str = "<p>Hello {{ first_name | there }},</p><p>naïve – and <b>bold</b>.</p>",
           text: str = "Hello {{ first_name | there }},\n\nnaïve – and bold.\n", house: House = HOUSE) -> Compiled:
    preheader = parse("For {{ company | you }}")
    return compile_letter(Draft(kind, parse(subject), parse(html), parse(text), preheader, "guide", "The small guide",
                                "01-begin", "Tips that follow a download"), house)


def read(data: bytes) -> EmailMessage:
    """The mail, by a parser that forgives nothing."""
    mail = email.message_from_bytes(data, policy=email.policy.default.clone(raise_on_defect=True))
    assert isinstance(mail, EmailMessage)
    for part in mail.walk():
        assert part.defects == []
        for value in part.values():
            assert value.defects == ()
    return mail


def fill(compiled: Compiled, to: str = "ada@example.org", **values: str) -> bytes:
    return compiled.fill(URLS | values, to=to, at=NOON, message_id=message_id(b"secret", "key", compiled.domain))


def content(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, VALUES)
@example("Ann\r\nBcc: victim@example.org", "x")
@example("=?utf-8?q?=0D=0ABcc:_victim@example.org?=", "=")
@example(".", "..")
@example("From me", "From: me@example.org")
@example("{{ unsubscribe_url }}", "{{ 7 * 7 }}{% raw %}")
@example("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
@example("\u202egro.elpmaxe", "\u2028Bcc: x@example.org")
@example("é" * 200, "=" * 200)
@example(" ", "\x00")
def test_any_value_arrives_as_it_was_and_changes_nothing_around_it(first, company):
    compiled = letter(html='<p title="{{ company }}">Hello {{ first_name | there }},</p>'
                           '<p><a href="https://x.example/?q={{ company }}">Read</a></p>',
                      text="Hello {{ first_name | there }}, of {{ company }}.\n")

    data = fill(compiled, first_name=first, company=company)

    mail = read(data)
    plain = read(fill(compiled, first_name="Ada", company="Engines"))
    assert mail.keys() == plain.keys()
    shown = clean(first) or ("there" if not first else "")
    assert content(mail, "plain").startswith(f"Hello {shown}, of {clean(company)}.")
    assert str(mail["Subject"]) == clean(f"{first or 'Hello'}, have you begun?")
    assert tags(content(mail, "html")) == tags(content(plain, "html"))
    assert_travels_well(data)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found.append(f"{tag} {' '.join(name for name, _ in attrs)}")


def tags(html: str) -> list[str]:
    reader = _Tags()
    reader.feed(html)
    return reader.found


def assert_travels_well(data: bytes) -> None:
    assert data.isascii()
    assert data.endswith(b"\r\n")
    lines = data.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line or b"\0" in line for line in lines)
    assert max(map(len, lines)) <= 76


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300).filter(clean))
def test_any_fixed_text_arrives_as_it_was(words):
    words = words.replace("{{", "").replace("\r", "").replace("\x85", "")
    body = "\n".join(clean(line) for line in words.split("\n")).strip("\n")
    data = fill(letter(text=body + "\n", subject="Fixed"))

    assert content(read(data), "plain").replace("\r\n", "\n").startswith(body)
    assert_travels_well(data)


@pytest.mark.parametrize("words", ["日本語のお知らせです。" * 30, "Здравствуйте, это длинное письмо. " * 20,
                                   "שלום לכולם " * 30])
def test_other_scripts_travel_as_base64_and_arrive(words):
    compiled = letter(text=words + " {{ first_name | друг }}\n", subject=words[:120] + " {{ first_name }}")
    data = fill(compiled, first_name="Зоя")

    mail = read(data)
    assert content(mail, "plain").startswith(words + " Зоя")
    assert str(mail["Subject"]) == clean(words[:120] + " Зоя")
    assert mail.get_body(("plain",))["Content-Transfer-Encoding"] == "base64"
    assert_travels_well(data)


@pytest.mark.parametrize("sender", ["Little Press", 'Jo "The Press" O\'Neil, Ltd.', "Żółw Książki", "J. R. Smith", ""])
def test_the_senders_name_is_read_as_written(sender):
    house = House("x", "https://press.example", sender, "hello@press.example")
    mail = read(fill(letter(house=house)))

    (address,) = mail["From"].addresses
    assert (address.display_name, address.addr_spec) == (sender, "hello@press.example")


def test_a_very_long_senders_name_is_spread_over_encoded_words():
    house = House("x", "https://press.example", "a" * 120, "hello@press.example")
    data = fill(letter(house=house))

    legacy = email.message_from_bytes(data)["From"]  # the modern parser puts a blank between encoded words
    assert str(make_header(decode_header(legacy))).replace(" ", "") == "a" * 120 + "<hello@press.example>"
    assert_travels_well(data)


HEADERS = {
    "delivery": ["From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Auto-Submitted",
                 "X-Auto-Response-Suppress", "Feedback-ID", "Content-Type"],
    "confirm": ["From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Auto-Submitted",
                "X-Auto-Response-Suppress", "Feedback-ID", "Content-Type"],
    "letter": ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Reply-To",
               "MIME-Version", "Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "List-Id", "Feedback-ID",
               "Content-Type"],
    "notice": ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted",
               "X-Auto-Response-Suppress", "Content-Type"],
    "personal": ["From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"],
    "account": ["From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Auto-Submitted",
                "X-Auto-Response-Suppress", "Content-Type"],
}


@pytest.mark.parametrize("kind", HEADERS)
def test_each_kind_carries_exactly_its_headers(kind):
    mail = read(fill(letter(kind), first_name="Ada"))

    assert mail.keys() == HEADERS[kind]
    assert mail["Auto-Submitted"] == (None if kind == "personal" else "auto-generated")
    assert mail["To"].addresses[0].addr_spec == "ada@example.org"
    assert len(mail["To"].addresses) == 1


def test_a_letter_can_be_left_with_one_click():
    mail = read(fill(letter()))

    assert mail["List-Unsubscribe"] == f"<{URLS['unsubscribe_url']}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == '"The small guide" <guide.press.example>'
    assert mail["Precedence"] == "bulk"
    for subtype in ("plain", "html"):
        for words in (URLS["unsubscribe_url"], URLS["preferences_url"], "2 Sample Street", "press.example/privacy/"):
            assert words in content(mail, subtype)


def test_a_delivery_has_nothing_to_unsubscribe_from():
    mail = read(fill(letter("delivery")))

    assert "nsubscribe" not in content(mail, "plain") + content(mail, "html")
    assert URLS["preferences_url"] in content(mail, "plain")


def test_the_text_says_nearly_all_that_the_html_says():
    mail = read(fill(letter()))
    unread = r"<style.*?</style>|<title.*?</title>|<div class=.first.*?</div>|<[^>]+>"
    html = re.sub(unread, " ", content(mail, "html"), flags=re.DOTALL)
    words = set(re.findall(r"\w+", html.replace("&nbsp;", " ")))

    missing = words - set(re.findall(r"\w+", content(mail, "plain")))
    assert len(missing) <= 0.1 * len(words), missing


def test_the_message_id_is_the_same_at_every_try_and_tells_nothing():
    first, second = message_id(b"secret", "row", "press.example"), message_id(b"secret", "row", "press.example")

    assert first == second
    assert re.fullmatch(r"<[0-9a-f]{40}@press\.example>", first)
    assert first != message_id(b"secret", "other", "press.example")
    assert first != message_id(b"other", "row", "press.example")


@pytest.mark.parametrize("to", ["a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "<a@b.example>",
                                "a b@c.example", "nobody"])
def test_what_is_no_single_address_gets_no_mail(to):
    with pytest.raises(ValueError, match="not an address"):
        fill(letter(), to=to)


def test_no_part_of_a_mail_grows_beyond_what_mail_programs_show():
    assert len(content(read(fill(letter())), "html").encode()) < LARGEST_HTML / 10


def test_the_date_is_in_utc():
    assert read(fill(letter()))["Date"].datetime - NOON == timedelta(0)


def test_values_are_put_in_once():
    mail = read(fill(letter(), first_name="{{ company }}", company="{{ first_name }}"))

    assert content(mail, "plain").startswith("Hello {{ company }},")


def test_nothing_of_a_mail_is_loaded_from_elsewhere():
    html = content(read(fill(letter())), "html")

    assert re.findall(r"(?:src|background|url)\s*[=(]\s*[\"']?http", html) == []
    assert "<script" not in html
