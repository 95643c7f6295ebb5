"""`evidence`: one message with its proofs in a file, and the offline judge of such a file."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click

from openpoort.cli.home import fail, home_taken
from openpoort.cli.lines import json_option, said
from openpoort.domain.journal import EXPORTED, JournalEntry

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
SIGNS = {True: "ok  ", False: "BAD ", None: "    "}


@click.group()
def evidence() -> None:
    """What proves what happened to a message."""


@evidence.command()
@click.argument("words", nargs=-1, required=True, metavar="[HOME] KENMERK")
@click.option("--home", type=click.Path(path_type=Path), envvar="OPENPOORT_HOME")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False))
@json_option
def export(words: tuple[str, ...], home: Path | None, out: Path, as_json: bool) -> None:
    """Write everything about one message, with its proofs, into one file.

    Exit code 0: written; 1: the journal was changed, nothing is written; 2: could not.
    """
    if len(words) > 2:
        fail("say HOME and KENMERK")
    place = Path(words[0]) if len(words) == 2 else home or Path("openpoort-home")
    try:
        kenmerk = UUID(words[-1])
    except ValueError:
        fail(f"{words[-1]} is no kenmerk")
    data = _exported(place, kenmerk)
    try:
        # The file holds the message itself: not for every account of this machine.
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            target.write(data)
    except OSError as exc:
        fail(f"cannot write {out}: {exc.strerror}")
    said(as_json, f"{out}: {len(data)} bytes", file=str(out), bytes=len(data))


def _exported(home: Path, kenmerk: UUID) -> bytes:
    """The file; that it was taken out is journalled before, and stands in it."""
    import psycopg

    from openpoort.app.database import database
    from openpoort.app.journal import exporter
    from openpoort.cli import acts
    from openpoort.cli.home import settings
    from openpoort.evidence.export import NotCovered
    from openpoort.keys.checkpoint import BadKey
    from openpoort.store.journal import journal
    from openpoort.store.journal.sequencer import JournalBroken
    from openpoort.store.messages import message_export
    from openpoort.store.payloads.payloads import PayloadMissing, PayloadUnavailable

    chosen = settings(home)
    try:
        acts.security_log(chosen)
        with database(chosen) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
            with conn.transaction():
                message_export.day(conn, kenmerk)
                entry = JournalEntry(EXPORTED, datetime.now(UTC), acts.who(), str(kenmerk))
                journal.add(conn, [entry])
            data = exporter(chosen).export(conn, kenmerk)
        acts.emit("evidence.exported", str(kenmerk), "ok")
    except JournalBroken as exc:
        acts.emit("journal.broken", chosen.journal.origin, "failed", reason=str(exc))
        fail(f"the journal was changed: {exc}; see `openpoort journal verify`", 1)
    except (
        message_export.NoSuchMessage,
        PayloadMissing,
        PayloadUnavailable,
        NotCovered,
        BadKey,
    ) as exc:
        acts.emit("evidence.exported", str(kenmerk), "failed", reason=str(exc))
        fail(str(exc))
    except (OSError, psycopg.Error) as exc:
        fail(str(exc))
    return data


@evidence.command()
@click.argument("file", type=FILE)
@click.option("--key", required=True, type=FILE, help="Public checkpoint key (checkpoint.pem).")
@click.option(
    "--tsa", type=FILE, help="Anchors (PEM) of the time-stamping authority; a time-stamp must hold."
)
@json_option
@home_taken
def verify(file: Path, key: Path, tsa: Path | None, as_json: bool) -> None:
    """Judge an evidence file offline, with the checkpoint key only.

    Without --tsa time-stamps are shown and not judged; with it one must cover the message.

    Exit code 0: everything holds; 1: something does not; 2: could not look.
    """
    from openpoort.evidence.verify import verify as judge
    from openpoort.keys.checkpoint import BadKey, load_public
    from openpoort.keys.timestamp import BadAnchors, load_anchors

    try:
        anchors = None if tsa is None else load_anchors(tsa)
        verdict = judge(file.read_bytes(), load_public(key), anchors)
    except (BadKey, BadAnchors, OSError) as exc:
        fail(str(exc))
    for line in verdict.lines:
        click.echo(f"{SIGNS[line.ok]}{line.what}: {line.text}", err=as_json)
    if as_json:
        lines = [{"ok": x.ok, "what": x.what, "text": x.text} for x in verdict.lines]
        record = {"ok": verdict.ok, "kenmerk": verdict.kenmerk, "lines": lines}
        click.echo(json.dumps(record, ensure_ascii=False))
    else:
        click.echo(f"{verdict.kenmerk or file}: " + ("VALID" if verdict.ok else "NOT VALID"))
    raise SystemExit(0 if verdict.ok else 1)
