"""The Merkle tree against RFC 6962's own recursive definitions, and against forged proofs."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpoort.domain import merkle
from openpoort.domain.merkle import Node, Tree

SIZES = st.integers(1, 70)


def rfc_root(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + rfc_root(leaves[:k]) + rfc_root(leaves[k:])).digest()


def rfc_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*rfc_path(m, leaves[:k]), rfc_root(leaves[k:])]
    return [*rfc_path(m - k, leaves[k:]), rfc_root(leaves[:k])]


def rfc_proof(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b) word for word."""
    n = len(leaves)
    if m == n:
        return [] if whole else [rfc_root(leaves)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*rfc_proof(m, leaves[:k], whole), rfc_root(leaves[k:])]
    return [*rfc_proof(m - k, leaves[k:], False), rfc_root(leaves[:k])]


def entries(size: int) -> list[bytes]:
    return [b"entry %d" % n for n in range(size)]


def grown(size: int) -> tuple[Tree, dict[Node, bytes]]:
    tree, leaves = Tree(0, []), [merkle.leaf_hash(e) for e in entries(size)]
    nodes = {Node(level, number): digest for level, number, digest in tree.append(leaves)}
    nodes |= {Node(0, n): leaf for n, leaf in enumerate(leaves)}
    return tree, nodes


def test_known_roots_of_the_certificate_transparency_test_vectors() -> None:
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    data.append("606162636465666768696a6b6c6d6e6f")
    tree = Tree(0, [])
    list(tree.append(merkle.leaf_hash(bytes.fromhex(d)) for d in data))
    assert tree.root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(SIZES)
def test_grown_tree_has_the_root_of_the_rfc(size: int) -> None:
    assert grown(size)[0].root == rfc_root(entries(size))


@given(SIZES, st.data())
def test_growing_in_two_parts_gives_the_same_tree(size: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, size))
    leaves = [merkle.leaf_hash(e) for e in entries(size)]
    first = Tree(0, [])
    nodes = {Node(lv, n): h for lv, n, h in first.append(leaves[:cut])}
    nodes |= {Node(0, n): h for n, h in enumerate(leaves)}
    resumed = Tree(cut, [nodes[node] for node in merkle.subtrees(0, cut)])
    list(resumed.append(leaves[cut:]))
    assert resumed.root == rfc_root(entries(size))


@given(SIZES, st.data())
def test_inclusion_proof_is_the_rfc_path_and_verifies(size: int, data: st.DataObject) -> None:
    leaf = data.draw(st.integers(0, size - 1))
    tree, nodes = grown(size)
    ranges = merkle.inclusion_ranges(leaf, size)
    path = merkle.hashes(ranges, nodes)
    assert list(path) == rfc_path(leaf, entries(size))
    assert merkle.includes(nodes[Node(0, leaf)], leaf, size, path, tree.root)
    assert len(merkle.needed(ranges)) <= 2 * size.bit_length()


@given(SIZES, st.data())
def test_consistency_proof_is_the_rfc_proof_and_verifies(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    tree, nodes = grown(size)
    path = merkle.hashes(merkle.consistency_ranges(old, size), nodes)
    assert list(path) == rfc_proof(old, entries(size))
    assert merkle.extends(old, size, rfc_root(entries(old)), tree.root, path)


@settings(max_examples=200)
@given(SIZES, st.data())
def test_forged_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    leaf = data.draw(st.integers(0, size - 1))
    tree, nodes = grown(size)
    path = list(merkle.hashes(merkle.inclusion_ranges(leaf, size), nodes))
    other = data.draw(st.integers(0, size + 3).filter(lambda n: n != leaf))
    mine = nodes[Node(0, leaf)]
    assert not merkle.includes(mine, other, size, path, tree.root)
    assert not merkle.includes(mine, leaf, size, [*path, mine], tree.root)
    assert not merkle.includes(bytes(32), leaf, size, path, tree.root)
    for place in range(len(path)):
        assert not merkle.includes(mine, leaf, size, path[:place] + path[place + 1 :], tree.root)
        forged = [*path[:place], bytes(32), *path[place + 1 :]]
        assert not merkle.includes(mine, leaf, size, forged, tree.root)


@settings(max_examples=200)
@given(SIZES, st.data())
def test_forged_consistency_proof_fails(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    tree, nodes = grown(size)
    path = list(merkle.hashes(merkle.consistency_ranges(old, size), nodes))
    old_root = rfc_root(entries(old))
    assert not merkle.extends(old, size, bytes(32), tree.root, path)
    assert not merkle.extends(old, size, old_root, bytes(32), path)
    assert not merkle.extends(old, size, old_root, tree.root, [*path, old_root])
    for place in range(len(path)):
        forged = [*path[:place], bytes(32), *path[place + 1 :]]
        assert not merkle.extends(old, size, old_root, tree.root, forged)
        cut = path[:place] + path[place + 1 :]
        assert not merkle.extends(old, size, old_root, tree.root, cut)


def test_the_empty_tree_is_a_prefix_of_every_tree_and_has_no_leaf() -> None:
    tree, _ = grown(5)
    assert merkle.consistency_ranges(0, 5) == []
    assert merkle.extends(0, 5, merkle.EMPTY, tree.root, [])
    assert not merkle.includes(merkle.leaf_hash(b""), 0, 0, [], merkle.EMPTY)
    assert not merkle.extends(6, 5, tree.root, tree.root, [])


@pytest.mark.parametrize("leaf", [-1, 5, 6])
def test_proof_for_a_leaf_outside_the_tree_is_refused(leaf: int) -> None:
    with pytest.raises(ValueError):
        merkle.inclusion_ranges(leaf, 5)


def test_consistency_with_a_larger_old_tree_is_refused() -> None:
    with pytest.raises(ValueError):
        merkle.consistency_ranges(6, 5)
