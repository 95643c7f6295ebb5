"""Taxonomies that nobody wrote: drawn by chance, small, full of what published ones rarely have.

Every item type of XBRL 2.1 with facets, values by default, attributes with defaults, substitution
groups, tuples with required ids and elements of their own, axes with and without default, typed
axes of any type, hypercubes and assertions over all of these. The same seed gives the same one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from xml.sax.saxutils import quoteattr

from openpoort.checks.index.values import INTEGERS
from openpoort_lab.cases.bundle import abstract, bundle
from openpoort_lab.cases.lexical import FORMS, RANGED, Facets, facets, likely

_BASES: Mapping[str, str] = {
    **{name: name for name in FORMS if name != "fraction"},
    **dict.fromkeys(("monetary", "shares", "pure"), "decimal"),
}
"""Item types of XBRL 2.1 by their first part, with the type of XML Schema under them."""
_USUAL = ("string", "monetary", "decimal", "integer", "token", "date", "boolean", "anyURI", "pure")
RARE = frozenset(FORMS) - {*_USUAL, "normalizedString", "dateTime", *INTEGERS}
_NUMBERS = frozenset(("decimal", "float", "double", "monetary", "shares", "pure", *INTEGERS))
_ATTRIBUTES = (
    '<xs:attribute name="decimals" type="xbrli:decimalsType" default="2"/>',
    '<xs:attribute name="decimals" type="xbrli:decimalsType" fixed="0"/>',
    '<xs:attribute name="precision" type="xbrli:precisionType" default="4"/>',
    '<xs:attribute name="decimals" type="xbrli:decimalsType" use="required"/>',
    '<xs:attribute name="precision" type="xbrli:precisionType" use="prohibited"/>',
)
_IDS = (
    "",
    "",
    "type=xs:ID",
    "type=xs:ID",
    "type=xs:ID use=required",
    "type=xs:token",
    "type=xs:int",
)


@dataclass(frozen=True, slots=True)
class Item:
    """`kind` is the first part of its item type, `base` the built-in type; `rare` when its
    declaration has more than a type and facets."""

    name: str
    kind: str
    base: str
    facets: Facets
    period: str
    rare: bool = False

    @property
    def number(self) -> bool:
        return self.kind in _NUMBERS


@dataclass(frozen=True, slots=True)
class Axis:
    """Explicit with `members`, or typed by an element of this type."""

    name: str
    members: tuple[str, ...] = ()
    element: str = ""
    base: str = ""
    facets: Facets = ()
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """`tuples`: children with the least and the most times that each may stand there, `rare` those
    with more than that. `local`: names that are only declared inside a tuple. `variables`: the
    concepts of each assertion."""

    package: bytes
    items: Mapping[str, Item]
    tuples: Mapping[str, tuple[tuple[str, int, int], ...]]
    axes: tuple[Axis, ...]
    local: tuple[str, ...]
    rare: frozenset[str]
    variables: tuple[tuple[str, ...], ...]


def drawn(seed: str) -> Drawn:
    return _Drawer(random.Random(seed)).draw()  # noqa: S311  # to repeat, not to hide


class _Drawer:
    def __init__(self, chance: random.Random) -> None:
        self.chance, self.xml = chance, [abstract("Kop", "xbrli:item")]
        self.items: dict[str, Item] = {}
        self.tuples: dict[str, tuple[tuple[str, int, int], ...]] = {}
        self.local: list[str] = []
        self.rare: set[str] = set()
        self.inside = False

    def draw(self) -> Drawn:
        for number in range(14):
            self._item(f"I{number}")
        for number in range(4):
            self._tuple(f"T{number}")
        axes = tuple(self._axes())
        roles = dict(self._roles(axes))
        assertions = list(self._assertions())
        if self.inside and self._likes(0.9):  # with these the index judges no formula
            assertions = []
        names = [*self.items, *self.tuples]
        package = bundle("".join(self.xml), roles, names, assertions)
        variables = tuple(tuple(v.rstrip("?") for v in a[2].values()) for a in assertions)
        rare = frozenset(t for t in self.tuples if t in self.rare or self._rare_inside(t))
        return Drawn(package, self.items, self.tuples, axes, tuple(self.local), rare, variables)

    def _rare_inside(self, name: str) -> bool:
        children = [child for child, _, _ in self.tuples[name]]
        return any(c in self.rare or (c in self.items and self.items[c].rare) for c in children)

    def _likes(self, share: float) -> bool:
        return self.chance.random() < share

    def _item(self, name: str) -> None:
        chance = self.chance
        kind = chance.choice(_USUAL if self._likes(0.5) else sorted(_BASES))
        base = _BASES[kind]
        limits = facets(base, chance) if self._likes(0.7) else ()
        attributes = ""
        if kind in _NUMBERS and self._likes(0.2):
            attributes = chance.choice(_ATTRIBUTES)
        elif self._likes(0.06):
            attributes = '<xs:attribute name="id" type="xs:ID" use="required"/>'
        told = f"xbrli:{kind}ItemType"
        if limits or attributes:
            self.xml.append(_restriction(f"t{name}", told, limits, attributes))
            told = f"t:t{name}"
        group = "xbrli:item"
        if self.items and self._likes(0.1):
            other = chance.choice(list(self.items.values()))
            if other.kind == kind:
                group = f"t:{other.name}"
        value = ""
        if self._likes(0.12):
            value = (
                f" {chance.choice(('default', 'fixed'))}={quoteattr(likely(base, limits, chance))}"
            )
        period = "instant" if self._likes(0.2) else "duration"
        nillable = chance.choice(("true", "true", "false"))
        self.xml.append(
            f'<xs:element id="p_{name}" name="{name}" type="{told}" substitutionGroup="{group}"'
            f' nillable="{nillable}" xbrli:periodType="{period}"{value}/>'
        )
        rare = bool(value or attributes) or base in RARE or _unread(base, limits)
        self.items[name] = Item(name, kind, base, limits, period, rare)

    def _tuple(self, name: str) -> None:
        chance = self.chance
        children = chance.sample(sorted(self.items), 3)
        if self.tuples and self._likes(0.4):
            children.append(chance.choice(sorted(self.tuples)))
        told = []
        for child in children:
            least = chance.choice((0, 0, 1))
            told.append((child, least, chance.choice((1, 1, 2, 3))))
        body = "".join(
            f'<xs:element ref="t:{child}" minOccurs="{least}" maxOccurs="{most}"/>'
            for child, least, most in told
        )
        if self._likes(0.2):
            body = f"<xs:sequence>{body}</xs:sequence>"
        if self._likes(0.04):
            local = chance.choice((f"L{name}", f"L{name}", "I13"))
            kind = chance.choice(("string", "monetary", "boolean"))
            body += f'<xs:element name="{local}" type="xbrli:{kind}ItemType" minOccurs="0"/>'
            self.inside = True
            if local in self.items:  # which of the two is meant is the processor's to say
                self.items[local] = replace(self.items[local], rare=True)
            else:
                self.local.append(local)
                self.rare.add(name)
                told.append((local, 0, 1))
        compositor = chance.choice(("sequence",) * 6 + ("choice",))
        attributes = chance.choice(_IDS)
        if (
            compositor == "choice"
            or "required" in attributes
            or "xs:ID" not in (attributes or "xs:ID")
        ):
            self.rare.add(name)
        if attributes:
            parts = (part.partition("=") for part in attributes.split())
            attributes = "".join(f' {key}="{value}"' for key, _, value in parts)
            attributes = f'<xs:attribute name="id"{attributes}/>'
        self.xml.append(
            f'<xs:element id="p_{name}" name="{name}" substitutionGroup="xbrli:tuple"'
            f' nillable="true"><xs:complexType><xs:complexContent>'
            f'<xs:restriction base="xs:anyType"><xs:{compositor}>{body}</xs:{compositor}>'
            f"{attributes}</xs:restriction></xs:complexContent></xs:complexType></xs:element>"
        )
        self.tuples[name] = tuple(told)

    def _axes(self) -> Iterator[Axis]:
        members = ("M0", "M1", "M2", "M3", "Std")
        self.xml += [abstract(member, "xbrli:item") for member in members]
        for name in ("A", "B", "C"):
            self.xml.append(abstract(name, "xbrldt:dimensionItem"))
            yield Axis(name, members)
        for name in ("N", "O"):
            base = self.chance.choice(("string", "token", "date", "integer", "anyURI", "decimal"))
            limits = facets(base, self.chance)
            inside = "".join(f"<xs:{key} value={quoteattr(value)}/>" for key, value in limits)
            value = ""
            if self._likes(0.15):
                value = f" default={quoteattr(likely(base, limits, self.chance))}"
            self.xml.append(
                f'<xs:element id="p_V{name}" name="V{name}" nillable="true"{value}><xs:simpleType>'
                f'<xs:restriction base="xs:{base}">{inside}</xs:restriction></xs:simpleType>'
                "</xs:element>"
            )
            typed = f' xbrldt:typedDomainRef="#p_V{name}"'
            self.xml.append(abstract(name, "xbrldt:dimensionItem", typed))
            rare = bool(value) or base not in _LISTED or "pattern" in dict(limits)
            yield Axis(name, (), f"V{name}", base, limits, rare)

    def _roles(self, axes: tuple[Axis, ...]) -> Iterator[tuple[str, tuple[tuple[str, ...], ...]]]:
        """Domains of the axes, some with a default, and hypercubes over some items."""
        chance = self.chance
        arcs: list[tuple[str, ...]] = []
        for axis in axes[:3]:
            arcs.append(("dimension-domain", axis.name, "M0", chance.choice(("", _UNUSABLE))))
        defaults = tuple(
            ("dimension-default", a.name, "Std", "") for a in axes[:3] if self._likes(0.5)
        )
        if self._likes(0.02):
            arcs += [
                ("dimension-domain", "A", "Std", ""),
                ("domain-member", "Std", "M0", ""),
            ]  # a cycle
        arcs += [("domain-member", start, end, "") for start, end in _TREE]
        yield "leden", tuple(arcs)
        if defaults:
            yield "standaard", defaults
        for number, item in enumerate(chance.sample(sorted(self.items), 3)):
            cube = f"K{number}"
            self.xml.append(abstract(cube, "xbrldt:hypercubeItem"))
            more = f' xbrldt:contextElement="{chance.choice(("scenario", "scenario", "segment"))}"'
            more += chance.choice(("", ' xbrldt:closed="true"'))
            kind = chance.choice(("all", "all", "all", "notAll"))
            found = [(kind, item, cube, more)]
            several = chance.sample(axes, chance.choice((1, 1, 2)))
            if any(axis.rare for axis in several):
                self.items[item] = replace(self.items[item], rare=True)
            for axis in several:
                found.append(("hypercube-dimension", cube, axis.name, _LEDEN))
            yield f"rol{number}", tuple(found)

    def _assertions(self) -> Iterator[tuple[str, str, Mapping[str, str]]]:
        """Value assertions over one to three numbers, and existence assertions."""
        chance = self.chance
        numbers = [i.name for i in self.items.values() if i.number and i.base in _EXACT]
        numbers = [n for n in numbers if not self.items[n].rare] or numbers
        for number in range(chance.choice((0, 1, 2, 2))):
            names = chance.sample(numbers, min(len(numbers), chance.choice((1, 2, 2, 3))))
            if not names:
                return
            variables = {}
            for letter, name in zip("abc", names, strict=False):
                variables[letter] = name + ("?" if self._likes(0.4) else "")
            yield f"waarde-{number}", self._test(list(variables)), variables
        if self._likes(0.3):
            test = chance.choice(("", ". le 1", ". eq 2", ". gt 0 and . lt 3"))
            yield "bestaan", test, {"feit": chance.choice(sorted(self.items))}

    def _test(self, names: list[str]) -> str:
        chance = self.chance
        left, *others = (f"${name}" for name in names)
        others = others or [chance.choice(("0", "1", "100", "1.5"))]
        right = chance.choice((" + ", " - ", " * ")).join(others)
        sign = chance.choice(("eq", "=", "le", "ge", "lt", "gt", "ne", "!="))
        test = f"{left} {sign} {right}"
        if self._likes(0.3):
            test = f"abs({left} - ({right})) {sign} {chance.choice(('1', '0.5', '10'))}"
        if self._likes(0.2):
            test += f" {chance.choice(('and', 'or'))} {left} ge -5"
        return test


_EXACT = frozenset(("decimal", *INTEGERS))
_LISTED = frozenset(("string", "normalizedString", "token"))
_TREE = (("M0", "M1"), ("M1", "M2"), ("M0", "Std"))
_UNUSABLE = ' xbrldt:usable="false"'
_LEDEN = ' xbrldt:targetRole="http://taxonomie.openpoort.example/proef/20260101/role/leden"'


def _unread(base: str, limits: Facets) -> bool:
    """True for facets that the index leaves to the processor."""
    listed = base not in _LISTED and any(key == "enumeration" for key, _ in limits)
    hard = any(value[:2] in {"\\i", "\\w", "\\p", "(a"} for _, value in limits)
    return listed or hard or (base in RANGED and bool(limits))


def _restriction(name: str, base: str, limits: Facets, attributes: str) -> str:
    inside = "".join(f"<xs:{key} value={quoteattr(value)}/>" for key, value in limits)
    return (
        f'<xs:complexType name="{name}"><xs:simpleContent><xs:restriction base="{base}">'
        f"{inside}{attributes}</xs:restriction></xs:simpleContent></xs:complexType>"
    )
