"""``handsel run`` as a person or a service manager uses it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from support.crowd import ask
from support.running import SOURCE, Site, free_port, wait_until
from support.smtp import FaultyServer

Start = Callable[..., Site]


def page(site: Site, path: str = "/") -> str:
    status, _, body = ask(f"127.0.0.1:{site.port}", "GET", path)
    assert status == 200, (status, body[:500], site.output)
    return body.decode()


def web_processes(site: Site) -> list[psutil.Process]:
    """The web workers at work: many threads, and the listening socket, which the mail worker lets go."""
    return [child for child in site.children() if len(child.threads()) > 4 and any(
        held.status == psutil.CONN_LISTEN and held.laddr.port == site.port for held in child.net_connections("tcp"))]


def test_it_starts_says_where_to_go_and_lets_the_owner_in_once(start_site: Start) -> None:
    site = start_site()
    wait_until(lambda: "Stop with Ctrl-C." in site.output)

    for words in (f"Site     {site.url}/", f"{site.url}/offers/guide/   The small guide to finishing books",
                  f"Inbox    {site.url}/desk/inbox", f"Desk     {site.url}/desk/"):
        assert words in site.output
    assert "<h1" in page(site)
    assert "<form" in page(site, site.sign_in.removeprefix(site.url))


def test_its_first_page_comes_within_three_seconds_on_a_quiet_machine(start_site: Start) -> None:
    start_site().stop()  # makes the database: a machine that was prepared
    began = time.monotonic()
    site = start_site(wait=False)
    wait_until(lambda: site.answers() and page(site), 30)
    passed = time.monotonic() - began
    bare = _seconds([sys.executable, "-c", "import flask_sqlalchemy, granian"])
    assert passed < max(3.0, 6 * bare), f"{passed:.1f} s; a bare import of our libraries took {bare:.1f} s"


def _seconds(command: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - began


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_leaves_nobody_behind(start_site: Start, how: int) -> None:
    site = start_site(workers=2)
    wait_until(lambda: len(site.children()) == 3, why="two web workers and a mail worker")

    assert site.stop(how) == 0  # Site.stop fails when a process of it stays

    assert "Stopped." in site.output
    assert "error" not in site.output
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", site.port))


def test_children_notice_that_their_parent_was_killed(start_site: Start) -> None:
    site = start_site()
    wait_until(lambda: len(site.children()) == 2)
    family = site.children()
    assert site.process is not None
    site.process.kill()
    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_a_killed_worker_is_replaced_and_no_visitor_is_refused(start_site: Start) -> None:
    site = start_site()
    wait_until(lambda: len(web_processes(site)) == 1)
    for _ in range(3):
        [worker] = web_processes(site)
        worker.kill()
        worker.wait(5)
        assert "<h1" in page(site)  # waits in the parent's socket until the new worker takes it
        wait_until(lambda dead=worker.pid: [p.pid for p in web_processes(site)] not in ([], [dead]))
    assert re.search(r"web-1 process was killed by signal 9; starting it again", site.output)


def test_the_mail_worker_is_replaced_too(start_site: Start) -> None:
    site = start_site()
    wait_until(lambda: len(site.children()) == 2)
    [web] = web_processes(site)
    [mail] = [child for child in site.children() if child.pid != web.pid]
    mail.kill()
    wait_until(lambda: "mail process was killed by signal 9" in site.output and len(site.children()) == 2)


def test_a_reload_refuses_nobody(start_site: Start) -> None:
    site = start_site(workers=2)
    wait_until(lambda: len(site.children()) == 3)
    before = {child.pid for child in site.children()}
    failures: list[object] = []
    done = threading.Event()

    def visit() -> None:
        while not done.is_set():
            try:
                status, _, _ = ask(f"127.0.0.1:{site.port}", "GET", "/")
                failures.extend([status] if status != 200 else [])
            except OSError as error:
                failures.append(error)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    assert site.process is not None
    site.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(site.children()) == 3 and not before & {child.pid for child in site.children()}, 30)
    done.set()
    for visitor in visitors:
        visitor.join()

    assert failures == []


def test_a_reload_that_fails_leaves_the_old_processes_at_work(start_site: Start) -> None:
    site = start_site()
    wait_until(lambda: len(site.children()) == 2)
    [before] = web_processes(site)
    (site.project / "instance" / "config.toml").write_text('log_levl = "INFO"\n')
    assert site.process is not None
    site.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the new web-1 process ended before it was ready; the old one stays" in site.output)
    assert "Did you mean 'LOG_LEVEL'?" in site.output
    assert web_processes(site) == [before]
    assert "<h1" in page(site)


def test_a_save_is_live_in_every_process_within_a_second(start_site: Start) -> None:
    site = start_site(workers=2)
    wait_until(lambda: len(web_processes(site)) == 2)
    page(site)
    file = site.project / "content" / "news.md"
    file.write_text("---\ntitle: News of today\n---\nThe press is running.\n")
    saved = time.monotonic()
    wait_until(lambda: ask(f"127.0.0.1:{site.port}", "GET", "/news/")[0] == 200, 5, "the first process shows it")
    # From here each line may meet the other process; after a second none may be behind.
    threading.Event().wait(max(0.0, saved + 1.0 - time.monotonic()))
    assert [ask(f"127.0.0.1:{site.port}", "GET", "/news/")[0] for _ in range(40)] == [200] * 40


def test_a_form_is_answered_as_fast_while_the_mail_server_is_down(start_site: Start, smtp: FaultyServer) -> None:
    site = start_site(mail_url=smtp.url)
    from support.crowd import Crowd

    def median(prefix: str) -> float:
        crowd = Crowd(site.url, 1, 0)
        for number in range(25):
            crowd._submit(f"{prefix}{number}@people.example")
        assert len(crowd.ledger.acknowledged) == 25
        return sorted(crowd.ledger.seconds)[12]

    median("warm")
    up, down = [], []
    for turn in range(3):
        up.append(median(f"up{turn}-"))
        smtp.fail("connect", "silent")
        down.append(median(f"down{turn}-"))
        smtp.mend()
    assert min(down) < 1.5 * min(up) + 0.01, (up, down)


def start_in_vain(project: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command where it must fail, and give what it said."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)} | environ
    return subprocess.run([sys.executable, "-m", "handsel", *arguments], cwd=project, env=environ, check=False,
                          capture_output=True, text=True, timeout=60)


def test_a_port_that_is_taken_is_said_in_words(project: Path) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        said = start_in_vain(project, "run", "--port", str(port))
    assert (said.returncode, said.stderr) == (1, f"127.0.0.1:{port}: Another program listens there already.\n"
                                                 f"  Stop it, or take another port: --port {port + 1}\n")


def test_a_folder_that_is_no_project_is_said_in_words(tmp_path: Path) -> None:
    said = start_in_vain(tmp_path, "run")
    assert said.returncode == 1
    assert "This folder is no project: it has no content/ in it." in said.stderr


def test_a_setting_that_cannot_be_used_is_said_in_words(project: Path) -> None:
    said = start_in_vain(project, "run", HANDSEL_ENV="prodction")
    assert (said.returncode, said.stderr) == (
        1, "HANDSEL_ENV: The value 'prodction' cannot be used.\n  Did you mean 'production'?\n")


def test_serve_asks_for_an_upgrade_instead_of_making_tables(project: Path) -> None:
    said = start_in_vain(project, "serve", "--port", str(free_port()))
    assert (said.returncode, said.stderr) == (1, "database: It has no tables yet.\n  Run: handsel db upgrade\n")
