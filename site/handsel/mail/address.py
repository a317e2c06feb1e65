"""The mail server's address: ``MAIL_URL`` read into parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from handsel.errors import SettingsError, nearest

Tls = Literal["off", "starttls", "tls"]
PORTS: dict[Tls, int] = {"off": 25, "starttls": 587, "tls": 465}
WHERE = "HANDSEL_MAIL_URL"
EXAMPLE = ("Write it as `smtp://user:password@mail.example.org:587?tls=starttls`; in a password `/`, `?`, `#` and `@` "
           "are written %2F, %3F, %23 and %40.")


@dataclass(frozen=True)
class ServerAddress:
    """Where mail goes: host, port, how the line is protected, and the name and password if the server wants them."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)


def read(url: str) -> ServerAddress:
    """The parts of a ``MAIL_URL``. Raises SettingsError, which never shows the password.

    ``smtp://`` protects the line by STARTTLS on port 587 and by TLS from the start on port 465; on other ports and on
    this machine it does not, unless ``?tls=starttls`` or ``?tls=tls`` asks for it. ``smtps://`` is TLS from the start,
    ``starttls://`` is STARTTLS.
    """
    try:
        parts = urlsplit(url.strip())
        host, given_port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(WHERE, "The address of the mail server cannot be read.", EXAMPLE) from error
    if parts.scheme not in ("smtp", "smtps", "starttls"):
        raise SettingsError(WHERE, f"There is no kind of mail server '{parts.scheme}'.",
                            nearest(parts.scheme, ("smtp", "smtps", "starttls")))
    if not host:
        raise SettingsError(WHERE, "The address names no host.", EXAMPLE)
    if parts.path not in ("", "/"):
        raise SettingsError(WHERE, "Nothing may follow the host but a port and `?tls=`.", EXAMPLE)
    if given_port is not None and not given_port:
        raise SettingsError(WHERE, "The port is 0.", EXAMPLE)
    tls = _tls(parts.scheme, given_port, parts.query)
    address = ServerAddress(host, given_port or PORTS[tls], tls, unquote(parts.username or ""),
                            unquote(parts.password or ""))
    _refuse_open_password(address)
    return address


def _tls(scheme: str, port: int | None, query: str) -> Tls:
    wanted = ""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "tls":
            raise SettingsError(WHERE, f"There is no option '{name}'.", nearest(name, ("tls",)))
        if value not in PORTS:
            raise SettingsError(WHERE, f"There is no kind of protection '{value}'.", nearest(value, PORTS))
        wanted = value
    by_scheme = {"smtps": "tls", "starttls": "starttls"}.get(scheme, "")
    if wanted and by_scheme and wanted != by_scheme:
        raise SettingsError(WHERE, f"`{scheme}://` and `tls={wanted}` contradict each other.", "Remove one of them.")
    by_port = {587: "starttls", 465: "tls"}.get(port or 0, "off")
    return cast(Tls, wanted or by_scheme or by_port)


def _refuse_open_password(address: ServerAddress) -> None:
    if bool(address.user) != bool(address.password):
        raise SettingsError(WHERE, "The address has a user or a password, but not both.", EXAMPLE)
    if address.user and address.tls == "off" and not _is_here(address.host):
        raise SettingsError(WHERE, "The password would cross the network in the open.", "Add `?tls=starttls`.")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
