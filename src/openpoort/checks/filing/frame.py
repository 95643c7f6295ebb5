"""FR-NL-2 to FR-NL-4: the root, its references, contexts and units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from lxml import etree

from openpoort.checks.filing.rule import Hit, Rule
from openpoort.checks.instance import LANG, LINK, XSI, Instance, period
from openpoort.checks.text import content, elements


def language(instance: Instance) -> Iterator[Hit]:
    if not instance.root.get(LANG):
        yield Hit("Zet het attribuut xml:lang (de taal) op het element xbrli:xbrl.", instance.root)


def one_schema(instance: Instance) -> Iterator[Hit]:
    for extra in list(instance.root.iter(f"{{{LINK}}}schemaRef"))[1:]:
        yield Hit("Er mag maar één link:schemaRef zijn. Verwijder deze.", extra)


def no_linkbase(instance: Instance) -> Iterator[Hit]:
    for element in instance.root.iter(f"{{{LINK}}}linkbaseRef"):
        yield Hit("Het element link:linkbaseRef mag niet voorkomen. Verwijder het.", element)


def no_nil(instance: Instance) -> Iterator[Hit]:
    for fact in instance.facts:
        if fact.get(f"{{{XSI}}}nil") is not None:
            yield Hit("Het attribuut xsi:nil mag niet worden gebruikt. Laat het feit weg.", fact)


def no_time(instance: Instance) -> Iterator[Hit]:
    for context in instance.contexts:
        dates = period(context)
        if any("T" in dates.get(part, "") for part in ("startDate", "endDate")):
            yield Hit("Geef de datums van de periode zonder tijd (JJJJ-MM-DD).", context)


def no_forever(instance: Instance) -> Iterator[Hit]:
    for context in instance.contexts:
        if "forever" in period(context):
            yield Hit("Het element xbrli:forever mag niet. Geef een begin- en einddatum.", context)


def contexts_used(instance: Instance) -> Iterator[Hit]:
    used = {fact.get("contextRef", "").strip() for fact in instance.facts}
    for context in instance.contexts:
        if context.get("id") not in used:
            name = context.get("id", "")
            yield Hit(f"De context '{name}' wordt niet gebruikt. Verwijder hem.", context)


def units_used(instance: Instance) -> Iterator[Hit]:
    used = {fact.get("unitRef", "").strip() for fact in instance.facts}
    for unit in instance.units:
        if unit.get("id") not in used:
            name = unit.get("id", "")
            yield Hit(f"De eenheid '{name}' wordt niet gebruikt. Verwijder haar.", unit)


def contexts_differ(instance: Instance) -> Iterator[Hit]:
    for name, element in _equal(instance.contexts, instance.context_keys):
        yield Hit(f"Deze context is gelijk aan context '{name}'. Verwijder een van beide.", element)


def units_differ(instance: Instance) -> Iterator[Hit]:
    for name, element in _equal(instance.units, instance.unit_keys):
        yield Hit(f"Deze eenheid is gelijk aan '{name}'. Verwijder een van beide.", element)


def _equal(
    elements: list[etree._Element], keys: Mapping[str, tuple[object, ...]]
) -> Iterator[tuple[str, etree._Element]]:
    """Each element that repeats an earlier one, with the id of the first."""
    first: dict[tuple[object, ...], str] = {}
    for element in elements:
        name = element.get("id", "")
        known = first.setdefault(keys[name], name)
        if known != name:
            yield known, element


def no_footnotes(instance: Instance) -> Iterator[Hit]:
    for note in instance.root.iter(f"{{{LINK}}}footnote"):
        yield Hit("Voetnoten mogen niet voorkomen. Verwijder ze.", note)


def facts_differ(instance: Instance) -> Iterator[Hit]:
    """Items of one parent with equal concept, context and unit; values do not matter."""
    groups: dict[object, list[etree._Element]] = defaultdict(list)
    for fact in instance.facts:
        context = fact.get("contextRef")
        if context is not None:
            when = instance.context_keys.get(context.strip(), (context,))
            unit = fact.get("unitRef", "").strip()
            what = instance.unit_keys.get(unit, (unit,))
            groups[fact.getparent(), fact.tag, when, what].append(fact)
    for facts in groups.values():
        for extra in facts[1:]:
            local = etree.QName(extra).localname
            yield Hit(f"Het gegeven {local} staat er dubbel. Laat er één staan.", extra)


def no_empty(instance: Instance) -> Iterator[Hit]:
    for fact in instance.facts:
        if fact.get("contextRef") is not None and not elements(fact) and not content(fact):
            local = etree.QName(fact).localname
            yield Hit(f"Het gegeven {local} is leeg. Vul het of laat het weg.", fact)


def no_precision(instance: Instance) -> Iterator[Hit]:
    for fact in instance.facts:
        if fact.get("precision") is not None:
            yield Hit("Het attribuut precision mag niet. Gebruik decimals.", fact)


RULES = (
    Rule("FR-NL-2.03", "xml:lang op xbrli:xbrl", language),
    Rule("FR-NL-2.04", "ten hoogste één schemaRef", one_schema),
    Rule("FR-NL-2.05", "geen linkbaseRef", no_linkbase),
    Rule("FR-NL-2.07", "geen xsi:nil", no_nil),
    Rule("FR-NL-3.01", "datums zonder tijd", no_time),
    Rule("FR-NL-3.02", "geen forever", no_forever),
    Rule("FR-NL-3.03", "geen ongebruikte contexten", contexts_used),
    Rule("FR-NL-3.04", "geen dubbele contexten", contexts_differ),
    Rule("FR-NL-4.01", "geen dubbele eenheden", units_differ),
    Rule("FR-NL-4.02", "geen ongebruikte eenheden", units_used),
    Rule("FR-NL-5.01", "geen dubbele gegevens", facts_differ),
    Rule("FR-NL-5.03", "geen lege gegevens", no_empty),
    Rule("FR-NL-5.06", "geen attribuut precision", no_precision),
    Rule("FR-NL-6.01", "geen voetnoten", no_footnotes),
)
