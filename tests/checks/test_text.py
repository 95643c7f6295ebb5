"""What stands in an element is read in one way, as XML readers read it: comments are nothing."""

from __future__ import annotations

import ast
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import openpoort.checks
from openpoort.checks.suite import Suite
from openpoort.checks.text import between, content, elements
from openpoort.domain.finding import Finding, rejects
from openpoort.sandbox.samples import samples
from tests.checks.conftest import Judge

SAMPLES = samples()
OB, JR, ICP, LH = (SAMPLES[k] for k in ("Omzetbelasting", "Jaarrekening", "ICP", "Aangifte_LH"))
ROOM = Path(openpoort.checks.__file__).parent
_FORBIDDEN = {"text", "tail", "itertext", "findtext"}
_VALUES = {"message", "m", "hit", "self"}
"""Names of our own values that have a `text`: no element is called so."""


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {f.code for f in findings}


def element_texts(source: str) -> list[int]:
    """Lines that read text of an element otherwise than by `checks.text`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and node.attr in _FORBIDDEN
        and not (isinstance(node.value, ast.Name) and node.value.id in _VALUES)
    ]


@pytest.mark.parametrize(
    "file", sorted(str(p.relative_to(ROOM)) for p in ROOM.rglob("*.py") if p.name != "text.py")
)
def test_no_other_file_reads_the_text_of_an_element(file: str) -> None:
    assert element_texts((ROOM / file).read_text("utf-8")) == []


@pytest.mark.parametrize("line", ["x = e.text", "x = e[0].tail", "e.findtext('a')", "f().text"])
def test_the_rule_sees_the_other_ways(line: str) -> None:
    assert element_texts(line) == [1]


_PART = st.sampled_from(
    ["1", " 0", "<!---->", "<!-- 9 -->", "<?p 9?>", "<![CDATA[7]]>", "&#50;", "&lt;", "\n", "é"]
)


@given(st.lists(_PART, max_size=12).map("".join))
def test_content_is_what_another_reader_reads(inside: str) -> None:
    """expat, through ElementTree, which drops comments and instructions."""
    data = f"<a>{inside}</a>".encode()
    expected = "".join(ElementTree.fromstring(data).itertext())
    root = etree.fromstring(data)
    assert content(root) == "".join(between(root)) == expected
    assert elements(root) == []


def test_between_leaves_out_what_its_children_say() -> None:
    root = etree.fromstring(b"<a>1<b>2</b>3<!--4-->5</a>")
    assert between(root) == ["1", "3", "5"]
    assert content(root) == "1235"
    assert [e.tag for e in elements(root)] == ["b"]


@pytest.mark.parametrize("cut", ["<!---->", "<!-- L01 -->", "<?x?>", "<![CDATA[]]>", "&#76;"])
def test_the_whole_number_is_compared_with_that_of_the_request(cut: str, judge: Judge) -> None:
    """`44L02` may not pass for `44L01`, nor a right number be refused for a comment in it."""
    rest = "" if cut == "&#76;" else "L"
    other = LH.replace(b"44L01", f"44{cut}{rest}02".encode())
    assert codes(judge("Aangifte_LH", other)) == {"OP-3.03"}
    same = LH.replace(b"44L01", f"44{cut}{rest}01".encode())
    assert judge("Aangifte_LH", same) == ()
    assert "OP-3.03" in codes(judge("Omzetbelasting", OB.replace(b"B37<", b"<!---->B38<")))
    whole = OB.replace(b"001000044B37", f"0010{cut if rest else ''}00044B37".encode())
    assert "OP-3.03" not in codes(judge("Omzetbelasting", whole))


@pytest.mark.parametrize("split", [b"<!---->", b"<?x?>"])
@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("Jaarrekening", b"2025-12-31", "BR-KVK-2.04"),
        ("Jaarrekening", b"iso4217:EUR", "BR-KVK-3.01"),
        ("Omzetbelasting", b"iso4217:EUR", "FG-NL-11"),
        ("Omzetbelasting", b"2026-03-31", "OP-4.05"),
    ],
)
def test_dates_and_measures_are_read_past_a_comment(
    kind: str, value: bytes, code: str, split: bytes, judge: Judge
) -> None:
    """Cut in two by a comment it is the same value, and the same verdict."""
    assert value in SAMPLES[kind]
    data = SAMPLES[kind].replace(value, value[:5] + split + value[5:])
    assert judge(kind, data) == judge(kind)
    assert code not in codes(judge(kind, data))


def test_equal_contexts_are_equal_with_a_comment_in_one(judge: Judge) -> None:
    start, end = OB.index(b"  <xbrli:context"), OB.index(b"  <xbrli:unit")
    twin = OB[start:end].replace(b'"Msg"', b'"Twee"').replace(b"2026-01-01", b"2026<!---->-01-01")
    assert "FR-NL-3.04" in codes(judge("Omzetbelasting", OB[:end] + twin + OB[end:]))


_ODD = [
    b"<!-- x -->",
    b"<?x y?>",
    b'<x xmlns="urn:vreemd"/>',
    b'<x xmlns="urn:vreemd" a="1">t<!-- c --><y/></x>',
    b'<x xmlns="weg/../relatief"/>',
    b"<xbrli:measure>iso4217:EUR</xbrli:measure>",
    b'<xbrldi:explicitMember xmlns:xbrldi="http://xbrl.org/2006/xbrldi"/>',
    b'<typedMember xmlns="http://xbrl.org/2006/xbrldi"><!-- x --></typedMember>',
    b'<xs:attribute xmlns:xs="http://www.w3.org/2001/XMLSchema" name="a"/>',
    b'<xs:element xmlns:xs="http://www.w3.org/2001/XMLSchema" contextRef="Msg"/>',
]  # fmt: skip


def oddities(content: bytes, chance: random.Random, count: int) -> list[bytes]:
    """The document with an odd node at `count` places, each before or after some tag; half of
    them in a segment or scenario of their own."""
    made = []
    places = [n + 1 for n, octet in enumerate(content) if octet == ord(">")][1:-1]
    for _ in range(count):
        place, odd = chance.choice(places), chance.choice(_ODD)
        if chance.random() < 0.5:
            end = b"</xbrli:period>" if chance.random() < 0.5 else b"</xbrli:identifier>"
            name = b"scenario" if b"period" in end else b"segment"
            place = content.index(end) + len(end)
            odd = b"<xbrli:%s>%s%s</xbrli:%s>" % (name, odd, chance.choice(_ODD), name)
        made.append(content[:place] + odd + content[place:])
    return made


@pytest.mark.parametrize("kind", ["Omzetbelasting", "ICP", "Jaarrekening"])
def test_no_document_does_more_than_produce_findings(kind: str, judge: Judge) -> None:
    """Comments, instructions and foreign elements anywhere. A crash of a check raises here."""
    chance = random.Random(13)
    for data in oddities(SAMPLES[kind], chance, 150):
        judge(kind, data, only=("structure", "filing", "plain"))
    for data in oddities(SAMPLES[kind], chance, 15):
        assert not any(f.code.startswith("exception:") for f in judge(kind, data))


def test_a_comment_in_a_scenario_is_judged_by_all_checks(judge: Judge) -> None:
    data = OB.replace(
        b"</xbrli:period>", b"</xbrli:period><xbrli:scenario><!-- x --></xbrli:scenario>"
    )
    found = judge("Omzetbelasting", data)
    assert rejects(found)
    assert {f.source for f in found} == {"xbrl"}


def test_elements_of_xml_schema_are_one_finding(suite: Suite, judge: Judge) -> None:
    for name in (b"element", b"attribute", b"complexType"):
        added = b'<xs:%s xmlns:xs="http://www.w3.org/2001/XMLSchema" contextRef="Msg"/>' % name
        data = OB.replace(b"</xbrli:xbrl>", added + b"</xbrli:xbrl>")
        assert codes(judge("Omzetbelasting", data, only=("xbrl",))) == {"OP-4.07"}
