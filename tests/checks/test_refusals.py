"""Which check refuses what: every cell of the table in the docs, and no row without an owner."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from openpoort.checks.defaults import UNKNOWN, kind_for
from openpoort.checks.guarded import Guarded
from openpoort.checks.suite import Suite
from openpoort.cli.check import Job
from openpoort.domain.finding import Finding, rejects
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import StepKind
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import KindError, load
from openpoort.process.ports import Filing
from openpoort.sandbox.samples import samples
from openpoort_lab.figures.refusals import CHECKS, SHAPES, Shape, told
from tests.checks.conftest import Judge

KINDS = load()
NUMBERS = {
    "Omzetbelasting": Identiteit("001000044B37", "BTW"),
    "Aangifte_LH": Identiteit("001000044L01", "LHnr"),
}
CASES = Path(__file__).parents[3] / "shared/cases/xbrl"


def filing(shape: Shape) -> Filing:
    kind = KINDS[shape.kind]
    document = Document("application/xml", f"a{kind.extensions[0]}", shape.content)
    return Filing(kind, NUMBERS[shape.kind], document)


@pytest.mark.parametrize(
    ("shape", "check"),
    list(itertools.product(SHAPES, CHECKS)),
    ids=lambda value: getattr(value, "about", value),
)
def test_each_check_says_what_the_table_says(shape: Shape, check: str, suite: Suite) -> None:
    assert told(suite.checks[check].check(filing(shape))) == shape.cells[CHECKS.index(check)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.about)
def test_the_steps_of_the_kind_leave_no_gap(shape: Shape, suite: Suite) -> None:
    """As the engine runs them: step by step, and one refusal is told by one check."""
    steps = [s for s in KINDS[shape.kind].steps if s.kind is StepKind.CHECK]
    told_by = [c for s in steps for c in s.checks if rejects(suite.checks[c].check(filing(shape)))]
    assert told_by


@pytest.mark.parametrize("kind", [k.berichtsoort for k in KINDS.values() if k.sample])
def test_the_sample_of_each_kind_still_passes(kind: str, judge: Judge) -> None:
    assert not rejects(judge(kind, only=("structure", "filing", "plain", "xbrl")))


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside the project")
@pytest.mark.parametrize(
    "name", ["aangifte", "leeg-nt14", "linkbase", "renamed-root", "x", "y"]
)  # fmt: skip
@pytest.mark.parametrize("asked", ["Omzetbelasting", None])
def test_what_is_no_return_is_refused_with_and_without_a_kind(
    name: str, asked: str | None, suite: Suite
) -> None:
    data = (CASES / "notxbrl" / f"{name}.xbrl").read_bytes()
    kind = KINDS[asked] if asked else kind_for(name, data, KINDS, suite.registry)
    document = Document("application/xml", f"{name}.xbrl", data)
    for number in (NUMBERS["Omzetbelasting"], Identiteit("", "")):
        assert rejects(suite.run(Filing(kind, number, document)))


def test_a_document_that_no_kind_takes_is_refused(suite: Suite) -> None:
    document = Document("application/xml", "x.xml", b'<a xmlns="urn:niemand"/>')
    (found,) = suite.run(Filing(UNKNOWN, Identiteit("", ""), document))
    assert (found.code, found.xpath) == ("OP-2.06", "/*")
    assert "a (namespace 'urn:niemand')" in found.message


def test_a_kind_that_checks_plain_needs_a_schema(tmp_path: Path) -> None:
    (tmp_path / "Los.toml").write_text(
        'berichtsoort = "Los"\ntitle = "t"\nidentity_types = ["KvK"]\nrollen = ["Bedrijf"]\n'
        '[[steps]]\nname = "inhoud"\nkind = "check"\nchecks = ["plain"]\n'
    )
    with pytest.raises(KindError, match="schema"):
        load(tmp_path)


class _Crashing:
    """A check with a mistake in it that one document of a folder meets."""

    name = "filing"

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        if filing.inhoud.bestandsnaam == "b.xbrl":
            raise TypeError("of our own")
        return ()


def test_a_folder_goes_on_after_a_check_that_crashes(suite: Suite, tmp_path: Path) -> None:
    for name in ("a.xbrl", "b.xbrl", "c.xbrl"):
        (tmp_path / name).write_bytes(samples()["Omzetbelasting"])
    checks = {**suite.checks, "filing": Guarded(_Crashing())}
    odd = Suite(checks, suite.registry, suite.pool, suite.routes)
    job = Job(odd, KINDS, "Omzetbelasting", NUMBERS["Omzetbelasting"])
    verdicts = [job.judge(path) for path in sorted(tmp_path.iterdir())]
    assert [v.code for v in verdicts] == [0, 2, 0]
    assert "check filing crashed: TypeError at " in verdicts[1].failure
