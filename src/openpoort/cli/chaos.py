"""`openpoort chaos`: kill a gateway at every point of its work and look at what is left."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="Order and moments of kills.")
@click.option("--messages", type=click.IntRange(10, 10_000), default=200, show_default=True)
@click.option("--only", multiple=True, help="A strike by name; see --list.")
@click.option("--list", "show", is_flag=True, help="Name the strikes and stop.")
@click.option("--home", type=click.Path(path_type=Path), help="Keep the folder here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
def chaos(
    seed: int, messages: int, only: tuple[str, ...], show: bool, home: Path | None, as_json: bool
) -> None:
    """Kill doors, workers, agency, PostgreSQL and everything; every promise must still hold.

    MESSAGES are sent in each round, half of them before the kill is over. Exit code 1 when a
    promise was broken.
    """
    from rich.console import Console
    from rich.progress import track

    from openpoort.devkit.chaos.run import rounds
    from openpoort.devkit.chaos.strikes import strikes

    console = Console(stderr=True)
    wanted = [s for s in strikes(seed) if not only or s.name in only]
    if show:
        for strike in sorted(wanted, key=lambda s: s.name):
            click.echo(strike.name)
        return
    if not wanted:
        raise click.UsageError(f"no such strike: {', '.join(only)}; see --list")
    console.print(f"seed {seed}, {len(wanted)} strikes, {messages} messages each")
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        turns = rounds(home or Path(folder), wanted, messages, seed)
        for outcome in track(turns, "striking", total=len(wanted), console=console):
            outcomes.append(outcome)
            mark = "[bold red]broken" if outcome.broken else "[green]whole"
            console.print(
                f"{outcome.strike}: {outcome.acknowledged} acknowledged,"
                f" {outcome.repeats} repeats, {outcome.seconds:.1f} s, {mark}"
            )
            for sentence in outcome.broken[:20]:
                console.print(f"  [red]{sentence}")
    broken = sum(len(o.broken) for o in outcomes)
    total = sum(o.acknowledged for o in outcomes)
    if as_json:
        found = {"seed": seed, "strikes": len(outcomes), "acknowledged": total, "broken": broken}
        click.echo(json.dumps(found))
    else:
        click.echo(f"{total} acknowledged in {len(outcomes)} strikes, {broken} promises broken")
    raise SystemExit(1 if broken else 0)
