"""`openpoort chaos`: kill a gateway at every point of its work and look at what is left."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openpoort.cli.home import home_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpoort_lab.chaos.run import Outcome


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="Order and moments of kills.")
@click.option("--messages", type=click.IntRange(10, 10_000), default=60, show_default=True)
@click.option(
    "--only", multiple=True, help="Strikes by name, as 'after-claim: *' or '*: agency'; see --list."
)
@click.option("--list", "show", is_flag=True, help="Name the strikes and stop.")
@click.option(
    "--database",
    type=click.Choice(["own", "outside"]),
    default="own",
    show_default=True,
    help="The gateway's own PostgreSQL, or a server from outside by URL.",
)
@home_first
@click.option("--home", type=click.Path(path_type=Path), help="Keep the folder here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
def chaos(
    seed: int,
    messages: int,
    only: tuple[str, ...],
    show: bool,
    database: str,
    home: Path | None,
    as_json: bool,
) -> None:
    """Kill doors, workers, agency, PostgreSQL and everything; every promise must still hold.

    MESSAGES are sent in each round, half of them before the strike is over. Exit code 1 when a
    promise was broken.
    """
    from rich.console import Console
    from rich.progress import track

    from openpoort.store.postgres.scratch import scratch
    from openpoort_lab.chaos.run import rounds
    from openpoort_lab.chaos.strikes import strikes

    console = Console(stderr=True)
    patterns = only or ("*",)
    wanted = [s for s in strikes(seed) if any(fnmatch.fnmatch(s.name, p) for p in patterns)]
    if not wanted:
        raise click.UsageError(f"no such strike: {', '.join(only)}; see --list")
    if home and home.exists() and not (home / "openpoort.toml").exists():
        raise click.UsageError(f"{home} is no gateway's folder; name a new one")
    if show:
        for name in sorted(s.name for s in wanted):
            click.echo(name)
        return
    console.print(
        f"seed {seed}, {len(wanted)} strikes, {messages} messages each, {database} database"
    )
    outcomes = []
    with scratch("chaos-") as folder:
        turns = rounds(home or folder / "home", wanted, messages, seed, database=database)
        for outcome in track(turns, "striking", total=len(wanted), console=console):
            outcomes.append(outcome)
            mark = "[bold red]broken" if outcome.broken else "[green]whole"
            late = f" {outcome.waiting} waiting," if outcome.waiting else ""
            console.print(
                f"{outcome.strike}: {outcome.acknowledged} acknowledged,{late}"
                f" {outcome.repeats} repeats, {outcome.seconds:.1f} s, {mark}"
            )
            for sentence in outcome.broken[:20]:
                console.print(f"  [red]{sentence}")
    _report(outcomes, seed, database, as_json)


def _report(outcomes: Sequence[Outcome], seed: int, database: str, as_json: bool) -> None:
    found = {
        "seed": seed,
        "database": database,
        "strikes": len(outcomes),
        "struck": sum(o.struck for o in outcomes),
        "acknowledged": sum(o.acknowledged for o in outcomes),
        "waiting": sum(o.waiting for o in outcomes),
        "repeats": sum(o.repeats for o in outcomes),
        "broken": sum(len(o.broken) for o in outcomes),
        "seconds": round(sum(o.seconds for o in outcomes), 1),
    }
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(
            f"{found['acknowledged']} acknowledged in {found['struck']} strikes,"
            f" {found['broken']} promises broken"
        )
    raise SystemExit(1 if found["broken"] else 0)
