"""`diagnose`: what a gateway sees in a request, check by check."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openpoort.cli.connection import HOME, last_line, stop
from openpoort.client.diagnose import Outcome, Report, Request, Surroundings, diagnose, read
from openpoort.domain import partyfile
from openpoort.domain.party import Directory
from openpoort.process import kinds
from openpoort.settings import SettingsError, load

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
    around = _surroundings(home, hosts, at)
    console = Console(stderr=as_json)
    if listen:
        _listen(home, port, around, console, as_json=as_json, once=once)
        return
    assert file is not None
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        stop(2, f"cannot read {file}: {error.strerror}")
    report = diagnose(read(data), around())
    _show(report, console, as_json)
    raise SystemExit(0 if report.accepted else 1)


def _surroundings(
    home: Path | None, hosts: tuple[str, ...], at: str | None
) -> Callable[[], Surroundings]:
    """What is known around a request; the clock is read per request."""
    try:
        moment = datetime.fromisoformat(at) if at else None
    except ValueError:
        stop(2, f"--at {at} is no time such as 2026-11-23T12:00:00Z")
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    directory: Directory | None = None
    if home is not None:
        try:
            settings = load(home)
        except SettingsError as error:
            stop(2, str(error))
        port = settings.door.port
        own = [f"https://{host}:{port}" for host in settings.door.hosts]
        own += [f"https://{host}" for host in settings.door.hosts]
        hosts = (*hosts, *own, *settings.door.public_urls)
        listed = home / "directory.toml"
        if listed.exists():
            directory = partyfile.read(listed.read_text(encoding="utf-8"))
    folder = home / "kinds" if home is not None and (home / "kinds").is_dir() else None
    known = dict(kinds.load(folder))
    return lambda: Surroundings(
        moment or datetime.now(UTC), hosts=hosts, kinds=known, directory=directory
    )


def _listen(
    home: Path | None,
    port: int,
    around: Callable[[], Surroundings],
    console: Console,
    *,
    as_json: bool,
    once: bool,
) -> None:
    from openpoort.client.diagnose.listen import Listener

    if home is None:
        stop(2, "--listen needs --home, for the server's certificate")
    seen: list[Report] = []

    def judge(request: Request) -> Report:
        report = diagnose(request, around())
        _show(report, console, as_json)
        seen.append(report)
        return report

    pki = home / "pki"
    try:
        listener = Listener(port, pki / "server.pem", pki / "server.key", pki / "ca.pem", judge)
    except OSError as error:
        stop(2, f"cannot listen on port {port}: {error}")
    click.echo(f"listening https://localhost:{listener.port}/wus/2.0/")
    try:
        listener.run_until(lambda: once and bool(seen))
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
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
    if report.accepted:
        return "nothing found that a gateway refuses"
    wrong = sum(check.outcome is Outcome.WRONG for check in report.checks)
    return f"{wrong} checks wrong"
