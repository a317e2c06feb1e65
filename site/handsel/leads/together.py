"""Captures that arrive together commit together: on SQLite, one writer thread per process does the work of all.

A commit waits for the disk, and SQLite lets one writer in at a time; so requests hand over their work and wait. The
thread takes whatever has come in meanwhile, does each piece in a savepoint of one transaction, commits once and wakes
everybody. A lone piece does not wait for company, and the failure of one piece leaves the others untouched.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Engine

from handsel.leads.rows import Pen

T = TypeVar("T")
LONGEST_LOG = 20_000  # pages, 80 MB: when even the captures' writer puts the log into the database file
MOST = 128  # pieces in one transaction: enough to hide the disk, and the first does not wait long for the last


class Piece(Generic[T]):
    """One piece of work and what came of it."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[Pen], T]) -> None:
        self.work = work
        self.result: T | None = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()


class Together:
    """The writer of one process. ``engine`` is asked for when the thread begins, so that a fork gets its own."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._waiting: SimpleQueue[Piece[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._process = 0
        self._thread: threading.Thread | None = None

    def do(self, work: Callable[[Pen], T]) -> T:
        """Do ``work`` in a transaction with whatever else has come in; returns when it is on disk.

        Raises what ``work`` raised, or the driver's error if the transaction could not be committed.
        """
        if self._process != os.getpid():
            self._start()
        piece = Piece(work)
        self._waiting.put(piece)
        piece.done.acquire()
        if piece.error is not None:
            raise piece.error
        return piece.result  # type: ignore[return-value]  # set whenever there is no error

    def _start(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                return
            self._waiting = SimpleQueue()
            self._thread = threading.Thread(target=self._run, name="captures", daemon=True)
            self._thread.start()
            self._process = os.getpid()

    def _run(self) -> None:
        engine = self._engine()
        raw: Any = None
        while (piece := self._waiting.get()) is not None:
            batch = [piece]
            while len(batch) < MOST and not self._waiting.empty():
                if (piece := self._waiting.get()) is None:
                    self._waiting.put(None)  # the end: seen again once this batch is done
                    break
                batch.append(piece)
            try:
                raw = raw or self._open(engine)
                self._write(raw.cursor(), batch)
            except BaseException as error:
                self._fail(batch, error)
                raw = self._drop(raw)
            for piece in batch:
                piece.done.release()
        self._drop(raw)

    @staticmethod
    def _open(engine: Engine) -> Any:
        raw = engine.raw_connection()
        raw.detach()  # it is ours alone: its settings must not come to anybody else
        # The log goes into the database file when others commit; here people wait, and that may take the disk seconds.
        raw.cursor().execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG}")
        return raw

    @staticmethod
    def _write(cursor: Any, batch: list[Piece[Any]]) -> None:
        pen = Pen(lambda: cursor, sqlite=True)
        cursor.execute("BEGIN IMMEDIATE")
        try:
            for piece in batch:
                cursor.execute("SAVEPOINT piece")
                try:
                    piece.result = piece.work(pen)
                except BaseException as error:
                    if not cursor.connection.in_transaction:
                        raise  # SQLite itself has ended the transaction (disk full): none of the batch is written
                    piece.error = error
                    cursor.execute("ROLLBACK TO piece")
                cursor.execute("RELEASE piece")
            cursor.execute("COMMIT")
        finally:
            if cursor.connection.in_transaction:
                cursor.execute("ROLLBACK")
            cursor.close()

    @staticmethod
    def _fail(batch: list[Piece[Any]], error: BaseException) -> None:
        for piece in batch:
            piece.error = piece.error or error

    @staticmethod
    def _drop(raw: Any) -> None:
        if raw is not None:
            raw.close()

    def close(self) -> None:
        """End the thread when its work is done. For the end of a process, and of a test."""
        if self._thread is not None and self._process == os.getpid():
            self._waiting.put(None)
            self._thread.join(2)
            self._process = 0
