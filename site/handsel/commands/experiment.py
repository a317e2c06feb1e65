"""``handsel experiment``: how the tests of landing pages stand."""

from __future__ import annotations

import json
import sys
from typing import IO

import click

from handsel.commands.replay import replay_command
from handsel.commands.status import status_command
from handsel.commands.testing import forecast_lines, ship_command, start_command, stop_command


@click.group("experiment")
def experiment_command() -> None:
    """Tests of landing page variants against each other.

    \b
    Example:
      handsel experiment start home-energy-guide --mde .2
      handsel experiment status home-energy-guide
      handsel experiment ship home-energy-guide
    """


for _command in (status_command, start_command, stop_command, ship_command, replay_command):
    experiment_command.add_command(_command)


@experiment_command.command("plan")
@click.option("--baseline", type=float, required=True, help="The rate of the page as it is: .03 is 3 %.")
@click.option("--mde", type=float, required=True, help="The smallest lift worth finding: .2 is +20 %.")
@click.option("--weekly-visitors", type=float, help="Visitors of the offer in a week, all variants together.")
@click.option("--variants", type=click.IntRange(2, 12), default=2, show_default=True,
              help="How many pages share the visitors evenly, with the one that is live.")
@click.option("--value", "values", is_flag=True, help="The goal is the value per visitor, not the rate.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="How often a false winner is acceptable.")
@click.option("--power", type=float, default=0.8, show_default=True, help="How often a real lift should be found.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of sentences.")
def plan(*, baseline: float, mde: float, weekly_visitors: float | None, variants: int, values: bool, alpha: float,
         power: float, as_json: bool) -> None:
    """How many visitors and weeks a test takes, and whether your traffic is enough. Needs no project.

    \b
    Example:
      handsel experiment plan --baseline .03 --mde .2 --weekly-visitors 2000
    """
    from handsel.errors import HandselError
    from handsel.experiments.plan import forecast

    try:
        found = forecast(baseline, mde, weekly_visitors, alpha=alpha, power=power, weights=(1.0,) * variants,
                         values=values)
    except ValueError as error:
        raise HandselError("handsel experiment plan", f"These numbers describe no test: {error}.",
                           "Example: --baseline .03 --mde .2 --weekly-visitors 2000") from error
    if as_json:
        click.echo(json.dumps({"visitors": found.visitors, "total": found.total, "days": found.days,
                               "weeks": found.weeks, "advice": found.advice}))
        return
    for line in forecast_lines(found, baseline, mde, power, weekly_visitors):
        click.echo(line)
    if found.weeks is None:
        click.echo("  Add --weekly-visitors to see how long that takes.")


@experiment_command.command("evaluate")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of requests, answers and errors instead.")
def evaluate(file: IO[bytes], schema: bool) -> None:
    """Verdicts for counts of your own: JSON lines in, a line of JSON out for each. Needs no project.

    A line that cannot be read gets an error object with the path and the reason, the others go on; exit code 1 then.

    \b
    Examples:
      handsel experiment evaluate < requests.jsonl
      handsel experiment evaluate --schema
    """
    if schema:
        from importlib.resources import files

        click.echo(files("handsel.experiments").joinpath("evaluate.schema.json").read_text("utf-8"), nl=False)
        return
    from handsel.experiments.evaluate import answers

    failed = False
    for good, line in answers(file):
        failed = failed or not good
        sys.stdout.write(line + "\n")
        sys.stdout.flush()  # who writes a line may wait for its answer before the next
    if failed:
        raise SystemExit(1)
