"""The conversation with the mail server, and the address it is found by."""

from __future__ import annotations

import socket
import threading

import pytest

from handsel.errors import SettingsError
from handsel.mail import address
from handsel.mail.smtp import MailServer
from handsel.mail.transport import Handover
from support import on_sqlite

MAIL = Handover("b+1@press.example", "ada@example.org", b"Subject: x\r\n\r\nHello\r\n.\r\n..two\r\nFrom me\r\n")


class Scripted:
    """A server that knows PIPELINING and answers each command from a list; keeps all that it was told."""

    def __init__(self, *answers: str, greeting: str = "220 hi") -> None:
        self.answers = list(answers)
        self.greeting = greeting
        self.told = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while self.answers:
            line, _ = self.listener.accept()
            with line, line.makefile("rb") as heard:
                line.sendall(self.greeting.encode() + b"\r\n")
                self._talk(line, heard)
        self.listener.close()

    def _talk(self, line, heard) -> None:
        in_text = False
        while self.answers:
            said = heard.readline()
            if not said:
                return
            self.told += said
            if in_text and said != b".\r\n":
                continue
            if said.startswith(b"ehlo"):
                line.sendall(b"250-mx\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                continue
            answer = self.answers.pop(0)
            in_text = answer.startswith("354")
            if answer == "hang up":
                return
            line.sendall(answer.encode() + b"\r\n")


@pytest.fixture
def server(make_app):
    made = []

    def connect(scripted: Scripted) -> MailServer:
        app = make_app(MAIL_URL=f"smtp://127.0.0.1:{scripted.port}", MAIL_TIMEOUT=2.0)
        made.append(MailServer(app, "press.example"))
        return made[-1]

    yield connect
    for transport in made:
        transport.connection.drop()


@on_sqlite
class TestConversation:
    def test_a_mail_goes_out_in_one_breath_where_the_server_allows_it(self, server):
        scripted = Scripted("250 ok", "250 ok", "354 go", "250 2.0.0 taken")

        answer = server(scripted).hand_over(MAIL)

        assert (answer.outcome, answer.text) == ("sent", "250 2.0.0 taken")
        assert scripted.told == (b"ehlo press.example\r\nMAIL FROM:<b+1@press.example>\r\nRCPT TO:<ada@example.org>\r\n"
                                 b"DATA\r\nSubject: x\r\n\r\nHello\r\n..\r\n...two\r\nFrom me\r\n.\r\n")

    def test_a_letter_asks_before_its_text_goes_out(self, server):
        scripted = Scripted("250 ok", "250 ok", "250 reset")
        asked = []

        answer = server(scripted).hand_over(MAIL, lambda: asked.append(scripted.told) or False)

        assert answer.outcome == "withheld"
        assert asked[0].endswith(b"RCPT TO:<ada@example.org>\r\n")
        assert b"DATA" not in scripted.told

    def test_a_refusal_takes_back_a_data_that_was_sent_along(self, server):
        scripted = Scripted("250 ok", "550 5.1.1 nobody", "354 go", "554 no recipients", "250 reset",
                            "250 ok", "250 ok", "354 go", "250 taken")
        transport = server(scripted)

        refused, taken = transport.hand_over(MAIL), transport.hand_over(MAIL)

        assert (refused.outcome, refused.status, refused.hard_bounce) == ("failed", "5.1.1", True)
        assert taken.outcome == "sent"
        assert scripted.told.count(b"ehlo") == 1

    def test_busy_servers_are_understood_at_every_stage(self, server):
        for answers, scope in ((["421 4.3.2 down"], "server"), (["250 ok", "421 4.7.0 slow"], "domain"),
                               (["250 ok", "451 4.7.1 slow", "503 no"], "domain"),
                               (["250 ok", "450 4.2.1 later", "503 no"], "message")):
            answer = server(Scripted(*answers, "250 reset")).hand_over(MAIL)
            assert (answer.outcome, answer.scope) == ("retry", scope), answers

    def test_a_greeting_of_refusal_concerns_the_server(self, server):
        answer = server(Scripted("221 bye", greeting="554 5.7.1 go away")).hand_over(MAIL)

        assert (answer.outcome, answer.scope, answer.text) == ("retry", "server", "554 5.7.1 go away")

    @pytest.mark.parametrize("recipient", ["a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", "<x@y.example>",
                                           "no"])
    def test_what_would_be_two_commands_never_reaches_the_server(self, server, recipient):
        scripted = Scripted("221 bye")

        answer = server(scripted).hand_over(Handover("b@press.example", recipient, b"x\r\n"))

        assert (answer.outcome, scripted.told) == ("failed", b"")

    def test_letters_beyond_ascii_in_the_address_need_a_server_that_knows_them(self, server):
        answer = server(Scripted("221 bye")).hand_over(Handover("b@press.example", "зоя@example.org", b"x\r\n"))

        assert answer.outcome == "failed"
        assert "letters outside A to Z" in answer.text

    def test_a_server_whose_certificate_is_not_trusted_is_an_alarm(self, make_app, tmp_path):
        answer = MailServer(make_app(MAIL_URL=f"smtps://127.0.0.1:{_tls_server(tmp_path)}", MAIL_TIMEOUT=2.0),
                            "press.example").hand_over(MAIL)

        assert (answer.outcome, answer.scope) == ("retry", "access")
        assert "certificate" in answer.text

    def test_a_server_without_the_wanted_protection_gets_no_password(self, make_app):
        scripted = Scripted("221 bye")
        app = make_app(MAIL_URL=f"smtp://me:secret@127.0.0.1:{scripted.port}?tls=starttls", MAIL_TIMEOUT=2.0)

        answer = MailServer(app, "press.example").hand_over(MAIL)

        assert (answer.outcome, answer.scope) == ("retry", "access")
        assert b"secret" not in scripted.told
        assert b"AUTH" not in scripted.told


def _tls_server(folder) -> int:
    """A port behind which a certificate stands that nobody has signed."""
    import ssl
    import subprocess

    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mx.test",
                    "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        try:
            context.wrap_socket(line, server_side=True)
        except OSError:
            line.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


@pytest.mark.parametrize(("url", "read"), [
    ("smtp://mail.example.org", ("mail.example.org", 25, "off", "", "")),
    ("smtp://mail.example.org:587", ("mail.example.org", 587, "starttls", "", "")),
    ("smtp://me:s%40cret@mail.example.org:587?tls=starttls", ("mail.example.org", 587, "starttls", "me", "s@cret")),
    ("smtp://mail.example.org?tls=starttls", ("mail.example.org", 587, "starttls", "", "")),
    ("smtp://mail.example.org:465", ("mail.example.org", 465, "tls", "", "")),
    ("smtps://me:x@mail.example.org", ("mail.example.org", 465, "tls", "me", "x")),
    ("starttls://mail.example.org:2525", ("mail.example.org", 2525, "starttls", "", "")),
    ("smtp://me:x@localhost:1025", ("localhost", 1025, "off", "me", "x")),
    ("smtp://[::1]:25", ("::1", 25, "off", "", "")),
])
def test_a_servers_address_is_read(url, read):
    found = address.read(url)

    assert (found.host, found.port, found.tls, found.user, found.password) == read


@pytest.mark.parametrize(("url", "words"), [
    ("http://mail.example.org", "There is no kind of mail server 'http'."),
    ("mail.example.org:587", "There is no kind of mail server"),
    ("smtp://", "names no host"),
    ("smtp://mail.example.org:abc", "cannot be read"),
    ("smtp://mail.example.org:99999", "cannot be read"),
    ("smtp://mail.example.org?tls=maybe", "There is no kind of protection 'maybe'."),
    ("smtp://mail.example.org?ssl=on", "There is no option 'ssl'."),
    ("smtp://me:secret@mail.example.org", "in the open"),
    ("smtp://me:secret@mail.example.org:587?tls=off", "in the open"),
    ("smtp://me@mail.example.org:587", "not both"),
    ("smtps://mail.example.org?tls=starttls", "contradict"),
    ("smtp://me:se/cret@mail.example.org:587", "%2F"),
])
def test_a_wrong_address_is_a_fault_that_does_not_tell_the_password(url, words):
    with pytest.raises(SettingsError) as caught:
        address.read(url)

    assert words in str(caught.value)
    assert caught.value.where == "HANDSEL_MAIL_URL"
    assert "secret" not in str(caught.value)
