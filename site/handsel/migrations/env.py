"""How Alembic meets our database: on ``db.engine``, each migration in one transaction on both engines."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import BigInteger

from handsel.accounts import models as _accounts  # noqa: F401  the models register themselves
from handsel.db import Instant, db, is_sqlite
from handsel.experiments import models as _experiments  # noqa: F401
from handsel.leads import models as _leads  # noqa: F401
from handsel.mail import models as _mail  # noqa: F401
from handsel.traffic import models as _traffic  # noqa: F401


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Our own column types as what they are in the database, so that a migration imports nothing of us."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.String(length=24)"
    if kind == "type" and isinstance(item, BigInteger):
        return "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')"
    return False


def run() -> None:
    """Apply the migrations, or compare the models with the database, as the Alembic command asks."""
    with db.engine.connect().execution_options(writes=True) as connection:
        raw: Any = connection.connection.dbapi_connection
        if is_sqlite():
            # Batch mode copies a table and drops the old one, which with foreign keys on would empty its children.
            raw.execute("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection, target_metadata=db.metadata, render_as_batch=True, compare_type=True,
            transactional_ddl=True, transaction_per_migration=True, render_item=render_item, user_module_prefix="",
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
            if is_sqlite():
                broken = raw.execute("PRAGMA foreign_key_check").fetchall()
                assert not broken, f"the migration left rows that point nowhere: {broken[:5]}"
        finally:
            if is_sqlite():
                raw.execute("PRAGMA foreign_keys=ON")


run()
