"""The project as it stands now, in every process: read at the first question, and again when a file changes."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from flask import current_app

from handsel import clock
from handsel.content.files import Tree, scan
from handsel.errors import Fault
from handsel.offers import keep, memory
from handsel.offers.project import Project, build, due, read
from handsel.offers.telling import note, tell
from handsel.offers.variants import edited

PAUSE = 0.4  # seconds between looks at the folder: a save is live within one second
SETTLE = 0.05  # seconds; an editor may write a file in two strokes, and half a page should not go live
LOG = logging.getLogger("handsel.offers")


class Live:
    """Keeps one project folder read. ``project`` is swapped whole; hold on to it for the length of a request."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._project: Project | None = None
        self._callbacks: list[Callable[[Project], None]] = []
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._watch: threading.Thread | None = None
        self._process = 0
        self._told: frozenset[Fault] = frozenset()
        itself = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(itself()))

    @property
    def project(self) -> Project:
        """The newest good state of the folder; read now, and watched from now on, if it never was in this process."""
        if self._project is None or self._process != os.getpid():
            self.start()
        project = self._project
        assert project is not None
        return project

    def current(self) -> Project:
        """The same as ``project``."""
        return self.project

    def on_change(self, callback: Callable[[Project], None]) -> None:
        """Call ``callback`` with each new project before it becomes ``project``, and now with the present one if any.

        It is called under the lock of the reader, in the thread that read it. What it raises is logged, and the project
        goes live all the same.
        """
        with self._lock:
            self._callbacks.append(callback)
            if self._project is not None:
                callback(self._project)

    def start(self) -> None:
        """Read the folder and begin to watch it; without effect if it is watched in this process."""
        with self._lock:
            if self._project is None:
                self.refresh()
            if self._process != os.getpid():
                self._process = os.getpid()
                self._stop = threading.Event()
                self._watch = threading.Thread(target=self._watching, args=(self._stop,), daemon=True,
                                               name="handsel-project")
                self._watch.start()

    def close(self) -> None:
        """End the watch; the next question begins it anew."""
        self._stop.set()
        watch, self._watch, self._process = self._watch, None, 0
        if watch is not None and watch is not threading.current_thread():
            watch.join(2)

    def refresh(self) -> Project:
        """Look at the folder now and take up what has changed."""
        with self._lock:
            before = self._project
            project = self._first() if before is None else self._next(before)
            if project is not before:
                self._told = tell(self.root, project.faults, self._told)
                note(self.root, edited(before.offers, project.offers) if before else ())
                for callback in self._callbacks:
                    self._call(callback, project)
                self._project = project
                keep.store(self.root, project)
                memory.save(self.root, project)
            return project

    def _first(self) -> Project:
        """The project as this process finds it; what is faulty now stands as it was last good in any process."""
        with memory.alone(self.root):
            project = read(self.root, memory.load(self.root))
            memory.save(self.root, project)
        good = keep.restore(self.root, project) if project.faults else {}
        past = replace(project.past, good=project.past.good | good)
        return build(project.past.tree, past, project.read_at) if good else project

    def _next(self, before: Project) -> Project:
        """The project after ``before``: itself as long as neither a file nor the hour has changed anything."""
        tree, at = scan(self.root), clock.now()
        if _is_being_written(tree, before.past.tree):
            time.sleep(SETTLE)
            tree = scan(self.root)
        if tree == before.past.tree and not due(before, at):
            return before
        return build(tree, before.past, at)

    def _watching(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE):
            try:
                self.refresh()
            except Exception:  # the watch goes on, whatever happens to one look
                LOG.exception("The project folder could not be read; the pages stay as they are.")

    def _call(self, callback: Callable[[Project], None], project: Project) -> None:
        try:
            callback(project)
        except Exception:  # one part that cannot use the new state must not keep it from the others
            LOG.exception("A part of the program could not take up the changed files.")


def _forked(live: Live | None) -> None:
    """In a child process: no thread has come along, and nobody holds the lock."""
    if live is not None:
        live._lock = threading.RLock()
        live._watch = None


def _is_being_written(tree: Tree, before: Tree) -> bool:
    changed = [stamp for file, stamp in tree.stamps.items() if before.stamps.get(file) != stamp]
    return any(0 <= time.time_ns() - stamp[0] < SETTLE * 1_000_000_000 for stamp in changed)


def current() -> Project:
    """The project of the application at hand."""
    live: Live = current_app.extensions["handsel.offers"]
    return live.project
