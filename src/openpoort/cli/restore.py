"""`openpoort backup` and `openpoort restore`: a gateway's HOME into a folder, and out of it."""

from __future__ import annotations

from pathlib import Path

import click

from openpoort.cli import acts
from openpoort.cli.home import chosen, fail, home_argument, home_option, settings
from openpoort.cli.lines import json_option, said


@click.command()
@home_argument
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="New folder.")
@json_option
def backup(home: Path | None, home_option: Path | None, target: Path, as_json: bool) -> None:
    """Copy a gateway into a new folder, while it runs. It holds keys and messages: guard it so."""
    from openpoort.app.restore import NotRestorable, back_up

    known = settings(chosen(home, home_option))
    try:
        acts.security_log(known)
        seconds = back_up(known, target)
    except NotRestorable as no:
        fail(str(no))
    acts.emit("admin.command", "backup", "ok")
    said(as_json, f"{target}: backup made in {seconds:.1f} s", folder=str(target), seconds=seconds)


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@home_option
@json_option
def restore(folder: Path, home: Path, as_json: bool) -> None:
    """Make a new HOME from the backup in FOLDER. What was taken in after it is not in it."""
    from openpoort.app.restore import NotRestorable
    from openpoort.app.restore import restore as put_back

    try:
        count = put_back(folder, home)
    except NotRestorable as no:
        fail(str(no))
    acts.security_log(settings(home))
    acts.emit("admin.command", "restore", "ok")
    said(
        as_json, f"{home}: restored, {count} messages; start it with: openpoort serve {home}",
        home=str(home), messages=count,
    )  # fmt: skip
