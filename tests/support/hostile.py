"""The lists under tests/hostile/: what people with bad intentions type, one JSON array of strings for each class."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "hostile"


def payloads(*classes: str) -> list[str]:
    """All strings of these classes, such as ``payloads("xss", "sql")``."""
    return [text for name in classes for text in json.loads((FOLDER / f"{name}.json").read_text(encoding="ascii"))]
