"""Files that anyone may have: pictures of the site and of offers, our own style and script files, with hashed names.

``/images/loft.avif`` is also ``/images/loft.3f9a0c1b2d.avif``; pages use the second, which a browser may keep for ever.
A hash that is no longer true still gives the file as it is now, so that an old cached page keeps its pictures.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.headers import Headers

import brotli
from whitenoise import WhiteNoise
from whitenoise.responders import StaticFile
from whitenoise.string_utils import decode_path_info

from handsel import headers
from handsel.public.imagesize import Size, image_size

if TYPE_CHECKING:
    from handsel.content.woff2 import Face
    from handsel.offers.project import Project

OWN = Path(__file__).parent.parent / "static"
_HASHED = re.compile(r"^(.*)\.([0-9a-f]{10})(\.[A-Za-z0-9]+)$")
INLINE = 1500  # bytes of an SVG that cost less inside the page than as a request of its own
TYPES = {
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".js": "text/javascript",
    ".md": "text/plain",
    ".epub": "application/epub+zip",
    ".webmanifest": "application/manifest+json",
}
PACKED = {".css", ".js", ".svg", ".txt", ".xml", ".json"}
WORTH_PACKING = 600  # bytes; smaller files gain nothing
_INERT = "default-src 'none'; style-src 'none'; sandbox"  # a file opened by itself runs nothing


@lru_cache(maxsize=8192)
def _digest(path: str, _mtime: int, _size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]


@lru_cache(maxsize=8)
def _face(path: Path, _digest: str) -> Face:
    from handsel.content import woff2

    return woff2.read(path.read_bytes())


def digest(path: Path) -> str:
    """Ten hex digits that change with the content of the file. Raises OSError when it cannot be read."""
    state = path.stat()
    return _digest(str(path), state.st_mtime_ns, state.st_size)


class Files(WhiteNoise):  # type: ignore[misc]
    """Answers requests for files and hands the rest on. ``project`` gives the project as it stands."""

    def __init__(self, application: Callable[..., Any], root: Path, project: Callable[[], Project]) -> None:
        super().__init__(
            application,
            max_age=300,
            mimetypes=TYPES,
            allow_all_origins=False,
            immutable_file_test=_is_immutable,
        )
        self.root = root
        self.files: dict[str, Any] = {}
        self.project = project
        self.own = {f"/static/{path.relative_to(OWN).as_posix()}": path for path in OWN.rglob("*") if path.is_file()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "." not in path[-12:] or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self.application(environ, start_response)  # type: ignore[no-any-return]
        path = decode_path_info(path)
        found = self.files.get(path) or self._look(path)
        if found is None:
            return self.application(environ, start_response)  # type: ignore[no-any-return]
        if environ.get("wsgi.url_scheme") == "https":
            start_response = _with_hsts(start_response)
        return self.serve(found, environ, start_response)  # type: ignore[no-any-return]

    def forget(self) -> None:
        """Look at the files anew: something in the project has changed."""
        self.files = {}

    def place(self, address: str) -> Path | None:
        """Where the public file at ``address`` lies; None when there is none."""
        if address in self.own:
            return self.own[address]
        project = self.project()
        name = project.assets.get(address)
        if name is None and address.startswith("/offers/"):
            offer = project.offers.get(address.split("/", 3)[2])
            name = offer.images.get(address) if offer else None
        return self.root / name if name else None

    def url(self, address: str) -> str:
        """``address`` with the hash of its content in its name; as it is when there is no such file."""
        path = self.place(address)
        try:
            mark = digest(path) if path else ""
        except OSError:
            mark = ""
        stem, dot, ending = address.rpartition(".")
        return f"{stem}.{mark}{dot}{ending}" if mark and dot else address

    def size(self, address: str) -> Size | None:
        """(width, height) of the picture at ``address``."""
        path = self.place(address)
        return image_size(path) if path else None

    def face(self, address: str) -> Face | None:
        """The measures of the font at ``address``; None when it cannot be used."""
        path = self.place(address)
        try:
            return _face(path, digest(path)) if path else None
        except (OSError, ValueError):
            return None

    def inline(self, address: str) -> str:
        """A small SVG as a ``data:`` address, any other picture as its hashed one."""
        path = self.place(address)
        if path and path.suffix == ".svg" and path.stat().st_size <= INLINE:
            text = re.sub(r">\s+<", "><", path.read_text(encoding="utf-8").strip())
            if "'" not in text:
                text = text.replace('"', "'")
            return "data:image/svg+xml," + quote(text, safe=" =:/'(),;+-.!*@")
        return self.url(address)

    def _look(self, path: str) -> Any:
        hashed = _HASHED.match(path)
        place = self.place(path) or (self.place(hashed[1] + hashed[3]) if hashed else None)
        if place is None or not place.is_file():
            return None
        found = self.get_static_file(str(place), path)
        self.files[path] = found
        return found

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Any:
        """WhiteNoise's answer for one file, with the packed copies of texts that we keep."""
        rows = Headers([])
        self.add_mime_headers(rows, path, url)
        self.add_cache_headers(rows, path, url)
        _add_headers(rows, path, url)
        return StaticFile(path, rows.items(), stat_cache=stat_cache, encodings=self._packed(Path(path)))

    def _packed(self, path: Path) -> dict[str, str]:
        """Packed copies of a text file by encoding, made under ``instance/built/files/`` when first asked for."""
        if path.suffix not in PACKED or path.stat().st_size < WORTH_PACKING:
            return {}
        folder = self.root / "instance" / "built" / "files"
        copies = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for encoding, pack in (("br", brotli.compress), ("gzip", gzip.compress)):
                copy = folder / f"{digest(path)}-{path.name}.{encoding}"
                if not copy.is_file():
                    fresh = copy.with_suffix(f".{os.getpid()}")
                    fresh.write_bytes(pack(path.read_bytes()))
                    fresh.replace(copy)
                copies[encoding] = str(copy)
        except OSError:
            return {}  # an instance folder that cannot be written costs bytes, not answers
        return copies


def _is_immutable(path: str, url: str) -> bool:
    hashed = _HASHED.match(url)
    return hashed is not None and digest(Path(path)) == hashed[2]


def _add_headers(given: Headers, path: str, url: str) -> None:
    given["X-Content-Type-Options"] = "nosniff"
    given["Content-Security-Policy"] = _INERT
    given["Referrer-Policy"] = headers.REFERRER


def _with_hsts(start_response: Any) -> Any:
    def start(status: str, given: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*given, ("Strict-Transport-Security", headers.HSTS)], *rest)

    return start
