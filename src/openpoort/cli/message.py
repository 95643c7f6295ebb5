"""`openpoort message`: what the gateway holds, seen from inside."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from openpoort.cli.home import at_desk, chosen, fail, home_argument, home_option
from openpoort.domain.ids import mask


@click.group()
def message() -> None:
    """Messages in the gateway, for whoever operates it."""


@message.command(name="list")
@home_argument
@click.option("--berichtsoort", help="Only of this kind.")
@click.option("--sender", help="Only from this OIN.")
@click.option("--state", help="Only in this state, such as running, parked or ended.")
@click.option("--since", type=click.DateTime(), help="Only taken in at or after this time (UTC).")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def list_(
    home: Path | None, home_option: Path | None, limit: int, as_json: bool, **asked: Any
) -> None:
    """Messages, newest first."""
    from openpoort.store import overview

    with at_desk(chosen(home, home_option)) as parts, parts.store.pool.lend() as conn:
        lines = overview.listed(conn, limit=limit, **asked)
    if as_json:
        rows = [
            {
                "kenmerk": str(line.kenmerk),
                "berichtsoort": line.berichtsoort,
                "sender": line.sender,
                "accepted_at": line.accepted_at.isoformat(),
                "state": line.state,
                "statuscode": line.status,
            }
            for line in lines
        ]
        click.echo(json.dumps({"messages": rows}))
        return
    for line in lines:
        click.echo(
            f"{line.accepted_at:%Y-%m-%d %H:%M:%S}  {line.kenmerk}  {line.status or '---'}  "
            f"{line.state:<10} {line.berichtsoort}  {mask(line.sender)}"
        )
    if not lines:
        click.echo("no messages")


@message.command()
@click.argument("words", nargs=-1, required=True, metavar="[HOME] KENMERK")
@home_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def show(words: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Everything about one message: statuses, jobs, deliveries, what waits."""
    from openpoort.process import parked

    home, kenmerk = home_and_kenmerk(words, home)
    with at_desk(home) as parts:
        try:
            found = parked.show(parts.store, kenmerk)
        except parked.WorkError as no:
            fail(str(no), 1)
    data = as_data(found)
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    for name in ("kenmerk", "berichtsoort", "sender", "belanghebbende", "accepted_at", "state"):
        click.echo(f"{name:<15} {data[name]}")
    for status in found.statuses:
        fault = f"  {status.fout.foutcode}" if status.fout else ""
        click.echo(f"status          {status.at:%Y-%m-%d %H:%M:%S.%f} {status.code}{fault}")
    for part in ("deliveries", "jobs", "parked"):
        for row in data[part]:
            words_ = "  ".join(f"{k} {v}" for k, v in row.items() if v is not None)
            click.echo(f"{part:<15} {words_}")


def home_and_kenmerk(words: tuple[str, ...], home: Path) -> tuple[Path, uuid.UUID]:
    """`KENMERK` or `HOME KENMERK`; exit code 2 for anything else."""
    if len(words) > 2:
        fail("give HOME and KENMERK, or KENMERK alone with --home")
    try:
        return (Path(words[0]) if len(words) == 2 else home), uuid.UUID(words[-1])
    except ValueError:
        fail(f"{words[-1]!r} is no kenmerk")


def as_data(found: Any) -> dict[str, Any]:
    """A message as `message show` and `work show` print it; the interested party is masked."""
    known = found.known

    def time(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "kenmerk": str(known.kenmerk),
        "berichtsoort": known.berichtsoort,
        "sender": known.sender,
        "belanghebbende": str(known.belanghebbende),
        "accepted_at": time(known.accepted_at),
        "state": found.state,
        "statuses": [
            {
                "code": s.code,
                "at": time(s.at),
                "foutcode": s.fout.foutcode if s.fout else None,
            }
            for s in found.statuses
        ],
        "deliveries": [
            {"agency": agency, "generation": generation, "at": time(at)}
            for agency, generation, at in found.deliveries
        ],
        "jobs": [
            {
                "step": j.step,
                "agency": j.agency,
                "attempts": j.attempts,
                "due_at": time(j.due_at),
            }
            for j in found.jobs
        ],
        "parked": [
            {
                "step": p.job.step,
                "agency": p.job.agency,
                "since": time(p.job.since),
                "reason": p.job.reason,
            }
            for p in found.parked
        ],
    }
