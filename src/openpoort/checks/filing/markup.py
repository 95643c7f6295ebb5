"""FR-NL-5.11: escaped XHTML only in formatted explanations, and only a small part of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from openpoort.checks.filing.rule import Hit, Rule
from openpoort.checks.instance import Instance
from openpoort.checks.text import content
from openpoort.domain.finding import Severity

_ELEMENTS = frozenset(
    (
        *("b", "br", "div", "em", "i", "li", "ol", "p", "pre", "s", "small", "strong", "sub"),
        *("sup", "table", "td", "th", "tr", "u", "ul"),
    )
)
_STYLES = frozenset({"font-family", "font-size", "color"})
_LIST_TYPES = {
    "ol": frozenset({"1", "a", "A", "i", "I"}),
    "ul": frozenset({None, "", "circle", "square"}),
}
_TAG = re.compile(r"<[A-Za-z/!?]")
_WRAPPER = "{urn:openpoort:opmaak}"


def _tree(text: str) -> etree._Element | None:
    """The markup as a tree; None when it is not well-formed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(
            f'<opmaak xmlns="urn:openpoort:opmaak">{text}</opmaak>'.encode(), parser
        )
    except etree.XMLSyntaxError:
        return None


def only_where_allowed(instance: Instance) -> Iterator[Hit]:
    """Markup in a fact of another type. The reference processor warns here, and so do we."""
    for fact in instance.facts:
        concept = instance.concept(fact)
        if concept is None or concept.kind == "formatted" or not _TAG.search(content(fact)):
            continue
        tree = _tree(content(fact))
        if tree is not None and len(tree):
            local = etree.QName(fact).localname
            yield Hit(f"In {local} mag geen opmaak (XHTML) staan. Geef platte tekst.", fact)


def well_formed(instance: Instance) -> Iterator[Hit]:
    for fact, tree in _formatted(instance):
        if tree is None:
            yield Hit("De opmaak (XHTML) in dit gegeven is niet welgevormd.", fact)
            continue
        names = {str(e.tag).removeprefix(_WRAPPER) for e in tree.iterdescendants(etree.Element)}
        if wrong := sorted(names - _ELEMENTS):
            yield Hit(f"Deze opmaakelementen zijn niet toegestaan: {', '.join(wrong)}.", fact)


def limited(instance: Instance) -> Iterator[Hit]:
    """Styles and types of list items: these reject."""
    for fact, tree in _formatted(instance):
        if tree is None:
            continue
        for element in tree.iterdescendants(etree.Element):
            wrong = [s for s in _styles(element) if s not in _STYLES]
            if wrong:
                yield Hit(f"Deze stijlen zijn niet toegestaan: {', '.join(wrong)}.", fact)
            parent = element.getparent()
            where = str(parent.tag).removeprefix(_WRAPPER) if parent is not None else ""
            if str(element.tag) == f"{_WRAPPER}li" and where in _LIST_TYPES:
                kind = element.get("type")
                if kind not in _LIST_TYPES[where]:
                    yield Hit(f"Een li in een {where} mag niet het type '{kind}' hebben.", fact)


def _styles(element: etree._Element) -> list[str]:
    parts = [part.split(":") for part in element.get("style", "").split(";")]
    return [part[0].strip() for part in parts if len(part) > 1]


def _formatted(instance: Instance) -> Iterator[tuple[etree._Element, etree._Element | None]]:
    for fact in instance.facts:
        concept = instance.concept(fact)
        if concept is not None and concept.kind == "formatted":
            yield fact, _tree(content(fact))


RULES = (
    Rule("FR-NL-5.11", "opmaak alleen waar zij mag", only_where_allowed, Severity.WARNING),
    Rule("FR-NL-5.11", "opmaak welgevormd en bekend", well_formed, Severity.WARNING),
    Rule("FR-NL-5.11", "stijlen en lijsten", limited),
)
