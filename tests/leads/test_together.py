"""Work that arrives together commits together, and what fails fails alone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from handsel.leads.rows import Pen
from handsel.leads.together import Together


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
    return path


@pytest.fixture
def together(path: Path) -> Iterator[Together]:
    engine = create_engine(f"sqlite:///{path}", connect_args={
        "check_same_thread": False, "isolation_level": None, "timeout": .2})
    writer = Together(lambda: engine)
    yield writer
    writer.close()
    engine.dispose()


def rows(path: Path) -> list[int]:
    with sqlite3.connect(path) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]


def put(number: int) -> Any:
    def work(pen: Pen) -> int:
        pen.run("INSERT INTO t (n) VALUES (:n)", {"n": number})
        return number

    return work


def all_at_once(together: Together, works: list[Any]) -> list[Any]:
    """Do every piece from a thread of its own; results, and errors in the place of results."""
    results: list[Any] = [None] * len(works)
    barrier = threading.Barrier(len(works))

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = together.do(works[place])
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_each_gets_its_own_answer_and_finds_its_row_written(together: Together, path: Path) -> None:
    assert all_at_once(together, [put(number) for number in range(64)]) == list(range(64))
    assert rows(path) == list(range(64))


def test_one_that_fails_leaves_no_trace_and_no_neighbour_behind(together: Together, path: Path) -> None:
    def half(pen: Pen) -> None:
        put(1000)(pen)
        raise ValueError("no")

    results = all_at_once(together, [half if number % 4 == 0 else put(number) for number in range(48)])
    assert [isinstance(result, ValueError) for result in results] == [number % 4 == 0 for number in range(48)]
    assert rows(path) == [number for number in range(48) if number % 4]


def test_a_database_that_is_taken_refuses_all_and_works_again_when_it_is_free(together: Together, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert all(isinstance(result, sqlite3.OperationalError) for result in all_at_once(together, [put(1), put(2)]))
    other.execute("ROLLBACK")
    assert together.do(put(3)) == 3
    assert rows(path) == [3]
    other.close()


def test_a_full_disk_refuses_all_and_works_again_when_there_is_room(together: Together, path: Path) -> None:
    together.do(lambda pen: pen.run("CREATE TABLE big (x BLOB)", {}))

    def limit(pages: int) -> Any:
        return lambda pen: pen.run(f"PRAGMA max_page_count = {pages}", {})

    def fill(pen: Pen) -> None:
        pen.run("INSERT INTO big (x) VALUES (zeroblob(:n))", {"n": 900_000})

    together.do(limit(20))
    results = all_at_once(together, [fill, put(1)])
    assert isinstance(results[0], sqlite3.OperationalError)
    assert rows(path) == ([] if isinstance(results[1], Exception) else [1])
    together.do(limit(10_000))
    together.do(fill)
    together.do(put(2))
    assert rows(path)[-1] == 2


def test_it_begins_anew_after_its_end(together: Together, path: Path) -> None:
    together.do(put(1))
    together.close()
    together.do(put(2))
    assert rows(path) == [1, 2]
