"""Who counts and how: groups count once, who advises does not, silence means everybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.weeg_folders import change, quick, weeg


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return quick(tmp_path / "d")


def _run(folder: Path) -> dict[str, Any]:
    result = weeg("run", folder, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _say(folder: Path, who: str, what: str) -> None:
    path = folder / "decision.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = [x.replace("}", f", {what}}}") if x.startswith(f"  {who}: {{nl") else x for x in lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _view(outcome: dict[str, Any], name: str) -> dict[str, float]:
    (view,) = (v for v in outcome["views"] if v["name"] == name)
    weights: dict[str, float] = view["weights"]
    return weights


def test_silence_counts_everybody_the_same(folder: Path) -> None:
    outcome = _run(folder)
    people = [_view(outcome, n) for n in ("afnemers", "ministerie", "logius")]
    for c, weight in _view(outcome, "joint").items():
        assert weight == pytest.approx(sum(p[c] for p in people) / 3, abs=1e-9)
    assert [v["share"] for v in outcome["voices"]] == [pytest.approx(1 / 3)] * 3
    assert outcome["advises"] == []


def test_group_counts_once_by_the_mean_of_its_members(folder: Path) -> None:
    _say(folder, "afnemers", "in: uitvoering")
    _say(folder, "logius", "in: Uitvoering")
    outcome = _run(folder)
    a, m, lo = (_view(outcome, n) for n in ("afnemers", "ministerie", "logius"))
    for c, weight in _view(outcome, "joint").items():
        assert weight == pytest.approx(((a[c] + lo[c]) / 2 + m[c]) / 2, abs=1e-9)
    assert outcome["voices"] == [
        {"name": "uitvoering", "members": ["afnemers", "logius"], "share": 0.5},
        {"name": "ministerie", "members": ["ministerie"], "share": 0.5},
    ]


def test_who_advises_is_shown_and_counts_in_nothing(folder: Path) -> None:
    _say(folder, "logius", "advises: true")
    outcome = _run(folder)
    a, m = (_view(outcome, n) for n in ("afnemers", "ministerie"))
    assert _view(outcome, "logius")  # shown
    for c, weight in _view(outcome, "joint").items():
        assert weight == pytest.approx((a[c] + m[c]) / 2, abs=1e-9)
    assert outcome["advises"] == ["logius"]
    regret = outcome["disagreement"]["regret"]
    worst = {o: max(regret[p][o] for p in ("afnemers", "ministerie")) for o in regret["afnemers"]}
    assert outcome["disagreement"]["compromise"] == min(worst, key=lambda o: worst[o])


def test_page_and_terminal_say_who_counted(folder: Path, tmp_path: Path) -> None:
    _say(folder, "logius", "advises: true")
    _say(folder, "ministerie", "in: bestuur")
    shown = weeg("run", folder).stdout
    assert "advises, not counted" in shown
    assert "member of bestuur" in shown
    out = tmp_path / "r.html"
    weeg("report", folder, "--out", out, "--lang", "nl")
    page = out.read_text(encoding="utf-8")
    assert "Wie telt" in page
    assert "adviseert, telt niet mee" in page
    assert "lid van bestuur" in page


def test_diff_tells_a_change_of_who_counts(folder: Path, tmp_path: Path) -> None:
    new = quick(tmp_path / "new")
    _say(new, "logius", "advises: true")
    shown = weeg("diff", folder, new).stdout
    assert "who counts logius: itself -> advises" in shown


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"afnemers": "in: Ministerie"}, "Ministerie is the name of a stakeholder"),
        (dict.fromkeys(("afnemers", "ministerie", "logius"), "advises: true"), "nobody counts"),
        ({"logius": "advises: perhaps"}, "must be true or false"),
        ({"logius": "in: a b"}, "cannot be an id"),
        ({"logius": "inn: x"}, "perhaps you meant: in"),
    ],
)
def test_voices_that_cannot_be_are_refused(
    folder: Path, said: dict[str, str], message: str
) -> None:
    for who, what in said.items():
        _say(folder, who, what)
    refused = weeg("check", folder)
    assert refused.exit_code == 2
    assert message in refused.stderr


def test_empty_folder_counts_as_the_letter_has_it(tmp_path: Path) -> None:
    weeg("init", tmp_path / "d")
    text = (tmp_path / "d" / "decision.yaml").read_text(encoding="utf-8")
    for who in ("belastingdienst", "uwv", "gemeenten"):
        assert f"  {who}: " in text
        assert (tmp_path / "d" / "weights" / f"{who}.yaml").is_file()
    assert text.count("in: afnemers") == 3
    assert "logius: {nl: Logius, en: Logius, advises: true}" in text


def test_method_no_longer_says_that_counting_cannot_be_set() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "weeg" / "method.md"
    assert "no setting to change that quietly" not in page.read_text(encoding="utf-8")


def test_tie_is_said_to_be_one(folder: Path, tmp_path: Path) -> None:
    rows = (folder / "options.csv").read_text(encoding="utf-8").splitlines()
    best = next(r for r in rows if r.startswith("herbouw;")).split(";", 1)[1]
    # the same typed cells everywhere: two options that nothing can tell apart
    typed = best.replace("@onrechtmatig", "5000000").replace("@investering", "6000000")
    typed = typed.replace("@tarief", "0,1")
    rows = [f"{r.split(';')[0]};{typed}" if r.split(";")[0] in ("herbouw", "pakket") else r
            for r in rows]  # fmt: skip
    (folder / "options.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    shown = weeg("run", folder, "--cross-check").stdout
    assert "herbouw = pakket" in shown
    assert "herbouw > pakket" not in shown
    assert "Tied at number" in shown
    out = tmp_path / "r.html"
    weeg("report", folder, "--out", out, "--lang", "nl", "--cross-check")
    page = out.read_text(encoding="utf-8")
    assert "Volledige herbouw = Standaardpakket" in page
    assert "Volledige herbouw › Standaardpakket" not in page
    # and for the first place: a sentence about both, and none about a lead or a shift
    ends = "100;100;100;100;100;100;100;100;100;0;0;0;0;100;0;100;5"
    rows = [f"{r.split(';')[0]};{ends}" if r.split(";")[0] in ("herbouw", "pakket") else r
            for r in rows]  # fmt: skip
    first = quick(tmp_path / "first")
    (first / "options.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    weeg("report", first, "--out", out, "--lang", "nl")
    short = out.read_text(encoding="utf-8").split('<section id="short"')[1].split("</section>")[0]
    assert "staan Volledige herbouw en Standaardpakket gelijk op de eerste plaats" in short
    assert "Tweede is" not in short
    assert "verschuiving van één gewicht" not in short
    other = quick(tmp_path / "other")
    change(folder, "decision.yaml", "option: hergebruik", "option: pakket")
    found = weeg("diff", other, folder, "--json")
    assert ["herbouw", "pakket"] in json.loads(found.stdout)["after"]["ties"]
    told = weeg("diff", other, folder).stdout
    assert "herbouw = pakket" in told
