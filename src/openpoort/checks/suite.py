"""All checks of one installation, opened once and closed with it.

The wiring hands `checks` to the engine; a step of a kind names which of them run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openpoort.checks.structure import Structure
from openpoort.domain.finding import Finding, rejects
from openpoort.process.ports import Check, Filing

ORDER = ("structure", "filing", "plain", "xbrl")
"""The order of the issue: cheap first, the reference processor last."""


@dataclass(slots=True)
class Suite:
    """`checks` by name; `close` ends the processes behind them."""

    checks: Mapping[str, Check] = field(default_factory=dict)

    def run(self, filing: Filing, names: Sequence[str] = ORDER) -> tuple[Finding, ...]:
        """The findings of these checks, in the fixed order; a broken document ends it early."""
        found: tuple[Finding, ...] = ()
        for name in ORDER:
            if name not in names or name not in self.checks:
                continue
            found += self.checks[name].check(filing)
            if name == "structure" and rejects(found):
                break
        return found

    def close(self) -> None:
        for check in self.checks.values():
            if (close := getattr(check, "close", None)) is not None:
                close()


def open_suite(home: Path | None = None) -> Suite:
    """The checks of the installation in `home`."""
    checks: list[Check] = [Structure()]
    return Suite({check.name: check for check in checks})
