"""The last good state of every file, kept under ``instance/good/`` so that it outlives the process that read it.

A process that starts while a file is faulty shows what the others show. Only Markdown and YAML are kept.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from handsel.content.files import Memo, Stamp, Tree, scan
from handsel.offers.project import Past, Project, build
from handsel.offers.variants import PAUSING

FOLDER = "instance/good"


def store(root: Path, project: Project) -> None:
    """Keep the files of every unit that is without fault now, and forget those of units that are gone.

    What cannot be kept (a full disk, a folder that may not be written) is left out: it is only needed after a restart.
    """
    faulty = _faulty(project)
    tree, kept = project.past.tree, scan(root / FOLDER)
    texts = {file: stamp for file, stamp in tree.stamps.items() if file.endswith((".md", ".yml"))}
    try:
        for file, stamp in texts.items():
            if _unit(file) not in faulty and not _same(kept.stamps.get(file), stamp):
                _copy(tree.path(file), root / FOLDER / file, stamp)
        for file in kept.stamps.keys() - texts.keys():
            if _unit(file) not in faulty:
                (root / FOLDER / file).unlink(missing_ok=True)
    except OSError:
        return


def restore(root: Path, project: Project) -> dict[str, Any]:
    """The last good state of the units that are faulty in ``project``, as far as it was kept."""
    faulty = _faulty(project)
    kept = scan(root / FOLDER)
    tree = project.past.tree
    stamps = {file: stamp for file, stamp in tree.stamps.items()
              if _unit(file) not in faulty or not file.endswith((".md", ".yml"))}
    elsewhere = {file: kept.root / file for file in kept.stamps if _unit(file) in faulty}
    stamps |= {file: kept.stamps[file] for file in elsewhere}
    if not elsewhere:
        return {}
    past = Past(tree, Memo(), {})
    return build(_tree(tree, stamps, elsewhere), past, project.read_at).past.good


def _tree(tree: Tree, stamps: dict[str, Stamp], elsewhere: dict[str, Path]) -> Tree:
    by_folder: dict[str, list[str]] = {}
    for file in sorted(stamps):
        by_folder.setdefault(file.split("/")[0], []).append(file)
    return replace(tree, stamps=stamps, faults=(), by_folder=by_folder, elsewhere=elsewhere)


def _faulty(project: Project) -> set[str]:
    """The units that are shown as they last were without fault."""
    return {_unit(fault.where) for fault in project.faults if fault.kind not in PAUSING}


def _unit(file: str) -> str:
    """What goes live together with ``file``: an offer's folder, all forms with their wordings, or the file alone."""
    parts = file.split("/")
    if parts[0] == "offers" and len(parts) > 1:
        return f"offers/{parts[1]}"
    return "forms" if parts[0] == "forms" else file


def _same(kept: Stamp | None, stamp: Stamp) -> bool:
    return kept is not None and kept[:2] == stamp[:2]


def _copy(source: Path, target: Path, stamp: Stamp) -> None:
    """Keep ``source``, unless it is no longer the file that was read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy2(source, fresh)
    status = fresh.stat()
    if (status.st_mtime_ns, status.st_size) == stamp[:2]:
        os.replace(fresh, target)
    else:
        fresh.unlink()
