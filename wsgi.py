"""The application for any WSGI server: ``granian --interface wsgi wsgi:app``, or ``flask`` from this folder."""

from pathlib import Path

from handsel import create_app

app = create_app(Path(__file__).parent)
