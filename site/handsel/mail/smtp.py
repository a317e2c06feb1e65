"""One kept connection to the mail server, through Flask-Mail, with time-outs at every step."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable

import flask_mail
from flask import Flask

from handsel.mail import address
from handsel.mail.transport import Answer, Handover, Scope, always

MAILS_PER_CONNECTION = 500  # servers grow suspicious of connections that never end
PATIENCE = 6  # the answer to the text may take so many times longer than others: filters read the mail first
ACCESS_CODES = frozenset({454, 530, 534, 535, 538})


class Lost(Exception):
    """The connection is gone. ``begun`` tells whether the text had begun to go out."""

    def __init__(self, stage: str, begun: bool) -> None:
        super().__init__(stage)
        self.stage = stage
        self.begun = begun


class Mail(flask_mail.Mail):
    """Flask-Mail, set up from ``MAIL_URL``, giving connections that keep to time-outs."""

    def init_mail(self, config: dict[str, object], debug: bool | int = False,
                  testing: bool = False) -> flask_mail._Mail:
        """Flask-Mail's settings from ours; mail is never silently swallowed, not even in tests."""
        self.at = address.read(str(config["MAIL_URL"]))
        self.timeout = float(str(config["MAIL_TIMEOUT"]))
        self.helo = "localhost"
        return flask_mail._Mail(
            server=self.at.host, port=self.at.port, username=self.at.user or None, password=self.at.password or None,
            use_tls=self.at.tls == "starttls", use_ssl=self.at.tls == "tls", default_sender=None, debug=0,
            max_emails=MAILS_PER_CONNECTION, suppress=False, ascii_attachments=False)

    def connect(self) -> KeptConnection:
        """A connection, not yet opened."""
        return KeptConnection(self)


class KeptConnection(flask_mail.Connection):
    """A conversation with one server. ``hand_over`` raises Lost when the line breaks."""

    host: smtplib.SMTP | None

    def __init__(self, mail: Mail) -> None:
        assert mail.state is not None
        super().__init__(mail.state)  # type: ignore[arg-type]  # Flask-Mail hands its state over under this name too
        self.ours = mail
        self.pipelining = False

    def configure_host(self) -> smtplib.SMTP:
        """Connect, greet, protect the line and sign in. Raises what smtplib and the network raise."""
        at, timeout = self.ours.at, self.ours.timeout
        context = None if at.tls == "off" else ssl.create_default_context()
        host: smtplib.SMTP
        if at.tls == "tls":
            host = smtplib.SMTP_SSL(at.host, at.port, self.ours.helo, timeout=timeout, context=context)
        else:
            host = smtplib.SMTP(at.host, at.port, self.ours.helo, timeout=timeout)
        try:
            if at.tls == "starttls":
                host.starttls(context=context)
            host.ehlo_or_helo_if_needed()
            if at.user:
                host.login(at.user, at.password)
        except BaseException:
            host.close()
            raise
        self.pipelining = host.has_extn("pipelining")
        return host

    def open(self) -> None:
        """Open the line unless it is open."""
        if self.host is None:
            self.__enter__()

    def drop(self) -> None:
        """Let go of the line without a word."""
        if self.host is not None:
            self.host.close()
            self.host = None

    def leave(self) -> None:
        """Say QUIT and let go; a server that is gone already does not matter."""
        if self.host is not None:
            try:
                self.host.quit()
            except (smtplib.SMTPException, OSError):
                self.host.close()
            self.host = None

    def hand_over(self, mail: Handover, last_word: Callable[[], bool]) -> Answer:
        """One mail over the open line. Raises Lost when the line breaks before an answer to the text."""
        assert self.host is not None
        refused = self._address(mail, with_data=last_word is always)
        if refused is not None:
            return refused
        if last_word is not always:
            if not last_word():
                self._reset()
                return Answer("withheld", "")
            self._say("DATA", b"DATA\r\n")
        code, text = self._hear("DATA")
        if code != 354:
            self._reset(code)
            return _refusal("DATA", code, text)
        answer = self._text(mail.data)
        self.num_emails += 1
        return answer

    def _address(self, mail: Handover, with_data: bool) -> Answer | None:
        """MAIL, RCPT and, when nothing can stop the mail, DATA; in one go where the server allows it."""
        wide = not mail.recipient.isascii()
        if wide and not (self.host and self.host.has_extn("smtputf8")):
            return Answer("failed", "The mail server cannot write to addresses with letters outside A to Z.")
        options = " SMTPUTF8" if wide else ""
        lines = [("MAIL", f"MAIL FROM:<{mail.sender}>{options}\r\n"), ("RCPT", f"RCPT TO:<{mail.recipient}>\r\n")]
        if with_data:
            lines.append(("DATA", "DATA\r\n"))
        if self.pipelining:
            self._say("MAIL", "".join(line for _, line in lines).encode())
        refused: Answer | None = None
        for stage, line in lines:
            if not self.pipelining and refused is None:
                self._say(stage, line.encode())
            if stage == "DATA":
                if refused is not None and self.pipelining:
                    self._unsay_data()
                break
            if refused is not None and not self.pipelining:
                break
            code, text = self._hear(stage)
            if code // 100 != 2 and refused is None:
                refused = _refusal(stage, code, text)
                if code == 421:
                    break
        if refused is not None:
            self._reset(refused.code)
        return refused

    def _unsay_data(self) -> None:
        """After a refusal, a DATA sent along is refused too, or taken for a mail to nobody, which we end at once."""
        code, _ = self._hear("DATA")
        if code == 354:
            self._say("DATA", b".\r\n")
            self._hear("DATA")

    def _text(self, data: bytes) -> Answer:
        assert self.host is not None
        assert self.host.sock is not None
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        timeout = self.ours.timeout
        self.host.sock.settimeout(min(600.0, timeout * PATIENCE))
        try:
            try:
                self.host.sock.sendall(stuffed + b".\r\n")
            except ConnectionError:
                pass  # a server that refuses a mail half-way may have said why
            except OSError as error:
                raise Lost("text", begun=True) from error
            code, text = self._hear("text", begun=True)
        finally:
            if self.host.sock is not None:
                self.host.sock.settimeout(timeout)
        if code // 100 == 2:
            return Answer("sent", f"{code} {text}", code=code)
        if code == 421:
            self.drop()
        return _refusal("text", code, text)

    def _reset(self, code: int = 0) -> None:
        if code == 421:
            self.drop()
            return
        try:
            self._say("RSET", b"RSET\r\n")
            self._hear("RSET")
        except Lost:
            self.drop()

    def _say(self, stage: str, line: bytes) -> None:
        assert self.host is not None
        try:
            self.host.send(line)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise Lost(stage, begun=False) from error

    def _hear(self, stage: str, begun: bool = False) -> tuple[int, str]:
        assert self.host is not None
        try:
            code, text = self.host.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise Lost(stage, begun) from error
        if code < 200:
            raise Lost(stage, begun)
        return code, " ".join(text.decode("utf-8", "replace").split())[:500]


def _refusal(stage: str, code: int, text: str) -> Answer:
    """What a 4xx or 5xx answer at ``stage`` means."""
    status = text.split(" ", 1)[0]
    whole = f"{code} {text}"
    scope: Scope = "message"
    if code in ACCESS_CODES or (stage == "MAIL" and status.startswith("5.7.")):
        return Answer("retry", whole, "access", code)
    if code == 421:
        scope = "server" if stage == "MAIL" else "domain"
    elif status.startswith("4.7."):
        scope = "domain"
    if code // 100 == 5:
        return Answer("failed", whole, "domain" if status.startswith("5.7.") else "message", code)
    return Answer("retry", whole, scope, code)


class MailServer:
    """The transport to the server of ``MAIL_URL``: opens its connection when needed, keeps it, renews it in time."""

    def __init__(self, app: Flask, helo: str) -> None:
        self.mail = Mail(app)
        self.mail.helo = helo
        self.connection = self.mail.connect()

    def hand_over(self, mail: Handover, last_word: Callable[[], bool] = always) -> Answer:
        """See ``Transport``. A kept line that turns out dead is opened again, once."""
        if not mail.fits:
            return Answer("failed", "The address cannot be written to.")
        while True:
            fresh = self.connection.host is None
            if fresh:
                closed = self._open()
                if closed is not None:
                    return closed
            try:
                answer = self.connection.hand_over(mail, last_word)
            except Lost as lost:
                self.connection.drop()
                if lost.begun:
                    return Answer("unknown", "The connection was lost while the mail was handed over; "
                                  "nobody can know whether it arrived.")
                if fresh:
                    return Answer("retry", f"The mail server closed the connection at {lost.stage}, or fell silent.")
                continue
            except BaseException:
                self.connection.drop()
                raise
            if self.connection.num_emails >= MAILS_PER_CONNECTION:
                self.connection.leave()
            return answer

    def _open(self) -> Answer | None:
        """Open the line, or say what keeps it closed."""
        try:
            self.connection.open()
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
            return Answer("retry", _words(error), "access", getattr(error, "smtp_code", 0))
        except smtplib.SMTPResponseException as error:
            scope: Scope = "access" if error.smtp_code in ACCESS_CODES else "server"
            return Answer("retry", _words(error), scope, error.smtp_code)
        except (smtplib.SMTPException, OSError) as error:
            return Answer("retry", _words(error), "server")
        return None

    def probe(self) -> Answer | None:
        """What keeps us out of the mail server; None if it lets us in. Nothing is sent."""
        refused = self._open()
        self.close()
        return refused

    def close(self) -> None:
        """See ``Transport``."""
        self.connection.leave()


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {' '.join(text.split())[:500]}"
    if isinstance(error, TimeoutError):
        return "The mail server does not answer in time."
    return f"The mail server cannot be reached: {' '.join(str(error).split())[:300] or type(error).__name__}."
