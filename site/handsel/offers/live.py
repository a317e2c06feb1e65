"""The project as it stands now, in every process: read at the first question, and again when a file changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import current_app

from handsel.offers.project import Project


class Live:
    """Keeps one project folder read. ``project`` is swapped whole; hold on to it for the length of a request."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def project(self) -> Project:
        """The newest good state of the folder; read now if it never was."""
        raise NotImplementedError

    def on_change(self, callback: Callable[[Project], None]) -> None:
        """Call ``callback`` with each new project, from the thread that read it, before it becomes ``project``."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to watch the folder; without effect if it is watched in this process."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the watch."""
        raise NotImplementedError


def current() -> Project:
    """The project of the application at hand."""
    live: Live = current_app.extensions["handsel.offers"]
    return live.project
