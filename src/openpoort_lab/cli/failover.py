"""`openpoort failover-drill`: lose the primary under load and look at what is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openpoort.cli.home import home_first

if TYPE_CHECKING:
    from rich.console import Console

    from openpoort_lab.failover.run import Outcome

_NAMES = ["kill", "freeze", "lag", "counter-proof"]


@click.command("failover-drill")
@click.option("--seed", type=int, default=1, show_default=True, help="Moments and contents.")
@click.option("--rounds", "times", type=click.IntRange(1, 100), default=1, show_default=True)
@click.option("--messages", type=click.IntRange(40, 10_000), default=400, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(_NAMES))
@click.option(
    "--detect", type=click.FloatRange(0, 120), default=1.0, show_default=True,
    help="Seconds until the loss of the primary is noticed.",
)  # fmt: skip
@home_first
@click.option("--home", type=click.Path(path_type=Path), help="Keep the folders here.")
@click.option(
    "--record", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="HOME",
    help="Leave the outcome in HOME/measures, for `openpoort measures HOME`.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
def failover_drill(
    seed: int, times: int, messages: int, only: tuple[str, ...], detect: float,
    home: Path | None, record: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Two PostgreSQL servers of its own, a gateway, load; the primary is struck, the standby
    promoted, and every promise checked.

    kill: SIGKILL. freeze: SIGSTOP, and it comes back afterwards. lag: SIGKILL while the standby is
    behind. These replicate synchronously. counter-proof: lag with asynchronous replication, where
    the same check has to find losses. Exit code 1 when a promise was broken, or when the
    counter-proof lost nothing.
    """
    from rich.console import Console
    from rich.progress import track

    from openpoort.app import proofs
    from openpoort.cli.home import fail
    from openpoort.store.postgres.embedded import ServerFailed
    from openpoort.store.postgres.scratch import scratch
    from openpoort_lab.bench.gateway import BenchRefused
    from openpoort_lab.chaos.sender import Unanswered
    from openpoort_lab.failover.run import STRIKES, Plan, rounds

    if home is not None and home.exists() and any(home.iterdir()):
        raise click.UsageError(f"{home} is not empty; choose a folder that is")
    console = Console(stderr=True)
    strikes = [*((name, True) for name in STRIKES), ("lag", False)]
    wanted = [s for s, name in zip(strikes, _NAMES, strict=True) if not only or name in only]
    plans = [
        Plan(strike, synchronous, messages, seed + n, detect)
        for n in range(times)
        for strike, synchronous in wanted
    ]
    console.print(f"seed {seed}, {len(plans)} failovers, {messages} messages each")
    outcomes = []
    with scratch("failover-") as folder:
        turns = rounds(home or folder, plans)
        try:
            for outcome in track(turns, "failing over", total=len(plans), console=console):
                outcomes.append(outcome)
                _tell(console, outcome)
        except Unanswered as wrong:
            plan = plans[len(outcomes)]
            console.print(f"[bold red]seed {plan.seed}, {plan.strike}: no service again: {wrong}")
            raise SystemExit(1) from None
        except (ServerFailed, BenchRefused, OSError) as wrong:
            fail(str(wrong))
    broken = sum(len(o.broken) for o in outcomes if o.plan.synchronous)
    idle = sum(o.lost == 0 for o in outcomes if not o.plan.synchronous)
    found = {
        "seed": seed, "failovers": len(outcomes), "broken": broken,
        "acknowledged": sum(o.acknowledged for o in outcomes if o.plan.synchronous),
        "lost": sum(o.lost for o in outcomes if o.plan.synchronous),
        "counter_proof_lost": sum(o.lost for o in outcomes if not o.plan.synchronous),
        "rounds": [o.record() for o in outcomes],
    }  # fmt: skip
    if record is not None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        holds = not broken and not idle and any(o.plan.synchronous for o in outcomes)
        proofs.note(proofs.failover_drill(record), {"at": at, "holds": holds, **found})
    if as_json:
        click.echo(json.dumps(found))
    else:
        _table(outcomes)
    if idle:
        console.print("[bold red]asynchronous and behind, and nothing lost: this proves nothing")
    raise SystemExit(1 if broken or idle else 0)


def _tell(console: Console, outcome: Outcome) -> None:
    plan = outcome.plan
    mode = "synchronous" if plan.synchronous else "asynchronous"
    if plan.synchronous:
        mark = "[bold red]broken" if outcome.broken else "[green]whole"
    else:
        mark = "[green]found" if outcome.lost else "[bold red]found nothing"
    console.print(f"seed {plan.seed}: {plan.strike}, {mode}, {outcome.lost} lost, {mark}")
    if plan.synchronous:
        for sentence in outcome.broken[:20]:
            console.print(f"  [red]{sentence}")


def _table(outcomes: list[Outcome]) -> None:
    from rich.console import Console
    from rich.table import Table

    names = ("strike", "replication", "acknowledged", "repeats", "lost")
    table = Table(*names, "out, s", "promote, s", "gateway, s")
    for o in outcomes:
        mode = "synchronous" if o.plan.synchronous else "asynchronous"
        table.add_row(
            o.plan.strike, mode, str(o.acknowledged), str(o.repeats), str(o.lost),
            f"{o.out:.1f}", f"{o.promote:.1f}", f"{o.gateway:.1f}",
        )  # fmt: skip
    Console().print(table)
