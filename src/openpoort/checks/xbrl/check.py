"""Point 5: XBRL 2.1, dimensions and formulas, by the reference processor in processes apart."""

from __future__ import annotations

from openpoort.checks.document import is_xbrl, read
from openpoort.checks.instance import HREF, LINK
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.xbrl.messages import findings
from openpoort.checks.xbrl.pool import Pool, TooMuch
from openpoort.domain.finding import Finding, Severity
from openpoort.process.ports import Filing


class Xbrl:
    """Check `xbrl`. Says nothing about documents that are no XBRL instance."""

    name = "xbrl"

    def __init__(self, registry: Registry, pool: Pool) -> None:
        self.registry = registry
        self.pool = pool

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        data = filing.inhoud.inhoud
        reading = read(data)
        if reading.root is None:
            return reading.findings
        if not is_xbrl(reading.root):
            return ()
        entries = [r.get(HREF, "") for r in reading.root.iter(f"{{{LINK}}}schemaRef")]
        if len(entries) != 1:
            return (one_entry(len(entries)),)
        taxonomy = self.registry.find(entries[0])
        if taxonomy is None:
            return (unknown_entry(entries[0]),)
        try:
            messages = self.pool.judge(taxonomy.packages, entries[0], data)
        except TooMuch as limit:
            what = "rekentijd" if str(limit) == "cpu" else "geheugen"
            text = f"De controle van het bericht kost te veel {what}. Maak het bericht kleiner."
            return (Finding("OP-5.01", Severity.ERROR, text, "xbrl"),)
        return findings(messages, taxonomy, entries[0])

    def close(self) -> None:
        self.pool.close()


def one_entry(count: int) -> Finding:
    text = f"Er moet precies één link:schemaRef zijn; gevonden: {count}."
    return Finding("OP-4.04", Severity.ERROR, text, "xbrl")


def unknown_entry(entry: str) -> Finding:
    text = f"Het entrypoint '{entry[:300]}' is hier niet bekend. Gebruik een geldige taxonomie."
    return Finding("OP-4.01", Severity.ERROR, text, "xbrl")
