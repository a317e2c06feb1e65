"""``handsel check``: every fault in every file that marketers wrote."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from handsel.cli import project_root

if TYPE_CHECKING:
    from handsel.errors import Notice
    from handsel.offers.project import Project

PATIENCE = 3  # seconds to wait for a database that may well be away: what files say does not depend on it


def _use_project(ctx: click.Context, _option: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        ctx.meta["handsel.project"] = folder


@click.command("check")
@click.option("--project", type=click.Path(path_type=Path), metavar="DIR", expose_value=False, is_eager=True,
              callback=_use_project, help="The project folder; otherwise the one you stand in.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for other programs.")
def check_command(as_json: bool) -> None:
    """Read every page, offer and form, and name all faults at once.

    Each line says where a fault is, what is wrong and what to do next. Nothing is changed, and no server is needed.
    Where there is a database, the pages of running tests are compared with what the test began with.
    A line that begins with "Note" is no fault: it says what was changed for you or what to expect. The exit code is 1
    if there is any fault.

    \b
    Examples:
      handsel check
      handsel check --project ../my-site
      handsel check --json | jq '.faults[].kind'
    """
    from handsel.offers import memory
    from handsel.offers.project import read

    root = project_root()
    project = _with_record(root, read(root, memory.load(root)))
    if as_json:
        click.echo(json.dumps(_values(project), ensure_ascii=False, indent=2))
    else:
        for fault in project.faults:
            click.echo(str(fault))
        for notice in notices(project):
            click.echo(f"Note: {notice}")
        click.echo(_closing(project))
    if project.faults:
        sys.exit(1)


def _with_record(root: Path, project: Project) -> Project:
    """``project`` with what the database says of its running tests; as it is where no database can be read."""
    from handsel import config
    from handsel.errors import SettingsError

    try:
        url = config.load(root)["DATABASE_URL"].value
    except SettingsError:
        return project  # who starts the server is told
    file = root / "instance" / "handsel.db"
    if not url and not file.is_file():
        return project
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    from handsel.offers import running

    try:
        engine = create_engine(url or f"sqlite:///file:{quote(str(file))}?mode=ro&uri=true", poolclass=NullPool,
                               connect_args={"connect_timeout": PATIENCE} if url.startswith("postgresql") else {})
        with engine.connect() as connection:
            return running.told(project, running.running(connection))
    except (SQLAlchemyError, ImportError):
        return project


def _values(project: Project) -> dict[str, object]:
    faults = [asdict(fault) for fault in project.faults]
    return {"ok": not faults, "faults": faults, "notices": [asdict(notice) for notice in notices(project)],
            "counts": _counts(project)}


def notices(project: Project) -> list[Notice]:
    """What to know beside the faults, in the order of files and lines."""
    return [*project.notices, *_printing(project)]


def _printing(project: Project) -> list[Notice]:
    """Guides of which this machine cannot print the PDF."""
    from handsel.errors import Notice
    from handsel.offers import editions

    waiting = editions.to_print(project.offers.values())
    hindrance = editions.hindrance() if waiting else None
    return [Notice(offer.asset.path, 0, "no-pdf", *hindrance) for offer in waiting if offer.asset] if hindrance else []


def _counts(project: Project) -> dict[str, int]:
    offers = project.offers.values()
    return {"pages": len(project.pages), "offers": len(project.offers),
            "landing pages": sum(len(offer.variants) for offer in offers),
            "letters": sum(len(offer.letters) for offer in offers), "forms": len(project.forms)}


def _closing(project: Project) -> str:
    if not project.faults:
        counts = [_many(count, thing) for thing, count in _counts(project).items()]
        return f"All is well: {', '.join(counts[:-1])} and {counts[-1]}."
    files = len({fault.where for fault in project.faults})
    return (f"\n{_many(len(project.faults), 'faults')} in {_many(files, 'files')}. "
            "A running site goes on showing each file as it last was without fault.")


def _many(count: int, things: str) -> str:
    return f"{count} {things.removesuffix('s') if count == 1 else things}"
