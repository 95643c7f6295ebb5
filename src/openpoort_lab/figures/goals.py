"""What was to be reached, beside what the records say: a table for docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` of the record `name` should be at least `least`, or below `below`; `unit` is written
    behind the number."""

    what: str
    name: str
    value: Callable[[Record], float]
    unit: str
    least: float | None = None
    below: float | None = None

    def line(self, record: Record) -> str:
        """A row of the table. Raises KeyError when it was not measured."""
        found = self.value(record)
        wanted = f"{self.least:g}" if self.least is not None else f"under {self.below:g}"
        reached = found >= self.least if self.least is not None else found < (self.below or 0.0)
        shown = f"{found:.3g}{self.unit}"
        said = "yes" if reached else "**no**"
        return f"| {self.what} | {wanted}{self.unit} | {shown} | {said} | {record['day']} |"


def _note(name: str) -> Callable[[Record], float]:
    return lambda r: float(r["notes"][name])


def _apart(name: str) -> Callable[[Record], float]:
    return lambda r: (float(r["spread"][name]) - 1) * 100


GOALS = (
    Goal("handing in, share of the RSA limit of one core", "accept",
         lambda r: r["ratio_to_limit"] * 100, " %", least=30),
    Goal("handing in, next to the reference variant", "accept",
         lambda r: r["ratio_to_reference"], " times", least=1.5),
    Goal("p99 of handing in, open loop at 70 % of that rate", "accept-p99",
         lambda r: r["p99_ms"], " ms", below=100),
    Goal("whole process, a kind without XBRL", "process", lambda r: r["rate"], "/s", least=250),
    Goal("status queries, share of the RSA limit", "status",
         lambda r: r["ratio_to_limit"] * 100, " %", least=35),
    Goal("the same with 15 million statuses, three gateways up", "flat",
         lambda r: r["levels"][-1]["status_ratio_to_limit"] * 100, " %", least=35),
    Goal("15 MB, extra memory of a door", "process-15m",
         _note("door_extra_memory_ratio"), " times", below=1.3),
    Goal("15 MB, extra memory of a worker", "process-15m",
         _note("worker_extra_memory_ratio"), " times", below=1.3),
    Goal("p99 of small ones beside large ones", "beside", _note("p99_ratio"), " times", below=1.5),
    Goal("1 thousand to 5 million messages: CPU of handing in apart", "flat",
         _apart("accept_cpu_ms"), " %", below=20),
    Goal("the same, rate", "flat", _apart("accept_rate"), " %", below=20),
    Goal("the same, CPU of a status query", "flat", _apart("status_cpu_ms"), " %", below=20),
    Goal("the same, rate", "flat", _apart("status_rate"), " %", below=20),
)  # fmt: skip


def table(record: Callable[[str], Record]) -> str:
    """Markdown; what was never measured says so."""
    rows = ["| | goal | measured | reached | day |", "|---|---|---|---|---|"]
    for goal in GOALS:
        try:
            rows.append(goal.line(record(goal.name)))
        except (KeyError, TypeError, IndexError):
            rows.append(f"| {goal.what} | | not measured | | |")
    return "\n".join(rows)
