"""`openpoort bench replication`: what waiting for a standby costs."""

from __future__ import annotations

import json

import click

from openpoort.cli.home import home_taken


@click.command()
@click.option("--messages", type=click.IntRange(50, 100_000), default=300, show_default=True)
@click.option("--callers", type=click.IntRange(1, 64), default=16, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 99), default=3, show_default=True)
@click.option(
    "--rtt", multiple=True, type=click.FloatRange(0.1, 1000), default=(2.0, 10.0),
    show_default=True, help="Milliseconds there and back between two sites.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
@home_taken
def replication(
    messages: int, callers: int, rounds: int, rtt: tuple[float, ...], as_json: bool
) -> None:
    """Hand in 20 kB messages without a standby, with an asynchronous one, and waiting for it in
    each of PostgreSQL's ways; at a distance as well. Figures are medians of one run."""
    from rich.console import Console
    from rich.table import Table

    from openpoort.cli.home import fail
    from openpoort.store.postgres.embedded import ServerFailed
    from openpoort.store.postgres.scratch import scratch
    from openpoort_lab.bench.gateway import BenchRefused
    from openpoort_lab.failover.price import price

    console = Console(stderr=True)
    try:
        with (
            scratch("replication-") as folder,
            console.status("starting") as status,
        ):
            found = price(folder, messages, callers, rounds, rtt, status.update)
    except (ServerFailed, BenchRefused, OSError) as wrong:
        fail(str(wrong))
    first = found[0]
    failed = sum(p.failed for p in found)
    rows = [
        {
            "commit": p.setting.commit, "rtt_ms": p.setting.rtt, "rate": round(p.rate, 1),
            "ratio": round(p.rate / first.rate, 3), "p50_ms": round(p.p50, 1),
            "p99_ms": round(p.p99, 1),
        }
        for p in found
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"failed": failed, "callers": callers, "settings": rows}))
    else:
        table = Table("synchronous_commit", "distance, ms", "a second", "of none", "p50", "p99")
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        Console().print(table)
    if failed:
        console.print(f"[bold red]failed {failed}")
        raise SystemExit(1)
