"""`openpoort agreement`: our verdicts beside the reference processor's own command line."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from openpoort.checks.routes import INDEX
from openpoort.checks.suite import open_suite
from openpoort.cli.home import home_option
from openpoort.cli.lines import json_option, said
from openpoort.sandbox.samples import write
from openpoort_lab.cases.agreement import Report, compare
from openpoort_lab.cases.beside import Compared, beside
from openpoort_lab.cases.drawn import drawn as drawn_taxonomy
from openpoort_lab.cases.mutants import mutants
from openpoort_lab.cases.run import install, write_made
from openpoort_lab.cases.run import write as write_cases


@click.command()
@click.argument("instances", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--mutants", "count", default=0, show_default=True, help="Mutants of each instance.")
@click.option("--seed", default=1, show_default=True)
@click.option("--quick", is_flag=True, help="Arelle's Session API instead of its command line.")
@click.option("--index", is_flag=True, help="Judge by the compiled index where it decides.")
@click.option("--cases", "with_cases", is_flag=True, help="Only the cases of the standards.")
@click.option("--made", default=0, show_default=True, help="Made-up instances of each entry point.")
@click.option("--drawn", default=0, help="Taxonomies drawn by chance; the index only.")
@click.option("--each", default=200, show_default=True, help="Filings of each drawn taxonomy.")
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Write drawn filings that differ here."
)
@click.option("--table", type=click.Path(path_type=Path), help="Write a Markdown table here.")
@json_option
@home_option
def agreement(
    instances: tuple[Path, ...],
    count: int,
    seed: int,
    quick: bool,
    index: bool,
    with_cases: bool,
    made: int,
    drawn: int,
    each: int,
    keep: Path | None,
    table: Path | None,
    home: Path,
    as_json: bool,
) -> None:
    """Judge INSTANCES (and their mutants) with the reference processor too, and compare.

    Without instances: the samples of the shipped kinds. Exit code 0: every disagreement has a
    reason; 1: one stands open. With --drawn nothing else is judged: filings of taxonomies drawn by
    chance, by the index and, where it decides, by the processor.
    """
    if drawn:
        text, wrong = _drawn([f"{seed}.{number}" for number in range(drawn)], each, keep)
        _tell(text, table, wrong=wrong, as_json=as_json)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if with_cases:
            home, instances = install(folder), tuple(write_cases(folder / "cases"))
        files = _files(instances, count, seed, folder) if instances or not made else []
        suite = open_suite(home, index=index)
        try:
            files += write_made(suite.registry, made, seed, folder)
            report = compare(suite, files, quick=quick)
        finally:
            suite.close()
    _tell(markdown(report), table, wrong=bool(report.open), as_json=as_json)


def _tell(text: str, table: Path | None, *, wrong: bool, as_json: bool) -> NoReturn:
    if table is not None:
        table.write_text(text, encoding="utf-8")
    said(as_json, text, agrees=not wrong, report=text)
    raise SystemExit(int(wrong))


def _drawn(seeds: Sequence[str], each: int, keep: Path | None) -> tuple[str, bool]:
    """Totals, and a row for every difference; true when there is one."""
    routes: Counter[str] = Counter()
    found, rows = 0, []
    for one in beside(seeds, each):
        routes[one.route] += 1
        found += one.route == INDEX and one.found > 0
        if one.differs:
            rows.append(f"| {one.name} | {'; '.join(one.index)} | {'; '.join(one.processor)} |")
            _keep(one, keep)
    lines = [
        f"{routes.total()} filings of {len(seeds)} drawn taxonomies.",
        f"Judged by the index: {routes[INDEX]} ({found} with findings), "
        f"of these {len(rows)} otherwise than the processor.",
        "",
        "| judged by | filings |",
        "|---|---|",
        *(f"| {route} | {number} |" for route, number in routes.most_common()),
    ]
    if rows:
        lines += ["", "| filing | only the index | only the processor |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n", bool(rows)


def _keep(one: Compared, folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        seed = one.name.rpartition("-")[0]
        (folder / f"{one.name}.xbrl").write_bytes(one.content)
        (folder / f"{seed}.zip").write_bytes(drawn_taxonomy(seed).package)


def _files(instances: tuple[Path, ...], count: int, seed: int, folder: Path) -> list[Path]:
    given = list(instances)
    if not given:
        given = [p for p in write(folder / "samples").values() if p.suffix == ".xbrl"]
    given = [f for p in given for f in (sorted(p.rglob("*.xbrl")) if p.is_dir() else [p])]
    files = list(given)
    for path in given if count else []:
        for mutant in mutants(path.read_bytes(), count, seed):
            files.append(folder / f"{path.stem}--{mutant.name}.xbrl")
            files[-1].write_bytes(mutant.content)
    return files


def _routes(report: Report) -> list[str]:
    """How far the index got, and why it did not get further."""
    if not report.routes:
        return []
    index = [c for c in report.comparisons if c.own.route == INDEX]
    found = sum(bool(c.own.codes) for c in index)
    wrong = sum(not c.agrees and (bool(c.own.differs) or not c.reason) for c in index)
    return [
        f"Judged by the index: {len(index)} ({found} with findings), "
        f"of these {wrong} otherwise than the processor.",
        "",
        "| judged by | filings |",
        "|---|---|",
        *(f"| {route} | {number} |" for route, number in report.routes.items()),
    ]


def markdown(report: Report) -> str:
    """Totals, and a row for every disagreement with its reason."""
    total = len(report.comparisons)
    agreed = sum(c.agrees for c in report.comparisons)
    both = [c for c in report.comparisons if c.reference.valid and c.own.valid]
    same = sum(c.reference.valid == c.own.valid for c in report.comparisons)
    rejected = sum(not c.reference.valid for c in report.comparisons)
    lines = [
        f"{total} filings, {rejected} of them rejected by the reference processor.",
        f"Same verdict and same codes: {agreed}. Same verdict: {same}. "
        f"Disagreements without a reason: {len(report.open)}.",
        f"Valid for the reference processor, rejected by rules it lacks (filing rules, entry "
        f"point, presentation): {sum(c.reference.valid and bool(c.own.ours) for c in both)}.",
        *_routes(report),
        "",
        "| reason | filings |",
        "|---|---|",
    ]
    reasons = Counter(c.reason or "OPEN" for c in report.comparisons if not c.agrees)
    lines += [f"| {reason} | {number} |" for reason, number in reasons.most_common()]
    lines += [
        "",
        "| filing | reference | codes | ours | codes | reason |",
        "|---|---|---|---|---|---|",
    ]
    for c in report.comparisons:
        if not c.agrees:
            words = {True: "valid", False: "rejected"}
            theirs, mine = ", ".join(c.reference.codes), ", ".join((*c.own.codes, *c.own.ours))
            lines.append(
                f"| {c.name} | {words[c.reference.valid]} | {theirs} | {words[c.own.valid]} "
                f"| {mine} | {c.reason or 'OPEN'} |"
            )
    return "\n".join(lines) + "\n"
