"""`openpoort init HOME`: a gateway of one's own, ready to serve."""

from __future__ import annotations

import re
from pathlib import Path

import click

from openpoort.cli.home import chosen, fail, home_argument
from openpoort.cli.lines import json_option, said

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:]+")


@click.command()
@home_argument
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="Another name the gateway answers to, beside localhost and 127.0.0.1. Repeatable.",
)
@json_option
def init(
    home: Path | None, home_option: Path | None, hosts: tuple[str, ...], as_json: bool
) -> None:
    """Make HOME: settings, a development PKI, a directory of invented parties, sample messages."""
    from openpoort.app.home import HomeExists, create

    for host in hosts:
        if not _HOST.fullmatch(host):
            fail(f"--host {host!r} is no host name: give a name or address without port or scheme")
    where = chosen(home, home_option)
    try:
        create(where, [host.lower() for host in hosts])
    except HomeExists as exists:
        fail(str(exists))
    except OSError as wrong:
        fail(f"{where} cannot be made: {wrong.strerror}")
    said(as_json, f"made {where}; start it with: openpoort serve {where}", home=str(where))
