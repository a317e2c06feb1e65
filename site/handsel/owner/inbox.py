"""The built-in inbox: what would have been mailed, read as its receiver would."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path

from flask import Response, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from handsel.desk import DeskBlueprint
from handsel.mail.inbox import Caught, Inbox

PAGE = 50
LINKS = "allow-popups allow-popups-to-escape-sandbox"  # links open in a tab of their own; nothing else may happen

bp = DeskBlueprint("inbox", __name__, roles=("owner",))


def _inbox() -> Inbox:
    return Inbox(Path(current_app.instance_path) / "inbox")


def _mail(name: str) -> Caught:
    found = _inbox().read(name)
    if found is None:
        abort(404)
    return found


@bp.get("/inbox")
def inbox() -> ResponseReturnValue:
    """The caught mails, the newest first."""
    folder = _inbox()
    names = folder.names()
    before = request.args.get("before", "")
    left = [name for name in names if name < before] if before else names
    shown = folder.heads(left[:PAGE])
    older = url_for("inbox.inbox", before=left[PAGE - 1]) if len(left) > PAGE else None
    newest = url_for("inbox.inbox") if before else None
    return render_template("desk/inbox.html", mails=shown, older=older, newest=newest, total=len(names),
                           sends=bool(current_app.config["MAIL_URL"]))


@bp.get("/inbox/<name>")
def message(name: str) -> ResponseReturnValue:
    """One mail: as it looks, as plain text, its headers, and as it travels."""
    mail = _mail(name)
    names = _inbox().names()
    place = names.index(name) if name in names else 0
    return render_template(
        "desk/caught.html", mail=mail, sandbox=LINKS, raw=mail.raw.decode("utf-8", "replace"),
        newer=url_for("inbox.message", name=names[place - 1]) if place else None,
        older=url_for("inbox.message", name=names[place + 1]) if place + 1 < len(names) else None)


@bp.get("/inbox/<name>/html")
def sheet(name: str) -> ResponseReturnValue:
    """The HTML part alone, for the frame: it can run nothing, load nothing and send nothing."""
    mail = _mail(name)
    if not mail.html:
        abort(404)
    page = mail.html.replace("<head>", '<head><base target="_blank">', 1)
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _shut(mail.html)
    return response


@bp.get("/inbox/<name>/raw")
def raw(name: str) -> ResponseReturnValue:
    """The mail as a file, for a mail program."""
    mail = _mail(name)
    return Response(mail.raw, mimetype="message/rfc822",
                    headers={"Content-Disposition": f'attachment; filename="{name}.eml"'})


def _shut(html: str) -> str:
    """A policy under which the mail's own styles are drawn, each by its hash, pictures are shown, and nothing else."""
    styles = _Styles()
    styles.feed(html)
    styles.close()
    hashes = sorted({f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
                     for text in styles.found})
    drawn = f"'unsafe-hashes' {' '.join(hashes)}" if hashes else "'none'"
    return (f"default-src 'none'; style-src {drawn}; img-src 'self' data: https:; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors 'self'; object-src 'none'; sandbox {LINKS}")


class _Styles(HTMLParser):
    """Every style of a document: elements and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "style"
        self.found += [value for name, value in attrs if name == "style" and value]

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found.append(data)
