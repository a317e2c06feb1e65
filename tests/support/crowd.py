"""Visitors who submit a form again and again, with a ledger of every answer: what was acknowledged must be there."""

from __future__ import annotations

import http.client
import re
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode, urlsplit

from support.smtp import FaultyServer
from support.web import CHROME

TOKEN = re.compile(rb'name="form-token" form="get" value="([^"]+)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": CHROME}


@dataclass
class Ledger:
    """What the visitors know: the thank-you key of each acknowledged address, and how long each answer took."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    refused: list[tuple[int, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Crowd:
    """``size`` visitors at once, each submitting with a new address every ``pause`` seconds until ``leave``."""

    def __init__(self, base: str, size: int, pause: float, path: str = "/offers/guide/") -> None:
        self.place = urlsplit(base).netloc
        self.path = path
        self.pause = pause
        self.ledger = Ledger()
        self._numbers = count(1)
        self._leave = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(size)]

    def come(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def leave(self) -> Ledger:
        """Let everyone finish what they are at, and give the ledger."""
        self._leave.set()
        for thread in self._threads:
            thread.join(60)
        return self.ledger

    def _visit(self) -> None:
        while not self._leave.is_set():
            with self._lock:
                email = f"visitor{next(self._numbers)}@people.example"
            self._submit(email)
            self._leave.wait(self.pause)

    def _submit(self, email: str) -> None:
        """Submit one address; when the line breaks, send the very same form again, as a person would."""
        token = b""
        patient_until = time.monotonic() + 90
        while time.monotonic() < patient_until:
            try:
                if not token:
                    found = TOKEN.search(self._ask("GET", self.path)[2])
                    if found is None:
                        continue
                    token = found.group(1)
                body = urlencode({"email": email, "first_name": "Ann", "consent-advice": "yes",
                                  "form-token": token.decode()})
                began = time.monotonic()
                status, location, _ = self._ask("POST", self.path, body)
            except (OSError, http.client.HTTPException):
                self._leave.wait(0.2)
                continue
            if status == 303:
                with self._lock:
                    self.ledger.acknowledged[email] = location.rstrip("/").rsplit("/", 1)[-1]
                    self.ledger.seconds.append(time.monotonic() - began)
                return
            with self._lock:
                self.ledger.refused.append((status, email))
            token = b""  # the clock moved on while the page was open: the visitor takes a new one
        with self._lock:
            self.ledger.unanswered.add(email)

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str, bytes]:
        return ask(self.place, method, path, body)


def ask(place: str, method: str, path: str, body: str | None = None) -> tuple[int, str, bytes]:
    """One request on a line of its own: status, where it sends us, body."""
    line = http.client.HTTPConnection(place, timeout=30)
    try:
        line.request(method, path, body, FORM)
        answer = line.getresponse()
        return answer.status, answer.getheader("Location") or "", answer.read()
    finally:
        line.close()


class Readers:
    """Those who read the mail that comes and press the button of its download page, which proves their mailbox."""

    def __init__(self, base: str, smtp: FaultyServer, number: int = 3) -> None:
        self.place = urlsplit(base).netloc
        self.smtp = smtp
        self.proven: set[str] = set()
        self.read = 0
        """How many mails have been read to the end."""
        self._taken = count()
        self._leave = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._read, daemon=True) for _ in range(number)]

    def come(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def leave(self) -> None:
        self._leave.set()
        for thread in self._threads:
            thread.join(60)

    def _read(self) -> None:
        while True:
            with self._lock:
                mine = next(self._taken)
            while mine >= len(self.smtp.received):
                if self._leave.wait(0.05):
                    return
            mail = self.smtp.received[mine]
            link = re.search(rb"/get/[\w-]{16,}", mail.data.replace(b"=\r\n", b""))
            while link and mail.recipient not in self.proven and not self._press(link.group().decode(), mail.recipient):
                if self._leave.wait(0.1):
                    return
            with self._lock:
                self.read += 1

    def _press(self, path: str, reader: str) -> bool:
        """Press the button; whether the site answered."""
        try:
            status, _, _ = ask(self.place, "POST", path, "")
        except (OSError, http.client.HTTPException):
            return False
        if status in {200, 303}:
            self.proven.add(reader)
        return True
