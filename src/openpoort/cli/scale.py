"""`scale`: how many machines, how much disk, how many signatures a forecast asks for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from openpoort.cli.home import fail, home_first
from openpoort.operate.forecast import Forecast, lines, size

_MEASURED = {"accept": "accept_ms", "process": "process_ms", "status": "status_ms"}
"""Scenario of `openpoort bench` -> the parameter it measures."""
_HELP = {
    "year": "Messages a year, such as 200e6.",
    "peak_day": "Share of the year on the busiest day.",
    "peak_hour": "Share of that day in its busiest hour.",
    "queries": "Status queries per message.",
    "accept_ms": "Doors, ms of a core per message.",
    "process_ms": "Workers, ms of a core per message.",
    "status_ms": "Doors, ms of a core per status query.",
    "database_ms": "PostgreSQL, ms of a core per message.",
    "commits": "Flushes of the log per message (batches share one).",
    "cores": "Cores of a door or worker machine.",
    "busy": "How far a core may be used in the busiest hour.",
    "spare": "Machines of a sort that may be down then.",
    "stored_kb": "kB in the tables per message.",
    "log_kb": "kB of write-ahead log per message.",
    "kept_days": "Days that the bulk of a message is kept.",
    "database_cores": "Cores of the largest PostgreSQL machine.",
    "flushes": "Replicated flushes a second it can do.",
    "disk_tb": "TB of the largest volume.",
}


def _options(function: Any) -> Any:
    """One option for each parameter of the forecast."""
    for field in reversed(dataclasses.fields(Forecast)):
        kind = int if isinstance(field.default, int) else float
        function = click.option(
            "--" + field.name.replace("_", "-"), field.name, type=kind,
            help=f"{_HELP[field.name]} [default: {field.default:g}]",
        )(function)  # fmt: skip
    return function


@click.command("scale")
@_options
@click.option(
    "--bench",
    "benches",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Output of `openpoort bench accept|process|status --json`; measured ms from it.",
)
@home_first
@click.option("--home", type=click.Path(path_type=Path), help="Taken, as by every command.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def scale(benches: tuple[Path, ...], home: Path | None, as_json: bool, **given: Any) -> None:
    """Machines, disk and signatures for a forecast, and what breaks first.

    An option given wins over --bench, --bench over the default. Exit code 2: a file or a number
    cannot be used.
    """
    values: dict[str, Any] = {}
    for file in benches:
        values |= _measured(file)
    options = {name: value for name, value in given.items() if value is not None}
    if "process_ms" in values:  # a bench of the whole process has handing in within it
        taken_in = options.get("accept_ms", values.get("accept_ms", Forecast().accept_ms))
        values["process_ms"] = max(0.1, values["process_ms"] - taken_in)
    values |= options
    forecast = dataclasses.replace(Forecast(), **values)
    try:
        found = size(forecast)
    except ValueError as wrong:
        fail(str(wrong))
    if as_json:
        record = dataclasses.asdict(found) | {"clusters": found.clusters}
        record["limits"] = dict(found.limits)
        click.echo(json.dumps({"forecast": dataclasses.asdict(forecast), **record}))
        return
    click.echo("| | |\n|---|---|")
    for what, much in lines(forecast, found):
        click.echo(f"| {what} | {much} |")


def _measured(file: Path) -> dict[str, float]:
    """The parameter that a bench result holds."""
    try:
        result = json.loads(file.read_text(encoding="utf-8").splitlines()[-1])
        return {_MEASURED[result["scenario"]]: float(result["cpu_ms_per_message"])}
    except (OSError, ValueError, KeyError, IndexError, TypeError) as wrong:
        fail(f"cannot read {file} as a result of bench accept, process or status: {wrong}")
