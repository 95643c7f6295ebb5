"""What a kind names is held against what is installed."""

from __future__ import annotations

from dataclasses import replace

from openpoort.domain.kind import Kind
from openpoort.process.flow import kinds
from openpoort.process.flow.installed import Installed, judge

HERE = Installed(
    checks={"structure", "filing", "xbrl"}, by_taxonomy={"filing", "xbrl"},
    agencies={"DEMODIENST": "wus", "ANDERS": "post"}, channels={"wus"},
    entry_points=["https://example.nl/2026/vat.xsd"],
    mapped=lambda kind: ["https://example.nl/2026/vat.xsd"] if kind == "Omzetbelasting" else [],
    schema=lambda name: "" if name == "goed.xsd" else f"schema {name}: is not there",
)  # fmt: skip
VAT = replace(kinds.load()["Omzetbelasting"], entrypoints=())


def _what(kind: Kind) -> list[tuple[str, str]]:
    return [(lack.key, lack.what) for lack in judge(kind, HERE)]


def test_a_kind_of_which_everything_is_there_can_work() -> None:
    assert _what(replace(VAT, schema="goed.xsd", entrypoints=("https://example.nl/*",))) == []


def test_a_check_that_is_not_installed() -> None:
    steps = [replace(s, checks=("malware",)) if s.checks else s for s in VAT.steps]
    found = dict(_what(replace(VAT, steps=tuple(steps))))
    assert "use one of filing, structure, xbrl" in found["steps[2].checks"]


def test_an_agency_that_nobody_knows_or_that_no_channel_reaches() -> None:
    for name, says in (("DEMODINST", "write 'DEMODIENST'"), ("ANDERS", "channel 'post'")):
        steps = [replace(s, agencies=(name,)) if s.agencies else s for s in VAT.steps]
        [(key, what)] = _what(replace(VAT, steps=tuple(steps)))
        assert key.endswith("].agencies")
        assert says in what


def test_a_schema_that_is_not_there() -> None:
    [(key, what)] = _what(replace(VAT, schema="weg.xsd"))
    assert (key, "is not there" in what) == ("schema", True)


def test_an_entry_point_that_no_taxonomy_has() -> None:
    [(key, what)] = _what(replace(VAT, entrypoints=("https://example.nl/2025/*",)))
    assert key == "entrypoints"
    assert "2025" in what


def test_a_kind_judged_by_taxonomies_of_which_none_is_its_own() -> None:
    [(key, what)] = _what(replace(VAT, berichtsoort="Nieuw"))
    assert key == "entrypoints"
    assert "--kind Nieuw=ENTRYPOINT" in what
