"""``handsel leads segments``: the named rules, in words, with how many leads each holds for."""

from __future__ import annotations

import json

import click

from handsel.cli import with_app


@click.command("segments")
@click.argument("name", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="Give the same for programs, as a list of objects.")
@with_app
def segments_command(name: str, as_json: bool) -> None:
    """Say what each segment means and how many leads are in it now, or only of the one called NAME.

    A segment is written in content/_segments.yml or at the desk. Faults of the file are named at the end.

    \b
    Examples:
      handsel leads segments
      handsel leads segments ready-to-talk
      handsel leads export --segment ready-to-talk -o call-these.xlsx
    """
    from handsel import clock
    from handsel.db import db
    from handsel.leads.segments.counting import size
    from handsel.offers.live import current
    from handsel.rules.segments import FILE
    from handsel.rules.sentence import sentence

    known = current().rules.segments
    shown = [known.get(name)] if name else list(known.by_name.values())
    told = []
    for one in shown:
        found = size(db.session(), one.condition, clock.now())
        told.append({"segment": one.name, "label": one.label, "rule": sentence(one.condition), "tag": one.tag,
                     "leads": found.number, "about": found.about or found.below})
        if not as_json:
            click.echo(f"{click.style(one.name, bold=True)}  {one.label}: {found}\n    {sentence(one.condition)}")
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif not shown and not known.faulty:
        click.echo("There are no segments yet. Write one into content/_segments.yml, or at the desk under Segments.")
    if known.faulty and not name:
        click.echo(f"With a fault: {', '.join(known.faulty)}. Run handsel check.", err=True)
    wrong = [fault for fault in current().faults if fault.where == FILE]
    if wrong and shown:
        click.echo("The file has a fault, so what stands here is as it last was without one:", err=True)
    for fault in wrong:
        click.echo(str(fault), err=True)
