"""What a command says at its end: a line for a person, or one JSON object for a program."""

from __future__ import annotations

import json
from typing import Any

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on the last line."
)


def said(as_json: bool, text: str, **values: Any) -> None:
    """`text`, or `values` as the JSON object of the last line."""
    click.echo(json.dumps(values, ensure_ascii=False) if as_json else text)
