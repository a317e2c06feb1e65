"""What every bench stands on: taking turns, CPU beside wall time, load from another core, and how a row is printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from support.running import Site, free_port, wait_until

SAMPLE = Path(__file__).parents[1] / "sample"
PASSES = int(os.environ.get("BENCH_PASSES", "5"))
SERVER_CORE, CLIENT_CORE = 0, min(1, (os.cpu_count() or 1) - 1)
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9", "Accept-Encoding": "gzip, deflate, br",
}


class MissingError(Exception):
    """A tool that a bench needs is not there; the text says the one command that brings it."""


def need(program: str, package: str) -> str:
    """The path of ``program``, installed from Debian if it is missing and we may. Raises MissingError otherwise."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    found = shutil.which(program, path=path)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], check=False,
                       env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = shutil.which(program, path=path)
    if found is None:
        raise MissingError(f"{program} is missing. Run: sudo apt-get install {package}")
    return found


def taking_turns(*cases: Callable[[], float], passes: int = PASSES) -> list[float]:
    """The medians of ``cases``, measured A B A B, so that what else the machine does falls on all alike."""
    taken: list[list[float]] = [[] for _ in cases]
    for _ in range(passes):
        for case, values in zip(cases, taken, strict=True):
            values.append(case())
    return [median(values) for values in taken]


def say(job: str, ours: str, limit: str, ratio: float | None, target: str, met: bool | None = None) -> None:
    """Print one row: what was measured beside what it is held against, and whether the target was met."""
    mark = {True: "met", False: "SHORT", None: ""}[met]
    shown = "" if ratio is None else f"{ratio:.2f}"
    sys.stdout.write(f"{job:44} {ours:>34}  {limit:>44} {shown:>6}  {target:16} {mark}\n")
    sys.stdout.flush()


def cpu(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that these processes have used so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes if process.is_running())


@dataclass
class Load:
    """What a client saw: answers a second, milliseconds at the half and the 99th percentile, CPU of the server each."""

    rate: float
    p50: float
    p99: float
    cpu_us: float
    answers: int
    wrong: int


def press(url: str, processes: list[psutil.Process], connections: int = 32, seconds: float = 2,
          script: Path | None = None, **headers: str) -> Load:
    """Ask for ``url`` as fast as it answers, from the client's core, with a browser's headers and these besides."""
    wrk = need("wrk", "wrk")
    command = ["taskset", "-c", str(CLIENT_CORE), wrk, "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--latency"]
    for name, value in (BROWSER | headers).items():
        command += ["-H", f"{name}: {value}"]
    if script:
        command += ["-s", str(script)]
    before = cpu(processes)
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    used = cpu(processes) - before
    answers = int(_found(r"(\d+) requests in", said))
    wrong = int(_found(r"Non-2xx or 3xx responses: (\d+)", said, "0"))
    return Load(float(_found(r"Requests/sec:\s+([\d.]+)", said)), _milliseconds("50%", said),
                _milliseconds("99%", said), used / max(answers, 1) * 1e6, answers, wrong)


def _found(pattern: str, text: str, default: str | None = None) -> str:
    match = re.search(pattern, text)
    if match is None:
        assert default is not None, text
        return default
    return match.group(1)


def _milliseconds(at: str, text: str) -> float:
    match = re.search(rf"{at}\s+([\d.]+)(us|ms|s)\b", text)
    assert match, text
    return float(match.group(1)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[match.group(2)]


def pin(process: psutil.Process, core: int = SERVER_CORE) -> None:
    """Keep a process with all its threads and children on one core."""
    for each in [process, *process.children(recursive=True)]:
        for thread in each.threads():
            os.sched_setaffinity(thread.id, {core})


@contextmanager
def a_project(source: Path = SAMPLE) -> Iterator[Path]:
    """A copy of a project, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="handsel-bench-", dir=os.environ.get("BENCH_DIR")) as folder:
        project = Path(folder) / "project"
        shutil.copytree(source, project, ignore=shutil.ignore_patterns(
            "instance", ".git", ".venv", "site", "tests", ".cache", ".*_cache"))
        (project / "instance").mkdir()
        yield project


def upgraded(site: Site) -> Site:
    """Make the tables of a site that is to be served."""
    subprocess.run([sys.executable, "-m", "handsel", "--project", str(site.project), "db", "upgrade"],
                   env=site.environ, check=True, stdout=subprocess.DEVNULL)
    return site


@contextmanager
def served(project: Path) -> Iterator[tuple[Site, list[psutil.Process]]]:
    """``handsel serve`` with one worker on the server's core; the site and its worker process."""
    site = Site(project, command="serve")
    del site.environ["HANDSEL_CLOCK_FILE"]  # for tests alone: it is read at each question for the time
    upgraded(site).start()
    try:
        assert site.process is not None
        parent = psutil.Process(site.process.pid)
        wait_until(lambda: len(site.children()) == 1)
        pin(parent)
        yield site, site.children()
    finally:
        site.stop()


@contextmanager
def nginx(files: dict[str, bytes]) -> Iterator[tuple[str, list[psutil.Process]]]:
    """nginx with one worker on the server's core, serving these bytes without sendfile; its address and worker."""
    program = need("nginx", "nginx-light")
    with tempfile.TemporaryDirectory(prefix="handsel-nginx-") as folder:
        place, port = Path(folder), free_port()
        place.chmod(0o755)
        for name, content in files.items():
            (place / name).write_bytes(content)
        (place / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {place}/pid; error_log {place}/log;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ access_log off; sendfile off; keepalive_requests 100000000; default_type text/html; types {{}}\n"
            f"server {{ listen 127.0.0.1:{port}; root {place}; }} }}\n")
        process = subprocess.Popen([program, "-p", str(place), "-c", str(place / "nginx.conf")],
                                   stderr=subprocess.DEVNULL)
        try:
            parent = psutil.Process(process.pid)
            wait_until(lambda: len(parent.children()) == 1)
            pin(parent)
            yield f"http://127.0.0.1:{port}", parent.children()
        finally:
            process.terminate()
            process.wait()
