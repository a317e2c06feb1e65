"""``handsel config``: every setting, its value and where that came from."""

from __future__ import annotations

import json
from typing import Any

import click

from handsel import config
from handsel.cli import project_root

MASK = "********"


def shown(setting: config.Setting, value: Any) -> str:
    """``value`` as it may be shown: of a secret only that there is one, of an address all but its password."""
    if value in ("", None, []):
        return ""
    if setting.secret and "://" not in str(value):
        return MASK
    if setting.secret:
        return masked(str(value))
    return "on" if value is True else "off" if value is False else str(value)


def masked(address: str) -> str:
    """An address without its password and without whatever stands after the question mark."""
    scheme, _, rest = address.partition("://")
    place, _, query = rest.partition("?")
    who, at, where = place.rpartition("@")
    user, colon, _password = who.partition(":")
    return f"{scheme}://{user}{colon and ':' + MASK}{at}{where}{query and '?…'}"


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def config_command(as_json: bool) -> None:
    """Show every setting, its value and where the value came from.

    The environment (HANDSEL_NAME) wins over instance/config.toml, which wins over the defaults. Secrets are masked.

    Example: handsel config
    """
    values = config.load(project_root())
    rows = [(setting, shown(setting, values[setting.name].value), values[setting.name].origin)
            for setting in config.SETTINGS]
    if as_json:
        click.echo(json.dumps({setting.name.lower(): {"value": value, "origin": origin, "what": setting.what}
                               for setting, value, origin in rows}, indent=2))
        return
    name_width = max(len(setting.name) for setting, _, _ in rows)
    value_width = min(40, max(len(value) for _, value, _ in rows))
    for setting, value, origin in rows:
        click.echo(f"{setting.name.lower():{name_width}}  {value or '-':{value_width}}  {origin:11}  {setting.what}")
