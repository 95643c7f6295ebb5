"""`restore-drill`: whether the backup comes back, and how long that takes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openpoort.cli import acts
from openpoort.cli.home import chosen, fail, home_argument, settings

if TYPE_CHECKING:
    from openpoort.app.drill import Drill


@click.command("restore-drill")
@home_argument
@click.option(
    "--programs", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with postgres and pg_basebackup of the server's version.",
)  # fmt: skip
@click.option(
    "--age", type=click.FloatRange(0, 86_400), default=0.0, show_default=True,
    help="Seconds between the backup and the loss: what comes meanwhile is lost.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def restore_drill(
    home: Path | None, home_option: Path | None, programs: Path | None, age: float, as_json: bool
) -> None:
    """Back up the database, restore it into a second server, compare counts and hashes.

    The gateway may run on, and should: without entries after the backup there is no RPO. Records
    RTO and RPO in HOME/measures and in the journal. Exit code 0:
    everything came back; 1: something differs; 2: could not.
    """
    import psycopg

    from openpoort.app.drill import run
    from openpoort.store.payloads.payloads import PayloadUnavailable
    from openpoort.store.postgres.embedded import ServerFailed

    known = settings(chosen(home, home_option))
    try:
        acts.security_log(known)
        found = run(known, acts.who(), programs, lambda: time.sleep(age))
    except (ServerFailed, psycopg.Error, OSError, PayloadUnavailable) as wrong:
        fail(str(wrong).strip())
    acts.emit("admin.command", "restore-drill", "ok" if found.equal else "failed")
    if as_json:
        click.echo(json.dumps(found.record()))
    else:
        click.echo(
            f"{found.rows} rows in {found.tables} tables, {found.journal_leaves} journal leaves;"
            f" backup {found.backup_seconds:.1f} s, RTO {found.rto_seconds:.1f} s,"
            f" {_rpo(found)}"
        )
        if found.moved:
            click.echo(f"changed meanwhile: {', '.join(found.moved)}")
        for what in found.different:
            click.secho(f"different: {what}", fg="red")
        if found.documents_missing:
            click.secho(f"{found.documents_missing} documents are not in their place", fg="red")
    raise SystemExit(0 if found.equal else 1)


def _rpo(found: Drill) -> str:
    if found.rpo_seconds is None:
        return "RPO not measured: no entries came after the backup began"
    return (
        f"RPO {found.rpo_seconds:.1f} s with a backup {found.backup_age_seconds:.0f} s old"
        f" ({found.entries_since_backup} entries came after it)"
    )
