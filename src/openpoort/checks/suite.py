"""All checks of one installation, opened once and closed with it.

The wiring hands `checks` to the engine; a step of a kind names which of them run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpoort.checks import document
from openpoort.checks.content import Content
from openpoort.checks.guarded import Guarded
from openpoort.checks.index.shelf import Shelf
from openpoort.checks.malware import Malware
from openpoort.checks.plain import Plain
from openpoort.checks.routes import Routes
from openpoort.checks.structure import Structure
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.verdict import Xbrl
from openpoort.checks.xbrl.limits import Limits
from openpoort.checks.xbrl.pool import Pool
from openpoort.domain.finding import Finding, rejects
from openpoort.process.ports import Check, Filing

ORDER = ("structure", "filing", "plain", "xbrl")
"""The order of the issue: cheap first, the reference processor last."""
BY_TAXONOMY = frozenset({Content.name, Xbrl.name})
"""Checks that judge by the entry point of a filing."""


def names(*, malware: bool) -> frozenset[str]:
    """Names of the checks that `open_suite` opens."""
    return frozenset((*ORDER, Malware.name) if malware else ORDER)


@dataclass(slots=True)
class Suite:
    """`checks` by name; `routes` tells who judged XBRL; `close` ends the processes behind them."""

    checks: Mapping[str, Check]
    registry: Registry
    pool: Pool
    routes: Routes

    def run(self, filing: Filing, names: Sequence[str] = ORDER) -> tuple[Finding, ...]:
        """Findings of these checks in the fixed order, each once.

        A document that cannot be read gets the filing rules on its bytes and nothing more.
        """
        found: tuple[Finding, ...] = ()
        self.routes.take()  # that of an earlier filing, which nobody asked for
        for name in ORDER:
            if name in names and name in self.checks:
                found += self.checks[name].check(filing)
            if name == "filing" and document.read(filing.inhoud.inhoud).root is None:
                break
            if rejects(found) and any(f.code == "OP-4.06" for f in found):
                break
        document.forget()
        return tuple(_once(found))

    def close(self) -> None:
        self.pool.close()


def _once(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Two checks may tell the same thing about the same line."""
    seen = set()
    for finding in findings:
        key = (finding.code, finding.line, finding.xpath)
        if finding.code[:2] not in {"OP", "FR"} or key not in seen:
            seen.add(key)
            yield finding


def open_suite(
    home: Path | None = None,
    *,
    workers: int = 2,
    limits: Limits | None = None,
    clamd: Path | None = None,
    index: bool = False,
) -> Suite:
    """The checks of the installation in `home`. `workers`: filings judged at the same time;
    `clamd`: its socket, None for no malware scan; `index`: judge by it where it decides."""
    registry = Registry(home)
    pool = Pool(workers=workers, limits=limits)
    xbrl = Xbrl(registry, pool, Shelf() if index else None)
    checks: list[Check] = [Structure(), Content(registry), Plain(home), xbrl]
    if clamd is not None:
        checks.append(Malware(clamd))
    return Suite({check.name: Guarded(check) for check in checks}, registry, pool, xbrl.routes)
