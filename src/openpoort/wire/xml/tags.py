"""Start tags of a text, counted: the bridge between an element of a tree and its place in octets.

Whoever wants to put octets back into a text must know where, and may not ask the text: what a
sender can write, he can write somewhere else too. The number of an element in document order is
nobody's to choose. It is the same in a text and in its tree, because in well-formed XML without
a DTD a `<` outside comments, CDATA sections and processing instructions is always a tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from lxml import etree

_Content = TypeVar("_Content")
_MARKUP = re.compile(
    rb"""<(?:([^!?/][^"'>]*+(?:"[^"]*+"[^"'>]*+|'[^']*+'[^"'>]*+)*+>)"""
    rb"""|!--.*?-->|!\[CDATA\[.*?\]\]>|\?.*?\?>)""",
    re.DOTALL,
)


def ends(text: bytes) -> list[int]:
    """Where each start tag ends, in document order.

    `text` has been parsed before, or a parser wrote it: well-formed and without a DTD.
    """
    return [markup.end() for markup in _MARKUP.finditer(text) if markup.lastindex]


def places(
    text: bytes, element: etree._Element, contents: Mapping[etree._Element, _Content]
) -> dict[int, _Content]:
    """Where in `text`, which is `element` written out, the text of each of these begins.

    Those outside `element` have no place. RuntimeError if the text is of another tree.
    """
    inside, found = list(element.iter("*")), ends(text)
    if len(inside) != len(found):
        raise RuntimeError("a tree and its text have different elements")
    return {found[n]: contents[e] for n, e in enumerate(inside) if e in contents}
