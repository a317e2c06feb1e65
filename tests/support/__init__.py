"""What the tests stand on: a mail server with faults, PostgreSQL, a running site."""

import pytest

on_sqlite = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
"""For tests in which the database plays no part of its own: ``pytestmark = on_sqlite``."""
