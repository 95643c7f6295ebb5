"""`journal`: verify the whole journal, sign a checkpoint now."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import click
import psycopg

from openpoort.app.database import database
from openpoort.app.journal import copy
from openpoort.cli import acts
from openpoort.cli.home import chosen, fail, home_argument, settings
from openpoort.keys.checkpoint import BadKey, load_private, load_public
from openpoort.store import sequencer
from openpoort.store.audit import Report, audit
from openpoort.store.sequencer import JournalBroken
from openpoort.store.sequencing import keep, utc_now

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def journal() -> None:
    """The append-only journal: verify it, sign a checkpoint."""


@journal.command()
@home_argument
@click.option("--key", type=FILE, help="Public checkpoint key [default: that of HOME].")
@click.option("--checkpoints", type=FILE, help="Copies kept elsewhere [default: the file of HOME].")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def verify(
    home: Path | None,
    home_option: Path | None,
    key: Path | None,
    checkpoints: Path | None,
    as_json: bool,
) -> None:
    """Recompute the whole journal from its rows and name every difference.

    Exit code 0: nothing was changed; 1: something was; 2: could not look.
    """
    chosen_settings = settings(chosen(home, home_option))
    place = chosen_settings.journal
    copies = checkpoints or chosen_settings.path(place.copy)
    try:
        public = load_public(key or chosen_settings.path(place.public_key))
        notes = read_notes(copies.read_text(encoding="utf-8")) if copies.is_file() else []
        with database(chosen_settings) as dsn, psycopg.connect(dsn) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            report = audit(conn, public, notes)
        acts.security_log(chosen_settings)
        acts.emit(
            "journal.verified", place.origin, "failed" if report.problems else "ok",
            size=report.size, problems=len(report.problems),
        )  # fmt: skip
    except (BadKey, OSError, psycopg.Error) as exc:
        fail(str(exc))
    _show(report, as_json)
    raise SystemExit(1 if report.problems else 0)


def read_notes(text: str) -> list[str]:
    """The notes of a file of copies: an empty line in the middle of each and after each."""
    parts = text.rstrip("\n").split("\n\n")
    return [f"{said}\n\n{sign}\n" for said, sign in itertools.zip_longest(*[iter(parts)] * 2)]


def _show(report: Report, as_json: bool) -> None:
    for problem in report.problems:
        click.echo(f"{problem.what}: {problem.where}: {problem.text}", err=as_json)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": not report.problems,
                    "size": report.size,
                    "covered": report.covered,
                    "waiting": report.waiting,
                    "checkpoints": report.checkpoints,
                    "problems": [
                        {"what": p.what, "where": p.where, "text": p.text} for p in report.problems
                    ],
                }
            )
        )
        return
    click.echo(
        f"{report.size} entries, {report.covered} covered by {report.checkpoints} checkpoints, "
        f"{report.waiting} waiting: " + ("CHANGED" if report.problems else "unchanged")
    )


@journal.command()
@home_argument
def checkpoint(home: Path | None, home_option: Path | None) -> None:
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
            click.echo(sequencer.last_note(conn) or "the journal is empty", nl=False)
    except (BadKey, OSError, psycopg.Error) as exc:
        fail(str(exc))
    except JournalBroken as exc:
        fail(f"the journal was changed: {exc}; see `openpoort journal verify`", 1)
