"""``handsel leads``: leads on the command line."""

from __future__ import annotations

import click

from handsel.commands.correct import correct_command
from handsel.commands.exporting import export_command, layouts_command, vcard_command
from handsel.commands.importing import import_command
from handsel.commands.person import forget_command, proof_command, show_command
from handsel.commands.report import report_command
from handsel.commands.sale import sale_command, stage_command
from handsel.commands.scoring import simulate_command
from handsel.commands.segments import segments_command


@click.group("leads")
def leads_command() -> None:
    """Bring leads in, take them home, look at one, say what became of it, or forget it.

    \b
    Example:
      handsel leads export --offer home-energy-guide -o leads.csv
    """


leads_command.add_command(export_command)
leads_command.add_command(layouts_command)
leads_command.add_command(vcard_command)
leads_command.add_command(import_command)
leads_command.add_command(segments_command)
leads_command.add_command(show_command)
leads_command.add_command(correct_command)
leads_command.add_command(proof_command)
leads_command.add_command(forget_command)
leads_command.add_command(sale_command)
leads_command.add_command(stage_command)
leads_command.add_command(report_command)
leads_command.add_command(simulate_command)
