"""A page as bytes with holes: cut at its form tokens once, packed once for each encoding, and filled for each visitor.

Tokens stand at the very end of a page. All before them is compressed when the page is compiled; the rest is put behind
it uncompressed, as both formats allow. So a visitor costs no compression, and the page still fits its first packets.
Tokens are not secret from those who see the page and pages carry no cookie, so compression gives nothing away.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import brotli

from handsel import headers
from handsel.public.press import Hole, Press
from handsel.public.sheets import Sheet

HTML = "text/html; charset=utf-8"
BROTLI_QUALITY = 6  # two milliseconds a page; the best level takes forty for a twentieth less
SHARED = "public, no-cache"  # anyone may keep it, and asks each time whether it is still true
OWN = "private, no-cache"  # made for one visitor: a token, or one variant of several
ENCODINGS = ("", "gzip", "br")

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Packed:
    """One encoding of a page: its beginning as sent, its headers without a length, plain and over TLS."""

    start: bytes
    plain_rows: Rows
    secure_rows: Rows
    etag: str


@dataclass(frozen=True)
class Compiled:
    """One page, ready to answer with.

    ``pieces`` stand around the holes, the first of them without what comes before the tokens (``start``); there is one
    more piece than ``order`` has holes. ``order`` gives for each place the number of its hole in ``holes``.
    """

    path: str
    variant: str
    offer: str
    holes: tuple[Hole, ...]
    order: tuple[int, ...]
    start: bytes
    pieces: tuple[bytes, ...]
    packed: dict[str, Packed]
    crc: int

    def whole(self, tokens: Sequence[bytes]) -> bytes:
        """The page with ``tokens`` in its holes, not encoded."""
        return self.start + self.rest(tokens)

    def rest(self, tokens: Sequence[bytes]) -> bytes:
        """What stands behind ``start``."""
        if not self.order:
            return b""
        if len(self.order) == 1:
            return self.pieces[0] + tokens[0] + self.pieces[1]
        filled = [self.pieces[0]]
        for place, piece in zip(self.order, self.pieces[1:], strict=True):
            filled += (tokens[place], piece)
        return b"".join(filled)

    def body(self, encoding: str, tokens: Sequence[bytes]) -> bytes:
        """The page as sent in ``encoding``."""
        return self.packed[encoding].start + self.end(encoding, tokens)

    def end(self, encoding: str, tokens: Sequence[bytes]) -> bytes:
        """What follows the beginning that is packed already, for a page as sent in ``encoding``."""
        rest = self.rest(tokens)
        if not encoding or not rest:
            return rest
        if encoding == "br":
            return _brotli_stored(rest)
        return _gzip_end(rest, self.crc, len(self.start))


def compiled(press: Press, sheet: Sheet, variant: str) -> Compiled:
    """The sheet's page, drawn once and cut at its tokens."""
    secret = secrets.token_hex(16)
    marks: dict[Hole, str] = {}
    drawn = press.draw(sheet, variant, lambda hole: marks.setdefault(hole, f"{secret}-{len(marks)}-"))
    pieces = drawn.html.split(secret)
    texts, order = [pieces[0]], []
    for piece in pieces[1:]:
        _, number, text = piece.split("-", 2)
        order.append(int(number))
        texts.append(text)
    own = bool(order) or sheet.experiment
    return pack(
        sheet.path,
        texts,
        tuple(order),
        drawn.holes,
        security=headers.rows("public", [drawn.style_hash]),
        own=own,
        variant=variant,
        offer=sheet.offer.slug if sheet.offer else "",
    )


def pack(
    path: str,
    texts: Sequence[str],
    order: tuple[int, ...] = (),
    holes: tuple[Hole, ...] = (),
    *,
    security: Rows,
    content_type: str = HTML,
    own: bool = False,
    variant: str = "",
    offer: str = "",
) -> Compiled:
    """The pieces of a page in every encoding. ``own``: made for one visitor, so nobody else may be given it."""
    start, *rest = (text.encode() for text in texts)
    pieces = (b"", *rest) if order else ()
    mark = digest(texts[0])
    packed = {}
    for encoding, encode in (("", None), ("gzip", _gzip), ("br", _brotli)):
        body = encode(start, bool(order)) if encode else start
        etag = "" if own else f'"{mark}{encoding}"'
        rows: Rows = [
            ("Content-Type", content_type),
            ("Cache-Control", OWN if own else SHARED),
            ("Vary", "Accept-Encoding"),
        ]
        rows += [("Content-Encoding", encoding)] if encoding else []
        rows += [("ETag", etag)] if etag else []
        plain = [*rows, *security]
        packed[encoding] = Packed(body, plain, [*plain, ("Strict-Transport-Security", headers.HSTS)], etag)
    return Compiled(path, variant, offer, holes, order, start, pieces, packed, zlib.crc32(start))


def digest(html: str) -> str:
    """The mark by which a browser knows whether its page is still the same."""
    return hashlib.sha256(html.encode()).hexdigest()[:16]


@lru_cache(maxsize=1024)
def encoding_for(accepted: str) -> str:
    """The best encoding that an Accept-Encoding header allows: br, gzip, or nothing."""
    allowed: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        try:
            allowed[name.strip()] = float(quality.partition("=")[2] or 1)
        except ValueError:
            allowed[name.strip()] = 0
    return next((name for name in ("br", "gzip") if allowed.get(name, allowed.get("*", 0)) > 0), "")


def _gzip(data: bytes, more: bool) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if not more else -15)
    if not more:
        return packer.compress(data) + packer.flush()
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return head + packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)  # ends on a whole byte


def _gzip_end(rest: bytes, crc: int, before: int) -> bytes:
    """The end of a gzip stream: ``rest`` as one stored block (RFC 1951, 3.2.4), checksum and length (RFC 1952)."""
    size = len(rest)
    return b"".join(
        (
            b"\x01",
            size.to_bytes(2, "little"),
            (size ^ 0xFFFF).to_bytes(2, "little"),
            rest,
            zlib.crc32(rest, crc).to_bytes(4, "little"),
            (before + size).to_bytes(4, "little"),
        )
    )


def _brotli(data: bytes, more: bool) -> bytes:
    if not more:
        return bytes(brotli.compress(data, quality=BROTLI_QUALITY))
    packer = brotli.Compressor(quality=BROTLI_QUALITY)
    return bytes(packer.process(data) + packer.flush())


def _brotli_stored(rest: bytes) -> bytes:
    """``rest`` as one uncompressed meta-block and the empty last one (RFC 7932, 9.2)."""
    return ((len(rest) - 1) << 3 | 1 << 19).to_bytes(3, "little") + rest + b"\x03"
