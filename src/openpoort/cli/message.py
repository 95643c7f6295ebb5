"""`openpoort message`: what the gateway holds, seen from inside."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openpoort.cli.home import at_desk, chosen, fail, home_argument, home_option
from openpoort.domain.ids import Identiteit, mask
from openpoort.domain.process import ENDED, State

if TYPE_CHECKING:
    from openpoort.operate.story import Moment, Waits
    from openpoort.store.messages.find import Asked, Line


@click.group()
def message() -> None:
    """Messages in the gateway, for whoever operates it."""


@message.command(name="list")
@home_argument
@click.option("--kenmerk", type=click.UUID, help="Only this one.")
@click.option("--message-id", help="Only with this MessageID, as its sender wrote it.")
@click.option("--aanleverkenmerk", help="Only with this one, as its sender wrote it.")
@click.option("--belanghebbende", metavar="TYPE:NUMBER", help="Only about this interested party.")
@click.option("--sender", help="Only from this OIN.")
@click.option("--berichtsoort", help="Only of this kind.")
@click.option("--state", type=click.Choice([*State, "ended"]), help="Only in this state.")
@click.option("--since", type=click.DateTime(), help="Only taken in at or after this time (UTC).")
@click.option("--until", type=click.DateTime(), help="Only taken in before this time (UTC).")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def list_(
    home: Path | None, home_option: Path | None, as_json: bool, limit: int, **given: Any
) -> None:
    """Messages, newest first, by any of what is asked together. `ended` is delivered, rejected or
    cancelled."""
    from openpoort.store.messages import find, lookup

    asked = _asked(limit=limit, **given)
    with at_desk(chosen(home, home_option)) as parts, parts.store.pool.lend() as conn:
        behind = lookup.catch_up(conn)
        lines = find.find(conn, asked)
    if behind:
        click.echo(
            f"openpoort: {behind} journal entries have no look-up row yet (the workers write them"
            " after an upgrade); messages may be missing here",
            err=True,
        )
    if as_json:
        click.echo(json.dumps({"messages": [_row(line) for line in lines], "behind": behind}))
        return
    for line in lines:
        click.echo(
            f"{line.accepted_at:%Y-%m-%d %H:%M:%S}  {line.kenmerk}  {line.status or '---'}  "
            f"{line.state:<10} {line.berichtsoort}  {mask(line.sender)}"
        )
    if not lines:
        click.echo("no messages")


def _asked(
    *,
    belanghebbende: str | None,
    state: str | None,
    since: datetime | None,
    until: datetime | None,
    **words: Any,
) -> Asked:
    """What the options say; exit code 2 when that cannot be."""
    from openpoort.store.messages.find import Asked

    more: dict[str, Any] = {}
    if belanghebbende is not None:
        kind, colon, number = belanghebbende.partition(":")
        if not (kind and colon and number):
            fail("--belanghebbende must be TYPE:NUMBER, such as BTW:001000044B37")
        more["belanghebbende"] = Identiteit(number, kind)
    if state is not None:
        more["states"] = tuple(sorted(ENDED)) if state == "ended" else (state,)
    if since is not None:
        more["since"] = since.replace(tzinfo=UTC)
    if until is not None:
        more["until"] = until.replace(tzinfo=UTC)
    return Asked(**words, **more)


def _row(line: Line) -> dict[str, str | None]:
    return {
        "kenmerk": str(line.kenmerk),
        "berichtsoort": line.berichtsoort,
        "sender": line.sender,
        "belanghebbende": str(line.belanghebbende),
        "aanleverkenmerk": line.aanleverkenmerk,
        "message_id": line.message_id,
        "accepted_at": line.accepted_at.isoformat(),
        "state": line.state,
        "statuscode": line.status,
    }


@message.command()
@click.argument("words", nargs=-1, required=True, metavar="[HOME] KENMERK")
@home_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def show(words: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Everything about one message: what happened, attempt by attempt, and what it waits for."""
    told(words, home, as_json=as_json)


def told(words: tuple[str, ...], home: Path, *, as_json: bool) -> None:
    """What `message show` and `work show` print."""
    from openpoort.operate import work

    home, kenmerk = home_and_kenmerk(words, home)
    with at_desk(home) as parts:
        try:
            found = work.show(parts.store, kenmerk)
        except work.WorkError as no:
            fail(str(no), 1)
    data = as_data(found)
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    for name in _HEAD:
        click.echo(f"{name:<16} {data[name] if data[name] is not None else '-'}")
    for moment in found.moments:
        click.echo(f"{moment.at:%Y-%m-%d %H:%M:%S.%f}"[:23] + f"  {moment.what}{_more(moment)}")
        for finding in moment.more.get("findings", ()):
            line = f"line {finding['line']}: " if "line" in finding else ""
            click.echo(f"{'':25}{finding['level']} {finding['code']}: {line}{finding['message']}")
    for one in found.waits:
        click.echo(f"waits for {one.who}: {one.why}{_next(one)}")
    if found.parked:
        click.echo(f"then: openpoort work release|redeliver|cancel {data['kenmerk']} --reason TEXT")


_HEAD = (
    "kenmerk", "berichtsoort", "sender", "belanghebbende", "aanleverkenmerk", "message_id",
    "accepted_at", "state",
)  # fmt: skip


def _more(moment: Moment) -> str:
    """Reason, code and words of a moment, after what happened."""
    parts = [str(moment.more[n]) for n in ("foutcode", "fout", "reason", "details", "result")
             if n in moment.more]  # fmt: skip
    if codes := moment.more.get("codes"):
        parts.append("findings: " + ", ".join(map(str, codes)))
    return ": " + "; ".join(parts) if parts else ""


def _next(waits: Waits) -> str:
    if waits.due_at is None:
        return ""
    return f" (step {waits.step}, attempt {waits.attempt}, at {waits.due_at:%Y-%m-%d %H:%M:%S})"


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
        "aanleverkenmerk": found.aanleverkenmerk,
        "message_id": found.message_id,
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
        "story": [{"at": time(m.at), "what": m.what, **m.more} for m in found.moments],
        "waits_for": [
            {
                "who": w.who,
                "why": w.why,
                "step": w.step,
                "attempt": w.attempt,
                "due_at": time(w.due_at),
            }
            for w in found.waits
        ],
    }
