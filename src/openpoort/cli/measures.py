"""`measures`: what this gateway measured of itself, in the form that scenario comparisons read.

Only what was measured is published: what no file or environment shows is left out, never guessed.
The form is described in docs/weeg/measurements.md.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from openpoort.cli.connection import last_line, stop

_REPORT = click.Path(path_type=Path, dir_okay=False)
_NAME = re.compile(r"([A-Za-z0-9._-]+)(?:\[([^]]*)])?")
"""Name and extras at the start of a requirement."""


@click.command("measures")
@click.option("--home", type=click.Path(path_type=Path), help="Taken, as by every command.")
@click.option("--conformance", type=_REPORT, help="The .json beside a conformance report.")
@click.option("--bench", type=_REPORT, help="Output of `openpoort bench ... --json`.")
@click.option("--cpu-hour", type=Decimal, help="Price of a processor hour in euros, for --bench.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(
    home: Path | None,
    conformance: Path | None,
    bench: Path | None,
    cpu_hour: Decimal | None,
    as_json: bool,
) -> None:
    """Publish dependencies, clauses passed and processor cost per message as measurements.

    Exit code 2: a file given cannot be read.
    """
    if (bench is None) != (cpu_hour is None):
        stop(2, "--bench and --cpu-hour go together: a time without a price is no cost")
    if cpu_hour is not None and not (cpu_hour.is_finite() and cpu_hour >= 0):
        stop(2, "--cpu-hour is a price in euros, such as 0.05")
    found = [_dependencies()]
    try:
        found += [_conformance(conformance)] if conformance else []
        found += [_cpu_cost(bench, cpu_hour)] if bench and cpu_hour is not None else []
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as wrong:
        stop(2, f"cannot read the report: {wrong}")
    version = importlib.metadata.version("openpoort")
    if as_json:
        form = {"format": "weeg-measures/1", "publisher": f"openpoort {version}"}
        last_line({**form, "measures": found})
        return
    for row in found:
        click.echo(f"{row['name']}: {row['value']} {row['unit']} ({row['source']})")


def _measure(
    name: str, value: str, unit: str, time: dt.datetime, source: str, window: str = "PT0S"
) -> dict[str, str]:
    moment = time.astimezone(dt.UTC).isoformat(timespec="seconds")
    return {"name": name, "value": value, "unit": unit, "time": moment, "source": source,
            "window": window}  # fmt: skip


def _dependencies() -> dict[str, str]:
    """Packages that must be installed for the gateway to run, counted in this environment."""
    seen: set[str] = set()
    todo = [("openpoort", "")]
    while todo:
        name, extras = todo.pop()
        for line in importlib.metadata.requires(name) or []:
            found = _NAME.match(line)
            wanted = re.search(r"extra == ['\"]([^'\"]+)", line)
            if not found or not _installed(found[1]) or (wanted and wanted[1] not in extras):
                continue
            if _plain(found[1]) not in seen:
                seen.add(_plain(found[1]))
                todo.append((found[1], found[2] or ""))
    now = dt.datetime.now(dt.UTC)
    source = "installed run-time packages of openpoort, with what they need in turn"
    return _measure("dependencies", str(len(seen)), "count", now, source)


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _conformance(file: Path) -> dict[str, str]:
    """Share of the clauses that could be judged, from a conformance report."""
    report = json.loads(file.read_text(encoding="utf-8"))
    outcomes = [clause["outcome"] for clause in report["clauses"].values()]
    passed, failed = outcomes.count("passed"), outcomes.count("failed")
    if not passed + failed:
        raise ValueError("no clause was judged")
    share = round(Decimal(100 * passed) / (passed + failed), 2)
    source = f"conformance of {report['url']}: {passed} of {passed + failed} clauses passed"
    return _measure("conformance_passed", str(share), "%",
                    dt.datetime.fromisoformat(report["at"]), source)  # fmt: skip


def _cpu_cost(file: Path, cpu_hour: Decimal) -> dict[str, str]:
    """Processor time per message times its price; the time of the file is the time of the run."""
    lines = file.read_text(encoding="utf-8").splitlines()
    result: dict[str, Any] = json.loads(lines[-1])
    spent = Decimal(str(result["cpu_ms_per_message"]))
    if not spent.is_finite() or spent <= 0:
        raise ValueError("cpu_ms_per_message must be above zero")
    cost = spent / 3_600_000 * cpu_hour
    at = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
    source = (
        f"bench {result['scenario']}: {spent} ms of processor per message over"
        f" {result['messages']} messages, at {cpu_hour} euros an hour; processor only"
    )
    return _measure("cpu_cost_per_message", f"{cost:.9f}", "EUR/message", at, source)
