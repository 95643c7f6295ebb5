"""Long contents set aside: base64 texts that stay slices of the request, outside the tree.

A document of 20 MiB as a text node costs its size again in the tree, in its canonical form and
in the reading of it. Base64 is its own canonical form, so a digest may run over the bytes as
they came in, in memory or on disk. `lift` replaces each long text of an `inhoud` by a short key;
`settle` proves that every key ended up as the whole text of one element; `digest` puts the slices
back in place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lxml import etree

from openpoort.domain.octets import Octets, View, in_pieces, view

Aside = Mapping[str, View]

LONG = 4 * 1024
_OPEN = b"inhoud>"
_HASHES = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
_KEY = b"openpoort/aside/"  # with its number a valid base64Binary, so that the schema is content
_RETURNS = b"r"  # in the key of a content with carriage returns, which a digest leaves out
_MOST = 100_000
"""Texts looked at; what comes after so many stays where it is, whatever it holds."""


def lift(data: Octets) -> tuple[Octets, Aside]:
    """The document with long contents replaced by keys, and the contents by key, in order."""
    if len(data) < LONG:
        return data, {}
    parts: list[bytes] = []
    aside: dict[str, View] = {}
    done = at = looks = 0
    while (at := data.find(_OPEN, at)) >= 0:
        at += len(_OPEN)
        end = data.find(b"<", at)
        looks += 1
        if end < 0 or looks > _MOST:
            break
        if end - at >= LONG:
            content = view(data, at, end)
            returns = _returns(content)
            if returns is not None:
                key = _KEY + (_RETURNS if returns else b"0") + b"%06d/" % len(aside)
                parts += (data[done:at], key)
                aside[key.decode()] = content
                done = end
        at = end  # a text with another `inhoud>` in it has a `>` and is no candidate
    if not aside:
        return data, {}
    parts.append(data[done:])
    short = b"".join(parts)
    return (short, aside) if short.count(_KEY) == len(aside) else (data, {})


def _returns(content: View) -> int | None:
    """How many carriage returns a text has; None if canonical form would change more than them.

    A parser turns CR LF into LF, so a CR is fine as long as its LF follows.
    """
    returns = pairs = 0
    before = b""
    for piece in in_pieces(content):
        if b"&" in piece or b">" in piece:
            return None
        if before == b"\r":
            pairs += piece.startswith(b"\n")
        if b"\r" in piece:  # far quicker than to count none
            returns += piece.count(b"\r")
            pairs += piece.count(b"\r\n")
        before = piece[-1:]
    return returns if returns == pairs else None


def settle(root: etree._Element, aside: Aside) -> bool:
    """True if each key is the whole text of one `inhoud`, in order.

    False when a slice came from inside a comment, a CDATA section or an attribute: then the
    document must be parsed as it is.
    """
    texts = [e.text for e in root.iter("{*}inhoud") if not len(e)]
    return [t for t in texts if t in aside] == list(aside)


def digest(canonical: bytes, aside: Aside, hash_name: str) -> bytes:
    """Digest of a canonical form with the contents put back in the place of their keys."""
    if not aside:
        return _HASHES[hash_name](canonical, usedforsecurity=False).digest()
    state = _HASHES[hash_name](usedforsecurity=False)
    done = 0
    for key, content in aside.items():
        at = canonical.find(key.encode(), done)
        if at >= 0:
            state.update(canonical[done:at])
            returns = key.encode().startswith(_KEY + _RETURNS)
            for piece in in_pieces(content):
                state.update(piece.translate(None, b"\r") if returns else piece)
            done = at + len(key)
    state.update(canonical[done:])
    return state.digest()
