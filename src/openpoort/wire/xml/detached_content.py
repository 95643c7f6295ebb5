"""Long contents set aside: base64 texts that stay slices of the request, outside the tree.

A document of 20 MiB as a text node costs its size again in the tree, in its canonical form and
in the reading of it. Base64 is its own canonical form, so a digest may run over the bytes as
they came in, in memory or on disk. `lift` cuts the long text out of each `inhoud` and leaves
nothing in its place; `settle` finds the element that each was cut from; `digest` runs over a
canonical form with the slices back inside their elements.

An element is known by its number in document order, never by a text (`tags`): what a sender
writes has no say in what is digested where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lxml import etree

from openpoort.domain.fault import Refusal
from openpoort.domain.octets import Octets, View, in_pieces, view
from openpoort.wire.xml import tags

Aside = Mapping[etree._Element, View]
"""Contents by the element they are the whole text of; the tree has that element empty."""
Cuts = Mapping[int, View]
"""Contents by the place in the shortened document that they were cut from."""

LONG = 4 * 1024
_OPEN = b"inhoud>"
_HASHES = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
_MOST = 100_000
"""Texts looked at; what comes after so many stays where it is, whatever it holds."""

_FEW_TAGS = 4_000
_SPARSE = 100
"""To count tags costs more than to parse them, so that a content in a flood of them stays in the
tree: more `<` than a few, and more than one in so many octets of the message."""


def lift(data: Octets) -> tuple[Octets, Cuts]:
    """The document without its long contents, and those by the place where each stood."""
    if len(data) < LONG:
        return data, {}
    parts: list[bytes] = []
    cuts: dict[int, View] = {}
    done = at = looks = size = 0
    while (at := data.find(_OPEN, at)) >= 0:
        at += len(_OPEN)
        end = data.find(b"<", at)
        looks += 1
        if end < 0 or looks > _MOST:
            break
        if end - at >= LONG:
            content = view(data, at, end)
            if _as_canonical(content):
                parts.append(data[done:at])
                size += at - done
                cuts[size] = content
                done = end
        at = end  # a text with another `inhoud>` in it has a `>` and is no candidate
    if not cuts:
        return data, {}
    parts.append(data[done:])
    short = b"".join(parts)
    flood = short.count(b"<") > max(_FEW_TAGS, len(data) // _SPARSE)
    return (data, {}) if flood else (short, cuts)


def _as_canonical(content: View) -> bool:
    """False if canonical form would change more of a text than its carriage returns.

    A parser turns CR LF into LF, so a CR is fine as long as its LF follows.
    """
    returns = pairs = 0
    before = b""
    for piece in in_pieces(content):
        if b"&" in piece or b">" in piece:
            return False
        if before == b"\r":
            pairs += piece.startswith(b"\n")
        if b"\r" in piece:  # far quicker than to count none
            returns += piece.count(b"\r")
            pairs += piece.count(b"\r\n")
        before = piece[-1:]
    return returns == pairs


def settle(short: bytes, root: etree._Element, cuts: Cuts) -> Aside | None:
    """The contents by element; None unless each was the whole text of an `inhoud`.

    `root` is the tree of `short`. None when a slice came from a comment, a CDATA section, an
    attribute or a longer text: then the document must be parsed as it is.
    """
    elements = list(root.iter("*"))
    where = {number: end for number, end in enumerate(tags.ends(short)) if end in cuts}
    aside = {elements[number]: cuts[end] for number, end in where.items()}
    whole = all(
        element.text is None and not len(element) and etree.QName(element).localname == "inhoud"
        for element in aside
    )
    return aside if whole and len(aside) == len(cuts) else None


def digest(part: etree._Element, canonical: bytes, aside: Aside, hash_name: str) -> bytes:
    """Digest of the canonical form of `part` with every content back inside its element.

    Refusal if one of them stands outside `part`.
    """
    if not aside:
        return _HASHES[hash_name](canonical, usedforsecurity=False).digest()
    places = tags.places(canonical, part, aside)
    if len(places) != len(aside):
        raise Refusal("a long content outside the signed part")
    state = _HASHES[hash_name](usedforsecurity=False)
    done = 0
    for at, content in places.items():
        state.update(canonical[done:at])
        for piece in in_pieces(content):
            state.update(piece.translate(None, b"\r") if b"\r" in piece else piece)
        done = at
    state.update(canonical[done:])
    return state.digest()
