"""Point 5: XBRL 2.1, dimensions and formulas.

By the compiled index where it is on and decides, else by the reference processor in processes
apart. Who judged, and why not the index, is counted.
"""

from __future__ import annotations

from lxml import etree

from openpoort.checks.content import unknown_entry
from openpoort.checks.document import is_xbrl, read
from openpoort.checks.index.shelf import Shelf
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.instance import HREF, LINK
from openpoort.checks.roots import judge_language, judge_root
from openpoort.checks.routes import INDEX, PROCESSOR, Routes
from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.xbrl.limits import Message
from openpoort.checks.xbrl.messages import findings
from openpoort.checks.xbrl.pool import Pool, TooMuch
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.octets import Octets
from openpoort.process.ports import Filing


class Xbrl:
    """Check `xbrl`. Says nothing about documents that are no XBRL instance."""

    name = "xbrl"

    def __init__(self, registry: Registry, pool: Pool, shelf: Shelf | None = None) -> None:
        """Without `shelf` the reference processor judges everything."""
        self.registry = registry
        self.pool = pool
        self.shelf = shelf
        self.routes = Routes()

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        data = filing.inhoud.inhoud
        reading = read(data)
        if reading.root is None:
            return reading.findings
        if not is_xbrl(reading.root):
            return judge_root(reading.root, filing.kind, "xbrl")
        entries = [r.get(HREF, "") for r in reading.root.iter(f"{{{LINK}}}schemaRef")]
        if len(entries) != 1:
            return (one_entry(len(entries)),)
        if found := judge_language(reading.root):
            return found
        taxonomy = self.registry.find(entries[0])
        if taxonomy is None:
            return (unknown_entry(entries[0], self.registry.entries(), "xbrl"),)
        try:
            messages = self._messages(taxonomy, entries[0], reading.root, data)
        except TooMuch as limit:
            what = "rekentijd" if str(limit) == "cpu" else "geheugen"
            text = f"De controle van het bericht kost te veel {what}. Maak het bericht kleiner."
            return (Finding("OP-5.01", Severity.ERROR, text, "xbrl"),)
        return findings(messages, taxonomy, entries[0], reading.root)

    def _messages(
        self, taxonomy: Installed, entry: str, root: etree._Element, data: Octets
    ) -> list[Message]:
        route = PROCESSOR
        if self.shelf is not None:
            try:
                messages = self.shelf.judge(taxonomy, entry, root, data)
            except Undecided as why:
                route = f"{PROCESSOR}: {why}"
            else:
                self.routes.note(INDEX)
                return messages
        self.routes.note(route)
        return self.pool.judge(taxonomy.packages, entry, data)

    def close(self) -> None:
        self.pool.close()


def one_entry(count: int) -> Finding:
    text = f"Er moet precies één link:schemaRef zijn; gevonden: {count}."
    return Finding("OP-4.04", Severity.ERROR, text, "xbrl")
