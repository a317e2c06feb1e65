"""The command line: one click group, also under ``flask``; each command's module is loaded when it is called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from handsel import __version__
from handsel.errors import HandselError

if TYPE_CHECKING:
    from flask import Flask

P = ParamSpec("P")
R = TypeVar("R")

# The module under handsel.commands in which a command stands, by the command's name.
COMMANDS = {
    "init": "init", "run": "run", "serve": "run", "work": "work", "check": "check", "doctor": "doctor",
    "config": "config", "db": "db", "rebuild": "rebuild", "purge": "purge", "user": "user", "leads": "leads",
    "mail": "mail", "audit": "audit", "privacy": "privacy", "experiment": "experiment", "demo": "demo",
}


class Failure(click.ClickException):
    """A HandselError as the command line shows it: where and what, then what to do next; exit code 1."""

    def __init__(self, error: HandselError) -> None:
        super().__init__(str(error))
        self.error = error

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"{self.error.where}: {self.error.what}", file=file, err=file is None)
        if self.error.do:
            click.echo(f"  {self.error.do}", file=file, err=file is None)


class Commands(click.Group):
    """A group that knows its commands by name and imports one only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"handsel.commands.{COMMANDS[cmd_name]}"), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        _take_project(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str],
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from handsel.errors import nearest

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"There is no command '{args[0]}'. {nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HandselError as error:
            raise Failure(error) from error


def _remember_project(ctx: click.Context, _option: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.meta["handsel.project"] = value


def _take_project(command: click.Command) -> None:
    """Let ``--project`` also stand after the command and its subcommands, where most people write it."""
    if not any(option.name == "project" for option in command.params):
        command.params.append(click.Option(["--project"], type=click.Path(path_type=Path), metavar="DIR",
                                           expose_value=False, hidden=True, callback=_remember_project))
    for below in getattr(command, "commands", {}).values():
        _take_project(below)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--project", type=click.Path(path_type=Path), envvar="HANDSEL_PROJECT", metavar="DIR",
              help="The project folder; otherwise the one you stand in.")
@click.version_option(__version__, prog_name="Handsel", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context, project: Path | None) -> None:
    """Landing pages and lead magnets from a folder of Markdown.

    \b
    Example:
      handsel init my-site
      handsel run --project my-site
    """
    if project is not None:
        ctx.meta["handsel.project"] = project


def project_root() -> Path:
    """The project folder: ``--project``, else the application's under ``flask``, else the one we stand in.

    We stand in the nearest folder upwards that holds content/_site.yml, or in the working folder if that has content/.
    Raises HandselError where there is no project.
    """
    ctx = click.get_current_context()
    given = ctx.meta.get("handsel.project")
    if given is not None:
        return _existing(Path(given))
    app = _flask_app(ctx)
    if app is not None:
        return Path(app.config["PROJECT_ROOT"])
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "content" / "_site.yml").is_file():
            return folder
    return _existing(here)


def _existing(folder: Path) -> Path:
    folder = folder.resolve()
    if not folder.is_dir():
        raise HandselError(str(folder), "There is no such folder.", f"Make a project in it: handsel init {folder}")
    if not (folder / "content").is_dir():
        raise HandselError(str(folder), "This folder is no project: it has no content/ in it.",
                           "Go to a project folder, name one with --project, or make one: handsel init my-site")
    return folder


def _flask_app(ctx: click.Context) -> Flask | None:
    """The application that ``flask`` found, when we run under it."""
    from flask.cli import ScriptInfo

    info = ctx.find_object(ScriptInfo)
    return info.load_app() if info is not None else None


def open_app(**config: Any) -> Flask:
    """The application of the project, whatever state its database is in."""
    from handsel import create_app

    app = _flask_app(click.get_current_context())
    return app if app is not None else create_app(project_root(), **config)


@contextmanager
def opened(**config: Any) -> Iterator[Flask]:
    """The application of the project with its context, closed with all its connections and threads at the end."""
    from handsel import assembly
    from handsel.db import db

    app = open_app(**config)
    with app.app_context():
        try:
            yield app
        finally:
            assembly.close(app)
            db.session.remove()
            db.engine.dispose()


def with_app(command: Callable[P, R]) -> Callable[P, R]:
    """Run ``command`` in the context of the project's application, once its database is up to date.

    Raises HandselError if the database does not answer or its tables are of another release.
    """

    @wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        from handsel import schema

        with opened():
            schema.require_current()
            return command(*args, **kwargs)

    return call


def main() -> None:
    """The entry point of the ``handsel`` command."""
    os.environ.setdefault("PYTHONUTF8", "1")  # for the processes that we start
    group(prog_name="handsel")
