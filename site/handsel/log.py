"""The log: lines to read in development, JSON in production, and no personal data in either.

Parts write with ``logging.getLogger(__name__)``, facts as ``extra={"offer": slug}``; this module decides how it looks.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import IO, Any

# What a record has of its own; everything else on it came as ``extra``.
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_TOKEN = re.compile(r"/(get|u|confirm|preferences|event|thanks|enter)/[\w.~-]{12,}")


def scrub(text: str) -> str:
    """``text`` without e-mail addresses and without the secrets of personal links."""
    return _TOKEN.sub(r"/\1/…", _ADDRESS.sub("(address)", text))


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}


class Lines(logging.Formatter):
    """``12:00:00 warning offers: what happened  offer=guide``, with the traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()} "
        facts = "".join(f"  {name}={value}" for name, value in _extras(record).items())
        text = f"{at} {level}{record.name.removeprefix('handsel.')}: {record.getMessage()}{facts}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return scrub(text)


class Machine(logging.Formatter):
    """One JSON object a line: ``at``, ``level``, ``part``, ``message``, then the facts and ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = {"at": at, "level": record.levelname.lower(), "part": record.name, "process": record.process,
               "message": record.getMessage()} | _extras(record)
        if record.exc_info:
            row["error"] = self.formatException(record.exc_info)
        return scrub(json.dumps(row, ensure_ascii=False, default=str))


def configure(level: str = "INFO", machine: bool = False, stream: IO[str] | None = None) -> None:
    """Send the log of this whole process to ``stream`` (standard error if None), replacing what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Machine() if machine else Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
