"""Compiled templates, kept in the instance folder: the first page after a start need not wait for Jinja's compiler."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from flask import Flask
from jinja2.bccache import Bucket, FileSystemBytecodeCache


class Kept(FileSystemBytecodeCache):
    """Jinja's own cache; a folder that cannot be written only means that templates are compiled each time."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)


def init_app(app: Flask) -> None:
    """Keep what ``app`` compiles under ``instance/built/templates/``, which no one but the server's user may enter."""
    folder = Path(app.instance_path) / "built" / "templates"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        app.jinja_env.bytecode_cache = Kept(str(folder))
