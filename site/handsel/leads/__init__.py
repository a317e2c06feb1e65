"""Leads: who they are, what they asked for, what they agreed to, and the acts that span several subjects."""

from flask import Flask
from sqlalchemy import Engine

from handsel.db import db


def init_app(app: Flask) -> None:
    """Hang the writer of captures on ``app``, and let visits that are a lead's be told from all others."""
    import handsel.leads.handoff.models
    import handsel.leads.importing.models
    import handsel.leads.layouts.models
    import handsel.leads.ledger.models
    import handsel.leads.listing.models
    import handsel.leads.models  # tables of other subjects refer to them
    import handsel.leads.quality.models
    import handsel.leads.scoring.models
    import handsel.leads.segments.models
    import handsel.leads.stages.models
    import handsel.leads.tracking.models  # noqa: F401
    from handsel.leads.together import Together
    from handsel.leads.tracking.following import follow

    def engine() -> Engine:
        with app.app_context():
            return db.engine

    app.extensions["handsel.leads"] = Together(engine)
    app.extensions["handsel.traffic"].followers.append(follow)
