"""Long contents set aside: base64 texts that stay slices of the request, outside the tree.

A document of 20 MiB as a text node costs its size again in the tree, in its canonical form and
in the reading of it. Base64 is its own canonical form, so a digest may run over the bytes as
they came in. `lift` replaces each long text of an `inhoud` by a short key; `settle` proves that
every key ended up as the whole text of one element; `digest` puts the slices back in place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lxml import etree

Aside = Mapping[str, memoryview]

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
_PIECE = 1024 * 1024


def lift(data: bytes) -> tuple[bytes, Aside]:
    """The document with long contents replaced by keys, and the contents by key, in order."""
    if len(data) < LONG:
        return data, {}
    pieces: list[bytes] = []
    aside: dict[str, memoryview] = {}
    view, done, at = memoryview(data), 0, 0
    while (at := data.find(_OPEN, at)) >= 0:
        at += len(_OPEN)
        end = data.find(b"<", at)
        if end - at >= LONG and _its_own_form(data, at, end):
            returns = _RETURNS if data.find(b"\r", at, end) >= 0 else b"0"
            key = _KEY + returns + b"%06d/" % len(aside)
            pieces += (data[done:at], key)
            aside[key.decode()] = view[at:end]
            done = at = end
    if not aside:
        return data, {}
    pieces.append(data[done:])
    short = b"".join(pieces)
    return (short, aside) if short.count(_KEY) == len(aside) else (data, {})


def _its_own_form(data: bytes, at: int, end: int) -> bool:
    """Whether canonical form would leave this text alone but for line ends.

    A parser turns CR LF into LF, so a CR is fine as long as its LF follows.
    """
    if data.find(b"&", at, end) >= 0 or data.find(b">", at, end) >= 0:
        return False
    returns = data.count(b"\r", at, end)
    return not returns or returns == data.count(b"\r\n", at, end)


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
            if key.encode().startswith(_KEY + _RETURNS):
                for begin in range(0, len(content), _PIECE):
                    piece = bytes(content[begin : begin + _PIECE])
                    state.update(piece.translate(None, b"\r"))
            else:
                state.update(content)
            done = at + len(key)
    state.update(canonical[done:])
    return state.digest()
