"""Share cards as pictures: drawn by a process of their own when first asked for, then kept under ``instance/cache/``.

Pillow and its fonts never come into the web process, and a card that nobody shares is never drawn.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from threading import Lock

from flask import Response, abort, current_app, g, request

from handsel.public import bp
from handsel.public.card import Card, card_of
from handsel.public.heads import title_of
from handsel.public.pages import table

log = logging.getLogger(__name__)
PAINTER = Path(__file__).with_name("paint.py")
PATIENCE = 20  # seconds; a card takes a third of one
KEPT = 180 * 86_400  # seconds after which a card that nobody asked for is drawn anew
_NAME = re.compile(r"(.*/)?([0-9a-f]{10})\.png")
_one_at_a_time = Lock()


@bp.get("/cards/<path:name>")
def share_card(name: str) -> Response:
    """The card of the page whose address stands in its own; an old address gives the card as it is now."""
    found = _NAME.fullmatch(name)
    state, sheet = table().sheet(f"/{found[1] or ''}") if found else (None, None)
    if found is None or state is None or sheet is None:
        abort(404)
    card = card_of(state.project.site, state.press.base, sheet, title_of(sheet, sheet.page))
    g.style_hashes = set()
    response = Response(picture(current_app.config["PROJECT_ROOT"], card), content_type="image/png")
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if card.mark == found[2] else "public, max-age=300"
    )
    response.set_etag(card.mark)
    response.make_conditional(request)
    return response


def picture(root: Path, card: Card) -> bytes:
    """The card as a PNG, drawn now if it never was. An instance folder that cannot be written costs time alone."""
    path = root / "instance" / "cache" / "cards" / f"{card.mark}.png"
    with contextlib.suppress(OSError):
        return path.read_bytes()
    with _one_at_a_time:
        with contextlib.suppress(OSError):
            return path.read_bytes()
        drawn = _drawn(card)
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _forget_old(path.parent)
            fresh = path.with_name(f"{card.mark}.{os.getpid()}")
            fresh.write_bytes(drawn)
            fresh.replace(path)
    return drawn


def _drawn(card: Card) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603  our own file, and no word of anybody's in the command
            [sys.executable, "-I", str(PAINTER)], input=card.written.encode(), capture_output=True, timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        log.error("No share card could be drawn: %s %s", error, said.decode(errors="replace")[-500:])
        abort(503)
    return done.stdout


def _forget_old(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.stat().st_mtime < time.time() - KEPT:
                Path(entry).unlink(missing_ok=True)
