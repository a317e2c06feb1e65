"""The printer: a process of its own that makes a PDF of what it reads from its standard input, and ends.

It may use a limited share of memory and time, opens no connection, and reads no file but the pictures it is told of. So
neither a wild table nor a crafted picture can take the worker with it. Ends with 3 when WeasyPrint is not usable here.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY = 2 << 30  # bytes of addresses; fifty pages use a tenth of it
SECONDS = 240  # of the processor; fifty pages take four
NOT_HERE = 3


def main() -> int:
    """Print the job: ``html``, ``pictures`` (name to path and type), ``out``, ``pages`` (a file), ``identifier``."""
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS)):
        hard = resource.getrlimit(what)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, limit))
    job: dict[str, Any] = json.load(sys.stdin)
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except (ImportError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return NOT_HERE

    class OnlyOurs(URLFetcher):  # type: ignore[misc]
        """Gives the book's own pictures and nothing else."""

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            given = job["pictures"].get(url.removeprefix("book:")) if url.startswith("book:") else None
            if given is None:
                raise ValueError("not a picture of this book")
            body = given["text"].encode() if "text" in given else Path(given["path"]).read_bytes()
            return URLFetcherResponse(url, body, {"Content-Type": given["type"]})

    document = HTML(string=job["html"], base_url="book:", url_fetcher=OnlyOurs()).render(pdf_variant="pdf/ua-1")
    document.write_pdf(job["out"], pdf_variant="pdf/ua-1", pdf_identifier=bytes.fromhex(job["identifier"]))
    Path(job["pages"]).write_text(str(len(document.pages)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
