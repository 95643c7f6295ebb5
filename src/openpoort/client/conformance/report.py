"""The outcome of a conformance run: a line per clause, a reason per failure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """`NOTED`: it failed where the sources leave room, so it does not count."""

    PASSED = "passed"
    FAILED = "failed"
    NOTED = "noted"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """What one case gave. `text` says what was seen when it did not pass."""

    clause: str
    title: str
    outcome: Outcome
    text: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run against one gateway."""

    url: str
    at: datetime
    results: Sequence[Result]

    def clauses(self) -> dict[str, list[Result]]:
        """Results by clause, clauses in order of section and number."""
        found: dict[str, list[Result]] = {}
        for result in sorted(self.results, key=lambda r: _order(r.clause)):
            found.setdefault(result.clause, []).append(result)
        return found

    @property
    def conforms(self) -> bool:
        return all(result.outcome is not Outcome.FAILED for result in self.results)

    def count(self, outcome: Outcome) -> int:
        return sum(result.outcome is outcome for result in self.results)

    def as_dict(self) -> dict[str, object]:
        return {
            "url": self.url,
            "at": self.at.isoformat(),
            "conforms": self.conforms,
            "counts": {outcome.value: self.count(outcome) for outcome in Outcome},
            "clauses": {
                clause: {"outcome": verdict(results).value, "cases": [_row(r) for r in results]}
                for clause, results in self.clauses().items()
            },
        }

    def markdown(self) -> str:
        lines = [
            f"# Conformance of {self.url}",
            "",
            f"Contract 1.2, {self.at:%Y-%m-%d %H:%M} UTC. {self.summary()}",
            "",
            "| Clause | Outcome | Cases | What was seen |",
            "|---|---|---|---|",
        ]
        for clause, results in self.clauses().items():
            titles = "<br>".join(_cell(result.title) for result in results)
            seen = "<br>".join(_cell(f"{r.title}: {r.text}") for r in results if r.text)
            lines.append(f"| {clause} | {verdict(results)} | {titles} | {seen} |")
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        rows = []
        for clause, results in self.clauses().items():
            outcome = verdict(results).value
            cases = "".join(
                f'<li class="{r.outcome}">{html.escape(r.title)}'
                + (f"<br><small>{html.escape(r.text)}</small>" if r.text else "")
                + "</li>"
                for r in results
            )
            rows.append(
                f'<tr class="{outcome}"><th scope="row">{html.escape(clause)}</th>'
                f"<td>{outcome}</td><td><ul>{cases}</ul></td></tr>"
            )
        return _PAGE.format(
            title=f"Conformance of {html.escape(self.url)}",
            when=f"{self.at:%Y-%m-%d %H:%M} UTC",
            summary=html.escape(self.summary()),
            rows="".join(rows),
        )

    def summary(self) -> str:
        word = "Conforms" if self.conforms else "Does not conform"
        counts = ", ".join(f"{self.count(o)} {o.value}" for o in Outcome if self.count(o))
        return f"{word}: {len(self.clauses())} clauses, {counts}."


def verdict(results: Sequence[Result]) -> Outcome:
    """The worst of a clause's cases."""
    for outcome in (Outcome.FAILED, Outcome.NOTED, Outcome.PASSED):
        if any(result.outcome is outcome for result in results):
            return outcome
    return Outcome.SKIPPED


def _order(clause: str) -> tuple[int, ...]:
    return tuple(int(part) for part in clause.replace("-", ".").split(".") if part.isdigit())


def _row(result: Result) -> dict[str, str]:
    return {"title": result.title, "outcome": result.outcome.value, "seen": result.text}


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .6rem;
  border-top: 1px solid #ccc }}
ul {{ margin: 0; padding-left: 1rem }}
tr.failed td, tr.failed th {{ background: #fde8e8 }}
tr.noted td, tr.noted th {{ background: #fff6da }}
li.failed, li.noted {{ font-weight: bold }}
</style>
<h1>{title}</h1><p>Contract 1.2, {when}. {summary}</p>
<table><thead><tr><th>Clause</th><th>Outcome</th><th>Cases</th></tr></thead>
<tbody>{rows}</tbody></table>
</html>
"""
