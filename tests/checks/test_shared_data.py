"""Against the taxonomies, instances and filing-rule cases of others, where they stand."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from openpoort.checks.defaults import UNKNOWN
from openpoort.checks.document import read
from openpoort.checks.filing import judge_file, judge_instance
from openpoort.checks.instance import Instance
from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.taxonomies.outline import Concept, Outline
from openpoort.checks.taxonomies.registry import Registry
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.ports import Filing


@pytest.fixture(scope="module")
def nt(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """NT14 of the tax office and NT11 of KvK in one home: their address ranges overlap."""
    home = tmp_path_factory.mktemp("nt")
    for path in sorted((shared / "data" / "xbrl" / "taxonomies").glob("*.zip")):
        Registry(home).add([path], name=path.stem[:4])
    suite = open_suite(home)
    yield suite
    suite.close()


EXPECTED = {
    "valid/kvk-rpt-jaarverantwoording-2016-nlgaap-klein-publicatiestukken": set(),
    "invalid/01-assets-sum-wrong": {
        "message:valueAssertion_BalanceSheet_MsgSeparateOneVariable1",
        "message:valueAssertion_BalanceSheet_MsgSeparateSumOfChildren3",
    },
    "invalid/02-mandatory-fact-missing": {
        "message:ExistenceAssertion_EntityInformation_MsgAdimensionalExistOnceERROR1"
    },
    "invalid/04-unknown-concept": {"xbrl:schemaImportMissing"},
    "invalid/05-dimension-invalid-member": {"xbrldie:ExplicitMemberUndefinedQNameError"},
    "invalid/06-not-wellformed": {"OP-2.01"},
    "invalid/08-monetary-no-unit": {"xbrl.4.6.2:numericUnit"},
    "invalid/10-doctype": {"FR-NL-1.03"},
    "invalid/13-duplicate-fact": {"FR-NL-5.01"},
    "omzetbelasting/ob-aangifte-2020-nt14-valid": set(),
    "omzetbelasting/ob-aangifte-2020-nt14-invalid-decimal-amount": {"xmlSchema:valueError"},
    "omzetbelasting/ob-aangifte-2020-nt14-invalid-concept-not-in-report": {"OP-4.03"},
    "omzetbelasting/ob-aangifte-2020-nt14-invalid-unknown-concept": {"xbrl:schemaImportMissing"},
    "omzetbelasting/ob-aangifte-2020-nt14-invalid-contacttype": {"xmlSchema:valueError"},
    "omzetbelasting/ob-aangifte-2026-nt20": {"OP-4.01"},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_instances_get_the_codes_of_the_facts(name: str, nt: Suite, shared: Path) -> None:
    path = shared / "data" / "xbrl" / "instances" / f"{name}.xbrl"
    document = Document("application/xml", path.name, path.read_bytes())
    found = {f.code for f in nt.run(Filing(UNKNOWN, Identiteit("", ""), document))}
    assert found >= EXPECTED[name]
    assert bool(found) == bool(EXPECTED[name])


def test_formula_messages_are_dutch_where_the_taxonomy_has_them(nt: Suite, shared: Path) -> None:
    path = shared / "data" / "xbrl" / "instances" / "invalid" / "02-mandatory-fact-missing.xbrl"
    document = Document("application/xml", path.name, path.read_bytes())
    (finding,) = nt.run(Filing(UNKNOWN, Identiteit("", ""), document))
    assert "LegalEntityName" in finding.message
    assert "must exist" not in finding.message


MOCK = "{http://www.mock.com/mock}"
JENV = "{http://www.nltaxonomie.nl/nt16/jenv/20211208/dictionary/jenv-bw2-data}"
OUTLINE = Outline(
    "../mock-taxonomy.xsd",
    {
        f"{MOCK}String": Concept("text", True),
        f"{MOCK}FormattedExplanation": Concept("formatted", True),
        f"{MOCK}Monetary": Concept("monetary", True),
        f"{JENV}AverageNumberEmployees": Concept("numeric", True),
    },
    {
        "http://www.mock.com/mock": ("mock",),
        "http://www.nltaxonomie.nl/nt16/sbr/20210301/dictionary/nl-common-data": ("nl-cd",),
    },
)
"""What a taxonomy would tell: the NT16 taxonomies of these cases are not there."""
REFUSED_FIRST = {"2-03-missing-lang.xbrl": "OP-2.01"}
"""This file is not well-formed (an end tag with another prefix); the reference repairs it."""
EXTRA = {
    "FR-KVK-2.03": "the entry point of the case is not installed",
    "BR-KVK-3.01": "the case has no currency, or two",
    "BR-KVK-4.20": "the case has dates with a time",
    "BR-KVK-2.04": "the case has a period outside the book years",
    "BR-KVK-4.12": "a correction without adoption breaks 4.12 and 4.16",
    "FR-KVK-2.01": "the case has no xml:lang",
    "FR-KVK-2.02": "facts with xml:lang beside a root with none or another",
    "FR-KVK-5.02": "shares with decimals 0",
    "FR-NL-1.01": "the case in UTF-16 starts with a mark",
    "FR-NL-1.03": "the case has a DOCTYPE",
    "FR-NL-2.03": "the case has no xml:lang",
    "FR-NL-3.01": "the case has dates with a time",
    "FR-NL-3.03": "a doubled context is not used either",
    "FR-NL-3.04": "contexts of the case are equal",
    "FR-NL-4.01": "units of the case are equal",
    "FR-NL-4.02": "a doubled unit is not used either",
    "FR-NL-5.01": "facts of the case are equal",
    "FG-NL-04": "a unit or context after the facts",
    "FG-NL-05": "declared prefixes that are not used",
    "FG-NL-09": "facts with an id",
    "FG-NL-11": "a unit outside the registry",
}
"""Codes beyond the expected one, each truly there in some case: the cases list one each."""


def _cases(shared: Path) -> Iterator[tuple[str, bytes, set[str]]]:
    root = shared / "data" / "xbrl" / "filing-rules-nt16"
    for testcase in etree.parse(root / "index.xml").getroot().iter("{*}testcase"):
        file = root / str(testcase.get("uri"))
        for variation in etree.parse(file).getroot().iter("{*}variation"):
            name = variation.findtext(".//{*}instance") or ""
            expected = {(e.text or "").removeprefix("NL.") for e in variation.iter("{*}error")}
            if ".zip/" in name:
                outer, inner = name.split(".zip/")
                with zipfile.ZipFile(file.parent / f"{outer}.zip") as archive:
                    yield inner, archive.read(inner), expected
            else:
                yield name, (file.parent / name).read_bytes(), expected


def test_filing_rule_cases_give_their_codes_and_no_unexplained_others(shared: Path) -> None:
    count = 0
    for name, data, expected in _cases(shared):
        count += 1
        found = {f.code for f in judge_file(name, data, applies_kvk=True)}
        reading = read(data)
        if reading.root is not None:
            instance = Instance(reading.root, data, name, date(2026, 11, 23), OUTLINE)
            found |= {f.code for f in judge_instance(instance, applies_kvk=True)}
        if name in REFUSED_FIRST:
            assert {f.code for f in reading.findings} == {REFUSED_FIRST[name]}
            continue
        assert expected <= found, name
        assert found - expected <= set(EXTRA), name
    assert count == 51
