"""One entry point to an index, by the reference processor, in a process of its own.

Started by `shelf.py` as `python -m openpoort.checks.index.compiler KEY ENTRY PACKAGE…`; writes the
sealed index to standard output. Concepts, types and relationships are those that the processor
itself would judge with: its own functions over its own model.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from arelle import ValidateXbrlDimensions as Dimensions
from arelle import XbrlConst
from arelle.ModelDtsObject import ModelConcept
from arelle.XmlValidate import XsdPattern

from openpoort.checks.index.assertions import assertions
from openpoort.checks.index.compiled import seal
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.index.values import BASES, DIGITS, LENGTHS, LEXICAL, NUMBERS, RANGES
from openpoort.checks.xbrl.model import Held

_ITEM_ATTRIBUTES = {"id", "contextRef"}
_ACCURACY = ("decimals", "precision")
"""The processor takes these from the declaration of the type where a fact has none."""
_NUMBER_ATTRIBUTES = _ITEM_ATTRIBUTES | {"unitRef", "decimals", "precision"}
_SPECIAL = (
    XbrlConst.dtrNoDecimalsItemTypes,
    XbrlConst.dtrPrefixedContentItemTypes,
    XbrlConst.dtrSQNameItemTypes,
    XbrlConst.dtrSQNamesItemTypes,
)
_NO_LIMIT = 1_000_000


class _Numbered:
    """Values that many things share, by number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: Any) -> int:
        key = json.dumps(value)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


class Compiler:
    """Reads one held entry point; what it cannot express stays out, so nobody judges by it."""

    def __init__(self, held: Held) -> None:
        self.held, self.model = held, held.model
        self.types, self.cubes, self.members = _Numbered(), _Numbered(), _Numbered()

    def compile(self, key: str) -> dict[str, Any]:
        items, tuples, axes, declared, local = {}, {}, {}, [], []
        for qname, concept in self.model.qnameConcepts.items():
            name = qname.clarkNotation
            declared.append(name)
            if not concept.isGlobalDeclaration:
                local.append(name)
            elif concept.isDimensionItem:
                axis = self._axis(concept)
                if axis is not None:
                    axes[name] = axis
            elif concept.isItem and not concept.isAbstract:
                item = self._item(concept)
                if item is not None:
                    items[name] = item
            elif concept.isTuple and not concept.isAbstract:
                children = _children(concept)
                if children is not None:
                    tuples[name] = [[str(a) for a in concept.type.attributes], children]
        found, why = self._assertions()
        return {
            "key": key,
            "entry": self.held.entry,
            "items": items,
            "tuples": tuples,
            "declared": sorted(declared),
            "local": sorted(local),
            "axes": axes,
            "types": self.types.values,
            "cubes": self.cubes.values,
            "members": self.members.values,
            "assertions": found,
            "undecided": why,
        }

    def _assertions(self) -> tuple[list[dict[str, Any]], str]:
        try:
            return assertions(self.model, self.held.found), ""
        except Undecided as why:
            return [], str(why)

    def _item(self, concept: Any) -> list[Any] | None:
        kind = concept.type
        number = self._type(concept)
        unit = ""
        if concept.isNumeric:
            unit = "monetary" if concept.isMonetary else "shares" if concept.isShares else "other"
        allowed = _NUMBER_ATTRIBUTES if unit else _ITEM_ATTRIBUTES
        required = {"contextRef", "unitRef"} if unit else {"contextRef"}
        if (
            number is None
            or {str(a) for a in kind.attributes} != allowed
            or {str(a) for a in kind.requiredAttributeQnames} != required
            or kind.defaultAttributeQnames
            or any(kind.fixedOrDefaultAttrValue(name) for name in _ACCURACY)
            or concept.periodType not in {"instant", "duration"}
            or any(concept.instanceOfType(names) for names in _SPECIAL)
        ):
            return None
        cubes = self._cubes(concept)
        if cubes is None:
            return None
        return [number, unit, concept.periodType, int(concept.isNillable), cubes]

    def _type(self, concept: Any) -> int | None:
        """None for types that are not judged here, and for elements with a default value."""
        base = concept.baseXsdType
        if concept.isFraction or concept.isEnumeration or base not in BASES:
            return None
        if concept.default is not None or concept.fixed is not None:
            return None
        facets = {}
        for name, value in (concept.facets or {}).items():
            plain = _facet(base, name, value)
            if plain is None:
                return None
            facets[name] = plain
        return self.types.number([base, facets])

    def _axis(self, concept: Any) -> list[Any] | None:
        default = self.model.dimensionDefaultConcepts.get(concept)
        if not concept.isTypedDimension:
            return [default.qname.clarkNotation if default is not None else "", "", None]
        domain = concept.typedDomainElement
        if domain is None or domain.isAbstract or default is not None:
            return None
        if not domain.isGlobalDeclaration:
            return None
        if domain.type is None or domain.type.attributes:
            return None
        number = self._type(domain)
        return None if number is None else ["", domain.qname.clarkNotation, number]

    def _cubes(self, concept: Any) -> int | None:
        """None when one of them has an axis that is not judged here."""
        found = []
        for role, relations in Dimensions.priItemElrHcRels(self.held.validator, concept).items():
            found.append([self._cube(role, relation) for relation in relations])
        return (
            None if any(None in alternative for alternative in found) else self.cubes.number(found)
        )

    def _cube(self, role: str, relation: Any) -> list[Any] | None:
        role = relation.targetRole or role
        axes = []
        arcs = self.model.relationshipSet(XbrlConst.hypercubeDimension, role)
        for arc in arcs.fromModelObject(relation.toModelObject):
            axis = arc.toModelObject
            if not axis.isGlobalDeclaration or self._axis(axis) is None:
                return None
            usable = -1
            if not axis.isTypedDimension:
                usable = self._usable(axis, arc.targetRole or role)
            axes.append([axis.qname.clarkNotation, usable])
        if relation.contextElement not in {"segment", "scenario"}:
            return None
        negated = relation.arcrole == XbrlConst.notAll
        return [int(negated), int(relation.isClosed), relation.contextElement, axes]

    def _usable(self, axis: Any, role: str) -> int:
        validator = self.held.validator
        Dimensions.dimensionMemberUsable(validator, axis, None, role)  # fills the set
        members = validator.dimensionMembersUsable[axis, role]
        return self.members.number(sorted(m.qname.clarkNotation for m in members))


def _facet(base: str, name: str, value: Any) -> Any:
    """The facet as JSON, as the processor would print it; None when it is not judged here."""
    if name == "pattern" and isinstance(value, XsdPattern):
        # Those few the processor matches with an expression of its own.
        return value.xsdPattern if value.pyPattern.pattern == value.xsdPattern + "$" else None
    if name == "enumeration" and base in LEXICAL:
        # Others are compared by value, after what their own type does with white space.
        return list(value) if all(" ".join(text.split()) == text for text in value) else None
    if name in LENGTHS | DIGITS and isinstance(value, int):
        return value
    if name in RANGES and base in NUMBERS and isinstance(value, int | Decimal):
        return str(value)
    return value if name == "whiteSpace" and base in LEXICAL and isinstance(value, str) else None


def _children(concept: Any) -> list[tuple[str, int, int]] | None:
    """Of a tuple whose content is one sequence of elements; None for any other content model."""
    kind = concept.type
    if kind is None or kind.baseXsdType != "noContent" or not _plain_id(kind):
        return None
    found: list[tuple[str, int, int]] = []
    for particle in _flat(kind.particles):
        child = particle.dereference() if isinstance(particle, ModelConcept) else None
        if child is None or not child.isGlobalDeclaration or child.isAbstract:
            return None
        if not (child.isItem or child.isTuple):
            return None
        name, most = child.qname.clarkNotation, particle.maxOccurs
        if any(name == other for other, _, _ in found):
            return None
        found.append((name, int(particle.minOccurs), int(min(most, _NO_LIMIT))))
    return found


def _plain_id(kind: Any) -> bool:
    """No attributes, or an `id` that may be left out."""
    return not kind.requiredAttributeQnames and all(
        str(name) == "id" and attribute.baseXsdType == "ID" and not attribute.facets
        for name, attribute in kind.attributes.items()
    )


def _flat(particles: Iterable[Any]) -> Iterable[Any]:
    """Sequences that occur once are only brackets."""
    for particle in particles:
        once = particle.minOccurs == 1 and particle.maxOccurs == 1
        if type(particle).__name__ == "ModelSequence" and once:
            yield from _flat(particle.particles)
        else:
            yield particle


def main() -> None:
    import resource

    room = 6 * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    key, entry, *packages = sys.argv[1:]
    held = Held([Path(p) for p in packages], entry)
    sys.stdout.buffer.write(b"\n" + seal(Compiler(held).compile(key)))


if __name__ == "__main__":
    main()
