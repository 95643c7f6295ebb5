"""`journal`: verify the whole journal, sign a checkpoint now, list checkpoints and time-stamps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import psycopg

from openpoort.app.database import database
from openpoort.app.journal import copy
from openpoort.app.places import places
from openpoort.app.signatures import unsound
from openpoort.cli import acts
from openpoort.cli.home import chosen, fail, home_argument, settings
from openpoort.cli.lines import json_option, said
from openpoort.domain.checkpoint import pieces
from openpoort.keys.checkpoint import BadKey, load_private, load_public
from openpoort.keys.timestamp import BadAnchors, load_anchors
from openpoort.store.journal import sequencer, timestamps
from openpoort.store.journal.audit import Report, audit
from openpoort.store.journal.sequencer import JournalBroken
from openpoort.store.payloads.payloads import PayloadMissing, PayloadUnavailable
from openpoort.store.proof.proving import Proven, prove
from openpoort.store.sequencing import keep, utc_now

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def journal() -> None:
    """The append-only journal: verify it, sign a checkpoint, see its time-stamps."""


@journal.command()
@home_argument
@click.option("--key", type=FILE, help="Public checkpoint key [default: that of HOME].")
@click.option("--checkpoints", type=FILE, help="Copies kept elsewhere [default: the file of HOME].")
@click.option("--tsa", type=FILE, help="Anchors of the TSA [default: tsa.anchors of HOME].")
@click.option("--requests", is_flag=True, help="The signature of every stored request too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def verify(
    home: Path | None,
    home_option: Path | None,
    key: Path | None,
    checkpoints: Path | None,
    tsa: Path | None,
    requests: bool,
    as_json: bool,
) -> None:
    """Recompute the whole journal, compare every row with it, and name every difference.

    Exit code 0: nothing was changed; 1: something was; 2: could not look.
    """
    chosen_settings = settings(chosen(home, home_option))
    place = chosen_settings.journal
    copies = checkpoints or chosen_settings.path(place.copy)
    try:
        public = load_public(key or chosen_settings.path(place.public_key))
        trusted = chosen_settings.path(chosen_settings.tsa.anchors)
        anchors = load_anchors(tsa or trusted) if tsa or trusted.is_file() else ()
        kept = copies.read_text("utf-8", errors="replace") if copies.is_file() else ""
        with database(chosen_settings) as dsn, psycopg.connect(dsn) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            report = audit(conn, public, pieces(kept), anchors)
            rows = prove(conn, public, places(chosen_settings))
            unsigned = tuple(unsound(conn, places(chosen_settings))) if requests else ()
        report = replace(report, problems=report.problems + unsigned)
        problems = (*report.problems, *rows.problems)
        acts.security_log(chosen_settings)
        acts.emit(
            "journal.verified", place.origin, "failed" if problems else "ok",
            size=report.size, problems=len(problems),
        )  # fmt: skip
    except (BadKey, BadAnchors, PayloadMissing, PayloadUnavailable, OSError, psycopg.Error) as exc:
        fail(str(exc))
    _show(report, rows, as_json)
    raise SystemExit(1 if problems else 0)


def _show(report: Report, rows: Proven, as_json: bool) -> None:
    problems = (*report.problems, *rows.problems)
    for problem in problems:
        click.echo(f"{problem.what}: {problem.where}: {problem.text}", err=as_json)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": not problems,
                    "size": report.size,
                    "covered": report.covered,
                    "waiting": report.waiting,
                    "checkpoints": report.checkpoints,
                    "timestamps": report.timestamps,
                    "torn": report.torn,
                    "messages": rows.messages,
                    "unproven": rows.unproven,
                    "problems": [
                        {"what": p.what, "where": p.where, "text": p.text} for p in problems
                    ],
                }
            )
        )
        return
    if report.torn:
        what = "copy of a checkpoint was" if report.torn == 1 else "copies of checkpoints were"
        click.echo(f"{report.torn} {what} cut off in writing; the database has it whole")
    if rows.messages:
        older = f", {rows.unproven} of them from before entries had marks" if rows.unproven else ""
        click.echo(f"{rows.messages} messages compared with what the journal says{older}")
    click.echo(
        f"{report.size} entries, {report.covered} covered by {report.checkpoints} checkpoints, "
        f"{report.timestamps} time-stamps, "
        f"{report.waiting} waiting: " + ("CHANGED" if problems else "unchanged")
    )


@journal.command()
@home_argument
@json_option
def checkpoint(home: Path | None, home_option: Path | None, as_json: bool) -> None:
    """Place what is committed, sign a checkpoint and print it (keep it elsewhere)."""
    chosen_settings = settings(chosen(home, home_option))
    try:
        acts.security_log(chosen_settings)
        acts.emit("admin.command", "journal checkpoint", "ok")
        key = load_private(chosen_settings.path(chosen_settings.journal.key))
        with database(chosen_settings) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
            while (placed := sequencer.step(conn, wait=True)) is None or placed.more:
                pass
            signed = sequencer.sign(conn, key, chosen_settings.journal.origin, utc_now())
            if signed is not None:
                keep(copy(chosen_settings), signed[1])
            note = sequencer.last_note(conn)
            said(as_json, (note or "the journal is empty").rstrip("\n"), note=note)
    except (BadKey, OSError, psycopg.Error) as exc:
        fail(str(exc))
    except JournalBroken as exc:
        fail(f"the journal was changed: {exc}; see `openpoort journal verify`", 1)


@journal.command(name="list")
@home_argument
@click.option("--most", type=click.IntRange(1), default=20, help="How many [default: 20].")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def list_(home: Path | None, home_option: Path | None, most: int, as_json: bool) -> None:
    """The newest checkpoints, newest first, with what their time-stamps say.

    Nothing is judged here: that is `openpoort journal verify`.
    """
    chosen_settings = settings(chosen(home, home_option))
    try:
        with database(chosen_settings) as dsn, psycopg.connect(dsn) as conn:
            rows, failing = timestamps.listed(conn, most), timestamps.failing(conn)
    except (OSError, psycopg.Error) as exc:
        fail(str(exc))
    if as_json:
        points = [
            {
                "size": row.size,
                "at": row.at.isoformat(),
                "stamped_at": row.kept.stamped_at.isoformat() if row.kept else None,
            }
            for row in rows
        ]
        since = {"since": failing[0].isoformat(), "reason": failing[1]} if failing else None
        click.echo(json.dumps({"checkpoints": points, "failing": since}))
        return
    for row in rows:
        stamp = f"{row.kept.stamped_at:%Y-%m-%d %H:%M:%S}" if row.kept else "-"
        click.echo(f"{row.size:>12}  {row.at:%Y-%m-%d %H:%M:%S}  time-stamp {stamp}")
    if failing:
        click.echo(f"no time-stamps since {failing[0]:%Y-%m-%d %H:%M:%S}: {failing[1]}")
