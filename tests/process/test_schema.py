"""Migrations and models agree, on both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from factories import make_lead
from handsel import schema
from handsel.db import db
from handsel.errors import HandselError


def differences() -> list[object]:
    """What Alembic would change in the database to make it as the models say."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, db.metadata))


def test_all_migrations_make_the_tables_that_the_models_describe(
        make_app: Callable[..., Flask], empty_url: str) -> None:
    with make_app(DATABASE_URL=empty_url).app_context():
        schema.upgrade()
        assert differences() == []


def test_the_models_and_the_migrations_make_the_same_columns(
        make_app: Callable[..., Flask], engine_url: str, empty_url: str) -> None:
    def shape(url: str, migrate: bool) -> dict[str, object]:
        with make_app(DATABASE_URL=url).app_context():
            if migrate:
                schema.upgrade()
            look = inspect(db.engine)
            return {
                table: (sorted((c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)),
                        sorted((i["name"] or "", tuple(i["column_names"]), i["unique"],
                                sorted((name, str(value)) for name, value in i.get("dialect_options", {}).items()))
                               for i in look.get_indexes(table)),
                        sorted((k["name"] or "", k["referred_table"], str(k["options"]))
                               for k in look.get_foreign_keys(table)))
                for table in look.get_table_names() if table != "alembic_version"
            }

    assert shape(engine_url, migrate=False) == shape(empty_url, migrate=True)


def test_upgrading_says_from_where_to_where_and_does_nothing_the_second_time(
        make_app: Callable[..., Flask], empty_url: str) -> None:
    with make_app(DATABASE_URL=empty_url).app_context():
        assert schema.upgrade() == ("", schema.head())
        lead = make_lead()
        assert schema.upgrade() == (schema.head(), schema.head())
        assert db.session.scalar(text("SELECT email FROM lead")) == lead.email


def test_processes_that_upgrade_at_once_wait_for_each_other(make_app: Callable[..., Flask], empty_url: str) -> None:
    done: list[tuple[str, str] | Exception] = []

    def upgrade() -> None:
        try:
            with make_app(DATABASE_URL=empty_url).app_context():
                done.append(schema.upgrade())
        except Exception as error:
            done.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done, key=str) == sorted([("", schema.head())] + [(schema.head(), schema.head())] * 3, key=str)


def test_a_database_of_another_release_is_named_with_what_to_do(app: Flask) -> None:
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HandselError) as newer:
        schema.upgrade()
    assert "of a newer release (9999)" in newer.value.what


def test_a_database_that_does_not_answer_is_named(make_app: Callable[..., Flask]) -> None:
    app = make_app(DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    with app.app_context(), pytest.raises(HandselError) as error:
        schema.require_current()
    assert (error.value.where, error.value.do) == ("HANDSEL_DATABASE_URL",
                                                  "Check the address and that the database server runs.")
