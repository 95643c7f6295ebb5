"""Bad input: bounded, a finding rather than a crash, and the other messages unharmed.

Scaled down for CI; `OPENPOORT_FULL_SCALE=1 pytest tests/checks/test_bad_input.py` sends the full
sizes (20 MiB, a million contexts).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from openpoort.checks.content import MAX_CONTEXTS
from openpoort.checks.defaults import UNKNOWN
from openpoort.checks.suite import open_suite
from openpoort.checks.xbrl.limits import Limits
from openpoort.domain.finding import Finding, rejects
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort.sandbox.samples import samples
from tests.checks.conftest import Judge

FULL = bool(os.environ.get("OPENPOORT_FULL_SCALE"))
SAMPLES = samples()
OB, JR = SAMPLES["Omzetbelasting"], SAMPLES["Jaarrekening"]
END = b"</xbrli:xbrl>"


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {f.code for f in findings}


def test_a_million_contexts_are_one_finding(judge: Judge) -> None:
    count = 1_000_000 if FULL else MAX_CONTEXTS + 1
    many = OB.replace(END, b"<xbrli:context/>" * count + END)
    assert len(many) < 20 * 1024 * 1024
    assert codes(judge("Omzetbelasting", many)) == {"OP-4.06"}


def test_real_contexts_by_the_thousand_are_judged_or_refused_in_time(judge: Judge) -> None:
    """Contexts that are all different: no rule may compare each with each."""
    start = OB.index(b"  <xbrli:context")
    context = OB[start : OB.index(b"</xbrli:context>", start) + len(b"</xbrli:context>\n")]
    count = 60_000 if FULL else 3_000
    many = b"".join(context.replace(b'"Msg"', b'"c%d"' % n) for n in range(count))
    found = judge("Omzetbelasting", OB.replace(context, context + many))
    assert codes(found) <= {"FR-NL-3.03", "FR-NL-3.04", "OP-5.01"}
    assert rejects(found)


def test_twenty_mebibytes_of_facts_end_in_findings_within_bounds(demo_home: Path) -> None:
    start = OB.index(b"  <ob-i:ContactInitials")
    fact = OB[start : OB.index(b"\n", start) + 1]
    count = 20 * 1024 * 1024 // len(fact) - 100 if FULL else 4_000
    limits = Limits() if FULL else Limits(cpu_seconds=20)
    suite = open_suite(demo_home, limits=limits)
    try:
        found = suite.run(_filing(OB.replace(fact, fact * count)))
        assert codes(found) & {"FR-NL-5.01", "OP-4.06"}
        assert len(found) < 300
        assert suite.run(_filing(OB)) == ()
    finally:
        suite.close()


def _filing(content: bytes) -> Filing:
    document = Document("application/xml", "aangifte.xbrl", content)
    return Filing(UNKNOWN, Identiteit("", ""), document)


def test_a_filing_that_eats_its_cpu_time_is_a_finding_and_others_pass(demo_home: Path) -> None:
    fact = OB[OB.index(b"  <ob-i:ContactInitials") : OB.index(b"  <ob-i:ContactSurname")]
    heavy = _filing(OB.replace(fact, fact * 60_000))
    suite = open_suite(demo_home, limits=Limits(cpu_seconds=1))
    found: dict[str, tuple[Finding, ...]] = {}
    try:
        suite.run(_filing(OB))
        threads = [
            threading.Thread(target=lambda: found.update(heavy=suite.run(heavy, ("xbrl",)))),
            threading.Thread(target=lambda: found.update(light=suite.run(_filing(OB)))),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        suite.close()
    assert codes(found["heavy"]) == {"OP-5.01"}
    assert found["light"] == ()


@pytest.mark.parametrize(
    "number",
    [
        b"9" * (5_000_000 if FULL else 200_000),
        b"1e999999999",
        b"-" + b"0" * 100_000 + b"1",
        b"0." + b"1" * 100_000,
        b"NaN",
        "\u0661\u0662".encode(),
    ],
    ids=["long", "exponent", "zeros", "fraction", "nan", "arabic"],
)
def test_huge_and_odd_numbers_are_findings(number: bytes, judge: Judge) -> None:
    found = judge("Jaarrekening", JR.replace(b'decimals="0">60000<', b'decimals="0">%s<' % number))
    assert rejects(found)
    assert all(len(f.message) <= 2000 for f in found)


@pytest.mark.parametrize("decimals", [b"99999999999", b"-99999999999", b"9" * 50_000, b"-INF"])
def test_huge_decimals_are_findings(decimals: bytes, judge: Judge) -> None:
    content = JR.replace(b'decimals="0">60000<', b'decimals="%s">60000<' % decimals)
    assert "FR-KVK-5.01" in codes(judge("Jaarrekening", content))


_ENTITIES = {
    "laughs": b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %s "%s">' % (bytes([98 + n]), b"&%s;" % bytes([97 + n]) * 10) for n in range(9)
    )
    + b"]>",
    "file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    "network": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    "parameter": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/y"> %a;]>',
    "lower": b"<!doctype x>",
}


@pytest.mark.parametrize("trick", _ENTITIES)
def test_entities_are_refused_before_anything_is_expanded(trick: str, judge: Judge) -> None:
    content = OB.replace(b"<xbrli:xbrl ", _ENTITIES[trick] + b"<xbrli:xbrl ", 1)
    found = judge("Omzetbelasting", content.replace(b"A.B.", b"&a;"))
    assert "FR-NL-1.03" in codes(found)
    assert not any(f.source == "xbrl" for f in found)


def test_undeclared_entity_is_a_finding(judge: Judge) -> None:
    assert "OP-2.01" in codes(judge("Omzetbelasting", OB.replace(b"A.B.", b"&a;")))


@pytest.mark.parametrize("depth", [99, 150, 300, 100_000])
def test_nesting(depth: int, judge: Judge) -> None:
    nested = b"<ob-i:TaxConsultant>" * depth + b"</ob-i:TaxConsultant>" * depth
    found = judge("Omzetbelasting", OB.replace(END, nested + END))
    expected = "OP-2.01" if depth > 2000 else "OP-2.05" if depth > 99 else "xbrl"
    assert any(expected in f.code or f.source == expected for f in found)


@pytest.mark.parametrize(
    "junk",
    [
        b'<ob-i:ContactType contextRef="Msg" '
        + b" ".join(b'a%d=""' % n for n in range(2000))
        + b"/>",
        b"<" + b"n" * 60_000 + b"/>",
        b'<ob-i:ContactType contextRef="Msg">' + b"x" * 11_000_000 + b"</ob-i:ContactType>",
        b'<ob-i:ContactType contextRef="' + b"M" * 1_000_000 + b'">BPL</ob-i:ContactType>',
        b"<!--" + b"-" * 10 + b"-->",
        b"<?xml-stylesheet href='file:///etc/passwd'?><x/>",
    ],
    ids=["attributes", "name", "text", "reference", "comment", "instruction"],
)
def test_junk_is_a_finding(junk: bytes, judge: Judge) -> None:
    assert rejects(judge("Omzetbelasting", OB.replace(END, junk + END)))


@pytest.mark.parametrize(
    "address",
    [b"file:///etc/passwd", b"/etc/passwd", b"../../x.xsd", b"http://127.0.0.1:1/x.xsd", b"", b"%"],
)
def test_entry_points_elsewhere_are_refused_unopened(address: bytes, judge: Judge) -> None:
    start = OB.index(b'xlink:href="') + len(b'xlink:href="')
    content = OB[:start] + address + OB[OB.index(b'"', start) :]
    assert "OP-4.01" in codes(judge("Omzetbelasting", content))


def test_a_thousand_hints_to_other_schemas_are_bounded(judge: Judge) -> None:
    hints = b" ".join(b"urn:x%d http://weg.example/%d.xsd" % (n, n) for n in range(3000))
    content = OB.replace(
        b"<xbrli:xbrl ",
        b'<xbrli:xbrl xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:schemaLocation="%s" ' % hints,
    )
    found = judge("Omzetbelasting", content)
    assert rejects(found)
    assert len(found) < 300


def test_random_bytes_never_crash_a_check(judge: Judge) -> None:
    import random

    chance = random.Random(5)
    for _ in range(40):
        place, length = chance.randrange(len(OB)), chance.randrange(1, 40)
        content = OB[:place] + chance.randbytes(length) + OB[place + length :]
        try:
            judge("Omzetbelasting", content)
        except CheckUnavailable as crash:
            pytest.fail(f"the checker failed on a filing: {crash}")
