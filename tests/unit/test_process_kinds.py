"""Kind files: the shipped ones load, a wrong one says what to change; the drawing is current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openpoort.domain.kind import StepKind
from openpoort.process.flow import drawing, kinds
from openpoort.process.flow.behaviours import DOES
from openpoort.process.flow.kinds import KindError

ROOT = Path(__file__).parents[2]
GOOD = """\
berichtsoort = "Proef"
title = "Een proef"
identity_types = ["BTW"]
rollen = ["Bedrijf"]
[[steps]]
name = "afleveren"
kind = "deliver"
ok = "400"
agencies = ["DEMODIENST"]
"""


def test_shipped_kinds_load() -> None:
    shipped = kinds.load()
    assert {"Omzetbelasting", "OBSUP", "ICP", "Aangifte_LH", "Jaarrekening", "eFactuur",
            "Servicebericht", "Retourbericht"} <= set(shipped)  # fmt: skip
    used = {step.kind for kind in shipped.values() for step in kind.steps}
    assert {StepKind.SPLIT, StepKind.DETACH, StepKind.RETURN, StepKind.ARCHIVE} <= used
    assert any(len(step.agencies) == 2 for k in shipped.values() for step in k.steps)


def test_every_kind_of_step_has_its_behaviour() -> None:
    assert set(DOES) == set(StepKind)


def test_a_folder_adds_and_replaces(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD.replace("Proef", "ICP"))
    found = kinds.load(tmp_path)
    assert found["Proef"].title == "Een proef"
    assert found["ICP"].title == "Een proef"
    assert found["OBSUP"] == kinds.load()["OBSUP"]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('title = "Een proef"\n', "", "proef.toml: title: give a text"),
        ('"Een proef"', '"Een proef', "proef.toml: file: is not TOML"),
        ('kind = "deliver"', 'kind = "levert"', "steps[1].kind: 'levert' is not one of"),
        ('ok = "400"', 'ok = "999"', "steps[1].ok: status 999"),
        ('agencies = ["DEMODIENST"]', "", "steps[1].agencies: a step of kind deliver needs"),
        ('agencies = ["DEMODIENST"]', 'agencies = ["A", "A"]', "an agency stands there twice"),
        ('rollen = ["Bedrijf"]', 'rollen = "Bedrijf"', "rollen: give a list of texts"),
        ('rollen = ["Bedrijf"]', 'rollen = ["Bedrijf"]\nretry_hours = -1', "retry_hours: give a"),
        ('rollen = ["Bedrijf"]', 'rollen = ["Bedrijf"]\nkleur = "rood"', "kleur: unknown key"),
        (
            'rollen = ["Bedrijf"]',
            'rollen = ["Bedrijf"]\nrepeat = "nooit"',
            "repeat: 'nooit' is not",
        ),
        ('ok = "400"', 'ok = "400"\noptions = { deel = "x" }', "options.deel: not an option"),
        ('kind = "deliver"', 'kind = "split"', "agencies: a step of kind split delivers to nobody"),
        (
            "[[steps]]",
            '[[steps]]\nname = "x"\nkind = "split"\n[[steps]]',
            "options.element: a step",
        ),
        ("[[steps]]", '[[steps]]\nname = "x"\nkind = "report"\nok = "500"\n[[steps]]', "come last"),
        ("[[steps]]", '[[steps]]\nname = "x"\nkind = "check"\n[[steps]]', "steps[1].checks"),
        ("[[steps]]", '[[steps]]\nname = "afleveren"\nkind = "archive"\n[[steps]]', "twice"),
        (GOOD[GOOD.index("[[steps]]") :], "", "steps: give at least one"),
    ],
)
def test_a_wrong_file_names_file_key_and_what_to_change(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    assert before in GOOD
    (tmp_path / "proef.toml").write_text(GOOD.replace(before, after, 1))
    with pytest.raises(KindError) as error:
        kinds.load(tmp_path)
    assert says in str(error.value)
    assert re.match(r"proef\.toml(:\d+)?: ", str(error.value))


def test_a_batch_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    step = (
        '[[steps]]\nname = "x"\nkind = "split"\noptions = {element = "e", berichtsoort = "Weg"}\n'
    )
    (tmp_path / "proef.toml").write_text(GOOD.replace("[[steps]]", step + "[[steps]]", 1))
    with pytest.raises(KindError, match="no kind Weg"):
        kinds.load(tmp_path)


def test_the_page_on_flows_is_current() -> None:
    page = (ROOT / "docs" / "explanation" / "flow.md").read_text(encoding="utf-8")
    assert page == drawing.page(kinds.load().values()), (
        "run: python -m openpoort.process.flow.drawing docs/explanation"
    )


def test_the_drawings_of_the_kinds_are_current() -> None:
    for name, drawn in drawing.drawings(kinds.load().values()).items():
        assert (ROOT / "docs" / "explanation" / name).read_text(encoding="utf-8") == drawn, name
