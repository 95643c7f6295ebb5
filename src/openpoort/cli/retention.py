"""`retention` and `hold`: deleting what is past its term, and keeping what must stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from openpoort.cli import acts
from openpoort.cli.home import (
    chosen,
    fail,
    home_argument,
    home_first,
    home_option,
    settings,
)
from openpoort.cli.lines import json_option, said
from openpoort.domain.seal import unsealed

if TYPE_CHECKING:
    import psycopg

    from openpoort.settings import Settings
    from openpoort.store.messages.retention import Dropped


@contextmanager
def _connected(known: Settings) -> Iterator[psycopg.Connection[Any]]:
    import psycopg

    from openpoort.app.database import database
    from openpoort.keys.checkpoint import BadKey
    from openpoort.store.postgres.embedded import ServerFailed

    try:
        acts.security_log(known)
        with database(known) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
            yield conn
    except (ServerFailed, psycopg.Error, OSError, BadKey) as wrong:
        fail(str(wrong))


@click.command()
@home_argument
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="As if it were this day (UTC).")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def retention(
    home: Path | None, home_option: Path | None, at: datetime | None, dry_run: bool, as_json: bool
) -> None:
    """Drop the partitions whose term has passed (run it daily), with proof in the journal.

    Exit code 0: done; 1: something past its term had to stay; 2: could not.
    """
    from openpoort.app.places import places
    from openpoort.operate.retention import Kept, run
    from openpoort.process.flow import kinds
    from openpoort.store.payloads.payloads import PayloadUnavailable, sweep

    known = settings(chosen(home, home_option))
    now = datetime.now(UTC)
    if at is not None and at.replace(tzinfo=UTC) > now and not dry_run:
        fail("a day that has not come yet needs --dry-run: what is dropped does not come back")
    moment = at.replace(tzinfo=UTC) if at else now
    with _connected(known) as conn:
        outside = places(known)
        seal = unsealed if dry_run else acts.seal(known)
        found = run(
            conn, kinds.load(known.home / "kinds"), moment, dry=dry_run, seal=seal,
            tell=lambda one: None if dry_run or isinstance(one, Kept) else _deleted(one),
        )  # fmt: skip
        swept, unswept = 0, ""
        try:
            if not dry_run:
                swept = sweep(conn, outside, now - timedelta(days=1))
        except PayloadUnavailable as wrong:
            unswept = str(wrong)
    gone = [one for one in found if not isinstance(one, Kept)]
    kept = [one for one in found if isinstance(one, Kept)]
    if unswept:
        fail(f"rows are gone, their documents outside the database not yet: {unswept}; run again")
    if as_json:
        record = {
            "dropped": {one.partition: one.rows for one in gone},
            "kept": {one.partition: one.why for one in kept},
            "files": swept,
        }
        click.echo(json.dumps(record))
    else:
        for one in gone:
            click.echo(f"{one.partition}: {'would go' if dry_run else f'dropped, {one.rows} rows'}")
        for left in kept:
            click.echo(f"{left.partition}: kept, {left.why}")
    raise SystemExit(1 if kept else 0)


def _deleted(one: Dropped) -> None:
    acts.emit("retention.deleted", one.partition, "ok", rows=one.rows)


@click.group()
def hold() -> None:
    """Legal holds: messages that stay whatever their term."""


@hold.command("set")
@click.argument("kenmerk", type=UUID)
@click.option("--reason", required=True, help="Why, for whoever lifts it.")
@json_option
@home_option
def set_(kenmerk: UUID, reason: str, home: Path, as_json: bool) -> None:
    """Keep everything of the week of message KENMERK. Exit code 1: it was held already."""
    from openpoort.store.messages import message_export
    from openpoort.store.messages.retention import hold as put

    known = settings(home)
    with _connected(known) as conn:
        try:
            message_export.day(conn, kenmerk)
        except message_export.NoSuchMessage as no:
            fail(str(no))
        done = put(conn, str(kenmerk), acts.who(), reason, datetime.now(UTC), acts.seal(known))
    _told(kenmerk, "set", done, "is on hold already", as_json=as_json)


@hold.command()
@click.argument("kenmerk", type=UUID)
@json_option
@home_option
def lift(kenmerk: UUID, home: Path, as_json: bool) -> None:
    """Let message KENMERK go when its term has passed. Exit code 1: there was no hold."""
    from openpoort.store.messages.retention import lift as take_off

    known = settings(home)
    with _connected(known) as conn:
        done = take_off(conn, str(kenmerk), acts.who(), datetime.now(UTC), acts.seal(known))
    _told(kenmerk, "lifted", done, "is not on hold", as_json=as_json)


def _told(kenmerk: UUID, act: str, done: bool, otherwise: str, *, as_json: bool) -> None:
    if not done:
        fail(f"{kenmerk} {otherwise}", 1)
    acts.emit("hold.changed", str(kenmerk), "ok", hold=act)
    said(as_json, f"{kenmerk}: hold {act}", kenmerk=str(kenmerk), hold=act)


@hold.command("list")
@home_first
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """All holds, oldest first."""
    from openpoort.store.messages.retention import holds

    with _connected(settings(home)) as conn:
        found = holds(conn)
    if as_json:
        rows = [{"kenmerk": k, "since": since.isoformat(), "by": by, "reason": reason}
                for k, since, by, reason in found]  # fmt: skip
        click.echo(json.dumps({"holds": rows}, ensure_ascii=False))
        return
    for kenmerk, since, by, reason in found:
        click.echo(f"{kenmerk}  {since:%Y-%m-%d}  {by:12}  {reason}")
