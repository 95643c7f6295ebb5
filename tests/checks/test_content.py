"""Entry point, identity, what belongs in the report; samples pass everything."""

from __future__ import annotations

import pytest

from openpoort.domain.finding import Finding, Severity
from openpoort.sandbox.samples import samples
from tests.checks.conftest import Judge

SAMPLES = samples()
OB = SAMPLES["Omzetbelasting"]


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [f.code for f in findings]


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_sample_passes_every_check(kind: str, judge: Judge) -> None:
    assert judge(kind) == ()


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (("NL001000044B37", "BTW"), []),
        (("001000044b37", "btw"), []),
        (("001000044", "Fi"), []),
        (("003000059B37", "BTW"), ["OP-3.03"]),
        (("001000045B37", "BTW"), ["OP-3.02", "OP-3.03"]),
        (("12345", "BTW"), ["OP-3.01", "OP-3.03"]),
        (("NL", "Fi"), ["OP-3.03"]),
        ((" ", "Fi"), ["OP-3.03"]),
    ],
)
def test_number_of_the_request_is_the_number_in_the_document(
    identity: tuple[str, str], expected: list[str], judge: Judge
) -> None:
    assert codes(judge("Omzetbelasting", identity=identity, only=("filing",))) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (" \n 001000044B37\t", []),
        ("0010<!-- x -->00044B37", []),
        ("NL001000044B37", []),
        ("001000044 B37", ["OP-3.03"]),
        ("N L001000044B37", ["OP-3.03"]),
        ("001000044&#xa0;B37", ["OP-3.03"]),
        ("&#xa0;001000044B37", ["OP-3.03"]),
        ("001000044B37<!-- x -->8", ["OP-3.03"]),
    ],
)
def test_the_number_in_the_document_is_the_value_that_the_agency_reads(
    written: str, expected: list[str], judge: Judge
) -> None:
    document = OB.replace(b">001000044B37<", f">{written}<".encode())
    found = judge("Omzetbelasting", document, only=("filing",))
    assert codes(found) == expected


def test_a_context_without_an_id_is_not_called_none(judge: Judge) -> None:
    found = judge("Omzetbelasting", OB.replace(b' id="Msg"', b""), only=("filing",))
    assert "FR-NL-3.03" in codes(found)
    assert not any("None" in f.message for f in found)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [(("999990019", "BSN"), ["OP-3.03"]), (("999990018", "BSN"), ["OP-3.02", "OP-3.03"])],
)
def test_bsn_obeys_the_eleven_test(
    identity: tuple[str, str], expected: list[str], judge: Judge
) -> None:
    assert codes(judge("Omzetbelasting", identity=identity, only=("filing",))) == expected


def test_the_number_itself_is_never_said(judge: Judge) -> None:
    found = judge("Omzetbelasting", identity=("003000059B37", "BTW"))
    assert found
    assert not any("003000059" in f.message or "001000044" in f.message for f in found)


def test_kvk_number_and_wage_tax_number_are_compared_too(judge: Judge) -> None:
    assert codes(judge("Jaarrekening", identity=("90000066", "KvK"))) == ["OP-3.03"]
    assert codes(judge("Aangifte_LH", identity=("003000059L01", "LHnr"))) == ["OP-3.03"]


def test_entry_point_of_another_kind_is_refused(judge: Judge) -> None:
    assert "OP-4.02" in codes(judge("Omzetbelasting", SAMPLES["OBSUP"], only=("filing",)))


def test_unknown_entry_point_is_a_finding_not_a_crash(judge: Judge) -> None:
    found = judge("Omzetbelasting", OB.replace(b"aangifte-2026.xsd", b"aangifte-1999.xsd"))
    assert codes(found) == ["OP-4.01", "OP-4.02"]


def test_entry_point_of_another_year_is_refused(judge: Judge) -> None:
    older = OB.replace(b">2026-01-01<", b">2024-01-01<").replace(b">2026-03-31<", b">2024-03-31<")
    assert codes(judge("Omzetbelasting", older)) == ["OP-4.05"]


def test_fact_outside_the_report_is_refused_with_our_own_code(judge: Judge) -> None:
    extra = (
        b'<ob-i:SuppliesTotal contextRef="Msg" unitRef="EUR" decimals="INF">1</ob-i:SuppliesTotal>'
    )
    (finding,) = judge("Omzetbelasting", OB.replace(b"</xbrli:xbrl>", extra + b"</xbrli:xbrl>"))
    assert (finding.code, finding.severity) == ("OP-4.03", Severity.ERROR)
    assert finding.xpath == "/xbrli:xbrl/ob-i:SuppliesTotal"


def test_no_schemaref_at_all(judge: Judge) -> None:
    start = OB.index(b"<link:schemaRef")
    bare = OB[:start] + OB[OB.index(b"/>", start) + 2 :]
    assert codes(judge("Omzetbelasting", bare))[-1] == "OP-4.04"


def test_two_entry_points_are_a_finding(judge: Judge) -> None:
    start = OB.index(b"<link:schemaRef")
    ref = OB[start : OB.index(b"/>", start) + 2]
    double = OB.replace(ref, ref + ref.replace(b"ob-aangifte", b"icp-opgaaf"))
    assert set(codes(judge("Omzetbelasting", double))) == {"FR-NL-2.04", "OP-4.04"}


def test_plain_xml_against_its_schema(judge: Judge) -> None:
    wrong = SAMPLES["Aangifte_LH"].replace(b"<BSN>999990019</BSN>", b"<BSN>x</BSN>")
    (finding,) = judge("Aangifte_LH", wrong)
    assert finding.code == "OP-6.01"
    assert finding.line == wrong[: wrong.index(b"<BSN>x")].count(b"\n") + 1
