"""`demo`: one real message all the way through, in a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from openpoort.cli.connection import HOME, stop
from openpoort.cli.follow import table, wide
from openpoort.devkit import demo
from openpoort.devkit.gateway import NotStarted
from openpoort.domain.status import Status
from openpoort.outbound.exchange import BadAnswer, Faulted
from openpoort.outbound.http import NoAnswer


@click.command("demo")
@click.argument("home_word", required=False, metavar="[HOME]", type=HOME)
@click.option(
    "--home", "home_option", type=HOME, help="A new folder, kept [default: a temporary one]."
)
def command(home_word: Path | None, home_option: Path | None) -> None:
    """Send a VAT return from a company to an agency, and fetch the agency's answer.

    The last line is `demo ok`, with exit code 0, only if the agency holds byte for byte what
    the company sent and the company holds the agency's answer; 1 otherwise, 2 if it could not.
    """
    console = wide()
    with _folder(home_option or home_word) as home:
        try:
            outcome = _run(home, console)
        except (NotStarted, NoAnswer, BadAnswer, Faulted) as error:
            stop(2, f"demo failed: {error}")
        console.print(table(outcome.statuses, f"kenmerk {outcome.kenmerk}", details=False))
        _receipt(outcome)
    for problem in outcome.problems:
        click.echo(f"problem: {problem}")
    if outcome.problems:
        click.echo("demo failed")
        raise SystemExit(1)
    click.echo(
        f"{len(outcome.sent)} bytes sent, kept by the agency unchanged; "
        f"answer of {len(outcome.answer)} bytes fetched; {outcome.seconds:.1f} s in all"
    )
    click.echo("demo ok")


def _receipt(outcome: demo.Outcome) -> None:
    """What came back, in full: the receipt in status 500 and the return message."""
    last = outcome.statuses[-1] if outcome.statuses else None
    if last is not None and last.details:
        click.echo(f"receipt in the last status: {last.details}")
    if outcome.answer:
        click.echo(f"answer fetched: {' '.join(outcome.answer.decode().split())}")


def _run(home: Path, console: Console) -> demo.Outcome:
    """With a line per step; on a terminal the latest status moves below them."""
    if not console.is_terminal:
        return demo.run(home, lambda step: click.echo(_line(step)))
    with Live(Text("starting…"), console=console, refresh_per_second=12) as live:

        def step(done: demo.Step) -> None:
            live.console.print(_line(done), highlight=False, markup=False)
            live.update(Text(""))

        def status(statuses: tuple[Status, ...]) -> None:
            last = statuses[-1]
            live.update(Text(f"        {last.statuscode} {last.omschrijving}", style="cyan"))

        return demo.run(home, step, status)


def _line(step: demo.Step) -> str:
    return f"{step.seconds:5.1f} s {step.text}"


@contextlib.contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    """The given folder, which stays, or a temporary one, which goes."""
    if home is not None:
        if home.exists() and any(home.iterdir()):
            stop(2, f"{home} is not empty; choose a new folder")
        yield home
        return
    made = Path(tempfile.mkdtemp(prefix="openpoort-demo-"))
    try:
        yield made / "home"
    finally:
        shutil.rmtree(made, ignore_errors=True)
