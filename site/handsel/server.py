"""The web server: a listening socket that outlives its workers, and granian's WSGI worker on it."""

from __future__ import annotations

import errno
import gc
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handsel import assembly, create_app, log
from handsel.errors import HandselError
from handsel.processes import Ready

if TYPE_CHECKING:
    from flask import Flask

BACKLOG = 2048
THREADS = 16
"""Requests that one worker works on at once. More make larger groups of captures that commit together, and leave room
when some wait for a lock; fewer get in each other's way less, since Python runs one at a time."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Held by the parent, it keeps visitors waiting, not refused, while a worker is replaced.

    Raises HandselError when the address cannot be had.
    """
    where = f"{host}:{port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by each connection: or the end of a small answer waits 40 ms for the visitor's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except socket.gaierror as error:
        raise HandselError(where, "There is no such host name on this machine.",
                           "Use --host 127.0.0.1 for this machine alone, or --host 0.0.0.0 for all its addresses."
                           ) from error
    except OSError as error:
        raise HandselError(where, *_refusal(error, port)) from error
    listener.setblocking(False)
    return listener


def _refusal(error: OSError, port: int) -> tuple[str, str]:
    if error.errno == errno.EADDRINUSE:
        return "Another program listens there already.", f"Stop it, or take another port: --port {port + 1}"
    if error.errno == errno.EACCES:
        return "This user may not listen on so low a port.", "Take a port from 1024 on, and put a proxy in front."
    return f"It is not possible to listen there: {os.strerror(error.errno or 0)}.", "Check --host and --port."


def start_log(app: Flask) -> None:
    """Send this process's log where the application's settings say."""
    log.configure(app.config["LOG_LEVEL"], machine=app.config["ENV"] == "production")


def web(listener: socket.socket, root: Path, config: dict[str, Any],
        news: Callable[[Flask], dict[str, Any]]) -> Callable[[Ready], None]:
    """The work of a web worker on ``listener``; ``news`` gives what the parent should hear once it is ready."""

    def work(ready: Ready) -> None:
        app = create_app(root, **config)
        start_log(app)

        def load() -> Callable[..., Any]:
            word = json.dumps(news(app)).encode()
            # Granian puts our environment into that of each request, where our secrets and proxies have no business.
            for name in [name for name in os.environ if name.startswith(("HANDSEL_", "HTTP"))]:
                del os.environ[name]
            gc.collect()
            gc.freeze()  # what stays for good need not be looked through again and again for garbage
            ready(word)
            return app.wsgi_app

        _serve(listener, load)
        assembly.close(app)

    return work


def _serve(listener: socket.socket, load: Callable[[], Callable[..., Any]]) -> None:
    """Answer requests in this process until SIGTERM or SIGINT, and let those that have begun come to their end.

    Granian would start a parent of its own; ours is enough, so its worker's body is run right here, by names that are
    granian's own, which is why its release is pinned. What it offers to everybody costs more than it is worth to us.
    ``Granian(…).serve(target_loader=…)`` binds a socket of its own, so visitors are refused while a process is
    replaced and two generations cannot overlap at a reload; puts a second process between our parent and each worker,
    which leaves the worker behind when that one is killed; and cannot tell us when the worker is ready. Its embedded
    server takes no WSGI.
    """
    from granian import _granian
    from granian.constants import Interfaces, RuntimeModes
    from granian.server.mp import MPServer

    server: Any = MPServer("handsel", interface=Interfaces.WSGI, runtime_mode=RuntimeModes.mt, websockets=False,
                           blocking_threads=THREADS, log_enabled=False)
    holder: Any = _granian.SocketHolder  # its stub lacks the two last arguments
    server._ssp, server._sso, server._shd = None, None, holder(listener.fileno(), False, BACKLOG)
    server._spawn_worker(0, server._spawn_wsgi_worker, load).inner.run()


def mail(listener: socket.socket, root: Path, config: dict[str, Any]) -> Callable[[Ready], None]:
    """The work of a mail worker, which has no use for the web's ``listener``."""

    def work(ready: Ready) -> None:
        listener.close()  # or the port would stay taken while a message is finished after the parent's death
        from handsel import worker

        app = create_app(root, **config)
        start_log(app)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        ready(b"mail")
        worker.run(app, stop)
        assembly.close(app)

    return work
