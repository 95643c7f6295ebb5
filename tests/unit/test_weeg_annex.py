"""The model is the annex of the letter: names word for word, controls and points as data."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from weeg import measured
from weeg.document import parse
from weeg.model import Model, read

ROOT = Path(__file__).resolve().parents[2]
LETTER = ROOT.parent / "shared" / "spec" / "letter.txt"
MEASUREMENTS = ROOT / "docs" / "weeg" / "measurements.md"


@pytest.fixture(scope="module")
def model() -> Model:
    file = resources.files("weeg").joinpath("templates", "shared", "model.yaml")
    return read(parse(file.read_bytes(), "model.yaml"))


def _words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def letter() -> str:
    if not LETTER.is_file():
        pytest.skip("the letter is not beside this clone")
    return LETTER.read_text(encoding="utf-8")


def annex(letter: str) -> dict[str, str]:
    """Number -> name as the annex prints it; the names of the groups stand in the margin."""
    text = letter.split("Bijlage: Criteria scenario vergelijking")[1]
    margin = r"\b(?:AFNEMERS|LOGIUS|OPLOSSING|FINANCIEN|BEHEERSBAARHEID)\b"
    bare = _words(re.sub(margin, " ", text))
    found = re.split(r"(?:^| )(\d{1,2})\. ", bare)[1:]
    return dict(zip(found[::2], map(str.strip, found[1::2]), strict=True))


def test_names_are_those_of_the_annex_word_for_word(model: Model, letter: str) -> None:
    assert {c.id: c.name.nl for c in model.criteria} == annex(letter)


def test_groups_are_those_of_the_annex_in_its_order(model: Model, letter: str) -> None:
    text = letter.split("Bijlage: Criteria scenario vergelijking")[1]
    at = [(text.index(f"{group} "), group) for group, _ in model.groups]
    assert at == sorted(at)
    for (place, group), (end, _) in zip(at, [*at[1:], (len(text), "")], strict=True):
        inside = re.findall(r"(?:^|\s)(\d{1,2})\. ", text[place:end])
        assert inside == [c.id for c in model.members(group)]


def test_points_of_the_advice_are_five_and_read_from_a_sentence(model: Model, letter: str) -> None:
    points = model.criterion("17").parts
    assert len(points) == model.criterion("17").best.value == 5
    for point in points:
        assert point.reconstructed
        assert _words(point.sentence) in _words(letter)
        assert point.proof


def test_continuity_is_a_share_of_seven_controls(model: Model) -> None:
    criterion = model.criterion("16")
    assert criterion.unit == "%"
    assert [p.id for p in criterion.parts] == [
        "commit-before-answer", "backup", "restore-drill", "failover-drill",
        "recovery-as-promised", "closing-of-a-day", "move-and-way-back",
    ]  # fmt: skip
    assert [p.id for p in criterion.parts if not p.proof] == ["move-and-way-back"]


def test_the_model_names_measurements_of_the_list_and_all_of_them(model: Model) -> None:
    told = {name: c.id for c in model.criteria for name in c.measures}
    assert told == {n.name: n.criterion for n in measured.names() if n.criterion}


def test_page_of_measurements_is_made_from_the_list() -> None:
    assert measured.table() in MEASUREMENTS.read_text(encoding="utf-8")


def test_name_that_nothing_publishes_says_so() -> None:
    assert measured.unpublished(["rollback_rate", "dependencies", "my_own"]) == ("rollback_rate",)
    rows = measured.table().splitlines()
    (row,) = (r for r in rows if r.startswith("| `rollback_rate` |"))
    assert row.endswith("| **nothing yet** | – |")
