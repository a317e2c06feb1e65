"""Handsel: landing pages and lead magnets from a folder of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from flask import Flask

__version__ = "0.1.0"


def create_app(root: Path, **config: Any) -> Flask:
    """Build the application around one project folder.

    ``root`` holds content/, offers/, forms/ and instance/. ``config`` wins over the environment, which wins over
    instance/config.toml, which wins over the defaults; names that are no settings of ours go to Flask as they are.
    Raises SettingsError for a setting that cannot be used. Importing us does nothing.
    """
    from handsel.assembly import assemble  # the parts import this package, so they come when called

    return assemble(root.resolve(), config)
