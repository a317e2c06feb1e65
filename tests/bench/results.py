"""From the thank-you answer to the results: how long a conversion takes until a program reads it from the API.

Everything is real: ``handsel run`` with its worker, forms sent over HTTP by visitors who differ, the results read with
a key. Once on a calm site, and once while sixteen others fill in forms of another offer as fast as they are answered.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from urllib.parse import urlencode

from frame import SAMPLE, a_project, say, upgraded
from support.running import Site, wait_until
from support.web import CHROME

CONVERSIONS = 100
OTHERS = 16
TOKEN = re.compile(rb'name="form-token" form="get" value="([^"]+)"')
RESULTS = "/api/v1/experiments/guide/results"


def run() -> None:
    with a_project(SAMPLE) as project:
        site = upgraded(Site(project))
        key = _key(site)
        site.start()
        try:
            wait_until(lambda: _conversions(site, key) is not None, 30, "the worker begins the test")
            time.sleep(3)  # a test counts from two seconds after its beginning
            _row("a conversion is read from the API after", _seconds(site, key, 0))
            with _crowd(site):
                _row("the same while 16 others send forms", _seconds(site, key, CONVERSIONS))
        finally:
            site.stop()


def _row(job: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=100)
    say(job, f"p50 {cuts[49] * 1000:,.0f} ms, p95 {cuts[94] * 1000:,.0f} ms",
        f"{len(seconds)} conversions, longest {max(seconds) * 1000:,.0f} ms", None, "p95 <= 1 s", cuts[94] <= 1)


def _seconds(site: Site, key: str, first: int) -> list[float]:
    """For each of so many visitors, the seconds from the answer to their form to the results that count it."""
    taken = []
    for number in range(first, first + CONVERSIONS):
        before = _conversions(site, key) or 0
        _send(site, "/offers/guide/", f"reader{number}@people.example", _browser(f"1.{number}"))
        began = time.perf_counter()
        while (_conversions(site, key) or 0) <= before:
            assert time.perf_counter() - began < 30, "the conversion is never counted"
            time.sleep(0.005)
        taken.append(time.perf_counter() - began)
        time.sleep(0.0137 * (number % 40))  # so that they fall anywhere between two rounds of the worker
    return taken


def _send(site: Site, path: str, email: str, browser: str) -> None:
    """One visitor takes the page and sends its form."""
    token = TOKEN.search(_ask(site, "GET", path, {"User-Agent": browser})[1])
    assert token, "no form on the page"
    body = urlencode({"email": email, "first_name": "Ann", "name": "Ann", "company": "Acme", "consent-advice": "yes",
                      "form-token": token[1].decode()})
    status, said = _ask(site, "POST", path, {"User-Agent": browser}, body)
    assert status == 303, said[:300]


def _browser(version: str) -> str:
    """A browser that nobody else has: visitors are told apart by network and browser."""
    return CHROME.replace("Chrome/", f"Chrome/{version}.")


def _ask(site: Site, method: str, path: str, headers: dict[str, str], body: str | None = None) -> tuple[int, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        line.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"} | headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def _conversions(site: Site, key: str) -> int | None:
    """The conversions in the results; None while there is no test yet."""
    status, said = _ask(site, "GET", RESULTS, {"Authorization": f"Bearer {key}"})
    if status == 404:
        return None
    assert status == 200, said
    return sum(arm["conversions"] for arm in json.loads(said)["experiment"]["arms"])


def _key(site: Site) -> str:
    said = subprocess.run([sys.executable, "-m", "handsel", "--project", str(site.project), "user", "key", "add", "us"],
                          env=site.environ, check=True, capture_output=True, text=True)
    return said.stdout.strip()


@contextmanager
def _crowd(site: Site) -> Iterator[None]:
    """Visitors of the newsletter who never rest."""
    leave = threading.Event()

    def visit(one: int) -> None:
        number = 0
        while not leave.is_set():
            number += 1
            _send(site, "/offers/newsletter/", f"other{one}-{number}@people.example",
                  _browser(f"2.{one}.{number}"))

    threads = [threading.Thread(target=visit, args=(one,), daemon=True) for one in range(OTHERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        leave.set()
        for thread in threads:
            thread.join(30)


if __name__ == "__main__":
    run()
