"""What a taxonomy says about instances of one entry point, and how it is kept as text.

Qualified names are in Clark notation. Types, sets of members and sets of hypercubes are shared
by number: an entry point of thousands of concepts has dozens of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openpoort.checks.index.formulas import Assertion
from openpoort.checks.index.values import Type

VERSION = 2
"""Raised with every change of the compiler or of this form: older files are made again."""


@dataclass(frozen=True, slots=True)
class Item:
    """`unit` is monetary, shares, other, or empty for what is no number."""

    type: Type
    unit: str
    period: str
    nillable: bool
    cubes: int


@dataclass(frozen=True, slots=True)
class Tuple:
    """Its children in their order: name, least and most times. `attributes` it may have."""

    attributes: frozenset[str]
    children: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """Explicit when `element` is empty; else the one element that a typed member holds."""

    default: str = ""
    element: str = ""
    type: Type | None = None


@dataclass(frozen=True, slots=True)
class Cube:
    """One has-hypercube relationship: `place` is segment or scenario; each axis with the number
    of its set of usable members, -1 when typed (Dimensions 1.0 §2.3 to §2.7)."""

    negated: bool
    closed: bool
    place: str
    axes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`declared` are the names of all elements of the taxonomy, also of those not judged here;
    `local` those of them that the processor knows from inside another declaration; `spaces` the
    namespaces of items, in braces.

    `cubes`: for each set, the alternatives (one per base set, one must hold whole). `undecided`
    says why formulas are not judged here; empty when they are.
    """

    entry: str
    items: Mapping[str, Item]
    tuples: Mapping[str, Tuple]
    declared: frozenset[str]
    local: frozenset[str]
    spaces: frozenset[str]
    axes: Mapping[str, Axis]
    cubes: tuple[tuple[tuple[Cube, ...], ...], ...]
    members: tuple[frozenset[str], ...]
    assertions: tuple[Assertion, ...]
    undecided: str


class Damaged(Exception):
    """The text is not what the compiler wrote, or another version of it did."""


def seal(raw: Mapping[str, Any]) -> bytes:
    """One line with the digest of the rest, then JSON."""
    body = json.dumps(raw, separators=(",", ":")).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def unseal(data: bytes, key: str) -> Index:
    """Raises Damaged for what is cut short, changed, of another version or of other packages."""
    digest, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise Damaged("digest")
    raw = json.loads(body)
    if raw.get("key") != key:
        raise Damaged("key")
    return build(raw)


def build(raw: Mapping[str, Any]) -> Index:
    types = [Type(base, facets) for base, facets in raw["types"]]
    return Index(
        raw["entry"],
        {n: Item(types[t], u, p, bool(nil), c) for n, (t, u, p, nil, c) in raw["items"].items()},
        {n: _tuple(*found) for n, found in raw["tuples"].items()},
        frozenset(raw["declared"]),
        frozenset(raw["local"]),
        frozenset(name.partition("}")[0] for name in raw["items"]),
        {
            name: Axis(default, element, None if number is None else types[number])
            for name, (default, element, number) in raw["axes"].items()
        },
        tuple(tuple(tuple(map(_cube, a)) for a in alternatives) for alternatives in raw["cubes"]),
        tuple(frozenset(names) for names in raw["members"]),
        tuple(Assertion.build(a) for a in raw["assertions"]),
        raw["undecided"],
    )


def _tuple(attributes: list[str], children: list[tuple[str, int, int]]) -> Tuple:
    return Tuple(frozenset(attributes), tuple((c, least, most) for c, least, most in children))


def _cube(raw: list[Any]) -> Cube:
    negated, closed, place, axes = raw
    return Cube(bool(negated), bool(closed), place, tuple((n, m) for n, m in axes))
