"""`demo`: one real message all the way through, in a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from openpoort.cli.connection import HOME, last_line, stop
from openpoort.cli.follow import table, wide
from openpoort.domain.status import Status
from openpoort.outbound.exchange import BadAnswer, Faulted
from openpoort.outbound.http import NoAnswer
from openpoort.sandbox import demo
from openpoort.sandbox.gateway import NotStarted


@click.command("demo")
@click.argument("home_word", required=False, metavar="[HOME]", type=HOME)
@click.option(
    "--home", "home_option", type=HOME, help="A new folder, kept [default: a temporary one]."
)
@click.option("--kind", default=demo.KIND, show_default=True, help="Another shipped kind.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    help="When work on the kind began (UTC): also says how long its first delivery took from then.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(
    home_word: Path | None,
    home_option: Path | None,
    kind: str,
    since: datetime | None,
    as_json: bool,
) -> None:
    """Send a VAT return, or another KIND, from a company to an agency, and fetch the answer.

    The last line is `demo ok`, with exit code 0, only if the agency holds byte for byte what
    the company sent and the company holds the agency's answer; 1 otherwise, 2 if it could not.
    """
    console = Console(stderr=True) if as_json else wide()
    try:
        way = demo.journey(kind)
    except demo.NotDemonstrable as wrong:
        stop(2, str(wrong))
    with _folder(home_option or home_word) as home:
        try:
            outcome = _run(home, way, console)
        except (NotStarted, NoAnswer, BadAnswer, Faulted) as error:
            stop(2, f"demo failed: {error}")
        if not as_json:
            console.print(table(outcome.statuses, f"kenmerk {outcome.kenmerk}", details=False))
            _receipt(outcome)
    for problem in outcome.problems:
        click.echo(f"problem: {problem}")
    lead = _lead(outcome, since)
    if as_json:
        last_line({"kind": kind, "kenmerk": outcome.kenmerk, "seconds": round(outcome.seconds, 1),
                   "lead_seconds": lead, "problems": outcome.problems})  # fmt: skip
        raise SystemExit(1 if outcome.problems else 0)
    if outcome.problems:
        click.echo("demo failed")
        raise SystemExit(1)
    click.echo(
        f"{len(outcome.sent)} bytes sent, kept by the agency unchanged; "
        f"answer of {len(outcome.answer)} bytes fetched; {outcome.seconds:.1f} s in all"
    )
    if lead is not None:
        click.echo(f"first {kind} delivered {lead / 60:.0f} minutes after work on it began")
    click.echo("demo ok")


def _lead(outcome: demo.Outcome, since: datetime | None) -> int | None:
    """Whole seconds from `since` until the first message was delivered."""
    if since is None or outcome.delivered is None:
        return None
    return round((outcome.delivered - since.replace(tzinfo=UTC)).total_seconds())


def _receipt(outcome: demo.Outcome) -> None:
    """What came back, in full: the receipt in status 500 and the return message."""
    last = outcome.statuses[-1] if outcome.statuses else None
    if last is not None and last.details:
        click.echo(f"receipt in the last status: {last.details}")
    if outcome.answer:
        click.echo(f"answer fetched: {' '.join(outcome.answer.decode().split())}")


def _run(home: Path, way: demo.Journey, console: Console) -> demo.Outcome:
    """With a line per step; on a terminal the latest status moves below them."""
    if not console.is_terminal:
        return demo.run(home, way, lambda step: console.print(_line(step), markup=False))
    with Live(Text("starting…"), console=console, refresh_per_second=12) as live:

        def step(done: demo.Step) -> None:
            live.console.print(_line(done), highlight=False, markup=False)
            live.update(Text(""))

        def status(statuses: tuple[Status, ...]) -> None:
            last = statuses[-1]
            live.update(Text(f"        {last.statuscode} {last.omschrijving}", style="cyan"))

        return demo.run(home, way, step, status)


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
