"""Settings: one row each; defaults < ``instance/config.toml`` < ``HANDSEL_*`` environment < what the caller passes."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handsel.errors import SettingsError, nearest


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(nearest(text, choices))
        return text

    return parse


@dataclass(frozen=True)
class Setting:
    """One setting: its name (also ``HANDSEL_<NAME>``), how its text is read, its default, and what it does."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    what: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("ENV", _one_of("development", "production", "test"), "development",
            "`production` refuses whatever is only for trying out."),
    Setting("SITE_URL", str, "", "The address visitors use, such as `https://example.org`; wins over `_site.yml`."),
    Setting("DATABASE_URL", str, "", "`sqlite:///…` or `postgresql+psycopg://…`; empty: `instance/handsel.db`.", True),
    Setting("MAIL_URL", str, "",
            "`smtp://user:password@host:587?tls=starttls`; empty: mail is caught in the built-in inbox.", True),
    Setting("MAIL_TIMEOUT", float, 20.0, "Seconds to wait for the mail server at each step."),
    Setting("BOUNCE_ADDRESS", str, "",
            "The mailbox that mails come back to, such as `bounces@example.org`; each mail adds a `+mark` of its own. "
            "Empty: `b@` and the sender's domain."),
    Setting("DNS_SERVER", str, "",
            "Whom `handsel doctor` asks about the sender's domain, such as `9.9.9.9`; empty: whom this machine asks."),
    Setting("SECRET_KEY", str, "", "Signs sessions and links; empty: made once in `instance/secret_key`.", True),
    Setting("REDIS_URL", str, "", "Keeps rate limits for several machines; empty: kept beside the database.", True),
    Setting("STORAGE_URL", str, "",
            "`s3://bucket/prefix?endpoint=https://…&region=…` holds printed guides for several machines, and "
            "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` its key; empty: they stay in `instance/`.", True),
    Setting("RATE_LIMITS", _one_of("on", "off"), "on", "`off` for load tests; refused in production."),
    Setting("TRUSTED_PROXIES", int, 0, "How many proxies in front of us set `X-Forwarded-*`."),
    Setting("METRICS_TOKEN", str, "",
            "Who brings it as a bearer token may read `/metrics`; empty: this machine only, and nobody in production.",
            True),
    Setting("SYNCHRONOUS", _one_of("FULL", "NORMAL"), "FULL",
            "SQLite only: `NORMAL` is faster and may lose the last captures when the power fails."),
    Setting("MAX_BODY_BYTES", int, 1_000_000, "The largest form a visitor may send."),
    Setting("LOG_LEVEL", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "How much the log says."),
    Setting("CLOCK_FILE", str, "",
            "For tests: a file with seconds by which the clock runs ahead; refused in production."),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Value:
    """A setting's value and its origin: ``default``, ``config.toml``, ``environment``, ``_site.yml`` or ``caller``."""

    value: Any
    origin: str


def load(root: Path, given: Mapping[str, Any] | None = None,
         environ: Mapping[str, str] = os.environ) -> dict[str, Value]:
    """Every setting of the project at ``root`` with its origin.

    Raises SettingsError for an unknown name, a value that cannot be read, or one that production refuses.
    """
    values = {setting.name: Value(setting.default, "default") for setting in SETTINGS}
    for name, raw in _from_toml(root / "instance" / "config.toml").items():
        short = _known(name.upper(), "instance/config.toml")
        values[short] = Value(_read(short, str(raw)), "config.toml")
    for name, raw in environ.items():
        if name.startswith("HANDSEL_") and name.removeprefix("HANDSEL_") not in OUTSIDE:
            short = _known(name.removeprefix("HANDSEL_"), "the environment")
            values[short] = Value(_read(short, raw), "environment")
    for name, value in (given or {}).items():
        if name in BY_NAME:
            values[name] = Value(value, "caller")
    _refuse_unsafe(values)
    if values["ENV"].value == "production" and not values["SITE_URL"].value:
        values["SITE_URL"] = Value(_written_url(root), "_site.yml")
    return values


# Names in the environment that belong to commands and to the tests, not to an application.
OUTSIDE = {"PROJECT", "TEST_DATABASE_URL", "CHROMIUM"}


def _from_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("instance/config.toml", f"The file is not valid TOML: {error}.",
                            "Write one `name = value` a line.") from error


def _written_url(root: Path) -> str:
    """The site's address as marketers wrote it, so that links and cookies know it too; empty where there is none."""
    import yaml

    try:
        written = yaml.safe_load((root / "content" / "_site.yml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return ""  # `handsel check` names the fault
    url = written.get("url") if isinstance(written, dict) else ""
    return url.rstrip("/") if isinstance(url, str) and url.startswith(("https://", "http://")) else ""


def _known(name: str, where: str) -> str:
    if name not in BY_NAME:
        raise SettingsError(where, f"There is no setting '{name.lower()}'.", nearest(name, BY_NAME))
    return name


def _read(name: str, text: str) -> Any:
    try:
        return BY_NAME[name].parse(text)
    except ValueError as error:
        advice = str(error)
        if not advice.endswith(("?", ".", "…")):
            advice = f"{advice[:1].upper()}{advice[1:]}."
        raise SettingsError(f"HANDSEL_{name}", f"The value {text!r} cannot be used.", advice) from error


def _refuse_unsafe(values: Mapping[str, Value]) -> None:
    if values["ENV"].value != "production":
        return
    if values["RATE_LIMITS"].value == "off":
        raise SettingsError("HANDSEL_RATE_LIMITS", "Rate limits cannot be off in production.", "Remove the setting.")
    if values["CLOCK_FILE"].value:
        raise SettingsError("HANDSEL_CLOCK_FILE", "The clock cannot be moved in production.", "Remove the setting.")
    key = values["SECRET_KEY"].value
    if key and len(key) < 32:
        raise SettingsError("HANDSEL_SECRET_KEY", "The key is too short to be safe.",
                            "Use 32 characters or more, such as the output of `openssl rand -base64 32`.")


def secret_key(instance: Path) -> str:
    """The installation's own key: read from ``instance/secret_key``, made there at the first call (mode 0600)."""
    path = instance / "secret_key"
    instance.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return path.read_text(encoding="ascii").strip()
