"""The desk of sales: leads, what happened with each, and taking them home as a file."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages of leads."""
    from handsel.sales import (  # noqa: F401  all hang on the list's blueprint
        acts,
        answers,
        companies,
        exports,
        hand_off,
        imports,
        lead,
        leads,
        merging,
        pipeline,
        rights,
        scoring,
        segments,
        stages,
        tasks,
    )

    app.register_blueprint(leads.bp)
    app.register_blueprint(imports.bp)
    app.register_blueprint(hand_off.bp)
    app.register_blueprint(tasks.bp)
    app.register_blueprint(pipeline.bp)
    app.register_blueprint(scoring.bp)
    app.register_blueprint(segments.bp)
