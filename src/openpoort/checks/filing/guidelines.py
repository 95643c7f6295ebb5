"""FG-NL: guidelines. They only warn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lxml import etree

from openpoort.checks.document import XBRLI
from openpoort.checks.filing.rule import Hit, Rule
from openpoort.checks.instance import ISO4217, LINK, Instance, measures
from openpoort.checks.taxonomies.dts import standard
from openpoort.checks.text import between, content, elements
from openpoort.domain.finding import Severity

_ORDER = {
    f"{{{LINK}}}schemaRef": (0, "link:schemaRef"),
    f"{{{LINK}}}linkbaseRef": (1, "link:linkbaseRef"),
    f"{{{LINK}}}roleRef": (2, "link:roleRef"),
    f"{{{LINK}}}arcroleRef": (3, "link:arcroleRef"),
    f"{{{XBRLI}}}context": (4, "xbrli:context"),
    f"{{{XBRLI}}}unit": (5, "xbrli:unit"),
}
_FACT = (6, "gegevens")
_PREFIXED = re.compile(r"\s*([A-Za-z_][\w.-]*):")
_REGISTRY = "http://www.xbrl.org/utr/utr.xml"


def usual_prefixes(instance: Instance) -> Iterator[Hit]:
    if instance.outline is None:
        return
    for prefix, namespace in instance.root.nsmap.items():
        usual = instance.outline.prefixes.get(namespace, ())
        if prefix and usual and prefix not in usual:
            text = f"Gebruik voor {namespace} het gebruikelijke prefix {' of '.join(usual)}."
            yield Hit(text, instance.root)


def order(instance: Instance) -> Iterator[Hit]:
    highest, told = _ORDER[f"{{{LINK}}}schemaRef"], set()
    for child in instance.root.iterchildren(etree.Element):
        place = _ORDER.get(str(child.tag), _FACT)
        if place > highest:
            highest = place
        elif place < highest and place not in told:
            told.add(place)
            yield Hit(f"Zet {place[1]} vóór {highest[1]}.", child)


def namespaces_used(instance: Instance) -> Iterator[Hit]:
    declared = {prefix: ns for prefix, ns in instance.root.nsmap.items() if prefix}
    used: set[str | None] = set()
    for element in instance.root.iter(etree.Element):
        used.add(element.prefix)
        for name, value in element.attrib.items():
            if str(name).startswith("{"):
                used |= {p for p, ns in declared.items() if str(name).startswith(f"{{{ns}}}")}
            used |= _prefixes(str(value))
        for value in between(element) if elements(element) else [content(element)]:
            if len(value) < 500:
                used |= _prefixes(value)
    for prefix in declared.keys() - used:
        yield Hit(f"De namespace met prefix '{prefix}' wordt niet gebruikt.", instance.root)


def _prefixes(text: str) -> set[str | None]:
    found = _PREFIXED.match(text)
    return {found[1]} if found else set()


def no_ids(instance: Instance) -> Iterator[Hit]:
    for fact in instance.facts:
        if fact.get("id") is not None:
            yield Hit("Laat het attribuut id van dit gegeven weg.", fact)


def registered_units(instance: Instance) -> Iterator[Hit]:
    registered = _registered()
    for unit in instance.units:
        for element, name in measures(unit):
            if name not in registered:
                text = f"De eenheid '{content(element).strip()[:80]}' is geen standaardeenheid."
                yield Hit(text, unit)


@cache
def _registered() -> frozenset[str]:
    """Clark names of the units in the XBRL units registry that comes with the processor."""
    path = standard(_REGISTRY) or _newest()
    if path is None:
        return frozenset()
    found = {f"{{{ISO4217}}}EUR", f"{{{XBRLI}}}pure", f"{{{XBRLI}}}shares"}
    for unit in etree.parse(path).getroot().iter("{*}unit"):
        namespace, name = _of(unit, "nsUnit"), _of(unit, "unitId")
        if namespace and name:
            found.add(f"{{{namespace}}}{name}")
    return frozenset(found)


def _of(unit: etree._Element, name: str) -> str:
    found = unit.find(f"{{*}}{name}")
    return "" if found is None else content(found)


def _newest() -> Path | None:
    schema = standard("http://www.xbrl.org/2003/xbrl-instance-2003-12-31.xsd")
    if schema is None:
        return None
    registries = sorted((schema.parents[1] / "utr").glob("*/utr.xml"))
    return registries[-1] if registries else None


RULES = (
    Rule("FG-NL-03", "gebruikelijke prefixes", usual_prefixes, Severity.WARNING),
    Rule("FG-NL-04", "volgorde van de elementen", order, Severity.WARNING),
    Rule("FG-NL-05", "geen ongebruikte namespaces", namespaces_used, Severity.WARNING),
    Rule("FG-NL-09", "geen id op gegevens", no_ids, Severity.WARNING),
    Rule("FG-NL-11", "eenheden uit het register", registered_units, Severity.WARNING),
)
