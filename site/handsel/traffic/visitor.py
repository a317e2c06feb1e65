"""Who is looking, for one day: a keyed hash that nobody can undo tomorrow, and where the visit came from.

Nothing here touches the database or the visitor's device. The hash is made of the day's secret, the address prefix and
the browser; when the secret goes, so does every way from the hash to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
LONGEST = 120  # characters of a source, campaign or utm value that we keep
NO_UTM = ("", "", "", "", "")


class Visit(NamedTuple):
    """What one request tells of its visitor; texts are cut to what the database keeps, without control characters."""

    visitor: str
    """32 hex digits: the same for one browser behind one address prefix on one day (UTC), or, for somebody who agreed
    to be recognised, the number in their cookie."""
    prefix: str
    browser: str
    device: str
    """``phone``, ``tablet`` or ``computer``."""
    excluded: str
    """Why the request counts for nothing: ``bot``, ``prefetch`` or ``head``; empty when it counts."""
    private: bool
    """The browser asks not to be followed (Sec-GPC or DNT): the hash chooses the variant and is not kept."""
    referrer: str
    source: str
    """utm_source, else the referring host, else ``direct``; empty within the site itself."""
    utm: tuple[str, str, str, str, str]
    language: str
    unit: str
    """Whom experiments count, and by whom the variant is chosen: the visitor, and for one who is recognised the hash
    that they had on the day of their consent, so that they see what they saw and count once."""

    @property
    def kept(self) -> str:
        """The visitor's hash as it may be stored: empty for one who asks not to be followed."""
        return "" if self.private else self.visitor

    def recognised(self, visitor: str, unit: str) -> Visit:
        """The same visit of somebody who agreed to be known as ``visitor``."""
        return self._replace(visitor=visitor, unit=unit)


def visit(environ: Mapping[str, Any], secret: bytes) -> Visit:
    """The visit behind a WSGI request, under the day's ``secret``."""
    get = environ.get
    prefix = address_prefix(get("REMOTE_ADDR") or "")
    browser = get("HTTP_USER_AGENT") or ""
    robot, device, shown = _kind_of_browser(browser)
    query = get("QUERY_STRING")
    utm = _utm(query) if query and "utm_" in query else NO_UTM
    referrer, source = _referrer(get("HTTP_REFERER") or "", get("HTTP_HOST") or "")
    visitor = visitor_hash(secret, prefix, browser)
    return Visit(
        visitor, prefix, shown, device,
        "bot" if robot else _aside(environ), get("HTTP_SEC_GPC") == "1" or get("HTTP_DNT") == "1",
        referrer, (utm[0] and utm[0].lower()) or source, utm, _language(get("HTTP_ACCEPT_LANGUAGE") or ""),
        visitor,
    )


@lru_cache(maxsize=8192)
def visitor_hash(secret: bytes, prefix: str, browser: str) -> str:
    """32 hex digits that stand for one browser behind one address prefix, for as long as ``secret`` is kept."""
    return blake2b(f"{prefix}\n{browser}".encode("utf-8", "replace"), key=secret, digest_size=16).hexdigest()


@lru_cache(maxsize=8192)
def address_prefix(address: str) -> str:
    """The network of an address, which is all we keep of it: a /24 of IPv4, a /64 of IPv6; empty for anything else."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return str(ip_network((parsed, 24 if isinstance(parsed, IPv4Address) else 64), strict=False))


def clean(text: str, longest: int) -> str:
    """``text`` without control characters and lone surrogates, cut to ``longest`` characters."""
    text = text[: longest * 2].encode("utf-8", "ignore").decode()
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable())
    return text[:longest].strip()


@lru_cache(maxsize=4096)
def _kind_of_browser(browser: str) -> tuple[bool, str, str]:
    """Whether a browser says that it is a program, its coarse kind of device, and its name as we keep it."""
    shown = clean(browser, 200)
    if len(browser) < 12:  # no browser that people use says so little
        return True, "computer", shown
    words = browser[:400].lower()
    device = "computer"
    if "ipad" in words or "tablet" in words or ("android" in words and "mobile" not in words):
        device = "tablet"
    elif "mobi" in words or "iphone" in words:
        device = "phone"
    return _crawler(browser[:400]), device, shown


def _crawler(browser: str) -> bool:
    from crawlerdetect import CrawlerDetect  # 35 ms at first use

    global _detector  # noqa: PLW0603  it compiles its patterns once
    if _detector is None:
        _detector = CrawlerDetect()
    return bool(_detector.isCrawler(browser))


_detector: Any = None


def _aside(environ: Mapping[str, Any]) -> str:
    """``head`` or ``prefetch`` when nobody is looking at the answer yet."""
    if environ.get("REQUEST_METHOD") == "HEAD":
        return "head"
    purpose = environ.get("HTTP_SEC_PURPOSE") or environ.get("HTTP_PURPOSE") or environ.get("HTTP_X_MOZ") or ""
    return "prefetch" if "prefetch" in purpose or "prerender" in purpose else ""


@lru_cache(maxsize=4096)
def _utm(query: str) -> tuple[str, str, str, str, str]:
    try:
        values = parse_qs(query[:4000], max_num_fields=60)
    except ValueError:  # more fields than any campaign has
        return NO_UTM
    source, medium, campaign, term, content = (clean(values.get(name, [""])[0], LONGEST) for name in UTM)
    return source, medium, campaign, term, content


@lru_cache(maxsize=4096)
def _referrer(referrer: str, host: str) -> tuple[str, str]:
    """The referring address without its query (it may hold what is nobody's business), and the source it stands for."""
    try:
        parts = urlsplit(referrer[:2000])
        name = parts.hostname or ""
    except ValueError:
        return "", "direct"
    if parts.scheme not in {"http", "https"} or not name:
        return "", "direct"
    own = host.rsplit(":", 1)[0].lower()
    if name == own:
        return "", ""
    return clean(f"{parts.scheme}://{name}{parts.path}", 400), clean(name.removeprefix("www."), LONGEST)


@lru_cache(maxsize=1024)
def _language(header: str) -> str:
    return clean(header.split(",", 1)[0].split(";", 1)[0], 20)
