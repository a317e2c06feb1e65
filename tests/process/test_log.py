"""The log tells what happened and nothing about a person."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from handsel import log
from handsel.db import db


@pytest.fixture
def lines() -> Iterator[Callable[..., list[str]]]:
    """What the log wrote since ``configure`` was called with these settings."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def start(**settings: bool) -> list[str]:
        log.configure("INFO", stream=stream, **settings)
        return []

    start.read = lambda: stream.getvalue().splitlines()  # type: ignore[attr-defined]
    yield start
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_to_read_has_the_part_and_its_facts(lines: Callable[..., list[str]]) -> None:
    lines()
    logging.getLogger("handsel.offers").warning("a fault in %s", "landing.md", extra={"offer": "guide"})
    [line] = lines.read()  # type: ignore[attr-defined]
    assert line[9:] == "warning offers: a fault in landing.md  offer=guide"


def test_a_line_for_programs_is_one_json_object(lines: Callable[..., list[str]]) -> None:
    lines(machine=True)
    try:
        raise ValueError("broken\nin two lines")
    except ValueError:
        logging.getLogger("handsel.mail").exception("it failed", extra={"step": "01-begin"})
    [line] = lines.read()  # type: ignore[attr-defined]
    row = json.loads(line)
    assert [row[name] for name in ("level", "part", "message", "step")] == [
        "error", "handsel.mail", "it failed", "01-begin"]
    assert row["error"].endswith("ValueError: broken\nin two lines")


@pytest.mark.parametrize("machine", [True, False])
def test_addresses_and_personal_links_do_not_reach_it(lines: Callable[..., list[str]], machine: bool) -> None:
    lines(machine=machine)
    logging.getLogger("handsel").info("to %s by /get/%s", "Ann.O'Neill+x@mail.example.co.uk", "q" * 22,
                                      extra={"link": "https://x.example/u/abcdefghijklmnopqrstuv.advice"})
    [line] = lines.read()  # type: ignore[attr-defined]
    for secret in ("Neill", "mail.example", "q" * 22, "abcdefghijklmnop"):
        assert secret not in line
    assert "(address)" in line


def test_what_a_visitor_typed_is_not_in_the_text_of_a_database_error(app: Flask) -> None:
    with pytest.raises(DBAPIError) as error:
        db.session.execute(text("SELECT :typed FROM nowhere"), {"typed": "canary"})
    assert "canary" not in str(error.value)
