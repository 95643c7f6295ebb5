"""`openpoort work`: what waits for a person, and what that person does about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from openpoort.cli import acts
from openpoort.cli.home import at_desk, chosen, fail, home_argument, home_option, settings
from openpoort.cli.message import home_and_kenmerk, told
from openpoort.domain.event import FAILED, OK

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")


@click.group()
def work() -> None:
    """Messages that wait for a person. Every act asks for a reason and is journalled."""


@work.command(name="list")
@home_argument
@click.option("--agency", help="Only for this agency.")
@click.option("--berichtsoort", help="Only of this kind.")
@_json
def list_(
    home: Path | None,
    home_option: Path | None,
    agency: str | None,
    berichtsoort: str | None,
    as_json: bool,
) -> None:
    """What waits, longest first."""
    from openpoort.operate import work

    with at_desk(chosen(home, home_option)) as parts:
        found = work.list_parked(parts.store, agency=agency, berichtsoort=berichtsoort)
    if as_json:
        rows = [
            {
                "kenmerk": str(p.kenmerk),
                "berichtsoort": p.berichtsoort,
                "step": p.job.step,
                "agency": p.job.agency,
                "since": p.job.since.isoformat(),
                "reason": p.job.reason,
            }
            for p in found
        ]
        click.echo(json.dumps({"parked": rows}, ensure_ascii=False))
        return
    for p in found:
        to = f" to {p.job.agency}" if p.job.agency else ""
        click.echo(f"{p.job.since:%Y-%m-%d %H:%M}  {p.kenmerk}  {p.berichtsoort}  {p.job.step}{to}")
        click.echo(f"                  {p.job.reason}")
    if not found:
        click.echo("nothing waits for a person")


@work.command()
@click.argument("words", nargs=-1, required=True, metavar="[HOME] KENMERK")
@home_option
@_json
def show(words: tuple[str, ...], home: Path, as_json: bool) -> None:
    """One message, with everything needed to judge it: as `message show`."""
    told(words, home, as_json=as_json)


def _act(name: str, text: str, **more: Any) -> None:
    """Make one command of the three that change something; they differ in what they call."""

    def command(
        words: tuple[str, ...], home: Path, reason: str, dry_run: bool, as_json: bool, **given: Any
    ) -> None:
        _do(name, words, home, reason, dry_run, as_json, given)

    made: Callable[..., Any] = command
    for option in (
        *more.get("options", ()),
        _json,
        click.option("--dry-run", is_flag=True, help="Only tell what would happen."),
        click.option("--reason", required=True, help="Why; stands in the journal."),
        home_option,
        click.argument("words", nargs=-1, required=True, metavar="[HOME] KENMERK"),
    ):
        made = option(made)
    work.command(name=name, help=text)(made)


def _do(
    name: str,
    words: tuple[str, ...],
    home: Path,
    reason: str,
    dry_run: bool,
    as_json: bool,
    given: dict[str, Any],
) -> None:
    from openpoort.operate import work

    home, kenmerk = home_and_kenmerk(words, home)
    acts.security_log(settings(home))
    function: Callable[..., Any] = getattr(work, name)
    with at_desk(home) as parts:
        try:
            act = work.Act(acts.who(), reason, datetime.now(UTC), dry_run)
            done = function(parts.store, parts.house, kenmerk, act, **given)
        except work.WorkError as no:
            if not dry_run:
                acts.emit("message.handled", str(kenmerk), FAILED, act=name, reason=str(no))
            fail(str(no), 1)
    if not dry_run:
        acts.emit("message.handled", str(kenmerk), OK, act=name, reason=reason)
    if as_json:
        row = {
            "kenmerk": done.kenmerk, "state": done.state, "statuses": list(done.statuses),
            "jobs": list(done.jobs), "dry_run": done.dry_run,
        }  # fmt: skip
        click.echo(json.dumps(row))
        return
    would = "would be" if dry_run else "is"
    click.echo(f"{done.kenmerk} {would} {done.state}")
    for code in done.statuses:
        click.echo(f"  status {code}")
    for job in done.jobs:
        click.echo(f"  job {job}")


_act("release", "Try again what is parked, with a fresh retry period.")
_act(
    "redeliver",
    "Deliver once more, with a new MessageID: for an agency that lost what it got.",
    options=(click.option("--agency", help="Only to this one."),),
)
_act("cancel", "End a message that will not be delivered; its sender sees 410.")
