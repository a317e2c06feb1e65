"""The bindery: prints the guides of the project whenever their chapters change, beside the worker's other duties."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path, PurePosixPath

from flask import Flask

from handsel.offers import editions
from handsel.offers.book import PICTURES
from handsel.offers.depot import Depot, Lot
from handsel.offers.library import Offer
from handsel.offers.project import Project
from handsel.worker.books.epub import epub
from handsel.worker.books.matter import Matter, matter
from handsel.worker.books.paper import paper
from handsel.worker.books.printing import NOT_HERE
from handsel.worker.house import site_url

PATIENCE = 300  # seconds for one PDF
AGAIN = 30.0  # seconds until a store that did not take what was printed is tried once more
LEFT_OUT = ("The PDF of %s is left out: WeasyPrint or one of its system libraries is missing here. `handsel doctor` "
            "says what to install; the web reader and the EPUB do without.")
log = logging.getLogger("handsel.books")


class Bindery(threading.Thread):
    """Watches the project and prints what has changed, one guide after the other."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="handsel-bindery", daemon=True)
        self.app = app
        self.changed = threading.Event()
        self.ended = False

    def run(self) -> None:
        live = self.app.extensions["handsel.offers"]
        live.on_change(lambda _: self.changed.set())
        self.changed.set()
        first = True
        depot: Depot | None = self.app.extensions["handsel.depot"]
        while True:
            self.changed.wait(AGAIN if depot is not None and depot.owing else None)
            if self.ended:
                return
            self.changed.clear()
            try:
                with self.app.app_context():
                    bind(self.app, anew=first)
                first = False
            except Exception:  # the editions of before are still there; the next change tries again
                log.exception("The guides could not be printed.")

    def close(self) -> None:
        """End after the guide in hand, without waiting for it."""
        self.ended = True
        self.changed.set()


def bind(app: Flask, *, anew: bool = False) -> list[str]:
    """Print every guide that has no edition of its present state; what was printed, such as ``guide.pdf``.

    ``anew``: try once more what could not be printed before, since what was missing may have been installed.
    """
    project: Project = app.extensions["handsel.offers"].project
    depot: Depot | None = app.extensions["handsel.depot"]
    stock = _stock(depot) if depot is not None else None
    made: list[str] = []
    newest: dict[str, str] = {}
    for offer in project.offers.values():
        if offer.asset is not None and offer.asset.book is not None:
            printed = matter(project.site, offer, site_url(app, project.site))
            newest[offer.slug] = printed.key
            lot = next((lot for lot in stock.get(offer.slug, ()) if lot.key == printed.key), None) if stock else None
            if depot is not None and lot is not None:
                _bring(depot, Path(app.instance_path), offer.slug, lot)
            made += _edition(app, offer, printed, anew=anew)
            if depot is not None and stock is not None:
                _give(depot, editions.folder(Path(app.instance_path), offer.slug) / printed.key, lot)
    _forget(Path(app.instance_path) / editions.FOLDER, project)
    if depot is not None and stock and not project.faults:  # a faulty offer may look as if it were gone
        with depot.trying():
            depot.tidy(stock, newest)
    return made


def _stock(depot: Depot) -> dict[str, list[Lot]] | None:
    """What the shared store has; None when it does not say, and then what is printed is owed to it."""
    depot.owing = False
    with depot.trying():
        return depot.stock()
    return None


def _bring(depot: Depot, instance: Path, slug: str, lot: Lot) -> None:
    """Fetch what another machine has printed already, so that all give the same bytes."""
    for kind in editions.KINDS:
        if f"{kind}.json" in lot.names:
            depot.bring(editions.folder(instance, slug) / lot.key, kind)


def _give(depot: Depot, place: Path, lot: Lot | None) -> None:
    """Put into the shared store what was printed here and is not there yet."""
    there = lot.names if lot is not None else set()
    for kind in editions.KINDS:
        known = {f"book.{kind}": f"{kind}.json", f"no-{kind}": f"no-{kind}"}
        ours = next((known[name] for name in known if (place / name).exists()), None)
        if ours is not None and ours not in there:
            with depot.trying():
                depot.give(place, kind)


def _edition(app: Flask, offer: Offer, printed: Matter, *, anew: bool) -> list[str]:
    root, place = Path(app.config["PROJECT_ROOT"]), editions.folder(Path(app.instance_path), offer.slug) / printed.key
    wanted = ["epub"] if printed.book.pdf else ["epub", "pdf"]
    if all(_is_done(place, kind, anew=anew) for kind in wanted):
        return []
    made = []
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with editions.alone(place.parent, "print"):
        if not _is_done(place, "epub", anew=anew):
            _put(place / "book.epub", epub(printed, root))
            made.append(f"{offer.slug}.epub")
        if "pdf" in wanted and not _is_done(place, "pdf", anew=anew) and _print(offer.slug, printed, root, place):
            made.append(f"{offer.slug}.pdf")
    editions.tidy(place)
    return made


def _is_done(place: Path, kind: str, *, anew: bool) -> bool:
    return (place / f"book.{kind}").exists() or (not anew and (place / f"no-{kind}").exists())


def _print(slug: str, printed: Matter, root: Path, place: Path) -> bool:
    """Have the PDF made by a process of its own; why it could not be stays beside it."""
    fresh, mark = place / f".book.pdf.{os.getpid()}", place / "no-pdf"
    job = {"html": paper(printed), "out": str(fresh), "pages": str(place / "pages"), "identifier": printed.key,
           "pictures": {"cover.svg": {"text": printed.cover(spine=False), "type": "image/svg+xml"}} | {
               name: {"path": str(root / path), "type": PICTURES[PurePosixPath(path).suffix.lower()]}
               for path, name in printed.book.numbered_pictures().items()}}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
    began = time.monotonic()
    try:
        done = subprocess.run([sys.executable, "-m", "handsel.worker.books.printing"], input=json.dumps(job).encode(),
                              capture_output=True, timeout=PATIENCE, env=kept, cwd=place, check=False)
        code, said = done.returncode, done.stderr.decode("utf-8", "replace").strip()
    except subprocess.TimeoutExpired:
        code, said = -1, f"It took longer than {PATIENCE} seconds."
    if code == 0 and fresh.is_file():
        os.replace(fresh, place / "book.pdf")
        mark.unlink(missing_ok=True)
        log.info("The PDF of %s is printed (%.1f s).", slug, time.monotonic() - began)
        return True
    fresh.unlink(missing_ok=True)
    last = said.splitlines()[-1] if said else f"The printer ended with {code}."
    mark.write_text(last)
    if code == NOT_HERE:
        log.warning(LEFT_OUT, slug)
    else:
        log.error("The PDF of %s could not be printed: %s", slug, last)
    return False


def _put(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(data)
    os.replace(fresh, path)


def _forget(place: Path, project: Project) -> None:
    """Throw away the editions of guides that are gone from the project."""
    if not place.is_dir():
        return
    guides = {slug for slug, offer in project.offers.items() if offer.asset and offer.asset.book}
    for folder in place.iterdir():
        if folder.is_dir() and folder.name not in guides:
            shutil.rmtree(folder, ignore_errors=True)
