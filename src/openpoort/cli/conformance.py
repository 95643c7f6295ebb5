"""`conformance`: the verification kit, from outside, against any gateway of contract 1.2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from openpoort.cli.client import Identity
from openpoort.cli.connection import HOME, PATH, connection, last_line, options, stop
from openpoort.client.conformance import (
    CASES,
    LARGE,
    Kit,
    Message,
    Outcome,
    Report,
    Result,
    run,
)
from openpoort.domain.ids import Identiteit
from openpoort.keys.pem import KeyUnusable

_STYLE = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.NOTED: "yellow",
    Outcome.SKIPPED: "dim",
}


@click.command("conformance")
@click.argument("home_word", required=False, metavar="[HOME]", type=HOME)
@click.option(
    "--report",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report here (.md or .html), and as .json beside it.",
)
@click.option("--berichtsoort", default="Omzetbelasting", show_default=True)
@click.option("--belanghebbende", type=Identity(), default="BTW:001000044B37", show_default=True)
@click.option("--rol", default="Bedrijf", show_default=True)
@click.option("--sample", type=PATH, help="Content to hand in [default: a tiny document].")
@click.option("--large", is_flag=True, help="Also try a document of 21 MiB.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@options
def command(
    home_word: Path | None,
    home_option: Path | None,
    file: Path | None,
    berichtsoort: str,
    belanghebbende: Identiteit,
    rol: str,
    sample: Path | None,
    large: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Try every clause of contract 1.2 from outside, and report a line per clause.

    The kit hands in real messages: use a test gateway, and a party that may send the kind.

    Exit code 0: no clause fails; 1: one does; 2: could not try.
    """
    place = connection(home_word or home_option, **given)
    message = Message(berichtsoort, belanghebbende, rol)
    if sample is not None:
        message = Message(berichtsoort, belanghebbende, rol, sample.read_bytes())
    console = Console(stderr=as_json)

    def show(result: Result) -> None:
        line = f"{result.outcome.value:8} {result.clause:12} {result.title}"
        console.print(line, style=_STYLE[result.outcome], markup=False, highlight=False)
        if result.text:
            console.print(f"{'':22}{result.text}", markup=False, highlight=False)

    try:
        kit = Kit(place.url, place.certificate, place.key, place.ca, message)
    except (OSError, ValueError, KeyUnusable) as error:
        stop(2, f"cannot connect as {place.certificate}: {error}")
    with kit:
        report = run(kit, (*CASES, *LARGE) if large else CASES, show)
    if file is not None:
        _write(file, report)
    if as_json:
        last_line(report.as_dict())
    else:
        console.print(report.summary(), style="green" if report.conforms else "bold red")
    raise SystemExit(0 if report.conforms else 1)


def _write(file: Path, report: Report) -> None:
    text = report.html() if file.suffix.lower() in (".html", ".htm") else report.markdown()
    try:
        file.write_text(text, encoding="utf-8")
        plain = json.dumps(report.as_dict(), indent=2, ensure_ascii=False)
        file.with_suffix(".json").write_text(plain + "\n", encoding="utf-8")
    except OSError as error:
        stop(2, f"cannot write {file}: {error.strerror}")
