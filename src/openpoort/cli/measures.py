"""`measures`: what this gateway measured of itself, in the form that scenario comparisons read.

Only what was measured is published: what no file or environment shows is left out, never guessed.
The form is described in docs/weeg/measurements.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.metadata
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpoort.app import proofs
from openpoort.app.proofs import Proof
from openpoort.cli.connection import last_line, stop
from openpoort.cli.home import settings

if TYPE_CHECKING:
    from openpoort.app.costs import Measured
    from openpoort.operate.costs import Cost
    from openpoort.settings import Prices

_REPORT = click.Path(path_type=Path, dir_okay=False)
_NAME = re.compile(r"([A-Za-z0-9._-]+)(?:\[([^]]*)])?")
"""Name and extras at the start of a requirement."""


def _price(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError(text) from None


@click.command("measures")
@click.argument("folder", required=False, metavar="[HOME]", type=click.Path(path_type=Path))
@click.option("--home", type=click.Path(path_type=Path), help="Also: first argument.")
@click.option(
    "--metrics",
    "others",
    multiple=True,
    metavar="URL",
    help="Health address of a further machine on the same database (may be repeated).",
)
@click.option("--conformance", type=_REPORT, help="The .json beside a conformance report.")
@click.option("--bench", type=_REPORT, help="Output of `openpoort bench ... --json`.")
@click.option("--cpu-hour", type=_price, help="Price of a processor hour in euros, for --bench.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(
    folder: Path | None,
    home: Path | None,
    others: tuple[str, ...],
    conformance: Path | None,
    bench: Path | None,
    cpu_hour: Decimal | None,
    as_json: bool,
) -> None:
    """Publish what was measured: dependencies, clauses passed, what the records of the release
    show, and with HOME what a message costs by kind and agency since the gateway there started,
    parts to deploy, the drills done.

    Exit code 2: a file given cannot be read, or nothing runs in HOME.
    """
    if (bench is None) != (cpu_hour is None):
        stop(2, "--bench and --cpu-hour go together: a time without a price is no cost")
    if cpu_hour is not None and not (cpu_hour.is_finite() and cpu_hour >= 0):
        stop(2, "--cpu-hour is a price in euros, such as 0.05")
    now = dt.datetime.now(dt.UTC)
    found = [_dependencies(), *map(_proof, proofs.carried(now))]
    try:
        found += [_conformance(conformance)] if conformance else []
        found += [_cpu_cost(bench, cpu_hour)] if bench and cpu_hour is not None else []
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as wrong:
        stop(2, f"cannot read the report: {wrong}")
    rows: list[Cost] = []
    if chosen := folder or home:
        rows, more = _running(chosen, others)
        found += more
    version = importlib.metadata.version("openpoort")
    if as_json:
        form = {"format": "weeg-measures/1", "publisher": f"openpoort {version}"}
        costs = {"costs": [dataclasses.asdict(row) for row in rows]} if rows else {}
        last_line({**form, "measures": found, **costs})
        return
    _table(rows)
    for row in found:
        click.echo(f"{row['name']}: {row['value']} {row['unit']} ({row['source']})")


def _running(home: Path, others: tuple[str, ...]) -> tuple[list[Cost], list[dict[str, str]]]:
    """What HOME and the gateway that runs there show."""
    import psycopg

    from openpoort.app import costs
    from openpoort.process.flow.kinds import KindError
    from openpoort.store.postgres.embedded import ServerFailed

    known = settings(home)
    try:
        measured = costs.measure(known, others)
    except (costs.NotRunning, psycopg.Error, OSError, KindError, ServerFailed) as wrong:
        stop(2, str(wrong).strip())
    now = measured.until
    parts = "openpoort (doors and workers are one part), PostgreSQL, an outside AuSP if one is set"
    found = [_measure("deployable_parts", str(costs.parts(known)), "count", now, parts)]
    found += _per_message(measured, known.prices) + _drill(costs.drill(known.home))
    try:
        found += map(_proof, proofs.of_home(known, now))
    except (ValueError, KeyError, TypeError) as wrong:
        stop(2, str(wrong))
    return measured.rows, found


def _proof(found: Proof) -> dict[str, str]:
    return _measure(found.name, found.value, found.unit, found.at, found.source)


def _per_message(measured: Measured, prices: Prices) -> list[dict[str, str]]:
    from openpoort.operate.costs import average

    rows = measured.rows
    if not rows:
        return []
    count = sum(row.messages for row in rows)
    window = f"PT{max(1, round((measured.until - measured.since).total_seconds()))}S"
    counted = ", ".join(f"{k} {v:.1f} s" for k, v in sorted(measured.cpu.items()))
    source = f"{count} messages of a running gateway; processor time: {counted}"
    whole = "database" in measured.cpu
    if not whole:
        source += "; PostgreSQL is a server from outside, its time is not measured"

    def one(name: str, value: str, unit: str) -> dict[str, str]:
        return _measure(name, value, unit, measured.until, source, window)

    found = [
        one("cpu_ms_per_message", f"{1000 * average(rows, 'cpu_seconds'):.3f}", "ms/message"),
        one("bytes_written_per_message", f"{average(rows, 'bytes_written'):.0f}", "B/message"),
        one("gb_days_per_message", f"{average(rows, 'gb_days'):.9f}", "GB.day/message"),
    ]
    if whole:
        ms = f"{1000 * average(rows, 'database_seconds'):.3f}"
        found.append(one("database_cpu_ms_per_message", ms, "ms/message"))
    if prices.cpu_hour and prices.gb_written and prices.gb_month:
        name = "cost_per_message" if whole else "cost_per_message_without_database"
        found.append(one(name, f"{average(rows, 'euro'):.9f}", "EUR/message"))
    return found


def _drill(file: Path) -> list[dict[str, str]]:
    """RTO and RPO of the last drill that succeeded; nothing when there was none."""
    try:
        done = json.loads(file.read_text(encoding="utf-8"))
        at = dt.datetime.fromisoformat(done["at"])
        if not done["equal"]:
            return []
        source = f"restore drill: {done['rows']} rows in {done['tables']} tables equal"
        return [
            _measure(f"restore_drill_{name}", f"{done[f'{name}_seconds'] / 60:.4f}", "minutes",
                     at, source)
            for name in ("rto", "rpo")
            if done[f"{name}_seconds"] is not None
        ]  # fmt: skip
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        stop(2, f"cannot read {file}: {wrong}")


def _table(rows: list[Cost]) -> None:
    if not rows:
        return
    click.echo(f"{'kind':24}{'agency':26}{'messages':>9}{'cpu ms':>9}{'db ms':>9}{'bytes':>10}"
               f"{'MB days':>10}{'euro':>13}")  # fmt: skip
    for r in rows:
        euro = "" if r.euro is None else f"{r.euro:.9f}"
        click.echo(f"{r.berichtsoort:24}{r.agency:26}{r.messages:9}{1000 * r.cpu_seconds:9.2f}"
                   f"{_ms(r.database_seconds):>9}{r.bytes_written:10.0f}"
                   f"{1000 * r.gb_days:10.2f}{euro:>13}")  # fmt: skip


def _ms(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{1000 * seconds:.2f}"


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
