"""Our schema and the interface's find the same instances valid, for all messages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from openpoort.wire.names import KOPPELVLAK
from openpoort.wire.wus import koppelvlak, services
from tests.conftest import SHARED
from tests.property.wire_values import values

CONTRACT = SHARED / "data/wus/contract/digipoort-koppelvlak-1.2.xsd"
pytestmark = pytest.mark.skipif(not CONTRACT.exists(), reason="no contract beside this clone")
XSI = "http://www.w3.org/2001/XMLSchema-instance"


@lru_cache
def schemas() -> tuple[etree.XMLSchema, etree.XMLSchema]:
    return etree.XMLSchema(etree.fromstring(services.xsd())), etree.XMLSchema(
        etree.parse(str(CONTRACT))
    )


def same(element: etree._Element) -> bool:
    """Both verdicts, which must be equal."""
    ours, theirs = schemas()
    verdict = ours.validate(element)
    assert verdict == theirs.validate(element), etree.tostring(element)
    return verdict


# One way to spoil a message: which element, and how.
_CHANGES = (
    "drop",
    "double",
    "swap",
    "rename",
    "foreign",
    "attribute",
    "nil",
    "type",
    "text",
    "empty",
    "long",
    "spaces",
    "child",
    "time",
)


def spoil(root: etree._Element, place: int, change: str, size: int) -> None:
    elements = list(root.iter())
    element = elements[place % len(elements)]
    parent = element.getparent()
    if change == "attribute":
        element.set("soort", "x")
    elif change == "nil":
        element.set(f"{{{XSI}}}nil", "true")
    elif change == "type":
        element.set(f"{{{XSI}}}type", "x")
    elif change == "text":
        element.text = (element.text or "") + "geen base64 of datum é"
    elif change == "empty":
        element.text = None
    elif change == "long":
        element.text = "x" * size
    elif change == "spaces":
        element.text = f" \t\n {element.text or ''} \r\n  x"
    elif change == "time":
        element.text = f"2026-11-23T24:00:0{size % 2}.{'1' * (size % 9)}Z"
    elif change == "child":
        etree.SubElement(element, f"{{{KOPPELVLAK}}}kenmerk").text = "1"
    elif change == "rename":
        element.tag = f"{{{KOPPELVLAK}}}onbekend"
    elif change == "foreign":
        element.tag = etree.QName(element).localname
    elif parent is not None and change == "drop":
        parent.remove(element)
    elif parent is not None and change == "double":
        parent.append(etree.fromstring(etree.tostring(element)))
    elif parent is not None and change == "swap":
        parent.insert(0, element)


@pytest.mark.conformance("WUS-1.4-1", "WUS-1.4-2")
@given(
    values,
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(_CHANGES), st.integers(18, 300)), max_size=2
    ),
)
@settings(max_examples=400, deadline=None)
def test_same_instances_are_valid_under_both_schemas(
    value: koppelvlak.Value, changes: list[tuple[int, str, int]]
) -> None:
    root = etree.fromstring(koppelvlak.write(value))
    verdict = same(root)
    assert verdict
    for place, change, size in changes:
        spoil(root, place, change, size)
    same(root)


@pytest.mark.conformance("WUS-1.4-1")
def test_both_schemas_declare_the_same_messages_and_types() -> None:
    def names(root: etree._Element) -> set[tuple[str, str]]:
        kinds = [(etree.QName(e).localname, e.get("name")) for e in root if isinstance(e.tag, str)]
        return {(kind, name) for kind, name in kinds if name}

    assert names(etree.fromstring(services.xsd())) == names(etree.parse(str(CONTRACT)).getroot())


@pytest.mark.conformance("WUS-1.4-2")
def test_lengths_count_after_white_space_collapses() -> None:
    xmlns = f'xmlns="{KOPPELVLAK}"'
    for text, good in (("x" * 40, True), ("x" * 41, False), ("  " + "x" * 40 + "\n\t ", True)):
        raw = f"<getStatussenProcesRequest {xmlns}><kenmerk>{text}</kenmerk>"
        assert same(etree.fromstring(raw + "</getStatussenProcesRequest>")) is good


@pytest.mark.conformance("WUS-1.4-1")
@pytest.mark.parametrize("name", ["deliver", "newstatus"])
def test_captured_bodies_are_valid_under_both(shared: Path, name: str) -> None:
    raw = (shared / f"data/wus/captured/valid-{name}-response.xml").read_bytes()
    body = etree.fromstring(raw)[1][0]
    assert same(body)
