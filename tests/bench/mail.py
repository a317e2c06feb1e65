"""How fast mail is handed over, beside Debian's smtp-source on the same sink: ``python tests/bench/mail.py``."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from handsel import assembly, clock, create_app
from handsel.db import db

SOURCE, SINK = "/usr/sbin/smtp-source", "/usr/sbin/smtp-sink"


@dataclass(frozen=True)
class Handed:
    """Mails a second: the references, ours on a bare line, and ours through the whole queue (claims, looks, results).

    ``smtp_source`` is one session as the program runs it, a connection for each mail; ``smtp_source_kept`` keeps one
    connection as we do (``-d``).
    """

    smtp_source: float
    smtp_source_kept: float
    line: float
    queue_letters: float
    queue_deliveries: float

    @property
    def ratio(self) -> float:
        """Ours on one line against smtp-source with one session; the target is 0.75."""
        return self.line / self.smtp_source

    @property
    def ratio_kept(self) -> float:
        """Ours on one line against smtp-source on one kept connection."""
        return self.line / self.smtp_source_kept


@contextmanager
def sink() -> Iterator[int]:
    """smtp-sink on a free port of loopback: it takes every mail and keeps none."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([SINK, "-u", "nobody", f"127.0.0.1:{port}", "1000"])
    try:
        for _ in range(100):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def handed_over(project: Path, number: int = 3000, passes: int = 5) -> Handed:
    """Measure in turn, medians of ``passes``; the letter is the project's first follow-up, filled for each lead."""
    if not (Path(SOURCE).exists() and Path(SINK).exists()):
        raise RuntimeError("smtp-source and smtp-sink are missing: apt-get install postfix")
    with sink() as port, TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("instance", ".git", ".venv", "site", "tests"))
        app = create_app(copy, ENV="test", MAIL_URL=f"smtp://127.0.0.1:{port}", SITE_URL="https://press.example")
        with app.app_context():
            fill, size = _filler(app)
            reference, kept, line = [], [], []
            for _ in range(passes):
                reference.append(_rate(number, lambda: _smtp_source(port, number, size)))
                kept.append(_rate(number, lambda: _smtp_source(port, number, size, "-d")))
                line.append(_rate(number, lambda: _hand_over(app, fill, number)))
            letters = [_queued(app, "letter", number // 3) for _ in range(3)]
            deliveries = [_queued(app, "delivery", number // 3) for _ in range(3)]
            db.engine.dispose()
        assembly.close(app)
    return Handed(median(reference), median(kept), median(line), median(letters), median(deliveries))


def _rate(number: int, act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return number / (time.perf_counter() - began)


def _smtp_source(port: int, number: int, size: int, *options: str) -> None:
    subprocess.run([SOURCE, *options, "-s", "1", "-m", str(number), "-l", str(size), "-f", "b@press.example",
                    "-t", "ada@example.org", f"127.0.0.1:{port}"], check=True)


def _offer(app: object) -> tuple[str, str]:
    project = app.extensions["handsel.offers"].project  # type: ignore[attr-defined]
    offer = next(offer for offer in project.offers.values() if offer.follow_ups and offer.asset)
    return offer.slug, offer.follow_ups[0].step


def _filler(app: object) -> tuple[Callable[[int], bytes], int]:
    from handsel.mail.compose import message_id
    from handsel.worker.letters import Letters

    letters = Letters(app)  # type: ignore[arg-type]
    letters.use(app.extensions["handsel.offers"].project)  # type: ignore[attr-defined]
    compiled = letters.find("letter", *_offer(app))
    assert compiled is not None

    def fill(number: int) -> bytes:
        url = "https://press.example"
        return compiled.fill(
            {"first_name": f"Ada{number}", "site_url": url, "unsubscribe_url": f"{url}/u/{number:022d}.advice",
             "preferences_url": f"{url}/preferences/{number:022d}"},
            to=f"lead{number}@example.org", at=clock.now(), message_id=message_id(b"key", str(number), "press.example"))

    return fill, len(fill(1))


def _hand_over(app: object, fill: Callable[[int], bytes], number: int) -> None:
    from handsel.mail.transport import Handover, open_transport

    transport = open_transport(app, "press.example")  # type: ignore[arg-type]
    for each in range(number):
        answer = transport.hand_over(Handover(f"b+{each}@press.example", f"lead{each}@example.org", fill(each)))
        assert answer.outcome == "sent", answer
    transport.close()


def _queued(app: object, kind: str, number: int) -> float:
    """Mails a second from rows in the database to results in the database (SQLite, FULL)."""
    from sqlalchemy import insert

    from handsel.db import write_connection
    from handsel.leads.models import Consent, Lead
    from handsel.mail import queue
    from handsel.mail.models import Message
    from handsel.worker.deliver import deliver_due

    db.create_all()
    at = clock.now()
    offer, step = _offer(app)
    with write_connection() as connection:
        for model in (Message, Consent, Lead):
            connection.execute(model.__table__.delete())  # type: ignore[attr-defined]
        leads = [{"id": each + 1, "key": f"{each:022d}", "email": f"lead{each}@example.org",
                  "address": f"lead{each}@example.org", "first_name": "Ada", "captured_at": at, "last_capture_at": at,
                  "confirmed_at": at} for each in range(number)]
        connection.execute(insert(Lead), leads)
        connection.execute(insert(Consent), [{"lead_id": lead["id"], "purpose": "advice", "state": "confirmed",
                                              "way": "form", "at": at} for lead in leads])
        connection.execute(insert(Message), [
            queue.row(kind, once=f"{kind}-{lead['id']}", at=at, lead_id=lead["id"], offer=offer, topic="advice",
                      step=step if kind == "letter" else "00-delivery") for lead in leads])
    began = time.perf_counter()
    assert deliver_due(app)["sent"] == number  # type: ignore[arg-type]
    return number / (time.perf_counter() - began)


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent.parent
    found = handed_over(root)
    sys.stdout.write(
        f"smtp-source, 1 session          {found.smtp_source:7.0f} mails/s\n"
        f"smtp-source, 1 kept connection  {found.smtp_source_kept:7.0f} mails/s\n"
        f"one line, filled for each lead  {found.line:7.0f} mails/s  {found.ratio:.2f} of the first (target 0.75), "
        f"{found.ratio_kept:.2f} of the second\n"
        f"queue, deliveries               {found.queue_deliveries:7.0f} mails/s\n"
        f"queue, letters                  {found.queue_letters:7.0f} mails/s\n")
