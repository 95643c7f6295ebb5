"""`openpoort agreement`: our verdicts beside the reference processor's own command line."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import click

from openpoort.checks.routes import INDEX
from openpoort.checks.suite import open_suite
from openpoort.cli.home import home_option
from openpoort.devkit.agreement import Report, compare
from openpoort.devkit.cases.run import install, write_made
from openpoort.devkit.cases.run import write as write_cases
from openpoort.devkit.mutants import mutants
from openpoort.devkit.samples import write


@click.command()
@click.argument("instances", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--mutants", "count", default=0, show_default=True, help="Mutants of each instance.")
@click.option("--seed", default=1, show_default=True)
@click.option("--quick", is_flag=True, help="Arelle's Session API instead of its command line.")
@click.option("--index", is_flag=True, help="Judge by the compiled index where it decides.")
@click.option("--cases", "with_cases", is_flag=True, help="Only the cases of the standards.")
@click.option("--made", default=0, show_default=True, help="Made-up instances of each entry point.")
@click.option("--table", type=click.Path(path_type=Path), help="Write a Markdown table here.")
@home_option
def agreement(
    instances: tuple[Path, ...],
    count: int,
    seed: int,
    quick: bool,
    index: bool,
    with_cases: bool,
    made: int,
    table: Path | None,
    home: Path,
) -> None:
    """Judge INSTANCES (and their mutants) with the reference processor too, and compare.

    Without instances: the samples of the shipped kinds. Exit code 0: every disagreement has a
    reason; 1: one stands open.
    """
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
    text = markdown(report)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    click.echo(text)
    raise SystemExit(int(bool(report.open)))


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
