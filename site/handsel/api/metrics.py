"""Figures for Prometheus: what the database knows, the same from every process, and what only this process knows.

Off for strangers: with HANDSEL_METRICS_TOKEN set, whoever brings it as a bearer token may ask; without it, only this
machine itself may, and never in production, where a proxy on the same machine would ask for the whole world.
"""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask, Response, abort, current_app, request
from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from handsel import __version__, clock
from handsel.api import bp
from handsel.db import db
from handsel.leads.models import Capture
from handsel.mail.models import KINDS, STATES, Message, Pause
from handsel.mail.queue import HELD, PARKED
from handsel.offers.live import current
from handsel.traffic.models import Tally

if TYPE_CHECKING:
    from prometheus_client.core import Metric

FRESH = 10.0  # seconds for which the database's figures are kept: impatient collectors cost it nothing
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


class Figure(NamedTuple):
    """One figure: its name, what it tells, the names of its labels, and its values by their labels."""

    name: str
    what: str
    labels: tuple[str, ...]
    values: dict[tuple[str, ...], float]


@bp.get("/metrics")
def metrics() -> Response:
    """Every figure in Prometheus's text format."""
    _admit()
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest  # 40 ms at first use

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    answer = Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _admit() -> None:
    token = str(current_app.config["METRICS_TOKEN"])
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, token.encode()):
            answer = Response("Bring the token.\n", 401, content_type="text/plain; charset=utf-8")
            answer.headers["WWW-Authenticate"] = "Bearer"
            abort(answer)
    elif current_app.config["ENV"] == "production" or not _is_this_machine():
        abort(404)


def _is_this_machine() -> bool:
    try:
        near = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return near and not any(name in request.headers for name in FORWARDED)


class _Collector:
    """Our figures as the library wants them."""

    def collect(self) -> Iterable[Metric]:
        """Every figure anew."""
        from prometheus_client.core import GaugeMetricFamily

        for figure in (*_of_database(), *_of_process()):
            family = GaugeMetricFamily(figure.name, figure.what, labels=figure.labels)
            for labels, value in figure.values.items():
                family.add_metric(labels, value)
            yield family


def _of_database() -> list[Figure]:
    """The database's figures, at most FRESH seconds old; only that it does not answer when it does not."""
    kept: _Kept = current_app.extensions["handsel.metrics"]
    with kept.lock:
        if time.monotonic() - kept.asked > FRESH:
            try:
                with db.engine.connect() as connection:
                    kept.figures = [_up(1), *_mail(connection, clock.now()), *_people(connection, clock.now())]
            except SQLAlchemyError:
                return [_up(0)]
            kept.asked = time.monotonic()
        return kept.figures


class _Kept:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked = float("-inf")
        self.born = time.time()
        self.figures: list[Figure] = []


def init_app(app: Flask) -> None:
    """Make room for the figures that ``app`` keeps for a moment."""
    app.extensions["handsel.metrics"] = _Kept()


def _up(value: float) -> Figure:
    return Figure("handsel_database_up", "Whether the database answers.", (), {(): value})


def _mail(connection: Connection, at: datetime) -> Iterator[Figure]:
    rows = connection.execute(select(Message.kind, Message.state, func.count()).group_by(Message.kind, Message.state))
    states: dict[tuple[str, ...], float] = {(kind, state): 0.0 for kind in KINDS for state in STATES}
    states |= {(kind, state): float(number) for kind, state, number in rows}
    yield Figure("handsel_messages", "Messages by kind and state.", ("kind", "state"), states)
    waiting = (Message.state == "queued", Message.due_at <= at)
    due, oldest = connection.execute(select(func.count(), func.min(Message.due_at)).where(*waiting)).one()
    yield Figure("handsel_messages_due", "Messages that could go out now and have not.", (), {(): due})
    age = (at - oldest).total_seconds() if oldest else 0.0
    yield Figure("handsel_oldest_due_message_seconds", "For how long the oldest of them has been due.", (), {(): age})
    held = connection.scalar(select(func.count()).where(
        Message.state == "queued", Message.due_at >= HELD, Message.due_at < PARKED)) or 0
    yield Figure("handsel_messages_held", "Letters that wait for `handsel mail release`.", (), {(): held})
    pauses = connection.scalar(select(func.count()).select_from(Pause).where(
        (Pause.until_at.is_(None)) | (Pause.until_at > at))) or 0
    yield Figure("handsel_mail_pauses", "Mail servers and domains that rest after an error, or all mail held.", (),
                 {(): pauses})


def _people(connection: Connection, at: datetime) -> Iterator[Figure]:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    captures = connection.execute(select(Capture.offer, func.count()).where(Capture.at >= midnight)
                                  .group_by(Capture.offer))
    yield Figure("handsel_captures_today", "Captures since midnight (UTC).", ("offer",),
                 {(offer,): number for offer, number in captures})
    hits = connection.execute(select(Tally.kind, Tally.excluded, func.sum(Tally.hits)).where(Tally.day == at.date())
                              .group_by(Tally.kind, Tally.excluded))
    yield Figure("handsel_hits_today", "Hits written since midnight (UTC); `excluded` says why some count for nothing.",
                 ("kind", "excluded"), {(kind, excluded): float(number) for kind, excluded, number in hits})


def _of_process() -> Iterator[Figure]:
    """What the process that answers knows of itself; another one may answer the next time, so each says who it is."""
    who, labels = (str(os.getpid()),), ("pid",)
    traffic = current_app.extensions["handsel.traffic"]
    figures: list[tuple[str, str, float]] = [
        ("handsel_process_started_seconds", "When this process began, in seconds since 1970.",
         current_app.extensions["handsel.metrics"].born),
        ("handsel_process_cpu_seconds", "Processor time that this process has used.", time.process_time()),
        ("handsel_process_hits_waiting", "Hits noted and not yet written.", traffic.waiting),
        ("handsel_process_hits_dropped", "Hits lost because the database could not be written.", traffic.dropped),
    ]
    memory = _memory()
    if memory:
        figures.append(("handsel_process_memory_bytes", "Memory of this process (resident).", memory))
    yield Figure("handsel_info", "The release that answers.", ("version",), {(__version__,): 1})
    yield Figure("handsel_project_faults", "Faults in the files, as `handsel check` names them.", (),
                 {(): len(current().faults)})
    for name, what, value in figures:
        yield Figure(name, what, labels, {who: value})


def _memory() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages: Any = file.read().split()[1]
    except (OSError, IndexError):  # no Linux
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
