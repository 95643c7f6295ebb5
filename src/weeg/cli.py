"""The command `weeg`. Exit codes: 0 good, 1 something should be answered, 2 bad input."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from weeg.problem import BadInput, Place, Severity, refuse
from weeg.texts import Language, say

_LANG = click.option("--lang", type=click.Choice(["nl", "en"]), default="en", show_default=True)
_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
_AT = click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Weigh on this day instead of `as_of` in decision.yaml.",
)
_STALE = click.option(
    "--accept-stale", is_flag=True, help="Use stale measurements; every output then says so."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="openpoort", prog_name="weeg")
def main() -> None:
    """Compare scenarios on the 17 criteria, with numbers that can be checked."""


@main.command()
@_FOLDER
@click.option("--example", is_flag=True, help="A worked comparison of four invented scenarios.")
@_LANG
def init(folder: Path, example: bool, lang: Language) -> None:
    """Make a decision folder."""
    from weeg.start import make

    try:
        make(folder, example=example, today=dt.datetime.now(dt.UTC).date())
    except BadInput as bad:
        _refused(bad, lang)
    click.echo(say("cli.made", lang, folder=folder))


@main.command()
@_FOLDER
@_AT
@_STALE
@_LANG
def check(folder: Path, at: dt.datetime | None, accept_stale: bool, lang: Language) -> None:
    """Say what is missing, stale, without source or doubtful. Exit 1 on warnings, 2 on errors."""
    from weeg import terminal
    from weeg.checks import findings, unsaid

    decision = _load(folder, at, accept_stale, lang)
    found = (*findings(decision), *unsaid(decision))
    terminal.problems(_console(), found, lang)
    warnings = sum(p.severity is Severity.WARNING for p in found)
    notes = len(found) - warnings
    click.echo(say("cli.checked", lang, warnings=warnings, notes=notes))
    if warnings:
        sys.exit(1)


@main.command()
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.option("--cross-check", is_flag=True, help="Also TOPSIS and PROMETHEE II.")
@_AT
@_STALE
@_LANG
def run(
    folder: Path,
    as_json: bool,
    cross_check: bool,
    at: dt.datetime | None,
    accept_stale: bool,
    lang: Language,
) -> None:
    """Weigh, and show the outcome as tables or JSON."""
    from weeg import asjson, terminal
    from weeg.weigh import weigh

    outcome = weigh(_load(folder, at, accept_stale, lang), cross=cross_check)
    _old_news(outcome.decision.as_of, lang)
    if as_json:
        click.echo(asjson.dumps(outcome))
    else:
        terminal.show(_console(), outcome, lang)


@main.command()
@_FOLDER
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The HTML file.")
@click.option("--cross-check", is_flag=True, help="Also TOPSIS and PROMETHEE II.")
@_AT
@_STALE
@click.option("--lang", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
def report(
    folder: Path,
    out: Path,
    cross_check: bool,
    at: dt.datetime | None,
    accept_stale: bool,
    lang: Language,
) -> None:
    """Write the outcome as one self-contained, printable page."""
    from weeg.report import page
    from weeg.weigh import weigh

    outcome = weigh(_load(folder, at, accept_stale, lang), cross=cross_check)
    _old_news(outcome.decision.as_of, lang)
    try:
        out.write_text(page(outcome, lang), encoding="utf-8", newline="\n")
    except OSError as error:
        _refused(refuse("folder.write", Place(str(out)), detail=error.strerror), lang)
    click.echo(say("cli.reported", lang, file=out, hash=outcome.decision.digest))


@main.command()
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@_STALE
@_LANG
def diff(before: Path, after: Path, as_json: bool, accept_stale: bool, lang: Language) -> None:
    """What changed from A to B, and why the ranking moved. Exit 1 when it moved."""
    from weeg import compare
    from weeg.weigh import weigh

    old = weigh(_load(before, None, accept_stale, lang))
    new = weigh(_load(after, None, accept_stale, lang))
    found = compare.between(old, new)
    if as_json:
        click.echo(compare.dumps(found))
    else:
        for line in compare.lines(found, lang):
            click.echo(line)
    if found.moved:
        sys.exit(1)


@main.command()
@_FOLDER
@click.argument("stakeholder")
@click.option("--per", type=click.Choice(["group", "criterion"]), help="Do not ask, choose.")
@_LANG
def weights(folder: Path, stakeholder: str, per: str | None, lang: Language) -> None:
    """Ask one stakeholder for swing weights; write them and show both readings."""
    from weeg import ask

    def question(text: str, default: str) -> str:
        return str(click.prompt(text, default=default))

    try:
        ask.weights(folder, stakeholder, per, lang, question, click.echo)
    except BadInput as bad:
        _refused(bad, lang)


@main.command()
@_FOLDER
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="openpoort", show_default=True, help="measures/NAME.json")
@_LANG
def feed(folder: Path, file: Path, name: str, lang: Language) -> None:
    """Put a measurement file (`openpoort measures --json`) into the folder, after reading it."""
    from weeg.start import feed as take

    try:
        count = take(folder, file, name)
    except BadInput as bad:
        _refused(bad, lang)
    click.echo(say("cli.fed", lang, count=count, file=f"measures/{name}.json"))


def _load(folder: Path, at: dt.datetime | None, accept_stale: bool, lang: Language) -> Any:
    from weeg.folder import load

    try:
        return load(folder, at.date() if at else None, accept_stale)
    except BadInput as bad:
        _refused(bad, lang)


def _refused(bad: BadInput, lang: Language) -> NoReturn:
    for problem in bad.problems[:50]:
        click.echo(f"{say('severity.ERROR', lang)}: {problem.show(lang)}", err=True)
    if len(bad.problems) > 50:
        click.echo(say("cli.more", lang, count=len(bad.problems) - 50), err=True)
    sys.exit(2)


def _old_news(as_of: dt.date, lang: Language) -> None:
    """The page is reproducible and knows no clock; the person at the keyboard should know it."""
    age = (dt.datetime.now(dt.UTC).date() - as_of).days
    if age > 31:
        click.echo(say("cli.old", lang, as_of=as_of, age=age), err=True)


def _console() -> Console:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=160, no_color=True)
    return console


if __name__ == "__main__":
    main()
