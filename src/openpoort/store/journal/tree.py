"""Reading the stored tree: node hashes, roots and proofs, in O(log n) rows.

Level 0 stands in `journal_leaf`, the complete subtrees above it in `journal_node`; every root
and proof is folded from those (`domain/merkle.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from openpoort.domain import merkle
from openpoort.domain.merkle import Node, Range

_NODES = """
select n.level, n.number, coalesce(t.hash, l.hash)
from unnest(%b::int[], %b::bigint[]) as n(level, number)
left join journal_node t on t.level = n.level and t.number = n.number
left join journal_leaf l on n.level = 0 and l.leaf = n.number
"""

Connection = psycopg.Connection[Any]


class JournalBroken(Exception):
    """The stored tree contradicts what was signed before: never sign over it. Says where."""


class MissingNode(JournalBroken):
    """The stored tree lacks a node it should have."""


def hashes(conn: Connection, ranges: Sequence[Range]) -> tuple[bytes, ...]:
    """The hash of each range of leaves, in one query. Raises MissingNode."""
    wanted = merkle.needed(ranges)
    levels, numbers = [n.level for n in wanted], [n.number for n in wanted]
    found = {}
    for level, number, digest in conn.execute(_NODES, (levels, numbers)):
        if digest is None:
            raise MissingNode(f"node {number} of level {level} is missing")
        found[Node(level, number)] = digest
    return merkle.hashes(ranges, found)


def root(conn: Connection, size: int) -> bytes:
    """Root of the first `size` entries."""
    return hashes(conn, [(0, size)])[0]


def edge(conn: Connection, size: int) -> merkle.Tree:
    """The growing edge of the tree at `size`, ready to append to."""
    ranges = [(n.number << n.level, (n.number + 1) << n.level) for n in merkle.subtrees(0, size)]
    return merkle.Tree(size, list(hashes(conn, ranges)))


def inclusion(conn: Connection, leaf: int, size: int) -> tuple[bytes, ...]:
    """Audit path of `leaf` in the tree of `size`, bottom up."""
    return hashes(conn, merkle.inclusion_ranges(leaf, size))


def consistency(conn: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """Proof that the tree of `old` is a prefix of the tree of `new`."""
    return hashes(conn, merkle.consistency_ranges(old, new))
