"""What an element says, read in one way: as the processor and the agency read it.

A comment or a processing instruction is no part of a value and does not end it: in
`12<!---->3` stands 123. lxml's `text` stops at the first of them, so nothing else in this package
may use it (`tests/checks/test_text.py`).
"""

from __future__ import annotations

from lxml import etree

_STRING = etree.XPath("string()")


def content(element: etree._Element) -> str:
    """The string-value (XPath 1.0 §5.2): all text inside, that of elements within included."""
    return str(_STRING(element)) if len(element) else element.text or ""


def between(element: etree._Element) -> list[str]:
    """The text directly inside: before, between and after its children of any kind."""
    return [element.text or "", *(child.tail or "" for child in element)]


def elements(element: etree._Element) -> list[etree._Element]:
    """Its child elements, without comments and processing instructions."""
    return list(element.iterchildren(etree.Element))
