"""``handsel work``: the half of ``handsel run`` that sends mail."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from handsel.cli import open_app


@click.command("work")
@click.option("--once", is_flag=True,
              help="Look at leads, send what is due now, throw away what is too old, print guides, and end; for cron.")
def work_command(once: bool) -> None:
    """Send mail as it falls due, until Ctrl-C.

    Any number of workers may run, on any number of machines: each message is in one hand only. On SIGTERM a worker
    finishes the message in hand and ends.

    Example: handsel work --once
    """
    from handsel import assembly, backup, clock, schema, worker
    from handsel.leads.ledger import sealing
    from handsel.server import start_log
    from handsel.worker.books import bind
    from handsel.worker.deliver import deliver_due
    from handsel.worker.importing import import_now
    from handsel.worker.keeping import keep_now
    from handsel.worker.learning import learn_now
    from handsel.worker.purge import purge
    from handsel.worker.qualifying import qualify_now
    from handsel.worker.watching import watch_now

    app = open_app()
    start_log(app)
    with app.app_context():
        schema.require_current()
        if once:
            import_now(app)
            learn_now(app)
            qualify_now(app)  # it may have mail to send
            watch_now(app)
            counts = deliver_due(app)
            for what, number in counts.by_state.items():
                click.echo(f"{what}: {number}")
            for what, number in purge(app, clock.now()).items():
                click.echo(f"thrown away: {number} {what}")
            keep_now(app)
            sealing.seal_all(clock.now())
            for name in bind(app, anew=True):
                click.echo(f"printed: {name}")
            if not counts.total:
                click.echo("Nothing was due.")
            return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with backup.in_use(Path(app.instance_path)):
        worker.run(app, stop)
        assembly.close(app)
