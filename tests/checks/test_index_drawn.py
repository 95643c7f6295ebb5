"""Filings of drawn taxonomies: a seeded slice, and planted mistakes that it must find."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from openpoort.checks.defaults import UNKNOWN
from openpoort.checks.index import facts, formulas, values
from openpoort.checks.index.compiled import Index
from openpoort.checks.index.contexts import Unit
from openpoort.checks.index.facts import Facts
from openpoort.checks.index.formulas import Bound
from openpoort.checks.index.shelf import Shelf
from openpoort.checks.index.values import Type
from openpoort.checks.routes import INDEX
from openpoort.checks.suite import open_suite
from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.verdict import Xbrl
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort_lab.cases.beside import Nobody
from openpoort_lab.cases.bundle import BASE, abstract, bundle
from openpoort_lab.cases.drawn import drawn
from openpoort_lab.cases.filings import filings
from openpoort_lab.cases.run import install

SEEDS = ("4", "5", "6", "217", "308")
"""Taxonomies of which a hundred filings tell all planted mistakes."""
EACH = 100
Told = Counter[str]


class _Fixed(Shelf):
    """Gives this index, whatever is asked."""

    def __init__(self, index: Index) -> None:
        super().__init__()
        self.index = index

    def get(self, taxonomy: Installed, entry: str) -> Index:
        return self.index


class Sheet:
    """Filings of one drawn taxonomy, its index, and what the processor says, asked once."""

    def __init__(self, seed: str, folder: Path) -> None:
        taxonomy = drawn(seed)
        self.filings = [_filing(content) for content in filings(taxonomy, EACH, seed)]
        self.suite = open_suite(install(folder, taxonomy.package))
        self.processor = Xbrl(self.suite.registry, self.suite.pool)
        (installed,) = self.suite.registry.all()
        (entry,) = installed.entries
        index = Shelf().get(installed, entry)
        assert index is not None
        self.index = index
        self._told: dict[int, Told] = {}
        list(self.decided(index))

    def decided(self, index: Index) -> Iterator[tuple[bytes, Told, Told]]:
        """Content, what this index says and what the processor says, where it says anything."""
        judge = Xbrl(self.suite.registry, Nobody(), _Fixed(index))
        for number, filing in enumerate(self.filings):
            try:
                mine = _told(judge.check(filing))
            except CheckUnavailable:
                continue
            if judge.routes.take() == INDEX:
                if number not in self._told:
                    self._told[number] = _told(self.processor.check(filing))
                yield bytes(filing.inhoud.inhoud), mine, self._told[number]


def _filing(content: bytes) -> Filing:
    document = Document("application/xml", "f.xbrl", content)
    return Filing(UNKNOWN, Identiteit("", ""), document)


def _told(found: Iterable[Finding]) -> Told:
    return Counter(map(str, found))


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sheet]]:
    folders = [tmp_path_factory.mktemp("drawn") for _ in SEEDS]
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(Sheet, SEEDS, folders))
    yield made
    for sheet in made:
        sheet.suite.close()


def test_the_index_says_of_drawn_filings_what_the_processor_says(sheets: list[Sheet]) -> None:
    found = [one for sheet in sheets for one in sheet.decided(sheet.index)]
    for content, mine, theirs in found:
        assert mine == theirs, content.decode("latin-1")
    assert len(found) > 90
    assert sum(bool(theirs) for _, _, theirs in found) > 40


def test_the_same_seed_draws_the_same() -> None:
    assert drawn("7").package == drawn("7").package != drawn("8").package
    taxonomy = drawn("7")
    assert list(filings(taxonomy, 9, "7")) == list(filings(taxonomy, 9, "7"))


Plant = Callable[[pytest.MonkeyPatch], Callable[[Index], Index]]
"""Makes a mistake; what it gives back changes the index where the mistake is in compiling."""


def _patch(owner: Any, name: str, value: Any) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> Callable[[Index], Index]:
        patch.setattr(owner, name, value)
        return lambda index: index

    return plant


def _compiled(**changes: Callable[[Any], Any]) -> Plant:
    def change(index: Index) -> Index:
        new = {name: change(getattr(index, name)) for name, change in changes.items()}
        return dataclasses.replace(index, **new)

    return lambda _: change


def _bound(keep: Callable[[Any], Any]) -> Callable[..., Bound]:
    def make(text: str, integer: bool, aspects: Any, *rest: Any) -> Bound:
        return Bound(text, integer, keep(aspects), *rest)

    return make


def _each(**changes: Any) -> Callable[[Any], Any]:
    return lambda named: {n: dataclasses.replace(v, **changes) for n, v in named.items()}


def _text(element: Any) -> str:
    return element.text or ""


_OLD_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9/._~:-]+|[A-Za-z0-9/._~-]+")
PLANTED: dict[str, Plant] = {
    "an address is anything with a scheme": _patch(values, "_ADDRESS", _OLD_ADDRESS),
    "what is declared in a tuple is a member": _compiled(local=lambda _: frozenset()),
    "every tuple may have an id": _compiled(tuples=_each(attributes=frozenset({"id"}))),
    "no bounds": _patch(Type, "_range", lambda *_: None),
    "no lengths": _patch(Type, "_measure", lambda *_: None),
    "white space stays": _patch(Type, "_spaced", lambda _, raw: raw),
    "no unit need be money": _patch(Unit, "money", True),
    "every hypercube holds": _patch(facts, "valid", lambda *_: True),
    "no axis has a default": _compiled(axes=_each(default="")),
    "facts of other units bind": _patch(facts, "Bound", _bound(lambda a: (a[0], a[2]))),
    "facts of other contexts bind": _patch(facts, "Bound", _bound(lambda a: a[1:])),
    "numbers are shown as Python shows them": _patch(formulas, "_shown", repr),
    "text ends at the first comment": _patch(facts, "leaf", _text),
    "no attribute is required": _patch(Facts, "_attributes", lambda *_: False),
}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_is_found(
    mistake: str, sheets: list[Sheet], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = PLANTED[mistake](monkeypatch)
    judged = (found for sheet in sheets for found in sheet.decided(change(sheet.index)))
    assert any(mine != theirs for _, mine, theirs in judged)


_ODD = (
    '<xs:element id="p_Keus" name="Keus" nillable="true" xbrli:periodType="duration"'
    ' substitutionGroup="xbrli:item"><xs:complexType><xs:simpleContent>'
    '<xs:restriction base="xbrli:tokenItemType"><xs:enumeration value="een "/>'
    "</xs:restriction></xs:simpleContent></xs:complexType></xs:element>"
    '<xs:element id="p_Rij" name="Rij" substitutionGroup="xbrli:tuple"><xs:complexType>'
    '<xs:sequence><xs:element name="Los" type="xbrli:stringItemType"/></xs:sequence>'
    "</xs:complexType></xs:element>"
    '<xs:element id="p_Post" name="Post" type="xbrli:monetaryItemType" nillable="true"'
    ' substitutionGroup="xbrli:item" xbrli:periodType="duration"/>'
)


def test_what_the_processor_reads_its_own_way_is_left_to_it(tmp_path: Path) -> None:
    """A list with a space after its value, a member declared inside a tuple, and formulas beside a
    cycle, after which the processor evaluates none."""
    declared = "".join(abstract(name, "xbrli:item") for name in ("Kop", "Lid", "Onder")) + _ODD
    declared += abstract("Land", "xbrldt:dimensionItem")
    cycle = (
        ("dimension-domain", "Land", "Lid", ""),
        ("domain-member", "Lid", "Onder", ""),
        ("domain-member", "Onder", "Lid", ""),
    )
    package = bundle(declared, {"kring": cycle}, ["Post"], [("teken", "$a ge 0", {"a": "Post"})])
    (installed,) = Registry(install(tmp_path, package)).all()
    (entry,) = installed.entries
    index = Shelf().get(installed, entry)
    assert index is not None
    assert f"{{{BASE}}}Keus" not in index.items
    assert f"{{{BASE}}}Post" in index.items
    assert {name.rpartition("}")[2] for name in index.local} >= {"Los"}
    assert index.undecided == "formula: taxonomy"
