"""A real SMTP server on loopback that keeps what it gets and fails as it is told."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "dot")


@dataclass
class Fault:
    """What goes wrong at a stage of the conversation, and how many times (-1: always).

    ``how`` is an answer such as ``451 try later``, or ``drop`` (hang up instead of answering), ``drop-after`` (answer,
    then hang up), ``silent`` (never answer), ``slow`` (answer after ``seconds``). At ``data`` the answer is the one to
    the DATA command, at ``dot`` the one after the message. ``only`` limits the fault to one recipient.
    """

    stage: str
    how: str
    times: int = -1
    only: str = ""
    seconds: float = 1.0


@dataclass(frozen=True)
class Received:
    """One message that the server answered 250 to (or hung up on after the dot: ``accepted`` is False)."""

    sender: str
    recipient: str
    data: bytes
    connection: int
    accepted: bool = True
    at: float = field(default_factory=time.monotonic)

    @property
    def message(self) -> EmailMessage:
        """The parsed message."""
        return cast(EmailMessage, email.message_from_bytes(self.data, policy=email.policy.default))

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """The plain text part."""
        part = self.message.get_body(("plain",))
        assert part is not None, "the message has no plain text part"
        return str(part.get_content())

    @property
    def html(self) -> str:
        """The HTML part."""
        part = self.message.get_body(("html",))
        assert part is not None, "the message has no HTML part"
        return str(part.get_content())


class _Conversation(SMTP):
    """One connection, with the faults of its server."""

    def __init__(self, server: FaultyServer) -> None:
        super().__init__(server, hostname="mx.test", data_size_limit=10_000_000, enable_SMTPUTF8=True)
        self.server = server
        self.stage = "connect"
        self.number = next(server.numbers)

    async def push(self, status: str | bytes) -> None:
        text = status.decode() if isinstance(status, bytes) else status
        if self.stage == "data" and not text.startswith(("354", "4", "5")):
            self.stage = "dot"
        fault = self.server.fault(self.stage, self.recipient)
        if fault is None:
            await super().push(status)
        elif fault.how == "silent":
            await asyncio.sleep(3600)
        elif fault.how == "slow":
            await asyncio.sleep(fault.seconds)
            await super().push(status)
        else:
            if fault.how == "drop-after":
                await super().push(status)
            elif fault.how != "drop":
                await super().push(fault.how)
            if fault.how.startswith("drop") or self.stage == "connect":
                self.transport.close()

    @property
    def recipient(self) -> str:
        return self.envelope.rcpt_tos[-1] if self.envelope is not None and self.envelope.rcpt_tos else ""

    async def smtp_EHLO(self, hostname: str) -> None:
        self.stage = "ehlo"
        await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname: str) -> None:
        self.stage = "ehlo"
        await super().smtp_HELO(hostname)

    async def smtp_MAIL(self, arg: str | None) -> None:
        self.stage = "mail"
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        self.stage = "rcpt"
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str | None) -> None:
        self.stage = "data"
        fault = self.server.fault("data", self.recipient, peek=True)
        if fault is not None and fault.how[:1] in "45":
            await self.push("554 refused")  # push says the fault's own words; the message is not read
            return
        await super().smtp_DATA(arg)

    async def smtp_RSET(self, arg: str | None) -> None:
        self.stage = "rset"
        await super().smtp_RSET(arg)

    async def smtp_QUIT(self, arg: str | None) -> None:
        self.stage = "quit"
        await super().smtp_QUIT(arg)


class FaultyServer:
    """The server: ``url`` for our settings, ``received`` for what came, ``fail`` for what shall go wrong."""

    def __init__(self) -> None:
        from itertools import count

        self.received: list[Received] = []
        self.faults: list[Fault] = []
        self.numbers = count(1)
        self._changed = threading.Condition()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._loop: asyncio.AbstractEventLoop | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?tls=off"

    def start(self) -> None:
        """Listen (again) on the same port."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the mail server did not start"

    def stop(self) -> None:
        """Stop listening and hang up on everybody: connections are refused until ``start``."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join(10)
            self._loop = None

    def fail(self, stage: str, how: str, times: int = -1, only: str = "", seconds: float = 1.0) -> Fault:
        """Let something go wrong from now on; see Fault. ``mend`` ends it."""
        assert stage in STAGES, stage
        fault = Fault(stage, how, times, only, seconds)
        with self._changed:
            self.faults.append(fault)
        return fault

    def mend(self) -> None:
        """Everything works again."""
        with self._changed:
            self.faults.clear()

    def fault(self, stage: str, recipient: str, peek: bool = False) -> Fault | None:
        """The fault that is due at ``stage``, counted down unless ``peek``."""
        with self._changed:
            for fault in self.faults:
                if fault.stage == stage and fault.times != 0 and (not fault.only or fault.only == recipient):
                    if not peek and fault.times > 0:
                        fault.times -= 1
                    return fault
        return None

    def to(self, address: str) -> list[Received]:
        """What came for ``address``, oldest first."""
        return [item for item in list(self.received) if item.recipient == address and item.accepted]

    def wait(self, number: int = 1, to: str | None = None, seconds: float = 15) -> list[Received]:
        """Messages (to one address) once there are at least ``number``; fails after ``seconds``."""
        return self.wait_until(lambda: self.to(to) if to else [i for i in self.received if i.accepted], number, seconds)

    def wait_until(self, found: Callable[[], list[Received]], number: int, seconds: float) -> list[Received]:
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(found()) >= number, seconds)
        assert arrived, f"{len(found())} of {number} messages came within {seconds} s"
        return found()

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """What aiosmtpd calls with a whole message."""
        conversation = cast(_Conversation, server)
        fault = self.fault("dot", conversation.recipient, peek=True)
        lost = fault is not None and (fault.how[:1] in "45" or fault.how == "silent")
        if not lost:
            dropped = fault is not None and fault.how == "drop"
            with self._changed:
                self.received.extend(
                    Received(envelope.mail_from or "", recipient, cast(bytes, envelope.original_content or b""),
                             conversation.number, not dropped)
                    for recipient in envelope.rcpt_tos)
                self._changed.notify_all()
        return "250 2.0.0 queued as TEST"

    def _run(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)

        async def listen() -> asyncio.Server:
            return await loop.create_server(lambda: _Conversation(self), "127.0.0.1", self.port, reuse_address=True)

        server: Any = loop.run_until_complete(listen())
        ready.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
