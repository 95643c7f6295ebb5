"""The 41 filing rules, each on one filing that breaks it, and on one that breaks none."""

from __future__ import annotations

import pytest

from openpoort.checks.filing import CODES
from openpoort.domain.finding import Severity
from openpoort.sandbox.samples import samples
from tests.checks.conftest import Judge

SAMPLES = samples()
OB, JR = "Omzetbelasting", "Jaarrekening"


def _twice(data: bytes, start: bytes, end: bytes, old: bytes = b"", new: bytes = b"") -> bytes:
    """Repeat the part from `start` up to and including `end`, with `old` replaced."""
    a = data.index(start)
    b = data.index(end, a) + len(end)
    return data[:b] + data[a:b].replace(old, new) + data[b:]


def _put(data: bytes, before: bytes, new: bytes) -> bytes:
    return data.replace(before, new + before, 1)


def broken() -> dict[str, tuple[str, bytes, str]]:
    """Code -> kind, content, file name."""
    ob, jr = SAMPLES[OB], SAMPLES[JR]
    root = b"<xbrli:xbrl "
    unit = b'  <xbrli:unit id="EUR">'
    end = b"</xbrli:xbrl>"
    adopted = b'<jr-i:DocumentAdoptionStatus contextRef="Jaar">Ja</jr-i:DocumentAdoptionStatus>'
    corrected = (
        b'<jr-i:DocumentResubmissionDueToUnsurmountableInaccuracies contextRef="Jaar">Ja'
        b"</jr-i:DocumentResubmissionDueToUnsurmountableInaccuracies>"
    )
    surname = b"<ob-i:ContactSurname"
    ob_cases = {
        "FR-NL-1.01": b"\xef\xbb\xbf" + ob,
        "FR-NL-1.02": ob.replace(b"A.B.", "Ж.".encode()),
        "FR-NL-1.03": _put(ob, root, b"<!DOCTYPE xbrl>"),
        "FR-NL-1.04": ob.replace(b"A.B.", b"&#1080;"),
        "FR-NL-1.05": ob.replace(b'"UTF-8"', b'"ISO-8859-1"'),
        "FR-NL-2.03": ob.replace(b' xml:lang="nl"', b""),
        "FR-NL-2.04": _twice(ob, b"<link:schemaRef", b"/>"),
        "FR-NL-2.05": _put(ob, b"<xbrli:context", b'<link:linkbaseRef xlink:type="simple"/>'),
        "FR-NL-2.06": ob.replace(b"A.B.", b"<![CDATA[A.B.]]>"),
        "FR-NL-2.07": ob.replace(
            surname,
            surname + b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="false"',
        ),
        "FR-NL-3.01": ob.replace(b"2026-01-01<", b"2026-01-01T00:00:00<"),
        "FR-NL-3.02": ob.replace(
            b"<xbrli:startDate>2026-01-01</xbrli:startDate><xbrli:endDate>2026-03-31"
            b"</xbrli:endDate>",
            b"<xbrli:forever/>",
        ),
        "FR-NL-3.03": _twice(ob, b"<xbrli:context", b"</xbrli:context>", b'"Msg"', b'"Los"'),
        "FR-NL-3.04": _twice(ob, b"<xbrli:context", b"</xbrli:context>", b'"Msg"', b'"Dub"'),
        "FR-NL-4.01": _twice(ob, unit, b"</xbrli:unit>", b'"EUR"', b'"EUR2"'),
        "FR-NL-4.02": _twice(ob, unit, b"</xbrli:unit>", b'"EUR"', b'"EUR2"'),
        "FR-NL-5.01": _twice(ob, surname, b"</ob-i:ContactSurname>"),
        "FR-NL-5.03": ob.replace(b">A.B.<", b"><"),
        "FR-NL-5.06": ob.replace(b'decimals="INF">690', b'precision="INF">690'),
        "FR-NL-5.11": ob.replace(b">A.B.<", b">&lt;b&gt;A&lt;/b&gt;<"),
        "FR-NL-6.01": _put(
            ob,
            end,
            b'<link:footnoteLink xlink:type="extended"'
            b' xlink:role="http://www.xbrl.org/2003/role/link"><link:footnote'
            b' xlink:type="resource" xlink:label="a" xml:lang="nl">n</link:footnote>'
            b"</link:footnoteLink>",
        ),
        "FG-NL-03": ob.replace(b"ob-i:", b"xx:").replace(b"xmlns:ob-i", b"xmlns:xx"),
        "FG-NL-05": ob.replace(b" xml:lang=", b' xmlns:leeg="urn:leeg" xml:lang='),
        "FG-NL-09": ob.replace(surname, surname + b' id="f1"'),
        "FG-NL-11": ob.replace(b"iso4217:EUR", b"iso4217:XYX"),
    }
    jr_cases = {
        "FR-KVK-2.01": jr.replace(b'xml:lang="nl"', b'xml:lang="it"'),
        "FR-KVK-2.02": jr.replace(
            b"<jr-i:LegalEntityName ", b'<jr-i:LegalEntityName xml:lang="en" '
        ),
        "FR-KVK-2.03": jr.replace(b"2025-klein.xsd", b"2025-groot.xsd").replace(
            b"/entrypoints/jr-rpt-", b"/kvk/jr-rpt-"
        ),
        "FR-KVK-5.01": jr.replace(b'decimals="0">60000', b'decimals="1">60000'),
        "FR-KVK-5.02": jr.replace(b'decimals="INF">7.5', b'decimals="1">7.5'),
        "BR-KVK-2.04": jr.replace(b"2024-12-31</xbrli:instant>", b"2024-11-30</xbrli:instant>"),
        "BR-KVK-3.01": jr.replace(b"iso4217:EUR", b"xbrli:shares"),
        "BR-KVK-4.07": jr.replace(b">2025-12-31</jr-i:Fin", b">2999-12-31</jr-i:Fin"),
        "BR-KVK-4.10": jr.replace(b">2026-03-10</jr-i:DocumentA", b">2999-03-10</jr-i:DocumentA"),
        "BR-KVK-4.12": _put(jr, end, corrected).replace(adopted, adopted.replace(b"Ja<", b"Nee<")),
        "BR-KVK-4.16": _put(jr, end, corrected).replace(adopted, b""),
        "BR-KVK-4.17": jr.replace(b">2024-01-01</jr-i:Fin", b">2023-06-01</jr-i:Fin"),
        "BR-KVK-4.20": jr.replace(b">2026-03-10</jr-i:DirectorS", b">2026-02-30</jr-i:DirectorS"),
    }
    cases = {code: (OB, data, "aangifte.xbrl") for code, data in ob_cases.items()}
    cases |= {code: (JR, data, "jaarrekening.xbrl") for code, data in jr_cases.items()}
    cases["FR-NL-1.06"] = (OB, ob, "aan gifte(1).xbrl")
    cases["FR-KVK-1.01"] = (JR, jr, "jaarrekening.xml")
    context = ob[ob.index(b"<xbrli:context") : ob.index(b"</xbrli:context>") + 16]
    cases["FG-NL-04"] = (
        OB,
        _put(ob.replace(context, b""), end, context),
        "aangifte.xbrl",
    )
    return cases


CASES = broken()


def test_there_are_41_rules_and_a_case_for_each() -> None:
    assert len(CODES) == 41
    assert set(CASES) == set(CODES)


@pytest.mark.parametrize("code", sorted(CASES))
def test_breaking_a_rule_gives_its_code(code: str, judge: Judge) -> None:
    kind, content, name = CASES[code]
    found = {f.code: f for f in judge(kind, content, name=name, only=("structure", "filing"))}
    assert code in found, sorted(found)
    warns = code.startswith("FG") or code == "FR-NL-5.11"
    assert found[code].severity is (Severity.WARNING if warns else Severity.ERROR)


def test_formatted_text_may_have_markup_but_not_any(judge: Judge) -> None:
    jr = SAMPLES[JR]
    for old, new, severity in (
        (b"&lt;p&gt;", b"&lt;p style=&quot;margin:0&quot;&gt;", Severity.ERROR),
        (
            b"&lt;p&gt;",
            b"&lt;ul&gt;&lt;li type=&quot;z&quot;/&gt;&lt;/ul&gt;&lt;p&gt;",
            Severity.ERROR,
        ),
        (b"&lt;p&gt;", b"&lt;script/&gt;&lt;p&gt;", Severity.WARNING),
        (b"&lt;/p&gt;", b"", Severity.WARNING),
    ):
        found = judge(JR, jr.replace(old, new), only=("filing",))
        assert [(f.code, f.severity) for f in found] == [("FR-NL-5.11", severity)], new


def test_findings_say_line_and_place(judge: Judge) -> None:
    kind, content, name = CASES["FR-NL-5.06"]
    (finding,) = [f for f in judge(kind, content, name=name) if f.code == "FR-NL-5.06"]
    assert finding.line == content[: content.index(b"precision=")].count(b"\n") + 1
    assert finding.xpath == "/xbrli:xbrl/ob-i:ValueAddedTaxOnInput"


def test_rules_of_kvk_stay_away_from_tax_messages(judge: Judge) -> None:
    content = SAMPLES[OB].replace(b'decimals="INF">690', b'decimals="1">690')
    assert judge(OB, content, name="aangifte.xml", only=("filing",)) == ()
