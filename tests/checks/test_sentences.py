"""Every code that a filer can meet has a Dutch sentence; equal findings are one, with a count."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from lxml import etree

from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.xbrl.places import Places, pointer
from openpoort.checks.xbrl.sentences import FAMILIES, SENTENCES, sentence, why
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import load
from openpoort.process.ports import Filing
from openpoort.sandbox.samples import samples
from openpoort.wire.wus.bevindingen import to_json, to_text, to_xml
from openpoort_lab.cases.mutants import mutants
from tests.checks.conftest import Judge

SAMPLES = samples()
OB, JR, ICP = (SAMPLES[k] for k in ("Omzetbelasting", "Jaarrekening", "ICP"))
SHARED = Path(__file__).parents[3] / "shared/data/xbrl"
_OUR_OWN = ("message:", "OP-", "FR-", "FG-", "BR-")
_TOLD = {"error", "warning", "log"}


def processor() -> Path:
    spec = importlib.util.find_spec("arelle")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def texts(node: ast.expr) -> list[str]:
    """Codes in an expression: a text, several, one of two, or a text put together."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Tuple):
        return [text for part in node.elts for text in texts(part)]
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    return []


def codes_of(file: Path) -> set[str]:
    """Codes that this file of the processor can tell, computed ones by its own list of them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _TOLD and node.args:
            found |= set(texts(node.args[0]))
            for word in node.keywords:
                if word.arg == "messageCodes":
                    found |= set(texts(word.value))
        elif isinstance(node, ast.Return | ast.Assign) and node.value is not None:
            found |= set(texts(node.value))
    return {code for code in found if re.fullmatch(r"[A-Za-z][\w.-]*:[A-Za-z][\w.]*", code)}


ABOUT_FILINGS = r"xmlSchema:|xbrl\.4\.(?!11\.|[23]\.)|xbrldie:|enum2ie:|dtre:|xml\."
"""Specifications whose codes are about facts, contexts and units: each has its own sentence."""
ROOM = (
    *("ModelDocument", "ModelXbrl", "ModelInstanceObject", "ModelObject", "Validate"),
    *("ValidateXbrl", "ValidateXbrlDTS", "ValidateXbrlDimensions", "ValidateXbrlCalcs"),
    *("ValidateUtr", "XmlValidate", "XmlValidateParticles", "XmlValidateSchema", "XmlUtil"),
    *("ModelFormulaObject", "FunctionFn", "FunctionXfi", "FunctionXs", "FunctionUtil"),
    *("formula/FormulaEvaluator", "formula/ValidateFormula", "formula/XPathContext"),
    *("formula/XPathParser", "formula/FactAspectsCache"),
)
"""Files of the processor that run when an instance is judged without plug-ins."""


@functools.cache
def codes() -> frozenset[str]:
    files = [processor() / f"{name}.py" for name in ROOM]
    return frozenset(code for file in files if file.exists() for code in codes_of(file))


_ONLY_TAXONOMIES = {
    *("xbrl.4.9:tupleBalance", "xbrl.4.9:tupleElementItemOrTuple", "xbrl.4.9:tuplePeriodType"),
    *("xbrl.4.9:tupleElementUndefined", "xbrl.4.9:tupleGloballyDeclared"),
    *("xbrl.4.9:tupleMixedContent", "xbrl.4.9:tupleSimpleContent"),
    *("xmlSchema:patternEscapeDisallowed", "xmlSchema:refNotFound"),
}
"""Of declarations: their family says that the document brings a schema of its own."""


def test_the_scan_finds_what_is_known_to_be_there() -> None:
    known = {
        *("xmlSchema:valueError", "xbrl.4.7.4:scenarioEmpty"),
        *("xbrl.4.6.2:numericUnit", "xml.3.3.1:idMustBeUnique", "xmlSchema:missingParticlesError"),
        *("xbrldie:TypedMemberNotTypedDimensionError", "enum2ie:RepeatedEnumerationSetValue"),
        *("err:XPST0008", "xbrlfe:missingUnitRule", "xbrlgene:missingRoleRefForArcRole"),
    }  # fmt: skip
    assert known <= codes()
    assert len(codes()) > 250


def test_each_code_about_filings_has_a_sentence_of_its_own() -> None:
    about = {code for code in codes() if re.match(ABOUT_FILINGS, code)}
    assert len(about) > 55
    assert about - SENTENCES.keys() - _ONLY_TAXONOMIES == set()


def test_every_other_code_belongs_to_a_family() -> None:
    left = {c for c in codes() - SENTENCES.keys() if not re.match(_NO_CODES, c)}
    known = [re.compile(pattern) for pattern, _ in FAMILIES]
    assert {code for code in left if not any(p.match(code) for p in known)} == set()
    assert sentence("niets:bekends").startswith("Het element {element} voldoet niet")


def test_no_sentence_is_of_a_code_that_the_processor_does_not_know() -> None:
    """But for those it computes in a way that no scan can follow."""
    computed = {"enumie:InvalidFactValue", "enumie:InvalidListFactValue", "arelle:duplicateFacts"}
    source = "".join(p.read_text("utf-8") for p in processor().rglob("*.py"))
    for code in SENTENCES.keys() - computed:
        bare = code.removesuffix("@")
        assert bare in codes() or bare.split(":")[-1] in source, code


_NO_CODES = r"xs:|grp:|arelleUtrLoader:"
"""Names of types and groups, and the unit registry, which is read from our own installation."""
SLOTS = {
    *("facts", "element", "parent", "value", "why", "unit", "contextRef", "dimension", "member"),
    *("dimensions", "attributes", "attribute", "elements"),
}


@pytest.mark.parametrize("text", [*SENTENCES.values(), *(text for _, text in FAMILIES)])
def test_each_sentence_is_one_that_can_be_filled_in(text: str) -> None:
    assert {name for _, name, _, _ in Formatter().parse(text) if name} <= SLOTS
    assert text.rstrip()[-1] in ".}"
    assert not _ENGLISH.search(text)


_ENGLISH = re.compile(
    r"\b(the|must|not|missing|has|have|cannot|value error|expected|facet|dict_keys|class|element "
    r"type|invalid|None|Exception|Error\b(?!:))\b"
)


@pytest.mark.parametrize(
    ("error", "dutch"),
    [
        ("pattern facet [A-Z]{2}", "zij past niet in het patroon [A-Z]{2}"),
        ("length 3, expected 2", "zij moet 2 tekens lang zijn"),
        ("length 41, maxLength 40", "zij mag ten hoogste 40 tekens lang zijn"),
        ("length 0, minLength 1", "zij moet ten minste 1 tekens lang zijn"),
        (" > maxInclusive 9", "zij mag ten hoogste 9 zijn"),
        (" < minInclusive 0", "zij moet ten minste 0 zijn"),
        ("totalDigits facet 5", "zij mag ten hoogste 5 cijfers hebben"),
        ("fraction digits facet 2", "zij mag ten hoogste 2 cijfers na de punt hebben"),
        ("ZZZ is not in dict_keys(['BPL', 'INT'])", "kies uit BPL, INT"),
        ("Z is not in dict_keys(['A', \"B'C\", 'D", "kies uit A, B'C …"),
        ("1.5 is not unsignedInt", "zij is geen geheel getal van het soort unsignedInt"),
        ("[<class 'decimal.ConversionSyntax'>]", "zij is geen getal"),
        ("invalid day 31 for month 4", "die dag bestaat niet"),
        ("lexical pattern mismatch", "zij heeft niet de vorm die haar type voorschrijft"),
    ],
)  # fmt: skip
def test_why_a_value_is_wrong_is_said_in_dutch(error: str, dutch: str) -> None:
    assert why(error) == dutch


def test_pointers_lead_where_they_came_from() -> None:
    root = etree.fromstring(b'<a><!-- x --><b/><?x?><c id="k"><d/><e/></c>t<b/></a>')
    places = Places(root)
    for element in root.iter(etree.Element):
        assert places.find(f"element({pointer(element)})") is element
    assert places.find("k") is root[3]
    assert places.find("element(k/2)") is root[3][1]
    assert [places.find(p) for p in ("weg", "/1/9", "/1/0", "element(/1/x)", "")] == [None] * 4 + [
        root
    ]
    assert places.first(["/1/3", "k/2", "weg"]) is root[3][1]


def test_what_the_processor_says_never_comes_through(suite: Suite) -> None:
    """Mutants of every sample: no English, no Python, and a place for each finding."""
    kinds, told = load(), 0
    for kind in ("Omzetbelasting", "ICP", "Jaarrekening"):
        for mutant in mutants(SAMPLES[kind], 25, seed=29):
            name, document = mutant.name, Document("application/xml", "a.xbrl", mutant.content)
            found = suite.run(Filing(kinds[kind], Identiteit("", ""), document), ("xbrl",))
            for finding in found:
                if finding.source == "xbrl" and not finding.code.startswith(_OUR_OWN):
                    told += 1
                    assert not _ENGLISH.search(finding.message), (name, finding)
                    assert finding.message[0].isupper() or finding.message[0] == "'"
    assert told > 20


def codes_in(found: tuple[Finding, ...]) -> list[str]:
    return [f.code for f in found]


def test_a_missing_unit_is_one_finding_with_all_its_facts(judge: Judge) -> None:
    unit = OB[OB.index(b"  <xbrli:unit") : OB.index(b"  <ob-i:")]
    (found,) = judge("Omzetbelasting", OB.replace(unit, b""), only=("xbrl",))
    assert (found.code, found.count, found.context) == ("xbrl.4.6.2:numericUnit", 9, "Msg")
    assert found.message.startswith("De eenheid 'EUR' bestaat niet.")
    assert found.message.endswith("en 4 andere. (context 'Msg')")
    none = OB.replace(b' unitRef="EUR"', b"", 1)
    (found,) = judge("Omzetbelasting", none, only=("xbrl",))
    assert found.message == (
        "Geef een eenheid op (unitRef) bij ob-i:TaxedTurnoverSuppliesServicesGeneralTariff. "
        "(context 'Msg')"
    )


def test_a_missing_context_is_one_finding(judge: Judge) -> None:
    data = OB.replace(b'contextRef="Msg"', b'contextRef="Weg"')
    (found,) = judge("Omzetbelasting", data, only=("xbrl",))
    assert found.message.startswith("De context 'Weg' bestaat niet.")
    assert found.count > 9


def test_one_wrong_member_is_one_line_that_names_the_dimension(judge: Judge) -> None:
    (found,) = judge("ICP", ICP.replace(b"ob-i:DE<", b"ob-i:XX<"), only=("xbrl",))
    assert found.code == "xbrldie:ExplicitMemberUndefinedQNameError"
    assert "Het lid 'ob-i:XX' van dimensie ob-i:CountryCodeDimension" in found.message
    assert found.context == "Afnemer1"
    data = JR.replace(b"jr-i:Commercial", b"jr-i:BalansTitle")
    (found,) = judge("Jaarrekening", data, only=("xbrl",))
    assert (found.code, found.count) == ("xbrldie:PrimaryItemDimensionallyInvalidError", 14)
    assert "jr-i:BasisOfPreparationDimension = jr-i:BalansTitle" in found.message
    assert found.message.endswith("(contexten 'Eind2025' en 'Eind2024')")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not beside the project")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("05-dimension-invalid-member", "xbrldie:ExplicitMemberUndefinedQNameError"),
        ("08-monetary-no-unit", "xbrl.4.6.2:numericUnit"),
    ],
)
def test_one_mistake_in_a_real_account_is_one_finding(
    name: str, code: str, shared_suite: Suite
) -> None:
    data = (SHARED / f"instances/invalid/{name}.xbrl").read_bytes()
    document = Document("application/xml", f"{name}.xbrl", data)
    filing = Filing(load()["Jaarrekening"], Identiteit("", ""), document)
    assert codes_in(shared_suite.run(filing, ("xbrl",))) == [code]


@pytest.fixture(scope="module")
def shared_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    home = tmp_path_factory.mktemp("kvk")
    package = SHARED / "taxonomies/nt11-kvk-klein-publicatiestukken-dts-package.zip"
    Registry(home).add([package], name="kvk")
    suite = open_suite(home)
    yield suite
    suite.close()


def test_a_formula_over_other_facts_still_speaks(judge: Judge) -> None:
    """Two mistakes in two contexts are two findings; a sum with a hole in it is none."""
    wrong = ICP.replace(b">12000<", b">0<").replace(b"ob-i:DE<", b"ob-i:XX<")
    assert "xbrldie:ExplicitMemberUndefinedQNameError" in codes_in(judge("ICP", wrong))
    holes = OB.replace(b' unitRef="EUR"', b"", 1).replace(b">690<", b">691<")
    assert codes_in(judge("Omzetbelasting", holes, only=("xbrl",))) == ["xbrl.4.6.2:numericUnit"]


@pytest.mark.parametrize("index", [True, False])
def test_a_file_on_one_line_still_tells_where(index: bool, demo_home: Path) -> None:
    line = OB.replace(b"\n", b"").replace(b">BPL<", b">ZZZ<").replace(b">690<", b">691<")
    suite = open_suite(demo_home, index=index)
    document = Document("application/xml", "a.xbrl", line)
    filing = Filing(load()["Omzetbelasting"], Identiteit("", ""), document)
    try:
        (found,) = suite.run(filing, ("xbrl",))
        alone = suite.run(
            Filing(filing.kind, filing.belanghebbende, Document(
                "application/xml", "a.xbrl", line.replace(b">ZZZ<", b">BPL<"))), ("xbrl",)
        )  # fmt: skip
    finally:
        suite.close()
    assert (found.line, found.context) == (1, "Msg")
    assert found.xpath == "/xbrli:xbrl/ob-i:ContactType"
    assert found.message == (
        "De waarde 'ZZZ' van ob-i:ContactType is niet toegestaan: kies uit BPL, INT. "
        "(context 'Msg')"
    )
    (formula,) = alone
    assert formula.code == "message:ob-totaal"
    assert formula.xpath == "/xbrli:xbrl/ob-i:ValueAddedTaxOwed"


def test_counts_and_contexts_stand_in_every_form() -> None:
    from openpoort.domain.finding import Severity

    one = Finding("x", Severity.ERROR, "Tekst.", "xbrl", 3, "/a", context="c", count=4)
    assert to_json([one])[0] == {
        "code": "x", "severity": "error", "message": "Tekst.", "source": "xbrl", "line": 3,
        "xpath": "/a", "context": "c", "count": 4,
    }  # fmt: skip
    assert "4 keer, de eerste op regel 3: Tekst." in to_text([one])
    message = etree.fromstring(to_xml([one])).find(".//{*}msg")
    assert message is not None
    assert (message.get("context"), message.get("keer")) == ("c", "4")
    assert "count" not in json.dumps(to_json([Finding("x", Severity.ERROR, "T.", "xbrl")]))


def test_markers_of_the_sentences_cannot_be_written_by_a_filer(judge: Judge) -> None:
    for odd in ("{facts}", "{0}", "%(fact)s", "{", "}}", "{value!r}"):
        data = OB.replace(b">BPL<", f">{odd}<".encode())
        (found,) = judge("Omzetbelasting", data, only=("xbrl",))
        assert f"De waarde '{odd}' van ob-i:ContactType" in found.message


def test_equal_findings_of_a_filing_rule_are_one_with_a_count(judge: Judge) -> None:
    data = OB.replace(b'contextRef="Msg"', b'id="x%d" contextRef="Msg"')
    parts = data.split(b"%d")
    data = parts[0] + b"".join(b"%d" % n + part for n, part in enumerate(parts[1:]))
    (found,) = judge("Omzetbelasting", data, only=("filing",))
    assert (found.code, found.count) == ("FG-NL-09", len(parts) - 1)
    assert (found.line, found.context) == (6, "Msg")
