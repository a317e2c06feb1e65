"""``handsel init``: a new project folder with a sample funnel."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

import handsel
from handsel.errors import HandselError

STARTER = Path(handsel.__file__).parent / "starter"
PASSED_OVER = ("__pycache__", "*.pyc")
IGNORED = "# What one installation owns: database, keys, caught mail.\n/instance/\n"


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init_command(folder: Path) -> None:
    """Make a new project in DIR, with a small site and one whole funnel to begin from.

    DIR must be empty or not there yet.

    \b
    Example:
      handsel init my-site
      cd my-site
      handsel run
    """
    made = make_project(folder)
    click.echo(f"A new project stands in {folder}/ with {made} files: a site, an offer and its letters.\n")
    click.echo("Next:")
    if folder.resolve() != Path.cwd():
        click.echo(f"  cd {folder}")
    click.echo("  handsel run\n")
    click.echo("Your name, address and colours are in content/_site.yml. `handsel check` names every slip.")


def make_project(folder: Path) -> int:
    """Copy the starter into ``folder`` and give the number of files. Raises HandselError if anything is in the way."""
    if folder.exists() and not folder.is_dir():
        raise HandselError(str(folder), "This is a file.", "Name a folder that does not exist yet.")
    try:
        if folder.is_dir() and (names := sorted(os.listdir(folder))):
            raise HandselError(str(folder), f"The folder is not empty: it holds {_some(names)}.",
                               "Name a new folder, such as `handsel init my-site`; nothing was changed.")
        shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns(*PASSED_OVER), dirs_exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text(IGNORED, encoding="utf-8")
    except OSError as error:
        raise HandselError(str(folder), f"The project cannot be written: {error.strerror}.",
                           "Name a folder that you may write to.") from error
    return sum(len(files) for _, _, files in os.walk(folder))


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
