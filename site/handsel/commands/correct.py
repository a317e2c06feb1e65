"""``handsel leads correct``: putting right what is held about one person."""

from __future__ import annotations

from typing import Any

import click

from handsel.cli import with_app


@click.command("correct")
@click.argument("who")
@click.argument("said", nargs=-1, required=True, metavar="FIELD=VALUE...")
@with_app
def correct_command(who: str, said: tuple[str, ...]) -> None:
    """Put right what is held about one person. WHO is an e-mail address.

    A field is one of name, first_name, last_name, company, job_title, phone and country, or one of your own; without a
    value it says that there is nothing. What was said before stays in the history, and the log says that it was done.

    \b
    Examples:
      handsel leads correct ann@example.org "name=Ann Clark" phone=
      handsel leads correct ann@example.org country=GB
    """
    from handsel import clock
    from handsel.accounts.audit import Actor
    from handsel.commands.person import find
    from handsel.db import writing
    from handsel.leads import by_hand
    from handsel.leads.qualify.looking import look
    from handsel.offers.live import current

    answers = _read(said)
    with writing() as session:
        lead = find(session, who)
        by_hand.correct(session, lead, answers, Actor("command line"), clock.now())
        look(session, current(), [lead.id], clock.now())
    click.echo(f"Put down: {', '.join(sorted(answers))}.")


def _read(said: tuple[str, ...]) -> dict[str, Any]:
    """The answers by field; None for one that is taken away. Raises HandselError for what cannot be read."""
    from handsel.errors import HandselError, nearest
    from handsel.leads import questions
    from handsel.offers.live import current

    fields = questions.PROFILE | questions.custom(current())
    answers: dict[str, Any] = {}
    for one in said:
        name, equals, typed = one.partition("=")
        if not equals or name not in fields:
            raise HandselError(one, "That is no field with a value." if not equals else f"There is no field '{name}'.",
                               nearest(name, fields) if equals else "Write it as phone=01134960000.")
        try:
            answers[name] = questions.read(fields[name], typed) if typed.strip() else None
        except ValueError as mistake:
            raise HandselError(name, str(mistake), "Nothing was changed.") from mistake
    return answers
