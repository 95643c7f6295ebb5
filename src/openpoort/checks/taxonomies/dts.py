"""From an entry point to the documents it needs and the concepts they define (XBRL 2.1 §3.2).

A walk of our own over the files of a package: it finds what is missing or points elsewhere, and
leaves an outline for the checks that need no reference processor. Each document is read once,
however many entry points share it.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import etree

from openpoort.checks.taxonomies.outline import Concept, Outline
from openpoort.checks.taxonomies.package import Package, parse

_XS = "{http://www.w3.org/2001/XMLSchema}"
_LINK = "{http://www.xbrl.org/2003/linkbase}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XBRLI = "http://www.xbrl.org/2003/instance"
_NUMERIC = frozenset(
    (
        *("decimal", "float", "double", "shares", "pure", "fraction", "integer", "long", "int"),
        *("short", "byte", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
        *("nonPositiveInteger", "negativeInteger", "nonNegativeInteger", "positiveInteger"),
    )
)
Name = str
"""A qualified name in Clark notation: {namespace}local."""


@dataclass(slots=True)
class _Document:
    """What one schema or linkbase says, and where it points."""

    links: list[str] = field(default_factory=list)
    elements: dict[str, dict[str, str]] = field(default_factory=dict)  # by id
    types: dict[Name, Name] = field(default_factory=dict)  # derived -> base
    presented: set[str] = field(default_factory=set)  # address#id
    prefixes: dict[str, str] = field(default_factory=dict)  # prefix -> namespace
    unchecked: Counter[str] = field(default_factory=Counter)  # arcs by last part of their arcrole


class Walker:
    """Reads documents of these packages, each once. `problems` are sentences."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self.packages = packages
        self.documents: dict[str, _Document | None] = {}
        self.problems: dict[str, None] = {}

    def outline(self, entry: str) -> Outline:
        """The outline of one entry point; problems are added to `problems`."""
        reached = self._reach(entry)
        elements: dict[str, dict[str, str]] = {}
        types: dict[Name, Name] = {}
        prefixes: dict[str, set[str]] = {}
        presented: set[str] = set()
        for url, document in reached.items():
            elements |= {f"{url}#{key}": value for key, value in document.elements.items()}
            types |= document.types
            presented |= document.presented
            for prefix, namespace in document.prefixes.items():
                prefixes.setdefault(namespace, set()).add(prefix)
        groups = {e["name"]: e["group"] for e in elements.values()}
        concepts = {}
        for place, element in elements.items():
            kind = _kind(element, types, groups)
            if kind:
                concepts[element["name"]] = Concept(
                    kind,
                    place in presented,
                    element["abstract"] == "true",
                    element["period"],
                )
        return Outline(
            entry, concepts, {ns: tuple(sorted(found)) for ns, found in prefixes.items()}
        )

    def unchecked(self) -> dict[str, int]:
        """Relationships in all that was read that no check looks at, by name (decision 69)."""
        found: Counter[str] = Counter()
        for document in self.documents.values():
            if document is not None:
                found += document.unchecked
        return dict(sorted(found.items()))

    def _reach(self, entry: str) -> dict[str, _Document]:
        reached: dict[str, _Document] = {}
        waiting = [(entry, "")]
        while waiting:
            url, source = waiting.pop()
            if url in reached:
                continue
            document = self._document(url, source)
            if document is not None:
                reached[url] = document
                waiting += [(link, url) for link in document.links if link not in reached]
        return reached

    def _document(self, url: str, source: str) -> _Document | None:
        if url not in self.documents:
            self.documents[url] = self._read(url, source)
        return self.documents[url]

    def _read(self, url: str, source: str) -> _Document | None:
        data = self._bytes(url, source)
        if data is None:
            return None
        try:
            root = parse(data)
        except (etree.XMLSyntaxError, ValueError) as wrong:
            self.problems[f"{url} is not well-formed XML: {wrong}"] = None
            return None
        return _read(url, root)

    def _bytes(self, url: str, source: str) -> bytes | None:
        for package in self.packages:
            place = package.place(url)
            if place is not None:
                if place in package.names:
                    return package.read(place)
                if standard(url) is None:
                    where = f" (needed by {source})" if source else ""
                    self.problems[f"the package lacks {url}{where}"] = None
                    return None
        path = standard(url)
        if path is None:
            where = f" (in {source})" if source else ""
            self.problems[f"a link out of the package: {url}{where}"] = None
            return None
        return path.read_bytes()


def standard(url: str) -> Path | None:
    """The file of a standard schema (xbrl.org, w3.org) that comes with the processor."""
    spec = importlib.util.find_spec("arelle")
    parts = urlsplit(url)
    if spec is None or not spec.submodule_search_locations or parts.scheme not in {"http", "https"}:
        return None
    if ".." in parts.path.split("/") or not parts.netloc:
        return None
    cache = Path(spec.submodule_search_locations[0]) / "resources" / "cache"
    for scheme in (parts.scheme, "http", "https"):
        path = cache / scheme / parts.netloc / parts.path.lstrip("/")
        if path.is_file():
            return path
    return None


def _read(url: str, root: etree._Element) -> _Document:
    found = _Document()
    found.prefixes = {p: ns for p, ns in root.nsmap.items() if p}
    links: dict[str, None] = {}
    for element in root.iter(etree.Element):
        for link in _pointers(element, root.tag == f"{_XS}schema"):
            target = urldefrag(urljoin(url, link.strip())).url
            if target and target != url:
                links[target] = None
    found.links = list(links)
    if root.tag == f"{_XS}schema":
        _schema(root, found)
    for arc in root.iter(f"{_LINK}definitionArc", f"{_LINK}calculationArc"):
        name = (arc.get(f"{_XLINK}arcrole") or "").rpartition("/")[2]
        if name in _UNCHECKED and arc.get("use") != "prohibited":
            found.unchecked[name] += 1
    for presentation in root.iter(f"{_LINK}presentationLink"):
        _presentation(url, presentation, found)
    return found


def _pointers(element: etree._Element, in_schema: bool) -> Iterable[str]:
    tag = element.tag
    if in_schema and tag in {f"{_XS}import", f"{_XS}include"}:
        if location := element.get("schemaLocation"):
            yield location
    elif tag in _HREFS and (href := element.get(f"{_XLINK}href")):
        yield href
    if places := element.get(f"{_XSI}schemaLocation"):
        yield from places.split()[1::2]


_UNCHECKED = frozenset(("summation-item", "requires-element", "essence-alias"))
_HREFS = {f"{_LINK}{n}" for n in ("linkbaseRef", "loc", "roleRef", "arcroleRef", "schemaRef")}


def _schema(root: etree._Element, found: _Document) -> None:
    namespace = root.get("targetNamespace") or ""
    for element in root.iterchildren(f"{_XS}element"):
        key = element.get("id") or f"?{element.get('name')}"
        found.elements[key] = {
            "name": f"{{{namespace}}}{element.get('name')}",
            "type": _type_of(element, namespace, found),
            "group": _qualified(element, element.get("substitutionGroup")),
            "abstract": element.get("abstract", "false"),
            "period": element.get(f"{{{_XBRLI}}}periodType", ""),
        }
    for kind in root.iterchildren(f"{_XS}complexType", f"{_XS}simpleType"):
        if kind.get("name"):
            found.types[f"{{{namespace}}}{kind.get('name')}"] = _base_of(kind)


def _type_of(element: etree._Element, namespace: str, found: _Document) -> Name:
    if element.get("type"):
        return _qualified(element, element.get("type"))
    for kind in element.iterchildren(f"{_XS}complexType"):
        name = f"{{{namespace}}}{element.get('name')}#type"
        found.types[name] = _base_of(kind)
        return name
    return ""


def _base_of(kind: etree._Element) -> Name:
    for derived in kind.iter(f"{_XS}restriction", f"{_XS}extension"):
        return _qualified(derived, derived.get("base"))
    return ""


def _qualified(element: etree._Element, text: str | None) -> Name:
    if not text:
        return ""
    prefix, _, local = text.rpartition(":")
    return f"{{{element.nsmap.get(prefix or None, '')}}}{local}"


def _presentation(url: str, link: etree._Element, found: _Document) -> None:
    places = {}
    for loc in link.iterchildren(f"{_LINK}loc"):
        places[loc.get(f"{_XLINK}label")] = urljoin(url, loc.get(f"{_XLINK}href", ""))
    for arc in link.iterchildren(f"{_LINK}presentationArc"):
        if arc.get("use") != "prohibited":
            for end in ("from", "to"):
                found.presented.add(places.get(arc.get(f"{_XLINK}{end}"), ""))


def _kind(element: dict[str, str], types: dict[Name, Name], groups: dict[Name, Name]) -> str:
    """`tuple`, `monetary`, `numeric`, `date`, `formatted`, `enum`, `text`; empty for no concept."""
    group, hops = element["group"], 0
    while group and not group.startswith(f"{{{_XBRLI}}}") and hops < 20:
        if group.startswith("{http://xbrl.org/2005/xbrldt}"):
            return ""
        group, hops = groups.get(group, ""), hops + 1
    if group == f"{{{_XBRLI}}}tuple":
        return "tuple"
    if group != f"{{{_XBRLI}}}item":
        return ""
    kind, hops = element["type"], 0
    while kind and hops < 20:
        local = kind.rpartition("}")[2].removesuffix("ItemType")
        if local == "formattedExplanation":
            return "formatted"
        if local in {"enumeration", "enumerationSet"}:
            return "enum"
        if kind.startswith(f"{{{_XBRLI}}}"):
            if local in {"monetary", "date"}:
                return local
            return "numeric" if local in _NUMERIC else "text"
        kind, hops = types.get(kind, ""), hops + 1
    return "text"
