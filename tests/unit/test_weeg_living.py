"""Living numbers: bound to measurements, judged on freshness, never stale in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.weeg_folders import change, example, weeg

FILE = "measures/proefopstelling.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return example(tmp_path / "d")


def _run(folder: Path, *options: object) -> dict[str, Any]:
    result = weeg("run", folder, "--json", *options)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def _cell(outcome: dict[str, Any], option: str, criterion: str) -> dict[str, Any]:
    (row,) = (o for o in outcome["options"] if o["id"] == option)
    found: dict[str, Any] = row["scores"][criterion]
    return found


def _measure(folder: Path, index: int, **values: object) -> None:
    path = folder / FILE
    document = json.loads(path.read_text(encoding="utf-8"))
    document["measures"][index].update(values)
    path.write_text(json.dumps(document), encoding="utf-8")


def test_fresh_measurement_is_used_with_margin_and_origin(folder: Path) -> None:
    cell = _cell(_run(folder), "hergebruik", "8")
    assert (cell["low"], cell["mode"], cell["high"]) == ("91.277", "94.1", "96.923")
    assert cell["state"] == "fresh"
    assert cell["measure"]["age_days"] == 3
    assert cell["measure"]["file"] == FILE
    assert "32 of 34" in cell["from"]


def test_transform_and_margin(folder: Path) -> None:
    cell = _cell(_run(folder), "hergebruik", "15")
    # 2 x 24 + 120, 10 % either way
    assert (cell["low"], cell["mode"], cell["high"]) == ("151.2", "168", "184.8")


def test_measurement_may_bring_its_own_bandwidth_and_exponent(folder: Path) -> None:
    _measure(folder, 2, value="4.1E+1", low="30", high="50")
    cell = _cell(_run(folder), "hergebruik", "16")
    assert (cell["low"], cell["mode"], cell["high"]) == ("27", "41", "55")


def test_stale_measurement_gives_way_to_its_fallback_and_says_so(folder: Path) -> None:
    _measure(folder, 2, time="2026-06-01T00:00:00Z")
    outcome = _run(folder)
    cell = _cell(outcome, "hergebruik", "16")
    assert (cell["mode"], cell["state"]) == ("57", "fallback")
    assert "measures.stale_fallback" in [f["code"] for f in outcome["findings"]]
    checked = weeg("check", folder)
    assert checked.exit_code == 1
    assert (
        "continuity_controls_proven is 172 days old (at most 90); the fallback 43|57|71"
        in checked.stdout
    )


def test_missing_measurement_gives_way_to_its_fallback_and_says_so(folder: Path) -> None:
    _measure(folder, 2, name="something_else")
    outcome = _run(folder)
    assert _cell(outcome, "hergebruik", "16")["state"] == "fallback"
    assert "measures.missing_fallback" in [f["code"] for f in outcome["findings"]]


def test_missing_measurement_without_fallback_is_refused(folder: Path) -> None:
    _measure(folder, 0, name="something_else")
    refused = weeg("run", folder)
    assert refused.exit_code == 2
    assert "measurement frameworks_passed is not in measures/proefopstelling" in refused.stderr


def test_accepted_stale_number_is_marked_everywhere(folder: Path, tmp_path: Path) -> None:
    _measure(folder, 0, time="2026-06-01T00:00:00Z")
    assert weeg("run", folder).exit_code == 2
    outcome = _run(folder, "--accept-stale")
    assert outcome["accepted_stale"] is True
    assert _cell(outcome, "hergebruik", "8")["state"] == "stale"
    assert "used all the same" in weeg("run", folder, "--accept-stale").stdout
    out = tmp_path / "r.html"
    weeg("report", folder, "--out", out, "--accept-stale")
    page = out.read_text(encoding="utf-8")
    assert "LET OP: op verzoek zijn verouderde metingen gebruikt" in page
    assert "[VEROUDERD]" in page


@pytest.mark.parametrize(("day", "fine"), [("2026-12-17", True), ("2026-12-18", False)])
def test_freshness_ends_after_the_day_that_was_set(folder: Path, day: str, fine: bool) -> None:
    # measured 17 November 06:00, fresh for 30 days, judged at the end of the day
    assert (weeg("check", folder, "--at", day).exit_code == 0) is fine


def test_person_is_told_when_the_day_weighed_on_is_long_ago(folder: Path) -> None:
    change(folder, "decision.yaml", "as_of: 2026-11-20", "as_of: 2020-06-29")
    for index in range(3):
        _measure(folder, index, time="2020-06-28T00:00:00Z")
    result = weeg("run", folder, "--json")
    assert result.exit_code == 0
    assert "mind: the day weighed on, 2020-06-29, is" in result.stderr
    json.loads(result.stdout)


def test_living_number_past_an_end_point_counts_as_the_end_and_is_said(folder: Path) -> None:
    _measure(folder, 0, value="104")
    outcome = _run(folder)
    assert _cell(outcome, "hergebruik", "8")["score"] == 1
    assert "feeds.outside" in [f["code"] for f in outcome["findings"]]
    assert weeg("check", folder).exit_code == 1


def test_newest_of_one_name_counts_and_a_tie_is_refused(folder: Path) -> None:
    path = folder / FILE
    document = json.loads(path.read_text(encoding="utf-8"))
    older = {**document["measures"][0], "value": "10", "time": "2026-11-01T00:00:00Z"}
    document["measures"].append(older)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert _cell(_run(folder), "hergebruik", "8")["mode"] == "94.1"
    document["measures"][-1]["time"] = document["measures"][0]["time"]
    path.write_text(json.dumps(document), encoding="utf-8")
    refused = weeg("run", folder)
    assert refused.exit_code == 2
    assert "stands here twice with the same time" in refused.stderr


def test_scores_from_costs_follow_the_cost_model(folder: Path) -> None:
    before = _run(folder)
    change(folder, "costs.yaml", "per_week: 120000", "per_week: 130000")
    change(folder, "costs.yaml", "{2027: 9000000|11000000", "{2027: 9000000|12000000")
    after = _run(folder)
    assert _cell(before, "hergebruik", "11")["mode"] == "37000000"
    assert _cell(after, "hergebruik", "11")["mode"] == "38000000"
    assert _cell(after, "hergebruik", "11")["state"] == "costs"
    assert _cell(after, "hergebruik", "12")["mode"] > _cell(before, "hergebruik", "12")["mode"]


def test_feed_takes_the_last_line_of_a_command(folder: Path, tmp_path: Path) -> None:
    published = {
        "format": "weeg-measures/1",
        "publisher": "openpoort",
        "measures": [
            {
                "name": "cost_per_message",
                "value": "0.0004",
                "unit": "EUR/message",
                "time": "2026-11-19T00:00:00Z",
                "source": "trial",
                "window": "P7D",
            }
        ],
    }
    said = tmp_path / "out.txt"
    said.write_text("measuring...\n" + json.dumps(published) + "\n", encoding="utf-8")
    result = weeg("feed", folder, said)
    assert result.exit_code == 0
    assert json.loads((folder / "measures/openpoort.json").read_text()) == published
    change(folder, "feeds.yaml", "tarief: {costs: unit_price}",
           "tarief: {costs: unit_price}\ngemeten:\n  file: measures/openpoort.json\n"
           "  measure: cost_per_message\n  unit: €/bericht\n  fresh_for: 7 days")  # fmt: skip
    text = (folder / "options.csv").read_text(encoding="utf-8").splitlines()
    text[3] = text[3].replace("@tarief", "@gemeten")
    (folder / "options.csv").write_text("\n".join(text), encoding="utf-8")
    assert _cell(_run(folder), "hergebruik", "12")["mode"] == "0.0004"


def test_feed_refuses_what_it_cannot_read(folder: Path, tmp_path: Path) -> None:
    said = tmp_path / "out.txt"
    said.write_text('{"format": "other"}', encoding="utf-8")
    refused = weeg("feed", folder, said)
    assert refused.exit_code == 2
    assert "this is not a measurement file" in refused.stderr
    assert not (folder / "measures/openpoort.json").exists()
    assert weeg("feed", folder, said, "--name", "../x").exit_code == 2
