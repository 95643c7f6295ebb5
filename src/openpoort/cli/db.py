"""`openpoort db migrate`: the schema, in two halves around a rolling upgrade."""

from __future__ import annotations

import json
from pathlib import Path

import click

from openpoort.cli import acts
from openpoort.cli.home import chosen, fail, home_argument, settings


@click.group()
def db() -> None:
    """The database of a gateway."""


@db.command()
@home_argument
@click.option("--before", "phase", flag_value="before", help="What the old version tolerates.")
@click.option("--after", "phase", flag_value="after", help="What only the old version needed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def migrate(home: Path | None, home_option: Path | None, phase: str | None, as_json: bool) -> None:
    """Bring the schema up to date; without --before or --after all of it."""
    from openpoort.app.database import server
    from openpoort.store.postgres.embedded import ServerFailed
    from openpoort.store.postgres.migrate import Phase, waiting
    from openpoort.store.postgres.migrate import migrate as run

    known = settings(chosen(home, home_option))
    try:
        acts.security_log(known)
        acts.emit("admin.command", f"db migrate {phase or ''}".strip(), "ok")
        with server(known) as dsn:
            done = run(dsn, Phase(phase or "all"))
            left = waiting(dsn)
    except (ServerFailed, OSError) as failed:
        fail(str(failed), 1)
    if phase == "after" and not done and left:
        fail(f"{', '.join(left)} wait for `openpoort db migrate --before` first", 1)
    if as_json:
        click.echo(json.dumps({"applied": done, "waiting": left}))
        return
    click.echo(f"applied {', '.join(done)}" if done else "nothing to apply")
    if left:
        click.echo(f"waiting for --after, when no old process runs any more: {', '.join(left)}")
