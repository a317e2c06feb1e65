"""A link of a letter to somebody who agreed to be recognised: it is noted as a page view is, and leads on.

It leads to an address of this site and nowhere else, whatever stands behind the letter's key, and goes on doing so when
the letter is long forgotten.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, request

from handsel.leads.due import is_key
from handsel.public import bp, doors


@bp.get("/go/<key>/")
@bp.get("/go/<key>/<path:path>")
def go(key: str, path: str = "") -> Response:
    """On to the page that the link means."""
    target = "/" + path.lstrip("/\\")
    if is_key(key):
        doors.record("click", target[:400], doors.visit(), "", mark=key)
    query = request.query_string.decode("latin-1")
    address = quote(target, safe="/~!$&'()*+,;=:@-._") + (f"?{quote(query, safe=_QUERY)}" if query else "")
    return Response(status=302, headers={"Location": address, **doors.PRIVATE})


_QUERY = "/~!$&'()*+,;=:@-._?%"
