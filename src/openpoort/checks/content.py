"""Points 3 and 4: filing rules, entry point, identity, and what belongs in the report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from lxml import etree

from openpoort.checks.document import claims_xbrl, is_xbrl, line_of, read
from openpoort.checks.filing import judge_file, judge_instance
from openpoort.checks.identity import judge_instance_identity, judge_number
from openpoort.checks.instance import Instance, period, to_date
from openpoort.checks.roots import judge_root, takes_instances
from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.taxonomies.registry import Registry
from openpoort.domain.finding import Finding, Severity
from openpoort.process.ports import Filing

_YEAR = re.compile(r"-(20[0-9]{2})(?:-[a-z-]+)?\.xsd$")
MAX_CONTEXTS = 100_000
MAX_FACTS = 250_000


class Content:
    """Check `filing`: all that is known without the reference processor."""

    name = "filing"

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        return tuple(self._judge(filing))

    def _judge(self, filing: Filing) -> Iterator[Finding]:
        name = filing.inhoud.bestandsnaam
        if filing.belanghebbende.nummer:
            yield from judge_number(filing.belanghebbende)
        reading = read(filing.inhoud.inhoud)
        if reading.root is None:
            if claims_xbrl(filing.inhoud.inhoud):
                yield from judge_file(name, bytes(filing.inhoud.inhoud), applies_kvk=False)
                yield from reading.findings
            return
        if not is_xbrl(reading.root):
            yield from judge_root(reading.root, filing.kind, "filing")
            return
        data = bytes(filing.inhoud.inhoud)
        today = (filing.received_at or datetime.now(UTC)).date()
        instance = Instance(reading.root, data, name, today)
        if (large := _too_large(instance)) is not None:
            yield large
            return
        taxonomy = self.registry.find(instance.entries[0]) if instance.entries else None
        if taxonomy is not None:
            instance.outline = taxonomy.outline(instance.entries[0])
        kvk = _applies_kvk(taxonomy, instance)
        yield from judge_file(name, data, applies_kvk=kvk)
        yield from judge_instance(instance, applies_kvk=kvk)
        yield from self._entry(filing, instance, taxonomy)
        yield from _presented(instance)
        yield from judge_instance_identity(instance, filing.belanghebbende)

    def _entry(
        self, filing: Filing, instance: Instance, taxonomy: Installed | None
    ) -> Iterator[Finding]:
        if not instance.entries:
            yield _no("OP-4.04", "Er moet precies één link:schemaRef zijn; gevonden: 0.")
            return
        entry = instance.entries[0]
        kind = filing.kind.berichtsoort
        named = filing.kind.entrypoints or tuple(sorted(self.registry.entries_of(kind)))
        if taxonomy is None:
            yield unknown_entry(entry, named or self.registry.entries(), "filing")
        taken = any(fnmatchcase(entry, pattern) for pattern in named)
        if takes_instances(filing.kind) and not taken:
            allowed = _allowed(named) or "nog geen enkel; vraag de beheerder"
            text = (
                f"Het entrypoint '{entry[:300]}' hoort niet bij een {kind}. Toegestaan is: "
                f"{allowed}."
            )
            yield _no("OP-4.02", text)
        yield from _year(entry, instance)


_SHOWN = 5


def unknown_entry(entry: str, known: Sequence[str], source: str) -> Finding:
    """OP-4.01, with what may be used instead."""
    allowed = f" Toegestaan is: {_allowed(known)}." if known else " Er is geen taxonomie."
    text = f"Het entrypoint '{entry[:300]}' is hier niet bekend.{allowed}"
    return Finding("OP-4.01", Severity.ERROR, text, source)


def _allowed(entries: Sequence[str]) -> str:
    more = f" en {len(entries) - _SHOWN} andere" if len(entries) > _SHOWN else ""
    return ", ".join(entries[:_SHOWN]) + more


def _no(code: str, text: str) -> Finding:
    return Finding(code, Severity.ERROR, text, "filing")


def _too_large(instance: Instance) -> Finding | None:
    """Counted before any rule compares contexts or facts with each other."""
    if len(instance.contexts) > MAX_CONTEXTS:
        return _no("OP-4.06", f"Er zijn meer dan {MAX_CONTEXTS} contexten. Splits het bericht.")
    if len(instance.facts) > MAX_FACTS:
        return _no("OP-4.06", f"Er zijn meer dan {MAX_FACTS} gegevens. Splits het bericht.")
    return None


def _applies_kvk(taxonomy: Installed | None, instance: Instance) -> bool:
    entry = instance.entries[0] if instance.entries else ""
    if taxonomy is not None:
        return taxonomy.kvk(entry)
    return "/kvk/" in entry or "/kvk-rpt-" in entry


def _year(entry: str, instance: Instance) -> Iterator[Finding]:
    """A report of 2026 is made with the entry point of 2026: some period must touch that year."""
    found = _YEAR.search(entry)
    if found is None:
        return
    years: set[int] = set()
    for context in instance.contexts:
        days = [to_date(text) for text in period(context).values()]
        known = [d.year for d in days if d is not None]
        if known:
            years |= set(range(min(known), min(max(known), min(known) + 3) + 1))
    if years and int(found[1]) not in years:
        text = f"Het entrypoint is van {found[1]}, maar geen periode in het bericht valt daarin."
        yield _no("OP-4.05", text)


def _presented(instance: Instance) -> Iterator[Finding]:
    """The one intended disagreement with the reference processor (docs: checks)."""
    told = 0
    for fact in instance.facts:
        concept = instance.concept(fact)
        if concept is not None and not concept.presented:
            told += 1
            if told > 50:
                return
            local = etree.QName(fact).localname
            text = f"Het gegeven {local} hoort niet in dit rapport. Verwijder het."
            yield Finding(
                "OP-4.03",
                Severity.ERROR,
                text,
                "filing",
                line_of(fact),
                instance.path(fact),
                context=fact.get("contextRef"),
            )
