"""Findings as statusdetails, JSON and text."""

from __future__ import annotations

import json
import re
from xml.dom import minidom
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from openpoort.domain.finding import Finding, Severity
from openpoort.wire.wus.bevindingen import (
    NAMESPACE,
    to_constateringen,
    to_text,
    to_xml,
    verdict_json,
)

WARNING = Finding("FG-NL-09", Severity.WARNING, "Laat het attribuut id weg.", "filing", 3)
ERROR = Finding("FR-NL-2.03", Severity.ERROR, "Zet xml:lang op <xbrl>.", "filing", 1, "/*[1]")


def test_xml_starts_with_a_bracket_and_has_the_path_that_clients_read() -> None:
    text = to_xml((WARNING, ERROR))
    assert text.startswith("<results")
    root = etree.fromstring(text)
    messages = root.findall(f"{{{NAMESPACE}}}xbrl/{{{NAMESPACE}}}messages/{{{NAMESPACE}}}msg")
    assert [(m.get("level"), m.get("code"), m.get("regel")) for m in messages] == [
        ("error", "FR-NL-2.03", "1"),
        ("warning", "FG-NL-09", "3"),
    ]
    assert messages[0].text == "Zet xml:lang op <xbrl>."


def _business_central(text: str) -> list[tuple[str, str]]:
    """(error class, description), as that client stores them. It takes text for XML by its first
    character, then finds elements by their qualified name (`//*[name()="msg"]`, or
    getElementsByTagName in an older one), and keeps `level` and the inner XML."""
    assert text[0] == "<"
    found = []
    for element in minidom.parseString(text).getElementsByTagName("msg"):
        inner = "".join(child.toxml() for child in element.childNodes)
        found.append((element.getAttribute("level"), inner))
    nodes = etree.fromstring(text).xpath('//*[name()="msg"]')
    assert len(nodes) == len(found)
    return found


def test_business_central_finds_level_and_text_of_every_finding() -> None:
    assert _business_central(to_xml((WARNING, ERROR))) == [
        ("error", "Zet xml:lang op &lt;xbrl&gt;."),
        ("warning", "Laat het attribuut id weg."),
    ]


def test_a_client_that_walks_the_path_finds_every_finding() -> None:
    """`results/xbrl/messages/msg`, by a reader with namespaces and by one that has none."""
    text = to_xml((WARNING, ERROR))
    names = {"b": "http://nlvalidatie.nl/batavia"}
    by_path = etree.fromstring(text).xpath("/b:results/b:xbrl/b:messages/b:msg", namespaces=names)
    bare = re.sub(' xmlns="[^"]*"', "", text)
    assert [m.get("level") for m in by_path] == ["error", "warning"]
    assert len(ElementTree.fromstring(bare).findall("xbrl/messages/msg")) == 2


def test_json_says_valid_only_without_errors() -> None:
    assert json.loads(verdict_json((WARNING,)))["valid"] is True
    verdict = json.loads(verdict_json((WARNING, ERROR)))
    assert verdict["valid"] is False
    assert verdict["findings"][1]["xpath"] == "/*[1]"
    assert "xpath" not in verdict["findings"][0]


def test_xml_stays_within_its_room_and_still_counts_all() -> None:
    many = tuple(Finding("X-1", Severity.ERROR, "x" * 1000, "xbrl") for _ in range(1000))
    text = to_xml(many, room=20_000)
    assert len(text) < 40_000
    assert 'aantal="1000"' in text


@given(st.text(), st.text())
def test_any_text_renders_as_one_parsable_line(message: str, place: str) -> None:
    finding = Finding("OP-1.03", Severity.ERROR, message, "structure", 1, place, message)
    text = to_xml((finding,))
    assert etree.fromstring(text).tag == f"{{{NAMESPACE}}}results"
    assert "\n" not in text
    assert "\n" not in to_text((finding,))
    assert "\n" not in to_constateringen((finding,))[0].beschrijving
