"""A visitor without a browser: plain HTTP over a socket, and forms sent as the page has them."""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import quote, urlencode, urljoin, urlsplit

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
Fields = Iterable[tuple[str, str]]


@dataclass
class Form:
    """One form of a page, with the fields that it would send as it stands."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **typed: str | None) -> list[tuple[str, str]]:
        """Its fields with these typed instead or added; ``None`` leaves a field out."""
        kept = [(name, value) for name, value in self.fields if name not in typed]
        return kept + [(name, value) for name, value in typed.items() if value is not None]


class _Reader(HTMLParser):
    """Collects forms and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._named: dict[str, Form] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        self.links += [(tag, at[name]) for name in ("href", "src", "poster") if at.get(name)]
        self.links += [(tag, part.split()[0]) for part in at.get("srcset", "").split(",") if part.split()]
        if tag == "form":
            self._form = Form(at.get("action", ""), at.get("method", "get").lower())
            self._named[at.get("id", "")] = self._form
            self.forms.append(self._form)
        owner = self._named.get(at["form"]) if "form" in at else self._form
        if owner is not None and tag in {"input", "textarea", "select"} and at.get("name"):
            kind = at.get("type", "text")
            if kind not in {"checkbox", "radio", "submit"} or "checked" in at:
                owner.fields.append((at["name"], at.get("value", "")))
        elif owner is not None and tag == "button" and at.get("name"):
            owner.buttons.append((at["name"], at.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    url: str
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def is_html(self) -> bool:
        return self.headers.get_content_type() == "text/html"

    @property
    def location(self) -> str:
        """Where it sends us, as a whole address."""
        return urljoin(self.url, self.headers["Location"] or "")

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.text)
        return reader

    @property
    def forms(self) -> list[Form]:
        return self._read().forms

    @property
    def links(self) -> list[tuple[str, str]]:
        """(tag, whole address without its fragment) of all that the page refers to."""
        return [(tag, urljoin(self.url, to).partition("#")[0]) for tag, to in self._read().links]

    def form(self, part: str) -> Form:
        """The one form to post whose address or fields contain ``part``."""
        found = [form for form in self.forms if form.method == "post"
                 and (part in form.action or part in dict(form.fields))]
        assert found, f"{self.url} ({self.status}) has no form with {part!r}:\n{self.text[:4000]}"
        return found[0]


class Web:
    """One visitor on one kept connection. Cookies are kept as a browser would; nothing is followed by itself."""

    def __init__(self, base: str, **headers: str) -> None:
        self.base = base
        self.headers = {"User-Agent": CHROME, "Accept-Language": "en-GB"} | _spelled(headers)
        self.cookies: dict[str, str] = {}
        self._line: http.client.HTTPConnection | None = None

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def head(self, path: str, **headers: str) -> Answer:
        return self.ask("HEAD", path, **headers)

    def post(self, path: str, fields: Fields = (), multipart: bool = False, **headers: str) -> Answer:
        """Send a form, urlencoded unless told otherwise."""
        body, kind = _multipart(fields) if multipart else (_urlencoded(fields), "application/x-www-form-urlencoded")
        return self.ask("POST", path, body, **{"Content-Type": kind} | _spelled(headers))

    def send(self, page: Answer, form: Form, **typed: str | None) -> Answer:
        """Send a form of ``page`` with these fields filled in; see ``Form.filled``."""
        return self.post(urljoin(page.url, form.action), form.filled(**typed), Referer=page.url, Origin=self.base)

    def follow(self, answer: Answer) -> Answer:
        """Where an answer sends us, until it sends us nowhere."""
        for _ in range(5):
            if answer.status not in {301, 302, 303, 307, 308}:
                return answer
            answer = self.get(answer.location)
        raise AssertionError(f"{answer.url} goes round in circles")

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request. ``path`` may be a whole address of the site."""
        url = urljoin(self.base, path)
        parts = urlsplit(url)
        assert url.startswith(self.base + "/") or url == self.base, f"{url} is not on {self.base}"
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._|") + (f"?{parts.query}" if parts.query else "")
        return self.raw(method, target, body, url, **headers)

    def raw(self, method: str, target: str, body: bytes | None = None, url: str = "", **headers: str) -> Answer:
        """One request for exactly ``target``, as no browser would write it."""
        sent = self.headers | _spelled(headers)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        for fresh in (self._line is None, True):
            if fresh or self._line is None:
                self._line = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=20)
            try:
                self._line.request(method, target, body, sent)
                response = self._line.getresponse()
                answer = Answer(url or self.base + target, response.status, response.headers, response.read())
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._line = None  # the server may hang up on an idle line
                if fresh:
                    raise
        for header in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0" or "1970" in morsel["expires"]:
                    del self.cookies[name]
        return answer


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _urlencoded(fields: Fields) -> bytes:
    return urlencode(list(fields), errors="surrogatepass").encode("ascii")


def _multipart(fields: Fields) -> tuple[bytes, str]:
    mark = secrets.token_hex(12)
    parts: Sequence[str] = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                            for name, value in fields]
    body = "".join([*parts, f"--{mark}--\r\n"])
    return body.encode("utf-8", "surrogatepass"), f"multipart/form-data; boundary={mark}"
