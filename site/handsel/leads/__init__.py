"""Leads: who they are, what they asked for, what they agreed to, and the acts that span several subjects."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Hang this part on ``app``."""
    import handsel.leads.models  # noqa: F401  tables of other subjects refer to them
