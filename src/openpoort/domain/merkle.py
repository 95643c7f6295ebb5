"""The Merkle tree of RFC 6962 section 2.1: hashes, inclusion and consistency proofs.

A tree over n leaves is described by its complete subtrees, `Node(level, number)`: level 0 are
the leaf hashes, node (l, k) covers leaves [k * 2**l, (k + 1) * 2**l). Complete subtrees never
change as the tree grows, so the store keeps each once, and every hash of every earlier tree is
folded from at most log2(n) of them. This file says *which* nodes a proof needs; whoever stores
them fetches them (`Nodes`). Verification needs nothing but the proof itself (RFC 9162 2.1.3.2
and 2.1.4.2). No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves."""


class Node(NamedTuple):
    """Name of a complete subtree of 2**level leaves, the `number`th of its level from the left."""

    level: int
    number: int


Nodes = Mapping[Node, bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry; the prefix keeps a leaf from passing for an inner node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


# Growing ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tree:
    """The growing edge: `size` leaves, `edge` the hashes of `subtrees(0, size)`, largest first."""

    size: int
    edge: list[bytes]

    @property
    def root(self) -> bytes:
        return fold(self.edge)

    def append(self, leaves: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
        """Add leaf hashes; yield (level, number, hash) of each node that becomes complete.

        Level 0, the leaves themselves, is not yielded: the caller has them.
        """
        edge = self.edge
        for leaf in leaves:
            edge.append(leaf)
            number, level = self.size, 0
            while number & 1:
                right = edge.pop()
                edge[-1] = node_hash(edge[-1], right)
                number >>= 1
                level += 1
                yield level, number, edge[-1]
            self.size += 1


# Which nodes ------------------------------------------------------------------------------------


def subtrees(start: int, end: int) -> list[Node]:
    """The complete subtrees that make up leaves [start, end), left to right.

    `start` must be aligned as every split of RFC 6962 is: a multiple of the largest power of
    two that fits in the range, which holds for all ranges this file produces.
    """
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(Node(level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash of a range from the hashes of its `subtrees`; EMPTY for none."""
    if not hashes:
        return EMPTY
    whole = hashes[-1]
    for left in reversed(hashes[:-1]):
        whole = node_hash(left, whole)
    return whole


Range = tuple[int, int]


def inclusion_ranges(leaf: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that `leaf` is in the tree of `size`, bottom up."""
    if not 0 <= leaf < size:
        raise ValueError(f"leaf {leaf} is not in a tree of {size}")
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if leaf < split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start = split
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of `old` is a prefix of that of `new`."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is no prefix of a tree of {new}")
    if old in (0, new):
        return []
    path: list[Range] = []
    start, end, whole = 0, new, True
    while end != old:
        split = start + _split(end - start)
        if old <= split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start, whole = split, False
    if not whole:
        path.append((start, end))
    return path[::-1]


def needed(ranges: Iterable[Range]) -> list[Node]:
    """The stored nodes from which the hashes of `ranges` are folded; O(log n) for a proof."""
    return [node for start, end in ranges for node in subtrees(start, end)]


def hashes(ranges: Iterable[Range], nodes: Nodes) -> tuple[bytes, ...]:
    """The proof itself. KeyError when a needed node is missing."""
    return tuple(fold([nodes[node] for node in subtrees(*one)]) for one in ranges)


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (RFC 6962 2.1: k)."""
    return 1 << ((size - 1).bit_length() - 1)


# Verifying --------------------------------------------------------------------------------------


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves leaf hash `leaf` at `index` of the tree with `size` and `root`."""
    if not 0 <= index < size:
        return False
    place, last, whole = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            whole = node_hash(sibling, whole)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            whole = node_hash(whole, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and whole == root


def extends(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the tree (`new`, `new_root`) begins with (`old`, `old_root`)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
