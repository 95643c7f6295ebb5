"""`agency`: the demo agencies of a HOME as a process of their own."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import click

from openpoort.cli.connection import HOME, stop
from openpoort.cli.lines import json_option, said
from openpoort.settings import SettingsError, load


@click.command()
@click.argument("home_word", required=False, metavar="[HOME]", type=HOME)
@click.option(
    "--home",
    "home_option",
    type=HOME,
    envvar="OPENPOORT_HOME",
    help="Home of the gateway they belong to.",
)
@click.option("--port", type=click.IntRange(0, 65535), help="[default: agency.port of the toml]")
@click.option("--gateway", help="Base address of the gateway [default: by door.port].")
@click.option("--report", type=click.Choice(["sync", "later", "none"]), help="When 500 comes.")
@click.option("--slow", default=5.0, show_default=True, help="Seconds that stand `slow` waits.")
@json_option
def agency(
    home_word: Path | None,
    home_option: Path | None,
    port: int | None,
    gateway: str | None,
    report: str | None,
    slow: float,
    as_json: bool,
) -> None:
    """Run the demo agencies: receive, keep under HOME/agency, answer, report.

    Write a word into HOME/agency/demodienst/stand to give the agency a bad day: down, slow,
    half, refuse, technical, invalid, garbage, other, reject; `normal` ends it.
    """
    from openpoort.app.agency import Options, run_agency
    from openpoort.sandbox.agency.behaviour import Report

    home = home_word or home_option
    if home is None:
        stop(2, "name a HOME")
    try:
        settings = load(home)
    except SettingsError as error:
        stop(2, str(error))
    chosen = settings.agency.port if port is None else port
    settings = replace(settings, agency=replace(settings.agency, port=chosen or _free_port()))
    options = Options(Report(report) if report else None, slow, gateway=gateway)

    def ready() -> None:
        where = f"https://localhost:{settings.agency.port}/demodienst"
        said(as_json, f"ready {where}", ready=where)

    try:
        run_agency(settings, ready, options=options)
    except OSError as error:
        stop(2, f"cannot listen on port {settings.agency.port}: {error}")


def _free_port() -> int:
    """Chosen beforehand, because the agencies check that they are addressed by it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
