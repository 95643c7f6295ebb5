"""`openpoort bench`: measure a gateway beside the limit of the machine it runs on."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openpoort.cli.replication import replication

if TYPE_CHECKING:
    from openpoort.devkit.bench.gateway import Gateway
    from openpoort.devkit.bench.load import Run
    from openpoort.devkit.bench.measure import Plan
    from openpoort.devkit.bench.report import Result

_F = TypeVar("_F", bound=Callable[..., Any])
_SIZES = {"10k": 10_000, "20k": 20_000, "50k": 50_000, "1m": 1_000_000, "15m": 15_000_000}


def _options(function: _F) -> _F:
    for option in reversed(
        [
            click.option("--home", type=click.Path(path_type=Path), help="Keep the folder here."),
            click.option("--url", help="A running gateway, as https://localhost:8443."),
            click.option("--cert", type=click.Path(exists=True, path_type=Path)),
            click.option("--key", type=click.Path(exists=True, path_type=Path)),
            click.option("--ca", type=click.Path(exists=True, path_type=Path)),
            click.option("--target-host", help="Name a host other than this machine once more."),
            click.option("--messages", type=click.IntRange(1, 1_000_000), default=3000),
            click.option("--size", default="20k", help="10k, 50k, 1m, 15m or a number of bytes."),
            click.option("--callers", type=click.IntRange(1, 64), default=16),
            click.option(
                "--rate", type=click.FloatRange(0.1, 100_000), help="Open loop: a second."
            ),
            click.option("--new-connections", is_flag=True, help="A TLS connection per message."),
            click.option("--rounds", type=click.IntRange(1, 99), default=3),
            click.option("--berichtsoort", default="Bench"),
            click.option("--vat", is_flag=True, help="The sample VAT return, with its checks."),
            click.option("--reference", is_flag=True, help="Measure the reference variant too."),
            click.option(
                "--plot", type=click.Path(path_type=Path), help="Write PLOT.png and .svg."
            ),
            click.option("--json", "as_json", is_flag=True, help="One JSON object, last line."),
        ]
    ):
        function = option(function)
    return function


def _size(text: str) -> int:
    size = _SIZES.get(text.lower()) or (int(text) if text.isdigit() else 0)
    if not 64 <= size <= 20 * 1024 * 1024:
        raise click.BadParameter("between 64 bytes and 20 MiB, as 20k, 1m or a number of bytes")
    return size


@click.group()
def bench() -> None:
    """Measure a gateway; starts its own unless --url names a running one."""


@contextlib.contextmanager
def _gateway(given: dict[str, Any], *words: str) -> Iterator[Gateway]:
    from openpoort.devkit.bench import gateway as gateways
    from openpoort.devkit.bench.load import Target

    url = given["url"]
    if url:
        import urllib.parse

        gateways.only_loopback(url, given["target_host"])
        missing = [f"--{n}" for n in ("cert", "key", "ca") if given[n] is None]
        if missing:
            raise gateways.BenchRefused(f"--url needs {', '.join(missing)} as well")
        parts = urllib.parse.urlsplit(url)
        target = Target(
            parts.hostname or "", parts.port or 443, given["cert"], given["key"], given["ca"]
        )
        yield gateways.Gateway(target, f"https://{parts.netloc}", Path(), None)
        return
    with contextlib.ExitStack() as stack:
        home = given["home"] or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        )
        yield stack.enter_context(gateways.own(Path(home), *words))


def _own(given: dict[str, Any]) -> contextlib.AbstractContextManager[Gateway]:
    """For scenarios that need the certificate of an agency as well."""
    from openpoort.devkit.bench.gateway import BenchRefused

    if given["url"]:
        raise BenchRefused("this scenario starts its own gateway; leave out --url")
    return _gateway(given)


def _plan(given: dict[str, Any]) -> Plan:
    from openpoort.devkit.bench.measure import Plan

    return Plan(
        messages=given["messages"],
        size=_size(given["size"]),
        callers=given["callers"],
        berichtsoort=given["berichtsoort"],
        rate=given["rate"],
        keep_alive=not given["new_connections"],
        rounds=given["rounds"],
        vat=given["vat"],
    )


def _show(result: Result, run: Run, given: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=given["as_json"])
    table = Table(title=f"bench {result.scenario}", show_header=False)
    for key, value in dataclasses.asdict(result).items():
        if isinstance(value, dict):
            for part, number in value.items():
                table.add_row(f"{key}: {part}", str(number))
        elif key != "scenario" and value is not None:
            table.add_row(key, str(value))
    console.print(table)
    if given["plot"]:
        from openpoort.devkit.bench.report import plot

        for path in plot(run.shots, f"openpoort bench {result.scenario}", given["plot"]):
            console.print(f"wrote {path}")
    if given["as_json"]:
        click.echo(result.as_json())
    if not result.good:
        console.print(f"[bold red]lost {result.lost}, failed {result.failed}")
        raise SystemExit(1)


def _run(measure: Callable[[], tuple[Result, Run]], given: dict[str, Any]) -> None:
    from openpoort.devkit.bench.gateway import BenchRefused

    try:
        result, run = measure()
    except (BenchRefused, socket.gaierror, ConnectionRefusedError) as error:
        raise click.UsageError(str(error)) from error
    _show(result, run, given)


@bench.command()
@_options
def accept(**given: Any) -> None:
    """Handing in: from the first byte of a request to its signed, committed answer."""

    def measure() -> tuple[Result, Run]:
        from openpoort.devkit.bench import scenarios
        from openpoort.devkit.bench.peer import reference_rate

        plan = _plan(given)
        with _gateway(given, "--only", "door") as gateway:
            result, run, _ = scenarios.accept(gateway, plan)
            if given["reference"]:
                rate = reference_rate(gateway, plan)
                result = dataclasses.replace(
                    result,
                    ratio_to_reference=round(result.rate / rate, 3),
                    notes={**result.notes, "reference_rate": round(rate, 1)},
                )
        return result, run

    _run(measure, given)


@bench.command()
@_options
def process(**given: Any) -> None:
    """The whole process: every step, delivery to the demo agency, its verdict."""

    def measure() -> tuple[Result, Run]:
        from openpoort.devkit.bench import scenarios

        with _gateway(given) as gateway:
            return scenarios.process(gateway, _plan(given))

    _run(measure, given)


@bench.command()
@_options
def status(**given: Any) -> None:
    """Reading: getStatussenProces for messages handed in before."""

    def measure() -> tuple[Result, Run]:
        from openpoort.devkit.bench import scenarios

        plan = _plan(given)
        with _gateway(given, "--only", "door") as gateway:  # no worker beside what is measured
            first = dataclasses.replace(
                plan, messages=min(plan.messages, 1000), rounds=1, rate=None
            )
            _, _, known = scenarios.accept(gateway, first)
            return scenarios.status(gateway, plan, known)

    _run(measure, given)


@bench.command()
@_options
def fetch(**given: Any) -> None:
    """Fetching: the content of messages that an agency left for the company."""

    def measure() -> tuple[Result, Run]:
        from openpoort.devkit.bench import scenarios

        with _own(given) as gateway:
            return scenarios.fetch(gateway, _plan(given))

    _run(measure, given)


@bench.command()
@_options
def mixed(**given: Any) -> None:
    """A working day: six in ten requests hand in, four ask for a status."""

    def measure() -> tuple[Result, Run]:
        from openpoort.devkit.bench import scenarios

        with _gateway(given) as gateway:
            return scenarios.mixed(gateway, _plan(given))

    _run(measure, given)


@bench.command()
@_options
def deadline(**given: Any) -> None:
    """A quiet day and its last hour: one twentieth of --rate (200), then all of it."""

    def measure() -> tuple[Result, Run]:
        from openpoort.devkit.bench import scenarios

        with _gateway(given) as gateway:
            return scenarios.deadline(gateway, _plan(given))

    _run(measure, given)


@bench.command()
@click.option("--seconds", type=click.FloatRange(1, 600), default=10.0, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--home", type=click.Path(exists=True, path_type=Path), help="Taxonomies to use.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
def checks(
    seconds: float, workers: int, home: Path | None, files: tuple[Path, ...], as_json: bool
) -> None:
    """Checking filings, beside the Session API of the reference processor, in one run.

    Without FILES: the VAT return and the annual account of the demo taxonomies.
    """
    import json

    from rich.console import Console
    from rich.markdown import Markdown

    from openpoort.devkit.bench_checks import run, table

    rates = run(seconds=seconds, workers=workers, home=home, files=files)
    Console(stderr=as_json).print(Markdown(table(rates)))
    if as_json:
        found = {
            r.subject: {**dataclasses.asdict(r), "times": r.times, "times_cpu": r.times_cpu}
            for r in rates
        }
        click.echo(json.dumps(found))


bench.add_command(replication)
