"""What an element holds, read in one way: its child elements, its text, and what to call it.

Comments and processing instructions between elements are as if they were not there.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.wire.names import BLANKS


def children(element: etree._Element) -> Iterator[etree._Element]:
    """Child elements, as if no comment or instruction stood between them; Fault if text does."""
    if element.text and element.text.strip(BLANKS):
        raise Fault(f"In {name(element)} staat tekst waar alleen elementen mogen staan.")
    for child in element:
        if child.tail and child.tail.strip(BLANKS):
            raise Fault(f"In {name(element)} staat tekst waar alleen elementen mogen staan.")
        if isinstance(child.tag, str):
            yield child


def elements(element: etree._Element) -> list[etree._Element]:
    """Child elements, whatever stands between them."""
    return list(element.iterchildren("*"))


def text_of(element: etree._Element) -> str:
    """The whole text of an element; Fault that names it if anything else stands in it.

    A comment splits a text in two: canonical form forgets the comment, a careless reader
    forgets the second half. So nobody reads `.text` of an element but here.
    """
    if len(element):
        inside = "elementen" if elements(element) else "commentaar of een processing instruction"
        raise Fault(f"In de tekst van {name(element)} staat {inside}; dat is niet toegestaan.")
    return element.text or ""


def name(element: etree._Element) -> str:
    """How a sender knows an element: prefix and local name as sent, cut to a bearable length."""
    local = etree.QName(element).localname[:80]
    return f"{element.prefix[:40]}:{local}" if element.prefix else local
