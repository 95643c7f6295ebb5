"""`diagnose`: what a gateway sees in a request, check by check."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openpoort.cli.connection import HOME, last_line, stop
from openpoort.client.diagnose import Outcome, Report, Surroundings, diagnose, read
from openpoort.domain.partyfile import BadDirectory
from openpoort.keys.anchors import BadTrustStore
from openpoort.process.flow.kinds import KindError
from openpoort.settings import SettingsError, load
from openpoort.store.postgres.embedded import ServerFailed

_SIGNS = {
    Outcome.OK: Text("ok", style="green"),
    Outcome.WRONG: Text("WRONG", style="bold red"),
    Outcome.ATTENTION: Text("note", style="yellow"),
    Outcome.UNKNOWN: Text("?", style="dim"),
}


@click.command("diagnose")
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--listen", is_flag=True, help="Wait for requests instead, with mutual TLS.")
@click.option("--port", default=8443, show_default=True, help="Where to listen; 0: a free port.")
@click.option(
    "--home",
    type=HOME,
    envvar="OPENPOORT_HOME",
    help="Home of a gateway: its hosts, kinds and parties.",
)
@click.option("--to", "hosts", multiple=True, help="Base address that wsa:To must start with.")
@click.option("--at", help="Judge at this time (RFC 3339), for old captures.")
@click.option("--once", is_flag=True, help="With --listen: stop after one request.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(
    file: Path | None,
    listen: bool,
    port: int,
    home: Path | None,
    hosts: tuple[str, ...],
    at: str | None,
    once: bool,
    as_json: bool,
) -> None:
    """Say in plain words what is wrong with a request, all of it, not just the first mistake.

    FILE is a raw request: a body, or a capture with its HTTP headers (`-` reads stdin).

    Exit code 0: nothing found that a gateway refuses; 1: something is; 2: could not.
    """
    if listen == (file is not None):
        stop(2, "name a FILE, or --listen")
    around = _around(home, hosts, _moment(at))
    console = Console(stderr=as_json)
    if listen:
        _listen(home, port, around, console, as_json=as_json, once=once)
        return
    assert file is not None
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        stop(2, f"cannot read {file}: {error.strerror}")
    report = diagnose(read(data), around(None))
    _show(report, console, as_json)
    raise SystemExit(0 if report.accepted else 1)


def _moment(at: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(at) if at else None
    except ValueError:
        stop(2, f"--at {at} is no time such as 2026-11-23T12:00:00Z")
    if moment is not None and moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def _around(
    home: Path | None, hosts: tuple[str, ...], at: datetime | None
) -> Callable[[int | None], Surroundings]:
    """What is known around a request that came in by a port; the clock is read per request.
    Exit code 2 when HOME cannot tell."""
    if home is None:
        return lambda _: Surroundings(at or datetime.now(UTC), hosts=hosts)
    from openpoort.app.around import around

    try:
        made = around(load(home), hosts)
    except (SettingsError, BadDirectory, BadTrustStore, KindError, ServerFailed) as wrong:
        stop(2, str(wrong))
    except (OSError, ValueError, psycopg.Error) as wrong:
        stop(2, f"HOME {home} cannot be read: {wrong}")
    return lambda port: made(at or datetime.now(UTC), port)


def _listen(
    home: Path | None,
    port: int,
    around: Callable[[int | None], Surroundings],
    console: Console,
    *,
    as_json: bool,
    once: bool,
) -> None:
    from openpoort.app import trusting
    from openpoort.app.sockets import PortTaken, listen
    from openpoort.client.diagnose.listen import Listener
    from openpoort.process.flow.clock import Clock

    if home is None:
        stop(2, "--listen needs --home: the certificate and the trust store of a gateway")
    seen: list[Report] = []

    def show(report: Report) -> None:
        _show(report, console, as_json)
        sys.stdout.flush()
        seen.append(report)

    try:
        settings = load(home)
        certificates = trusting.certificates(settings, trusting.anchors(settings), Clock())
        sockets = listen(["127.0.0.1", "::1"], port)
    except (PortTaken, BadTrustStore) as wrong:
        stop(2, str(wrong))
    except OSError as wrong:  # ssl.SSLError is one too
        stop(2, f"cannot listen: {wrong}")
    bound: int = sockets[0].getsockname()[1]

    def started() -> None:
        click.echo(f"listening https://localhost:{bound}/wus/2.0/")
        sys.stdout.flush()

    Listener(sockets, certificates, lambda: around(bound), show, once).run(started)
    raise SystemExit(0 if seen and seen[-1].accepted else 1)


def _show(report: Report, console: Console, as_json: bool) -> None:
    if as_json:
        last_line(report.as_dict())
        return
    if not console.is_terminal:
        _plain(report)
        return
    table = Table(show_lines=False)
    for name in ("", "check", "what was found", "what to do"):
        table.add_column(name, overflow="fold")
    for check in report.checks:
        found = Text(check.text)
        if check.outcome is Outcome.WRONG:
            for label, value in check.facts:
                found.append(f"\n{label}: {value}", style="dim")
        table.add_row(_SIGNS[check.outcome], check.name, found, Text(check.advice))
    console.print(table)
    if report.fout:
        console.print("A gateway answers:", style="bold")
        console.print(report.fout, markup=False, highlight=False)
    console.print(_summary(report), style="green" if report.accepted else "red")


def _plain(report: Report) -> None:
    """A line per check, for files and pipes."""
    for check in report.checks:
        advice = f" -> {check.advice}" if check.advice else ""
        click.echo(f"{_SIGNS[check.outcome].plain:5} {check.name}: {check.text}{advice}")
        if check.outcome is Outcome.WRONG:
            for label, value in check.facts:
                click.echo(f"        {label}: {value}")
    if report.fout:
        click.echo("A gateway answers: " + " ".join(report.fout.split()))
    click.echo(_summary(report))


def _summary(report: Report) -> str:
    if not report.accepted:
        return f"{len(report.wrong_ones)} checks wrong"
    if not report.unjudged:
        return "nothing found that a gateway refuses"
    return "nothing found that a gateway refuses; not judged here: " + "; ".join(report.unjudged)
