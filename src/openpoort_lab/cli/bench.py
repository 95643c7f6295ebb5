"""`openpoort bench`: measure a gateway beside the limit of the machine it runs on."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from openpoort.cli.home import home_first, home_taken

if TYPE_CHECKING:
    from openpoort_lab.bench.flat import Flat
    from openpoort_lab.bench.gateway import Gateway
    from openpoort_lab.bench.load import Run
    from openpoort_lab.bench.measure import Plan
    from openpoort_lab.bench.report import Result

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
            click.option(
                "--plot", type=click.Path(path_type=Path), help="Write PLOT.png and .svg."
            ),
            click.option("--json", "as_json", is_flag=True, help="One JSON object, last line."),
        ]
    ):
        function = option(function)
    return home_first(function)


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
    from openpoort_lab.bench import gateway as gateways
    from openpoort_lab.bench.load import Target

    url = given["url"]
    if url:
        host, port = gateways.aim(url, given["target_host"])
        missing = [f"--{n}" for n in ("cert", "key", "ca") if given[n] is None]
        if missing:
            raise gateways.BenchRefused(f"--url needs {', '.join(missing)} as well")
        target = Target(host, port, given["cert"], given["key"], given["ca"])
        netloc = url.split("://", 1)[1].split("/", 1)[0]
        yield gateways.Gateway(target, f"https://{netloc}", Path(), None)
        return
    with contextlib.ExitStack() as stack:
        home = given["home"] or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        )
        yield stack.enter_context(gateways.own(Path(home), *words))


def _own(given: dict[str, Any], *words: str) -> contextlib.AbstractContextManager[Gateway]:
    """For scenarios that need more of a gateway than its address."""
    from openpoort_lab.bench.gateway import BenchRefused

    if given["url"]:
        raise BenchRefused("this scenario starts its own gateway; leave out --url")
    return _gateway(given, *words)


def _possible(given: dict[str, Any]) -> None:
    """Raises UsageError for options that contradict each other."""
    if given["rate"] is not None and not math.isfinite(given["rate"]):
        raise click.UsageError("--rate must be a number of messages a second")
    if given["rate"] and given["new_connections"]:
        raise click.UsageError("--rate keeps its connections; leave out --new-connections")
    if given.get("reference") and (given["url"] or given["rate"] or given["vat"]):
        raise click.UsageError(
            "--reference is measured beside an own gateway in a closed loop; leave out --url,"
            " --rate and --vat"
        )
    if given["home"] and given["url"]:
        raise click.UsageError("--home is for a gateway of bench's own; leave it out with --url")
    home = given["home"]
    if home and home.is_dir() and any(home.iterdir()) and not (home / "openpoort.toml").exists():
        raise click.UsageError(f"{home} holds something else than a gateway; name a new folder")
    if given["plot"] and not given["plot"].absolute().parent.is_dir():
        raise click.UsageError(f"--plot: there is no folder {given['plot'].absolute().parent}")


def _plan(given: dict[str, Any]) -> Plan:
    from openpoort_lab.bench.measure import Plan

    _possible(given)
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
        from openpoort_lab.bench.report import plot

        for path in plot(run.shots, f"openpoort bench {result.scenario}", given["plot"]):
            console.print(f"wrote {path}")
    if given["as_json"]:
        click.echo(result.as_json())
    if not result.good:
        console.print(f"[bold red]lost {result.lost}, failed {result.failed}")
        raise SystemExit(1)


def _run(measure: Callable[[Plan], tuple[Result, Run]], given: dict[str, Any]) -> None:
    from openpoort_lab.bench.gateway import BenchRefused

    plan = _plan(given)
    try:
        result, run = measure(plan)
    except (BenchRefused, socket.gaierror, ConnectionRefusedError) as error:
        raise click.UsageError(str(error)) from error
    _show(result, run, given)


@bench.command()
@_options
@click.option("--reference", is_flag=True, help="Measure the reference variant beside it.")
def accept(**given: Any) -> None:
    """Handing in: from the first byte of a request to its signed, committed answer."""

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench import scenarios
        from openpoort_lab.bench.peer import reference_rate

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
    """The whole process: every step, delivery to the demo agency, its verdict.

    With a --size over 1 MiB also the memory that door, worker and agency took for such messages, in
    times that size.
    """

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench import scenarios

        with _gateway(given) as gateway:
            return scenarios.process(gateway, plan)

    _run(measure, given)


@bench.command()
@_options
def status(**given: Any) -> None:
    """Reading: getStatussenProces for messages handed in before."""

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench import scenarios

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

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench import scenarios

        with _own(given) as gateway:
            return scenarios.fetch(gateway, plan)

    _run(measure, given)


@bench.command()
@_options
def mixed(**given: Any) -> None:
    """A working day: six in ten requests hand in, four ask for a status."""

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench import scenarios

        with _gateway(given) as gateway:
            return scenarios.mixed(gateway, plan)

    _run(measure, given)


@bench.command()
@_options
def deadline(**given: Any) -> None:
    """A quiet day and its last hour: one twentieth of --rate (200), then all of it."""

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench import scenarios

        with _gateway(given) as gateway:
            return scenarios.deadline(gateway, plan)

    _run(measure, given)


@bench.command()
@_options
@click.option(
    "--large",
    type=click.IntRange(1, 1000),
    default=5,
    help="Large messages a round, evenly spread.",
)
@click.option("--large-size", default="15m", help="Of those; as --size.")
def beside(**given: Any) -> None:
    """What large messages do to the small ones next to them: p99 and memory.

    Small ones at --rate (a twentieth of what RSA allows), --messages a round (500), alone and with
    one sender of large ones beside them, in turn.
    """

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench.beside import Large, beside

        with _own(given, "--only", "door") as gateway:
            return beside(gateway, plan, Large(given["large"], _size(given["large_size"])))

    if click.get_current_context().get_parameter_source("messages") is ParameterSource.DEFAULT:
        given["messages"] = 500
    _run(measure, given)


@bench.command()
@_options
def failing(**given: Any) -> None:
    """What messages that an agency cannot take do to those it can: how long these wait for it.

    Good ones at --rate (20), --messages a round (300), beside as many bad ones; in turn with
    another gateway, which gets good ones in their place.
    """

    def measure(plan: Plan) -> tuple[Result, Run]:
        from openpoort_lab.bench import failing, gateway

        if given["url"] or given["home"]:
            raise gateway.BenchRefused("this scenario starts its own; leave out --url and --home")
        with contextlib.ExitStack() as stack:
            homes = [
                Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
                for _ in range(2)
            ]
            alone, beside = (
                stack.enter_context(gateway.own(home, extra=failing.SWITCHED_OFF)) for home in homes
            )
            return failing.failing(alone, beside, plan)

    if click.get_current_context().get_parameter_source("messages") is ParameterSource.DEFAULT:
        given["messages"] = 300
    _run(measure, given)


@bench.command()
@click.option(
    "--sizes", default="1000,1000000", show_default=True, help="Messages in the tables, by commas."
)
@click.option("--messages", type=click.IntRange(100, 100_000), default=1500, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 99), default=5, show_default=True)
@click.option("--size", default="20k", show_default=True, help="Of a message that is handed in.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Keep the filled tables here, for next time."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
@home_taken
def flat(
    sizes: str, messages: int, rounds: int, size: str, folder: Path | None, as_json: bool
) -> None:
    """Whether cost grows with the tables: handing in and status queries at each of --sizes.

    Fills a PostgreSQL for each size (about 2 GB for a million messages); removed afterwards, unless
    --folder is given.
    """
    from rich.console import Console

    from openpoort_lab.bench.flat import flat as run
    from openpoort_lab.bench.measure import Plan

    console = Console(stderr=True)
    plan = Plan(messages=messages, rounds=rounds, size=_size(size))
    wanted = _sizes(sizes, folder or Path(tempfile.gettempdir()))
    with contextlib.ExitStack() as stack:
        if folder is None:
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="flat-"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
        line = stack.enter_context(console.status("filling"))
        found = run(folder or Path(place), wanted, plan, line.update)
    _show_flat(found, as_json)


_ROOM = 6000  # bytes on disk for each message filled, the write-ahead log included


def _sizes(text: str, folder: Path) -> list[int]:
    """Raises BadParameter when they are no sizes, or need more room than there is."""
    import shutil

    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or not 100 <= found[0] <= found[-1] <= 100_000_000:
        raise click.BadParameter("numbers of messages by commas, each 100 to 100 million")
    new = [size for size in found if not (folder / f"with-{size}" / "filled").exists()]
    there = next(f for f in (folder, *folder.absolute().parents) if f.exists())
    room, needed = shutil.disk_usage(there).free, sum(new) * _ROOM + 2**30 * len(new)
    if room < needed:
        raise click.BadParameter(
            f"{folder} has room for {room / 1e9:.0f} GB, these sizes may need"
            f" {needed / 1e9:.0f} GB; choose smaller ones, or another --folder"
        )
    return found


def _show_flat(found: Flat, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=as_json)
    table = Table(title="bench flat")
    for head in ("messages", "GB", "accept/s", "accept CPU ms", "status/s", "status CPU ms"):
        table.add_column(head, justify="right")
    for x in found.levels:
        table.add_row(
            f"{x.rows:,}", f"{x.bytes / 1e9:.1f}", f"{x.accept_rate:.0f}",
            f"{x.accept_cpu_ms:.2f}", f"{x.status_rate:.0f}", f"{x.status_cpu_ms:.2f}",
        )  # fmt: skip
    console.print(table)
    for x in found.levels:
        for plan in x.plans:
            console.print(f"{x.rows:,}: {plan}")
    if as_json:
        click.echo(found.as_json())
    if not found.good:
        console.print(f"[bold red]lost {found.lost}, failed {found.failed}")
        raise SystemExit(1)


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

    from openpoort_lab.bench.checks import run, table

    rates = run(seconds=seconds, workers=workers, home=home, files=files)
    Console(stderr=as_json).print(Markdown(table(rates)))
    if as_json:
        found = {
            r.subject: {
                **dataclasses.asdict(r),
                "times": r.times,
                "times_cpu": r.times_cpu,
                "index_times": r.index_times,
                "index_times_cpu": r.index_times_cpu,
            }
            for r in rates
        }
        click.echo(json.dumps(found))


@bench.command()
@click.option("--only", default="", help="Kinds whose group or name holds this.")
@click.option("--octets", type=click.IntRange(1000, 16_000_000), default=256_000, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.05, 60), default=0.5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
@home_taken
def dear(only: str, octets: int, seconds: float, as_json: bool) -> None:
    """Requests that are cheap to send and dear to receive, by kind of construct.

    Processor time of a door beside an honest message of the same size, memory, and how long an
    honest sender waits next to them. Exit code 1 when one costs over 5 times as much, or makes the
    honest sender wait over 1.5 times as long.
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from openpoort_lab import dear as generator
    from openpoort_lab.bench.gateway import own
    from openpoort_lab.dear.measure import measure

    console = Console(stderr=as_json)
    kinds = [k for k in generator.KINDS if only in k.group or only in k.name]
    table = Table(title=f"bench dear: {octets:,} octets")
    for head in ("kind", "octets", "CPU ms", "honest", "times", "memory MB", "wait ms", "times"):
        table.add_column(head, justify="left" if head == "kind" else "right")
    costs = []
    with tempfile.TemporaryDirectory(prefix="dear-") as folder:
        extra = {"OPENPOORT_DOOR_PROCESSES": "1"}
        with own(Path(folder) / "home", "--only", "door", extra=extra) as gateway:
            for cost in measure(gateway, kinds, octets, seconds):
                costs.append(cost)
                row = (
                    f"{cost.group}: {cost.name}", f"{cost.octets:,}", f"{cost.ms:.2f}",
                    f"{cost.honest_ms:.2f}", f"{cost.times:.1f}", f"{cost.memory / 1e6:.0f}",
                    f"{cost.wait_ms:.1f}", f"{cost.waits:.2f}",
                )  # fmt: skip
                click.echo(" | ".join(row), err=True)
                table.add_row(*row)
    console.print(table)
    dearest = [c for c in costs if c.times > 5 or c.waits > 1.5]
    if as_json:
        rows = [{**dataclasses.asdict(c), "times": c.times, "waits": c.waits} for c in costs]
        click.echo(json.dumps({"kinds": rows, "good": not dearest}))
    if dearest:
        raise SystemExit(1)
