"""The index beside our processor path on drawn filings, many against each drawn taxonomy.

What the index leaves undecided goes to the processor anyhow, so that cannot differ; whatever it
decides is judged again by the processor, and whole findings are compared: code, severity, text,
line and the number of times.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from openpoort.checks.defaults import UNKNOWN
from openpoort.checks.index.shelf import Shelf
from openpoort.checks.routes import INDEX
from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.verdict import Xbrl
from openpoort.checks.xbrl.limits import Message
from openpoort.checks.xbrl.pool import Pool
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.domain.octets import Octets
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort_lab.cases.drawn import drawn
from openpoort_lab.cases.filings import filings
from openpoort_lab.cases.run import install


@dataclass(frozen=True, slots=True)
class Compared:
    """`route`: who judged it, or why it was refused before that. `index` and `processor`: what
    only one of them found."""

    name: str
    content: bytes
    route: str
    found: int
    index: tuple[str, ...] = ()
    processor: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        return bool(self.index or self.processor)


def beside(taxonomies: Sequence[str], each: int) -> Iterator[Compared]:
    """`each` filings of the taxonomy drawn from each of these seeds."""
    for seed in taxonomies:
        taxonomy = drawn(seed)
        with tempfile.TemporaryDirectory() as name:
            suite = open_suite(install(Path(name), taxonomy.package), index=True)
            try:
                named = [(f"{seed}-{n}", c) for n, c in enumerate(filings(taxonomy, each, seed))]
                yield from compare(suite, named)
            finally:
                suite.close()


def compare(suite: Suite, named: Sequence[tuple[str, bytes]]) -> Iterator[Compared]:
    """Each of these by the index, and what it decides by the processor too."""
    shelf, judge = Shelf(), Xbrl(suite.registry, suite.pool)
    with ThreadPoolExecutor(2) as threads:
        yield from threads.map(lambda one: _compare(suite, shelf, judge, *one), named)


def _compare(suite: Suite, shelf: Shelf, processor: Xbrl, name: str, content: bytes) -> Compared:
    document = Document("application/xml", f"{name}.xbrl", content)
    filing = Filing(UNKNOWN, Identiteit("", ""), document)
    index = Xbrl(suite.registry, Nobody(), shelf)
    try:
        found = _told(index.check(filing))
    except CheckUnavailable:
        return Compared(name, content, _route(index), 0)
    route = _route(index)
    if route != INDEX:
        return Compared(name, content, route, found.total())
    again = _told(processor.check(filing))
    return Compared(
        name,
        content,
        route,
        found.total(),
        (*(found - again).elements(),),
        (*(again - found).elements(),),
    )


def _told(findings: Sequence[Finding]) -> Counter[str]:
    return Counter(map(str, findings))


def _route(xbrl: Xbrl) -> str:
    return xbrl.routes.take() or "refused before"


class Nobody(Pool):
    """Judges nothing: what the index leaves is only counted."""

    def judge(self, packages: Sequence[Path], entry: str, document: Octets) -> list[Message]:
        raise CheckUnavailable("left")
