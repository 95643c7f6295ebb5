"""`openpoort simulate`: a gateway and its world in one thread, by the million messages."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import click

from openpoort.cli.home import home_taken

if TYPE_CHECKING:
    from rich.console import Console

    from openpoort_lab.simulation.run import Outcome

SHOWN = 60
"""Steps of the trace shown before a broken law."""


@click.command()
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="First world.")
@click.option("--messages", type=click.IntRange(1), default=20_000, show_default=True)
@click.option("--processes", type=click.IntRange(1, 256), help="Default: one for each core.")
@click.option("--replay", type=click.IntRange(0), metavar="SEED", help="One world, with its trace.")
@click.option("--against", metavar="DSN", help="The same steps on an empty PostgreSQL beside it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
@home_taken
def simulate(
    seed: int, messages: int, processes: int | None, replay: int | None, against: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Play MESSAGES messages in worlds of a thousand, with faults, and check every law.

    Everything follows from the seeds. A world that breaks a law is named with the command that
    plays it again. Exit code 1 when a law was broken.
    """
    try:
        import greenlet  # noqa: F401 - the scheduler stands on it
    except ImportError:
        raise click.ClickException(
            "the simulation needs greenlet: pip install 'openpoort[simulation]'"
        ) from None
    from rich.console import Console

    console = Console(stderr=True)
    if against is not None:
        from openpoort_lab.simulation.differential import compare

        found = compare(against, seed if replay is None else replay, messages)
        _end(console, found, bool(found["broken"]), as_json)
    if replay is not None:
        _replay(console, replay, messages, as_json)
    _many(console, seed, messages, processes or os.cpu_count() or 1, as_json)


def _many(console: Console, seed: int, messages: int, processes: int, as_json: bool) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from openpoort_lab.simulation.run import many

    begin, cpu, done, steps, commits = time.monotonic(), 0.0, 0, 0, 0
    states: dict[str, int] = {}
    broken: list[Outcome] = []
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("messages", total=messages)
        for outcome in many(seed, messages, processes):
            progress.advance(bar, outcome.messages)
            cpu += outcome.cpu
            done += outcome.messages
            if outcome.ended is None:
                broken.append(outcome)
                _tell(console, outcome)
                continue
            steps += outcome.ended.steps
            commits += outcome.ended.commits
            for state, count in outcome.ended.states.items():
                states[state] = states.get(state, 0) + count
    seconds = time.monotonic() - begin
    found = {
        "seed": seed, "messages": done, "seconds": round(seconds, 1),
        "rate": round(done / seconds, 1), "cpu_ms_per_message": round(1000 * cpu / done, 3),
        "steps": steps, "commits_checked": commits, "states": states,
        "broken": [{"seed": o.seed, "law": o.broken, "replay": o.replay} for o in broken],
    }  # fmt: skip
    _end(console, found, bool(broken), as_json)


def _replay(console: Console, seed: int, messages: int, as_json: bool) -> None:
    from openpoort_lab.simulation.run import one

    outcome = one(seed, messages)
    for line in outcome.trace:
        click.echo(line)
    if outcome.ended is None:
        _tell(console, outcome, steps=0)
    digest = outcome.ended.digest if outcome.ended else ""
    found = {"seed": seed, "messages": messages, "digest": digest, "broken": outcome.broken}
    _end(console, found, bool(outcome.broken), as_json)


def _tell(console: Console, outcome: Outcome, steps: int = SHOWN) -> None:
    for line in outcome.trace[-steps:] if steps else ():
        console.print(line, style="dim", markup=False, highlight=False)
    console.print(f"seed {outcome.seed}: {outcome.broken}", style="bold red", markup=False)
    console.print(outcome.replay, markup=False)


def _end(console: Console, found: dict[str, Any], broken: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found))
    else:
        for name, value in found.items():
            if name != "broken":
                click.echo(f"{name:20} {value}")
    console.print("[bold red]a law was broken" if broken else "[green]every law held")
    raise SystemExit(1 if broken else 0)
