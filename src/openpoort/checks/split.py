"""A batch in parts, read as it was judged: what `structure` lets pass can be split."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from openpoort.checks import document
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.octets import Octets

MOST_PARTS = 10_000
MOST_OCTETS = 64 * 1024 * 1024
"""Of all parts together: each carries the namespace declarations of the root."""


def split(content: Octets, element: str) -> tuple[Sequence[bytes], Sequence[Finding]]:
    """Every child of the root with this local name, as a document of its own; or no parts, and why
    there are none."""
    reading = document.read(content)
    if reading.root is None:
        return [], reading.findings
    found = list(reading.root.iterchildren(f"{{*}}{element}"))
    if not 0 < len(found) <= MOST_PARTS:
        return [], [_no(
            f"De verzameling bevat {len(found)} elementen {element}; "
            f"toegestaan is 1 tot en met {MOST_PARTS}."
        )]  # fmt: skip
    parts, octets = [], 0
    for one in found:
        parts.append(etree.tostring(one, encoding="UTF-8", xml_declaration=True, with_tail=False))
        octets += len(parts[-1])
        if octets > MOST_OCTETS:
            return [], [_no(
                f"De delen van de verzameling zijn samen groter dan {MOST_OCTETS} octetten, "
                "doordat elk deel de namespaces van het hoofdelement meekrijgt. Declareer "
                f"namespaces in {element} zelf, of splits de aanlevering."
            )]  # fmt: skip
    return parts, []


def _no(text: str) -> Finding:
    return Finding("SPLIT", Severity.ERROR, text, "split")
