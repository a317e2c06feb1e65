"""Text as the mail standards want it on the wire: quoted-printable, encoded words, folded headers. Pure functions.

Whatever goes in, no function here gives a bare CR or LF, an octet above 126, or a header that its value has written.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from binascii import b2a_base64
from functools import lru_cache

WIDTH = 76  # the longest line of an encoded body, RFC 2045
_PLAIN_LINE = re.compile(r"(?!From )[!-<>-~](?:[ -<>-~]*[!-<>-~])?")
_UNSEEN = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES = re.compile(r" {2,}")
_QUOTED = [bytes([code]) if 33 <= code <= 126 and code != 61 else b"=%02X" % code for code in range(256)]
_QUOTED[0x20], _QUOTED[0x09] = b" ", b"\t"
_WORD_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATOM_TEXT = re.compile(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*$")


def clean(value: str) -> str:
    """``value`` on one line: control characters and line ends are spaces, marks that turn the reading are gone."""
    if value.isascii() and value.isprintable():
        return value.strip()
    text = value.encode("utf-8", "replace").decode()
    text = _CONTROL.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFC", text)))
    return _SPACES.sub(" ", text).strip()


def quoted(text: str) -> bytes:
    """Quoted-printable of ``text``, lines ended by CRLF where it has a newline, no line longer than 76."""
    return b"\r\n".join(_quoted_line(line) for line in text.split("\n"))


def _quoted_line(line: str) -> bytes:
    codes = [_QUOTED[code] for code in line.encode("utf-8", "replace")]
    if codes and codes[-1] in (b" ", b"\t"):
        codes[-1] = b"=%02X" % codes[-1][0]
    if codes[:5] == [b"F", b"r", b"o", b"m", b" "]:
        codes[0] = b"=46"  # mailbox files would write ">From", and break the signature
    lines: list[bytes] = []
    current = bytearray()
    for code in codes:
        if len(current) + len(code) > WIDTH - 1:
            lines.append(bytes(current) + b"=")
            current.clear()
        current += code
    lines.append(bytes(current))
    return b"\r\n".join(lines)


@lru_cache(maxsize=4096)
def quoted_value(value: str) -> bytes:
    """Quoted-printable of a value that stands between two soft line breaks."""
    if not _PLAIN_LINE.fullmatch(value):
        return _quoted_line(value)
    data = value.encode("ascii")
    if len(data) < WIDTH:
        return data
    return b"=\r\n".join(data[start : start + WIDTH - 1] for start in range(0, len(data), WIDTH - 1))


def base64_lines(text: str) -> bytes:
    """Base64 of ``text`` (its newlines as CRLF) in lines of 76, the last one ended too."""
    data = text.replace("\n", "\r\n").encode("utf-8", "replace")
    return b"".join(b2a_base64(data[start : start + 57], newline=False) + b"\r\n" for start in range(0, len(data), 57))


def is_mostly_foreign(text: str) -> bool:
    """Whether base64 is shorter to send than quoted-printable: more than two letters in five are not ASCII."""
    return sum(not character.isascii() for character in text) > 0.4 * max(len(text), 1)


def header(name: str, value: str) -> bytes:
    """One unstructured header with its line end: folded, and in encoded words where plain ASCII will not do."""
    text = clean(value)
    if _is_plain(text):
        return _folded(name, text.split(" "))
    return _folded(name, _encoded_words(text, len(name) + 2), glue=True)


def token_header(name: str, *tokens: str) -> bytes:
    """A header of words that stand as they are, such as addresses. Raises ValueError unless they are plain ASCII."""
    if not all(re.fullmatch(r"[!-~]+", token) for token in tokens):
        raise ValueError(f"{name} cannot hold this")
    return _folded(name, list(tokens))


def mailbox_header(name: str, display: str, address: str) -> bytes:
    """A header of one mailbox, such as From. Raises ValueError when the address cannot stand in a header."""
    if re.search(r"[\x00-\x20\x7f<>,;:\"()\\]", address) or "@" not in address:
        raise ValueError("not an address for a header")
    shown = clean(display)
    if not shown:
        return _folded(name, [address])
    if _is_plain(shown) and _ATOM_TEXT.match(shown):
        words = shown.split(" ")
    elif _is_plain(shown):
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        words = f'"{escaped}"'.split(" ")
    else:
        words = _encoded_words(shown, len(name) + 2)
    return _folded(name, [*words, f"<{address}>"])


def _is_plain(text: str) -> bool:
    return text.isascii() and "=?" not in text and all(len(word) < WIDTH - 1 for word in text.split(" "))


def _folded(name: str, words: list[str], glue: bool = False) -> bytes:
    """``Name: words`` with line breaks before words that would stand beyond the width; ``glue``: before every word."""
    lines = [f"{name}:"]
    for place, word in enumerate(words):
        breaks = len(lines[-1]) + 1 + len(word) > WIDTH or (glue and place > 0)
        if breaks and lines[-1].strip():
            lines.append("")
        lines[-1] += " " + word
    return "\r\n".join(lines).encode("utf-8") + b"\r\n"


def _encoded_words(text: str, used: int) -> list[str]:
    """RFC 2047 words of at most 75 characters; ``used`` columns of the first line are taken."""
    dense = is_mostly_foreign(text)
    words: list[str] = []
    current, size, room = "", 0, min(75, WIDTH - used)
    for character in text:
        more = _word_size(character, dense)
        full = size + more > room - 12 if not dense else (size + more + 2) // 3 * 4 > room - 12
        if current and full:
            words.append(_word(current, dense))
            current, size, room = "", 0, 75
        current += character
        size += more
    words.append(_word(current, dense))
    return words


@lru_cache(maxsize=2048)
def _word_size(character: str, dense: bool) -> int:
    """The columns of ``character`` in a Q word; its octets for a B word, of which three take four columns."""
    data = character.encode("utf-8", "replace")
    return len(data) if dense else sum(1 if code == 32 or code in _WORD_SAFE else 3 for code in data)


def _word(text: str, dense: bool) -> str:
    data = text.encode("utf-8", "replace")
    if dense:
        return f"=?utf-8?b?{b64encode(data).decode()}?="
    quoted_text = "".join("_" if code == 32 else chr(code) if code in _WORD_SAFE else f"={code:02X}" for code in data)
    return f"=?utf-8?q?{quoted_text}?="
