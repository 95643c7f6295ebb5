"""Filings broken in one place each, made from a good one: what real mistakes look like.

Six families: values, contexts, units, dimensions, structure, encoding. The same seed gives the
same mutants, whatever machine. A mutant may still be right: the reference processor decides.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

_XBRLI = "{http://www.xbrl.org/2003/instance}"
_LINK = "{http://www.xbrl.org/2003/linkbase}"
_XBRLDI = "{http://xbrl.org/2006/xbrldi}"
Tree = etree._Element
Change = Callable[[Tree, random.Random], bool]
"""Changes the tree in place; False when there is nothing of the kind to change."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` tells family, change and number."""

    name: str
    content: bytes


def mutants(content: bytes, count: int, seed: int = 1) -> Iterator[Mutant]:
    """`count` different mutants of one instance, spread over all changes in turn; of one that is
    not well-formed, over those of bytes."""
    names = [*_TREE, *_BYTES] if _well_formed(content) else [*_BYTES]
    seen = {content}
    number = made = 0
    while made < count and number < count * 20:
        name = names[number % len(names)]
        chance = random.Random(f"{seed}:{number}")  # noqa: S311  # to repeat, not to hide
        mutated = _mutate(content, name, chance)
        number += 1
        if mutated is not None and mutated not in seen:
            seen.add(mutated)
            made += 1
            yield Mutant(f"{name}-{number:04}", mutated)


def mutant(content: bytes, chance: random.Random) -> bytes:
    """One change, drawn by chance; the same bytes where there is nothing of its kind to change."""
    name = chance.choice([*_TREE, *_BYTES] if _well_formed(content) else [*_BYTES])
    try:
        return _mutate(content, name, chance) or content
    except UnicodeDecodeError:  # to another encoding, from one that is no UTF-8
        return content


def _well_formed(content: bytes) -> bool:
    try:
        etree.fromstring(content)
    except etree.XMLSyntaxError:
        return False
    return True


def _mutate(content: bytes, name: str, chance: random.Random) -> bytes | None:
    if name in _BYTES:
        return _BYTES[name](content, chance)
    root = etree.fromstring(content)
    if not _TREE[name](root, chance):
        return None
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")


def _items(root: Tree) -> list[Tree]:
    return [e for e in root.iter(etree.Element) if e.get("contextRef") is not None]


def _numbers(root: Tree) -> list[Tree]:
    return [e for e in _items(root) if e.get("unitRef") is not None]


def _pick(chance: random.Random, elements: list[Tree]) -> Tree | None:
    return chance.choice(elements) if elements else None


def _set_text(choose: Callable[[Tree], list[Tree]], *texts: str) -> Change:
    def change(root: Tree, chance: random.Random) -> bool:
        element = _pick(chance, choose(root))
        if element is None:
            return False
        element.text = chance.choice(texts)
        return True

    return change


def _set(choose: Callable[[Tree], list[Tree]], attribute: str, *values: str) -> Change:
    def change(root: Tree, chance: random.Random) -> bool:
        element = _pick(chance, choose(root))
        if element is None:
            return False
        element.set(attribute, chance.choice(values))
        return True

    return change


def _unset(choose: Callable[[Tree], list[Tree]], *attributes: str) -> Change:
    def change(root: Tree, chance: random.Random) -> bool:
        element = _pick(chance, choose(root))
        attribute = chance.choice(attributes)
        if element is None or element.get(attribute) is None:
            return False
        del element.attrib[attribute]
        return True

    return change


def _named(*tags: str) -> Callable[[Tree], list[Tree]]:
    return lambda root: list(root.iter(*tags))


def _drop(choose: Callable[[Tree], list[Tree]]) -> Change:
    def change(root: Tree, chance: random.Random) -> bool:
        element = _pick(chance, choose(root))
        parent = element.getparent() if element is not None else None
        if element is None or parent is None:
            return False
        parent.remove(element)
        return True

    return change


def _repeat(choose: Callable[[Tree], list[Tree]]) -> Change:
    def change(root: Tree, chance: random.Random) -> bool:
        element = _pick(chance, choose(root))
        if element is None:
            return False
        copy = etree.fromstring(etree.tostring(element))
        element.addnext(copy)
        return True

    return change


def _shift(root: Tree, chance: random.Random) -> bool:
    """Another amount: what formulas are for."""
    element = _pick(chance, _numbers(root))
    if element is None or not re.fullmatch(r"-?[0-9]+", (element.text or "").strip()):
        return False
    element.text = str(int(element.text or "0") + chance.choice((-1, 1, 1000, -100000)))
    return True


def _rename(root: Tree, chance: random.Random) -> bool:
    element = _pick(chance, _items(root))
    if element is None:
        return False
    name = etree.QName(element)
    element.tag = f"{{{name.namespace}}}{name.localname}{chance.choice('XYZ')}"
    return True


def _swap_names(root: Tree, chance: random.Random) -> bool:
    one, other = _pick(chance, _items(root)), _pick(chance, _items(root))
    if one is None or other is None or one.tag == other.tag:
        return False
    one.tag, other.tag = other.tag, one.tag
    return True


def _move(root: Tree, chance: random.Random) -> bool:
    """An item inside another, or a context after the facts."""
    one, other = _pick(chance, list(root)), _pick(chance, list(root))
    if one is None or other is None or one is other:
        return False
    if chance.random() < 0.5:
        other.append(one)
    else:
        other.addnext(one)
    return True


def _swap_contexts(root: Tree, chance: random.Random) -> bool:
    one, other = _pick(chance, _items(root)), _pick(chance, _items(root))
    if one is None or other is None or one.get("contextRef") == other.get("contextRef"):
        return False
    first, second = one.get("contextRef", ""), other.get("contextRef", "")
    one.set("contextRef", second)
    other.set("contextRef", first)
    return True


def _to_segment(root: Tree, chance: random.Random) -> bool:
    """Dimensions in the other place of the context."""
    scenario = _pick(chance, _named(f"{_XBRLI}scenario")(root))
    if scenario is None:
        return False
    context = scenario.getparent()
    entity = context.find(f"{_XBRLI}entity") if context is not None else None
    if entity is None:
        return False
    scenario.tag = f"{_XBRLI}segment"
    entity.append(scenario)
    return True


def _add_scenario(root: Tree, chance: random.Random) -> bool:
    context = _pick(chance, _named(f"{_XBRLI}context")(root))
    if context is None:
        return False
    scenario = etree.SubElement(context, f"{_XBRLI}scenario")
    prefix = next((p for p in root.nsmap if p and p.endswith("-i")), "xbrli")
    member = etree.SubElement(scenario, f"{_XBRLDI}explicitMember")
    member.set("dimension", f"{prefix}:{chance.choice(['Weg', 'Assets', 'Table'])}")
    member.text = f"{prefix}:Weg"
    return True


_IDENTIFIER, _MEASURE = _named(f"{_XBRLI}identifier"), _named(f"{_XBRLI}measure")
_DATES = _named(f"{_XBRLI}startDate", f"{_XBRLI}endDate", f"{_XBRLI}instant")
_CONTEXTS, _UNITS = _named(f"{_XBRLI}context"), _named(f"{_XBRLI}unit")
_MEMBERS = _named(f"{_XBRLDI}explicitMember", f"{_XBRLDI}typedMember")
_EXPLICIT = _named(f"{_XBRLDI}explicitMember")

_TREE: dict[str, Change] = {
    "value-shift": _shift,
    "value-number": _set_text(
        _numbers, "", "abc", "1e5", "1.5", " 7 ", "-0", "INF", "99999999999999999999999", "1,5"
    ),
    "value-text": _set_text(_items, "", " ", "x" * 300, "2026-02-30", "Ja", "<b>", "\u20ac"),
    "value-drop": _drop(_items),
    "value-repeat": _repeat(_items),
    "value-shift-2": _shift,
    "value-nil": _set(_items, "{http://www.w3.org/2001/XMLSchema-instance}nil", "true", "false"),
    "value-decimals": _set(_numbers, "decimals", "2", "-3", "x", "", "1.5", "INF"),
    "value-no-decimals": _unset(_numbers, "decimals"),
    "value-precision": _set(_numbers, "precision", "4", "INF", "0"),
    "context-drop": _drop(_CONTEXTS),
    "context-repeat": _repeat(_CONTEXTS),
    "context-ref": _set(_items, "contextRef", "Weg", "", "EUR", " Msg"),
    "context-no-ref": _unset(_items, "contextRef"),
    "context-id": _set(_CONTEXTS, "id", "1x", "Nieuw", "a b"),
    "context-date": _set_text(
        _DATES, "2026-13-01", "2026-02-30", "", "1999-01-01", "2026-01-01T12:00:00", "9999-12-31"
    ),
    "context-drop-date": _drop(_DATES),
    "context-swap": _swap_contexts,
    "context-scheme": _set(_IDENTIFIER, "scheme", "", "urn:x", "not a uri \u00e9"),
    "context-identifier": _set_text(_IDENTIFIER, "", "123", " 001000044B37 "),
    "unit-drop": _drop(_UNITS),
    "unit-repeat": _repeat(_UNITS),
    "unit-ref": _set(_items, "unitRef", "Weg", "EUR", "", "Msg"),
    "unit-no-ref": _unset(_numbers, "unitRef"),
    "unit-measure": _set_text(
        _MEASURE, "iso4217:USD", "iso4217:XYZ", "xbrli:pure", "xbrli:shares", "weg:EUR", "EUR", ""
    ),
    "unit-two": _repeat(_MEASURE),
    "dimension-member": _set_text(_EXPLICIT, "ob-i:FR", "jr-i:Fiscal", "weg:Weg", "", "Assets"),
    "dimension-axis": _set(
        _MEMBERS, "dimension", "ob-i:CountryCodeDimension", "jr-i:Assets", "weg:Weg", ""
    ),
    "dimension-drop": _drop(_MEMBERS),
    "dimension-repeat": _repeat(_MEMBERS),
    "dimension-segment": _to_segment,
    "dimension-add": _add_scenario,
    "structure-rename": _rename,
    "structure-swap": _swap_names,
    "structure-move": _move,
    "structure-root": _set(lambda root: [root], "onbekend", "1"),
    "structure-schemaref": _repeat(_named(f"{_LINK}schemaRef")),
    "structure-id": _set(_items, "id", "f1", "1f", "Msg"),
}


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) // 2, len(content) - 1)]


def _replace(old: bytes, *new: bytes) -> Callable[[bytes, random.Random], bytes | None]:
    def change(content: bytes, chance: random.Random) -> bytes | None:
        places = [m.start() for m in re.finditer(re.escape(old), content)]
        if not places:
            return None
        place = chance.choice(places)
        return content[:place] + chance.choice(new) + content[place + len(old) :]

    return change


_BYTES: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "encoding-mark": lambda content, _: b"\xef\xbb\xbf" + content,
    "encoding-latin": _replace(b"e", b"\xe9"),
    "encoding-declared": lambda content, _: content.replace(b"UTF-8", b"ISO-8859-1", 1),
    "encoding-utf16": lambda content, _: content.decode().encode("utf-16"),
    "encoding-reference": _replace(b"a", b"&#1080;", b"&#x41;"),
    "encoding-control": _replace(b"a", b"\x01", b"&#0;"),
    "structure-cut": _cut,
    "structure-tag": _replace(b"</", b"<", b"< /"),
    "structure-quote": _replace(b'"', b"", b"'"),
    "structure-entity": _replace(b"a", b"&weg;", b"&"),
}
