"""`openpoort kind`: message kinds of this installation."""

from __future__ import annotations

import json
from pathlib import Path

import click

from openpoort.cli.home import fail, home_option, home_there, settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def kind() -> None:
    """Judge kind files before they are served."""


@kind.command()
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@home_option
def check(file: Path, as_json: bool, home: Path) -> None:
    """Whether the kind in FILE can work in this gateway, with line and remedy where it cannot.

    `serve` judges the files in HOME/kinds the same way. Exit code 0: it can; 1: it cannot; 2: it
    could not be judged.
    """
    import psycopg

    from openpoort.app.kinds import judge_file
    from openpoort.store.postgres.embedded import ServerFailed

    home_there(home)
    known = settings(home)
    try:
        wrong = judge_file(known, file)
    except (ServerFailed, psycopg.Error, OSError) as failed:
        fail(str(failed))
    if as_json:
        rows = [{"line": w.line, "key": w.key, "what": w.what} for w in wrong]
        click.echo(json.dumps({"file": file.name, "good": not wrong, "problems": rows}))
    else:
        for one in wrong:
            click.echo(str(one))
        if not wrong:
            click.echo(f"{file.name}: this kind can work here")
    raise SystemExit(1 if wrong else 0)
