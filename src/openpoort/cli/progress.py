"""`progress`: how far the programme is, what it costs and what can go wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from openpoort.cli import acts
from openpoort.cli.connection import last_line
from openpoort.cli.home import chosen, fail, home_argument, home_there, settings
from openpoort.settings import FILE

if TYPE_CHECKING:
    from openpoort.app.progress import Progress

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("progress")
@home_argument
@click.option("--contracts", type=_FILE, help="[default: HOME/contracts.toml where it is there]")
@click.option("--decision", type=_FILE, help="What `weeg run DIR --json` wrote.")
@click.option("--report", type=_FILE, help="Write one HTML page that loads nothing from outside.")
@click.option("--lang", type=click.Choice(["nl", "en"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(
    home: Path | None,
    home_option: Path | None,
    contracts: Path | None,
    decision: Path | None,
    report: Path | None,
    lang: Literal["nl", "en"],
    as_json: bool,
) -> None:
    """How far the programme is: contracts, costs by month, choice, risks.

    With or without a running gateway, with or without contracts; what is not known is said to be
    unknown. Exit code 0; 1: a forecast passes the end of a contract that is still to come, or an
    unlawful stretch is longer than forecast; 2: a file cannot be read or written.
    """
    from openpoort.app import progress
    from openpoort.app.progress_json import as_json as whole
    from openpoort.app.progress_page import page

    folder = chosen(home, home_option)
    home_there(folder)
    try:
        found = progress.progress(folder.resolve(), contracts, decision, datetime.now(UTC))
        if report:
            report.write_text(page(found, lang), encoding="utf-8")
        _tell(found)
    except (progress.Unreadable, OSError) as wrong:
        fail(str(wrong))
    if as_json:
        last_line(whole(found))
    else:
        _show(found, lang)
    raise SystemExit(1 if found.alarms else 0)


def _tell(found: Progress) -> None:
    """An event for each alarm that was not told before."""
    from openpoort.app.progress import news, note_told

    fresh = news(found)
    if fresh and (found.home / FILE).exists():
        acts.security_log(settings(found.home))
    for one in fresh:
        expected = str(one.forecast) if one.forecast else "unknown"
        acts.emit("contract.forecast", one.contract, "failed", what=one.what, end=str(one.day),
                  expected=expected)  # fmt: skip
    try:
        note_told(found)
    except OSError as wrong:  # a HOME that may only be read: told again the next time
        click.echo(f"openpoort: which alarms were told cannot be kept: {wrong}", err=True)


def _show(found: Progress, lang: Literal["nl", "en"]) -> None:
    from rich.console import Console
    from rich.table import Column
    from rich.table import Table as Grid

    from openpoort.app.progress_told import Table, told

    console = Console(highlight=False, markup=False)
    for section in told(found, lang):
        console.print(f"\n{section.title.upper()}")
        for part in section.parts:
            if isinstance(part, Table):
                grid = Grid(
                    *(Column(name, overflow="fold") for name in part.header),
                    title=part.caption, title_justify="left",
                    caption=part.source, caption_justify="left",
                )  # fmt: skip
                for row in part.rows:
                    grid.add_row(*row)
                console.print(grid)
            else:
                console.print(part)
