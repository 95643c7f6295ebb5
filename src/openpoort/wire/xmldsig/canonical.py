"""Exclusive canonical form (http://www.w3.org/2001/10/xml-exc-c14n#) of one element."""

from __future__ import annotations

from io import BytesIO

from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.wire.xml.elements import name


def canonical(element: etree._Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """Exclusive canonical form without comments; `prefixes` as in InclusiveNamespaces."""
    if "#default" in prefixes:
        _know_default()
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=prefixes or None,
        )
    except etree.C14NError:
        raise Fault(f"{name(element)} is niet in canonieke vorm te brengen.") from None


def _know_default() -> None:
    """Make lxml heed `#default` in a prefix list.

    It looks a prefix up in the names its thread has parsed and silently drops one it never
    saw. `#default` is no name, so no document teaches it; a tag to look for does.
    """
    for _ in etree.iterparse(BytesIO(b"<x/>"), tag="#default"):
        pass
