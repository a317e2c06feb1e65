"""The store that several machines share, such as an S3 bucket: what one of them builds, all of them give.

An object is there whole or not at all, and its name is a path with slashes. Without ``HANDSEL_STORAGE_URL`` there is no
store, and what is built stays in ``instance/``. Visitors never see an address in it: machines fetch, visitors ask them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from flask import Flask

from handsel.errors import HandselError, SettingsError, nearest

if TYPE_CHECKING:
    from obstore.store import S3Store

SETTING = "HANDSEL_STORAGE_URL"
FORM = ("Write s3://bucket/prefix?endpoint=https://…&region=…, and put the key into AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY.")
TOLD = {
    "InvalidAccessKeyId": ("It does not know the access key.", "Check AWS_ACCESS_KEY_ID."),
    "SignatureDoesNotMatch": ("The secret does not belong to the access key.", "Check AWS_SECRET_ACCESS_KEY."),
    "AccessDenied": ("It does not let this key do that.",
                     "Allow the key to put, get, list and delete objects in the bucket."),
    "ExpiredToken": ("The session token has run out.", "Set a fresh AWS_SESSION_TOKEN, or a key that lasts."),
    "NoSuchBucket": ("There is no such bucket.", "Make it, closed to the public, or mend its name."),
    "PermanentRedirect": ("The bucket is in another region.", "Add ?region=… to the setting."),
    "AuthorizationHeaderMalformed": ("The bucket is in another region.", "Add ?region=… to the setting."),
    "RequestTimeTooSkewed": ("It finds the clock of this machine wrong.", "Keep the clock right with NTP."),
}
TOLD |= {"InvalidToken": TOLD["ExpiredToken"]}


class StoreError(HandselError):
    """The store does not answer, or refuses."""


@dataclass(frozen=True)
class Place:
    """Where a store is and with what key it opens; printed without the key."""

    bucket: str
    prefix: str
    endpoint: str
    region: str
    key: str = field(repr=False)
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"s3://{self.bucket}{self.prefix and '/' + self.prefix}"


@dataclass(frozen=True)
class Entry:
    """One object of the store."""

    name: str
    at: datetime


def read(url: str) -> Place:
    """The place that the setting names. Raises SettingsError, which never repeats what may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(SETTING, "It is no address of a store.",
                            f"{FORM} In a password, write / as %2F and @ as %40.") from error
    options = dict(parse_qsl(parts.query))
    unknown = sorted(set(options) - {"endpoint", "region"})
    if parts.scheme != "s3":
        raise SettingsError(SETTING, "We keep files in stores that speak S3 alone.", FORM)
    if not parts.hostname or port is not None or parts.fragment:
        raise SettingsError(SETTING, "It names no bucket.", FORM)
    if unknown:
        raise SettingsError(SETTING, f"There is no option '{unknown[0]}'.", nearest(unknown[0], ("endpoint", "region")))
    endpoint = options.get("endpoint", "").rstrip("/")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise SettingsError(SETTING, "The endpoint is no address.", "Write endpoint=https://…")
    return Place(parts.hostname, unquote(parts.path).strip("/"), endpoint, options.get("region", ""),
                 unquote(parts.username or ""), unquote(parts.password or ""))


def init_app(app: Flask) -> None:
    """Hang the store on ``app``, if there is one. It is not asked anything before somebody needs it."""
    url = str(app.config["STORAGE_URL"])
    app.extensions["handsel.storage"] = Store(read(url)) if url else None
    if url and find_spec("obstore") is None:
        raise SettingsError(SETTING, "The library that speaks with the store is not installed.",
                            "Run: pip install 'handsel[s3]'")


def of(app: Flask) -> Store | None:
    """The store of the application; None while everything stays on this machine."""
    store = app.extensions["handsel.storage"]
    assert store is None or isinstance(store, Store)
    return store


class Store:
    """A bucket, or the part of it below a prefix. Every method raises StoreError when it does not answer or refuses."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._opened: tuple[int, S3Store] | None = None

    def __str__(self) -> str:
        return str(self.place)

    def put(self, name: str, data: bytes, *, new: bool = False) -> bool:
        """Keep ``data`` under ``name``. With ``new`` what is there already stays; whether ``data`` is there now."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, BaseError

        with self._told():
            try:
                obstore.put(self._store(), name, data, mode="create" if new else "overwrite", use_multipart=False)
            except AlreadyExistsError:
                return False
            except BaseError as error:
                if not new or _code(error) != "NotImplemented":
                    raise
                obstore.put(self._store(), name, data, use_multipart=False)  # a store that knows no conditions
        return True

    def read(self, name: str) -> bytes | None:
        """What is kept under ``name``; None when nothing is."""
        import obstore

        with self._told():
            try:
                return bytes(obstore.get(self._store(), name).bytes())
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise
                return None

    def fetch(self, name: str, path: Path, sha256: str) -> None:
        """Bring an object to ``path``, which is there whole or not at all. ``sha256`` says what has to be in it."""
        import obstore

        fresh, mark = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}"), hashlib.sha256()
        try:
            with self._told(), fresh.open("wb") as file:
                for chunk in obstore.get(self._store(), name).stream(min_chunk_size=1 << 20):
                    mark.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if mark.hexdigest() != sha256:
                raise StoreError(str(self), f"What it holds as {name} is damaged.",
                                 "Delete that object's folder and restart a worker.")
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)

    def delete(self, names: list[str]) -> None:
        """Throw objects away; those that are not there are no fault."""
        import obstore

        with self._told():
            for name in names:  # one by one: not every store knows how to delete many at once
                with contextlib.suppress(FileNotFoundError):
                    obstore.delete(self._store(), name)

    def entries(self, under: str) -> list[Entry]:
        """All objects whose names begin with the folder ``under``."""
        import obstore

        with self._told():
            return [Entry(entry["path"], entry["last_modified"])
                    for entries in obstore.list(self._store(), under) for entry in entries]

    def try_out(self) -> None:
        """Put, get and delete a small object: whatever we need of a store. Raises StoreError as all methods do."""
        name, word = f"doctor/{os.urandom(8).hex()}", b"This object may be deleted."
        self.put(name, word)
        if self.read(name) != word or not self.entries("doctor"):
            raise StoreError(str(self), "It does not give back what it was given.", "Look for another store.")
        self.delete([name])

    def _store(self) -> S3Store:
        """The library's own store, opened by each process for itself: its threads do not outlive a fork."""
        if self._opened is None or self._opened[0] != os.getpid():
            from obstore.store import S3Store

            place = self.place
            own = {"endpoint": place.endpoint, "region": place.region, "access_key_id": place.key,
                   "secret_access_key": place.secret}
            self._opened = os.getpid(), S3Store(
                place.bucket, prefix=place.prefix or None,
                client_options={"allow_http": True, "connect_timeout": "3s",
                                "read_timeout": "5s", "timeout": "120s"},
                retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=3)},
                **{name: value for name, value in own.items() if value})  # type: ignore[arg-type]
        return self._opened[1]

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong, in our words: the library's own repeat requests and answers, which are for no log."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            what, do = _words(error)
            raise StoreError(str(self), what, do) from None


def _code(error: Exception) -> str:
    """The store's own short name for what is wrong; empty where it gave none."""
    found = re.search(r"<Code>(\w+)</Code>", str(error))
    return found[1] if found else ""


def _words(error: Exception) -> tuple[str, str]:
    code, text = _code(error), str(error)
    if code in TOLD:
        return TOLD[code]
    if "169.254." in text or "credential" in text.lower():
        return ("We have no key for it.", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    if (status := re.search(r"status code: (\d{3})", text)) is not None:
        known = "AccessDenied" if status[1] in {"401", "403"} else ""
        return TOLD.get(known, (f"It answered with {code or status[1]}.", "See what its own log says."))
    return ("It does not answer.", "Check the endpoint and the network; we go on trying.")
