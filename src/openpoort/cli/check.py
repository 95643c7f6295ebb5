"""`openpoort check`: the checks of the gateway on a file, without sending it."""

from __future__ import annotations

import json
import mimetypes
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from openpoort.checks.defaults import UNKNOWN, kind_for, nobody_takes
from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.xbrl.limits import Limits
from openpoort.cli.home import fail, home_option, home_there, settings
from openpoort.domain.finding import Finding, rejects
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import Kind
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import KindError, load
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort.settings import FILE, Checks
from openpoort.wire.wus.bevindingen import to_json, to_text

_SUFFIXES = {".xbrl", ".xml"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`failure` says why there is no judgement; then `findings` is empty. `route`: who judged
    XBRL, `index` or `processor`, with the reason; empty when nobody did."""

    path: Path
    findings: tuple[Finding, ...] = ()
    failure: str = ""
    route: str = ""

    @property
    def code(self) -> int:
        """Exit code: 0 valid, 1 findings that reject, 2 could not check."""
        return 2 if self.failure else int(rejects(self.findings))


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--kind", help="Berichtsoort; without it the entry point decides.")
@click.option("--identity", metavar="TYPE:NUMBER", help="Belanghebbende, as in the request.")
@click.option("--attachment", "attachments", multiple=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.option("--index/--no-index", default=None, help="Instead of the setting `checks.index`.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Filings judged at a time.",
)
@home_option
def check(
    path: Path,
    kind: str | None,
    identity: str | None,
    attachments: tuple[Path, ...],
    as_json: bool,
    index: bool | None,
    workers: int,
    home: Path,
) -> None:
    """Check FILE, or every filing in a folder, as the gateway would.

    Exit code 0: valid; 1: findings that reject; 2: could not check.
    """
    home_there(home)
    kinds = _kinds(home)
    if kind is not None and kind not in kinds:
        fail(f"no kind {kind}; known are {', '.join(sorted(kinds))}")
    suite = open_suite(
        home,
        workers=workers,
        limits=Limits(),
        index=_index(home) if index is None else index,
    )
    try:
        job = Job(suite, kinds, kind, _identity(identity), attachments)
        if path.is_dir():
            raise SystemExit(_folder(job, path, as_json))
        verdict = job.judge(path)
    finally:
        suite.close()
    _show(verdict, as_json)
    raise SystemExit(verdict.code)


def _index(home: Path) -> bool:
    """As the gateway of this home would; a folder with taxonomies alone has no settings."""
    return settings(home).checks.index if (home / FILE).exists() else Checks().index


def _kinds(home: Path) -> Mapping[str, Kind]:
    try:
        return load(home / "kinds")
    except KindError as wrong:
        fail(str(wrong))


def _identity(text: str | None) -> Identiteit:
    kind, _, number = (text or "").partition(":")
    if text and not (kind and number):
        fail("--identity is TYPE:NUMBER, for example BTW:001000044B37")
    return Identiteit(number, kind)


@dataclass(frozen=True, slots=True)
class Job:
    """What holds for every file of this command."""

    suite: Suite
    kinds: Mapping[str, Kind]
    kind: str | None
    identity: Identiteit
    attachments: tuple[Path, ...] = ()

    def judge(self, path: Path) -> Verdict:
        try:
            data = path.read_bytes()
            bijlagen = tuple(_document(p, p.read_bytes()) for p in self.attachments)
            kind = (
                self.kinds[self.kind]
                if self.kind
                else kind_for(path.name, data, self.kinds, self.suite.registry)
            )
            document = Document(_mime(path, kind), path.name, data)
            filing = Filing(kind, self.identity, document, bijlagen, datetime.now(UTC))
            found = self.suite.run(filing)
            if kind is UNKNOWN:
                found += nobody_takes(data, self.suite.registry)
            return Verdict(path, found, route=self.suite.routes.take())
        except (OSError, CheckUnavailable) as wrong:
            return Verdict(path, failure=str(wrong))


def _mime(path: Path, kind: Kind) -> str:
    """As a sender would say it: XML, but for a kind that takes what the name says it is."""
    named = mimetypes.guess_type(path.name)[0]
    return named if named is not None and named in kind.mime_types else "application/xml"


def _document(path: Path, data: bytes) -> Document:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Document(kind, path.name, data)


def _show(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_value(verdict, verdict.path.name), ensure_ascii=False))
        return
    if verdict.findings:
        click.echo(to_text(verdict.findings))
    words = {0: "valid", 1: "not valid", 2: f"could not check: {verdict.failure}"}
    click.echo(f"{verdict.path.name}: {words[verdict.code]}", err=verdict.code == 2)


def _value(verdict: Verdict, name: str) -> dict[str, object]:
    value: dict[str, object] = {
        "file": name,
        "valid": verdict.code == 0,
        "findings": to_json(verdict.findings),
    }
    more = {"failure": verdict.failure, "xbrl": verdict.route}
    return value | {key: text for key, text in more.items() if text}


def _folder(job: Job, folder: Path, as_json: bool) -> int:
    """All filings in the folder, by name. The worst exit code of them."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not paths:
        fail(f"no .xbrl or .xml file in {folder}")
    verdicts = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("checking", total=len(paths))
        with ThreadPoolExecutor(job.suite.pool.workers) as threads:
            for verdict in threads.map(job.judge, paths):
                verdicts.append(verdict)
                progress.advance(task)
    if as_json:
        value = {
            "valid": all(v.code == 0 for v in verdicts),
            "findings": [f for v in verdicts for f in to_json(v.findings)],
            "files": [_value(v, v.path.relative_to(folder).as_posix()) for v in verdicts],
            "routes": job.suite.routes.counts(),
        }
        click.echo(json.dumps(value, ensure_ascii=False))
    else:
        _table(folder, verdicts)
        for route, number in job.suite.routes.counts().items():
            click.echo(f"XBRL judged by {route}: {number}")
    return max(v.code for v in verdicts)


def _table(folder: Path, verdicts: list[Verdict]) -> None:
    table = Table("file", "verdict", "errors", "warnings", "codes")
    words = {0: "valid", 1: "not valid", 2: "could not check"}
    for verdict in verdicts:
        levels = Counter(f.severity.value for f in verdict.findings)
        codes = ", ".join(sorted({f.code for f in verdict.findings}))
        name = str(verdict.path.relative_to(folder))
        counts = (str(levels["error"]), str(levels["warning"]))
        table.add_row(name, words[verdict.code], *counts, verdict.failure or codes)
    Console().print(table)
    count = Counter(v.code for v in verdicts)
    click.echo(f"{count[0]} valid, {count[1]} not valid, {count[2]} could not be checked")
