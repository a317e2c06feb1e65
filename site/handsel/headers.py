"""Security headers of every answer, errors included; the page table uses the same rows for pages it answers itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from flask import Flask, Response, g, request

REFERRER = "strict-origin-when-cross-origin"
HSTS = "max-age=31536000"
COMMON = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", REFERRER),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"),
)
_SHUT = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
_PUBLIC = f"{_SHUT}; img-src 'self' data:; media-src 'self'; font-src 'self'; manifest-src 'self'; connect-src 'self'"
_DESK = f"{_PUBLIC}; script-src 'self'; frame-src 'self'"
_DATA = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"


def policy(audience: str, styles: Iterable[str] = ()) -> str:
    """The content security policy for ``public`` or ``desk`` pages, or for ``data`` that is no page.

    ``styles`` are the hashes of the inlined styles, quoted as the policy wants them. Public pages run no script at all.
    """
    if audience == "data":
        return _DATA
    allowed = " ".join(sorted(styles))
    if audience == "desk":
        return f"{_DESK}; style-src 'self' {allowed}".rstrip()
    return f"{_PUBLIC}; style-src {allowed or chr(39) + 'none' + chr(39)}"


def rows(audience: str, styles: Iterable[str] = (), secure: bool = False) -> list[tuple[str, str]]:
    """All security headers of one answer; ``secure`` when it travels over TLS."""
    found = [("Content-Security-Policy", policy(audience, styles)), *COMMON]
    return [*found, ("Strict-Transport-Security", HSTS)] if secure else found


def init_app(app: Flask) -> None:
    """Put the headers on every answer of ``app`` that has not its own."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    if response.mimetype != "text/html":
        audience = "data"
    elif request.path == "/desk" or request.path.startswith("/desk/"):
        audience = "desk"
    else:
        audience = "public"
    given = {name.lower() for name, _ in response.headers}
    response.headers.extend(row for row in _rows(audience, frozenset(g.get("style_hashes", ())), request.is_secure)
                            if row[0].lower() not in given)
    return response


@lru_cache(maxsize=256)
def _rows(audience: str, styles: frozenset[str], secure: bool) -> list[tuple[str, str]]:
    return rows(audience, styles, secure)
