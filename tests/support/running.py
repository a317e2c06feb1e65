"""A real ``handsel run`` in its own processes, as a person would start it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

# The folder from which ``handsel`` is imported, for an interpreter in which it is not installed.
SOURCE = Path(__file__).parents[2] / "site"


# ``handsel``, which the kernel stops when the test run is killed (PR_SET_PDEATHSIG, of Linux alone).
COMMAND = "import ctypes; ctypes.CDLL(None).prctl(1, 15); from handsel.cli import main; main()"


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], seconds: float = 15, why: str = "",
               story: Callable[[], str] = lambda: "") -> None:
    """Return once ``true()`` holds; fail with ``why`` and the ``story`` as it then is after ``seconds``."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {why or true}\n{story()}"
        pause.wait(0.02)


class Site:
    """One ``handsel run`` (or ``serve``, ``work``) on a project, with its output."""

    def __init__(self, project: Path, database_url: str = "", command: str = "run", mail_url: str = "",
                 workers: int = 1, port: int | None = None, **settings: str) -> None:
        self.project = project
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.clock_file = project / "instance" / "clock"
        self.clock_file.parent.mkdir(exist_ok=True)
        self.clock_file.touch()
        self.command = command
        self.arguments = [] if command == "work" else ["--port", str(self.port), "--workers", str(workers)]
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("HANDSEL_")} | {
            "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1", "HANDSEL_SITE_URL": self.url, "HANDSEL_ENV": "test",
            "HANDSEL_RATE_LIMITS": "off", "HANDSEL_CLOCK_FILE": str(self.clock_file),
        } | {f"HANDSEL_{name}": value for name, value in settings.items()}
        if database_url:
            self.environ["HANDSEL_DATABASE_URL"] = database_url
        if mail_url:
            self.environ["HANDSEL_MAIL_URL"] = mail_url
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self, wait: bool = True) -> Site:
        """Start, and (unless told otherwise) wait for the first answer."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "--project", str(self.project), self.command, *self.arguments],
            env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()
        if wait and self.command != "work":
            wait_until(self.answers, 30, "the site answers")
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        """All that was printed and logged so far."""
        return "\n".join(self.lines)

    @property
    def sign_in(self) -> str:
        """The one-time sign-in link that was printed."""
        wait_until(lambda: re.search(r"https?://\S+/desk/enter/\S+", self.output), 10, "a sign-in link is printed")
        found = re.search(r"https?://\S+/desk/enter/\S+", self.output)
        assert found
        return found.group()

    def answers(self) -> bool:
        """Whether the site answers at all. Fails at once if the command has ended."""
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the command ended with {self.process.returncode}:\n{self.output}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as response:
                return bool(response.status == 200)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def move_clock(self, **by: float) -> None:
        """Let time pass for all processes of the site: ``move_clock(days=2)``."""
        shift = float(self.clock_file.read_text() or 0) + timedelta(**by).total_seconds()
        new = self.clock_file.with_suffix(".new")
        new.write_text(str(shift))
        new.rename(self.clock_file)

    def now(self) -> datetime:
        """The present instant as the site's clock has it."""
        return datetime.now(UTC) + timedelta(seconds=float(self.clock_file.read_text() or 0))

    def children(self) -> list[psutil.Process]:
        """All processes below the command's own."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, how: int = signal.SIGTERM, seconds: float = 20) -> int:
        """Stop with a signal and give the exit code. Fails if a process of it stays."""
        if self.process is None:
            return 0
        try:
            family = self.children()
        except psutil.NoSuchProcess:
            family = []
        if self.process.poll() is None:
            self.process.send_signal(how)
        stuck = False
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            stuck = True
            self.process.kill()
            code = self.process.wait()
        _gone, alive = psutil.wait_procs(family, timeout=seconds)
        for process in alive:
            process.kill()
        self._reader.join(5)
        assert not alive, f"still running after the command ended: {alive}\n{self.output}"
        assert not stuck, f"the command did not stop:\n{self.output}"
        return code
