"""What the desks of marketing, sales and owner share: the door, the frame of their pages, and how lists turn pages."""

from __future__ import annotations

from flask import Flask

from handsel.desk.door import DeskBlueprint, check_roles, only, open_to_all, person, takes_files

__all__ = ["DeskBlueprint", "check_roles", "init_app", "only", "open_to_all", "person", "takes_files"]


def init_app(app: Flask) -> None:
    """Prepare sign-in and the desk's templates; the audiences register their blueprints afterwards."""
    from handsel.desk import door, shell

    door.init_app(app)
    shell.init_app(app)
