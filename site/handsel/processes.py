"""One parent that keeps its child processes alive: restarts the dead, stops them together, leaves no orphans.

The parent forks, so a child starts with everything imported. It must have no threads and no open database when it does.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from handsel.errors import HandselError

log = logging.getLogger("handsel.processes")

GRACE = 15.0  # seconds for a child to end what it does before it is killed
STEADY = 10.0  # a child that lived as long did not die of its own start, so it is started again at once
LONGEST_PAUSE = 10.0  # seconds between two tries to start a child that keeps dying

Ready = Callable[[bytes], None]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Import and build all that the children share, without a search for garbage, of which this makes hardly any.

    At the end all of it is set aside for good: no later search looks through it, or touches the memory of it that the
    children share.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@dataclass
class Child:
    """One process: its name, what it does, and how it has fared."""

    name: str
    work: Callable[[Ready], None]
    """Runs in the child until SIGTERM; calls ``ready`` with a word for the parent once it can do its work."""
    rolling: bool = False
    """Whether a reload may start its successor before it ends."""
    pid: int = 0
    born: float = 0.0
    ready: bool = False
    due: float | None = 0.0
    """When to start it, on the monotonic clock; None while it runs."""
    deaths: int = 0
    pipe: int = -1
    leaving: bool = False
    again: bool = False
    successor: Child | None = field(default=None, repr=False)


class Parent:
    """Runs children until SIGTERM or SIGINT. SIGHUP starts each anew, before the old one ends if they may overlap.

    In a terminal SIGHUP means that it was closed, and stops everything.
    """

    def __init__(self, on_ready: Callable[[Child, bytes], None] = lambda child, word: None) -> None:
        self.children: list[Child] = []
        self._on_ready = on_ready
        self._stopping_since: float | None = None
        self._impatient = False
        self._reload = False
        self._life, self._life_end = os.pipe()
        self._wake, self._wake_end = os.pipe()
        os.set_blocking(self._wake_end, False)
        os.set_blocking(self._wake, False)

    def add(self, name: str, work: Callable[[Ready], None], rolling: bool = False) -> None:
        """Have a child that does ``work``; it starts with ``run``."""
        self.children.append(Child(name, work, rolling))

    def run(self) -> None:
        """Keep the children alive until a signal says stop, then return once all have ended."""
        with self._signals():
            while self.children:
                self._start_due()
                self._wait()
                self._bury()
                if self._reload:
                    self._reload = False
                    self._renew()
                if self._stopping_since is not None:
                    self._stop()

    # Signals only set marks and wake the loop up.

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        old = {number: signal.getsignal(number) for number in
               (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)}
        signal.signal(signal.SIGTERM, self._asked_to_stop)
        signal.signal(signal.SIGINT, self._asked_to_stop)
        signal.signal(signal.SIGHUP, self._asked_to_reload)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # its byte on the wake-up pipe is all we want
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in old.items():
                signal.signal(number, handler)

    def _asked_to_stop(self, number: int, _frame: object) -> None:
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
        elif number == signal.SIGINT and time.monotonic() - self._stopping_since > 0.5:
            self._impatient = True  # Ctrl-C once more

    def _asked_to_reload(self, number: int, frame: object) -> None:
        if os.isatty(0):  # the terminal that we were started in is gone
            self._asked_to_stop(number, frame)
        else:
            self._reload = True

    # Births

    def _start_due(self) -> None:
        if self._stopping_since is not None:
            return
        now = time.monotonic()
        for child in self.children:
            if child.due is not None and child.due <= now:
                self._start(child)

    def _start(self, child: Child) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._be(child, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        child.pid, child.pipe, child.born, child.due, child.ready = pid, reading, time.monotonic(), None, False

    def _be(self, child: Child, writing: int) -> NoReturn:
        """Live as ``child`` in the new process; never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for other in self.children:
                if other.pipe >= 0:
                    os.close(other.pipe)
            for descriptor in (self._life_end, self._wake, self._wake_end):
                os.close(descriptor)
            threading.Thread(target=_die_with_parent, args=(self._life,), daemon=True, name="parent").start()

            def ready(word: bytes) -> None:
                with contextlib.suppress(BrokenPipeError):
                    os.write(writing, word + b"\n")
                os.close(writing)

            child.work(ready)
            code = 0
        except HandselError as error:
            log.error("%s", error)
        except BaseException:
            log.exception("the %s process failed", child.name)
        finally:
            with contextlib.suppress(Exception):
                logging.shutdown()
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    # Life

    def _wait(self) -> None:
        """Sleep until a signal, a word from a child, or the next thing that is due."""
        now = time.monotonic()
        moments = [child.due - now for child in self.children if child.due is not None]
        if self._stopping_since is not None:
            moments = [0.2]
        pipes = {child.pipe: child for child in self.children if child.pipe >= 0}
        readable, _, _ = select.select([self._wake, *pipes], [], [], max(0.0, min(moments, default=3600.0)))
        for descriptor in readable:
            if descriptor == self._wake:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            else:
                self._hear(pipes[descriptor])

    def _hear(self, child: Child) -> None:
        word = os.read(child.pipe, 65536)
        os.close(child.pipe)
        child.pipe = -1
        if word and not child.ready:
            child.ready = True
            self._on_ready(child, word.rstrip(b"\n"))
            old = self._predecessor(child)
            if old is not None:
                old.successor = None
                self._dismiss(old)

    def _dismiss(self, child: Child, again: bool = False) -> None:
        """Ask ``child`` to end, and start it anew after that if ``again``."""
        child.leaving, child.again = True, again
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)

    # Deaths

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = next((child for child in self.children if child.pid == pid), None)
            if child is not None:
                self._died(child, status)

    def _died(self, child: Child, status: int) -> None:
        if child.pipe >= 0:
            os.close(child.pipe)
            child.pipe = -1
        child.pid = 0
        if self._stopping_since is not None or child.successor is not None:
            self.children.remove(child)
        elif child.leaving and child.again:
            child.leaving, child.again, child.due = False, False, time.monotonic()
        elif child.leaving:
            self.children.remove(child)
        elif (old := self._predecessor(child)) is not None:
            log.error("the new %s process ended before it was ready; the old one stays", child.name)
            old.successor = None
            self.children.remove(child)
        else:
            self._start_again(child, status)

    def _predecessor(self, child: Child) -> Child | None:
        """The one that ``child`` is to follow, while both are there."""
        return next((old for old in self.children if old.successor is child), None)

    def _start_again(self, child: Child, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        child.deaths = 1 if time.monotonic() - child.born > STEADY else child.deaths + 1
        pause = 0.0 if child.deaths == 1 else min(LONGEST_PAUSE, 0.1 * 2 ** (child.deaths - 1))
        child.due = time.monotonic() + pause
        why = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        log.error("the %s process %s; starting it again%s", child.name, why, f" in {pause:.1f} s" if pause else "")

    def _renew(self) -> None:
        """Start everything anew: overlapping where that may be, and one by one otherwise."""
        for child in [child for child in self.children if child.pid and not child.leaving and child.successor is None]:
            if child.rolling:
                child.successor = Child(child.name, child.work, rolling=True)
                self.children.append(child.successor)
            else:
                self._dismiss(child, again=True)

    def _stop(self) -> None:
        """Ask everyone to end; kill who does not within the grace, or at once when asked twice."""
        self.children = [child for child in self.children if child.pid]
        late = self._impatient or time.monotonic() - (self._stopping_since or 0) > GRACE
        for child in self.children:
            if not child.leaving:
                self._dismiss(child)
            elif late:
                log.error("the %s process does not end; killing it", child.name)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)


def _die_with_parent(life: int) -> None:
    """Wait for the parent's end (its end of the pipe closes, whatever it dies of), then stop this process too."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE)
    os._exit(1)
