"""`openpoort progress`: with and without each of its parts, alarms told once, a page alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lxml import html

from openpoort.app.home import create
from openpoort.app.progress import Progress, progress
from openpoort.app.progress_json import as_json
from openpoort.app.progress_page import page
from openpoort.app.progress_told import told
from openpoort.app.progress_words import Language
from openpoort.cli import main
from openpoort.operate.costs import Prices
from openpoort.store.messages.months import Counted, Month
from tests.weeg_folders import quick, weeg

DOCUMENTED = Path("docs/reference/contracts.md")
LETTER = datetime(2020, 6, 29, 12, tzinfo=UTC)
LANGUAGES: tuple[Language, ...] = ("nl", "en")


def _say(*words: object) -> Result:
    return CliRunner().invoke(main, ["progress", *map(str, words)], catch_exceptions=False)


def _json(said: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


def _contract(home: Path, end: date, planned: date) -> None:
    (home / "contracts.toml").write_text(
        f'[[contract]]\nname = "uitwisseling"\nuntil = {end}\n'
        f'milestone = [{{name = "overbrengen", planned = {planned}}}]\n'
    )


@pytest.fixture(scope="module")
def decision(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = quick(tmp_path_factory.mktemp("weeg") / "d")
    file = folder / "run.json"
    file.write_text(weeg("run", folder, "--json").stdout, encoding="utf-8")
    return file


@pytest.fixture
def whole(tmp_path: Path, decision: Path) -> Progress:
    """The letter's contracts on the day of the letter, an outcome of weeg, two months counted."""
    text = DOCUMENTED.read_text("utf-8")
    file = tmp_path / "contracts.toml"
    file.write_text(text[text.index("```toml") + 7 : text.rindex("```")], encoding="utf-8")
    found = progress(tmp_path, file, decision, LETTER)
    rows = [
        Month(date(2020, 5, 1), "Omzetbelasting", "A<B", 1000, 4.0, 1.0, 9_000_000, 8.1e8),
        Month(date(2020, 6, 1), "Omzetbelasting", "A<B", 2000, 6.0, 2.0, 18_000_000, 1.6e9),
        Month(date(2020, 6, 1), "eFactuur", "C", 10, 0.1, None, 90_000, 8.1e6),
    ]
    counted = Counted(LETTER - timedelta(days=50), LETTER, rows)
    return replace(found, counted=counted, prices=Prices(0.05, 0.01, 0.10), unknown={})


def test_the_contracts_of_the_letter_on_its_day(whole: Progress) -> None:
    exchange, infrastructure = as_json(whole)["contracts"]
    assert exchange["unlawful_so_far"]["months"]["likely"] == "7.97"  # November to 29 June
    assert exchange["unlawful_so_far"]["euros"]["likely"] is None  # no price stands in the letter
    assert exchange["unlawful_forecast"] is None  # nor a day of moving over
    assert infrastructure["unlawful_so_far"]["months"]["likely"] == "0.00"  # until November: known
    assert infrastructure["supplier"] is None
    assert infrastructure["milestones"][0]["planned"]["earliest"] == "2020-07-01"


def test_without_anything_all_is_unknown_and_no_error(tmp_path: Path) -> None:
    said = _say(tmp_path, "--json")
    found = _json(said)
    assert said.exit_code == 0
    assert (found["contracts"], found["months"], found["decision"]) == (None, None, None)
    assert set(found["unknown"]) == {"contracts", "months", "decision"}
    for lang, word in (("nl", "onbekend"), ("en", "unknown")):
        assert _say(tmp_path, "--lang", lang).stdout.count(word) >= 7


def test_a_gateway_that_was_never_started_is_left_alone(tmp_path: Path) -> None:
    create(tmp_path / "home")
    found = _json(_say(tmp_path / "home", "--json"))
    assert found["unknown"]["months"] == "the gateway in HOME was never started"
    assert not (tmp_path / "home" / "postgres").exists()


def test_alarm_is_exit_code_1_and_one_event_for_each_change(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    _contract(tmp_path, today + timedelta(days=30), today + timedelta(days=20))
    assert _say(tmp_path).exit_code == 0

    def event() -> list[dict[str, Any]]:
        said = _say(tmp_path)
        assert said.exit_code == 1
        lines = [json.loads(x) for x in said.stderr.splitlines() if x.startswith("{")]
        return [x for x in lines if x.get("action") == "contract.forecast"]

    _contract(tmp_path, today + timedelta(days=30), today + timedelta(days=40))
    (first,) = event()
    assert (first["object"], first["what"]) == ("uitwisseling", "passes")
    assert first["expected"] == str(today + timedelta(days=40))
    assert event() == []
    _contract(tmp_path, today + timedelta(days=30), today + timedelta(days=50))
    assert len(event()) == 1
    assert event() == []
    _contract(tmp_path, today + timedelta(days=30), today + timedelta(days=20))
    assert _say(tmp_path).exit_code == 0
    _contract(tmp_path, today + timedelta(days=30), today + timedelta(days=50))
    assert len(event()) == 1  # it was over, and came back


@pytest.mark.parametrize("option", ["--contracts", "--decision"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"[[contract", b"[]", b'{"weeg": 1}'])
def test_a_file_that_cannot_be_read_is_exit_code_2(
    tmp_path: Path, option: str, content: bytes | None
) -> None:
    file = tmp_path / "given"
    if content is not None:
        file.write_bytes(content)
    said = _say(tmp_path, option, file)
    assert (said.exit_code, said.stdout) == (2, "")
    assert "given" in said.stderr


def test_home_that_is_not_there_is_exit_code_2(tmp_path: Path) -> None:
    assert _say(tmp_path / "nowhere").exit_code == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_loads_nothing_and_every_table_has_its_command_and_day(
    whole: Progress, language: Language
) -> None:
    text = page(whole, language)
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|src=|href=|url\(|@import", text)
    tree = html.document_fromstring(text)
    tables = tree.xpath("//div[@class='scroll']")
    assert len(tables) >= 10
    for table in tables:
        source = table.getnext().text_content()
        assert re.search(r"`(openpoort|weeg|sha256sum) .*20\d\d-\d\d-\d\d", source), source
    assert len(tree.xpath("//section")) == 7
    assert len(tree.xpath("//*[local-name()='polyline']")) == 2  # a line a kind and agency
    assert "A&lt;B" in text


def test_both_languages_tell_the_same_tables_and_rows(whole: Progress) -> None:
    shapes = [
        [
            (s.anchor, [p if isinstance(p, str) else (p.name, len(p.header), len(p.rows))
                        for p in s.parts if not isinstance(p, str)])
            for s in told(whole, language)
        ]
        for language in LANGUAGES
    ]  # fmt: skip
    assert shapes[0] == shapes[1]
    words = {language: page(whole, language) for language in LANGUAGES}
    assert "Wat mis kan gaan" in words["nl"]
    assert "What can go wrong" in words["en"]
    assert "unknown" not in words["nl"].replace("unknown</title>", "")


def test_decision_brings_choice_risks_and_the_five_points(whole: Progress) -> None:
    text = page(whole, "en")
    assert "Reuse, then renew stepwise" in text
    for expected in ("renewal step by step", "183,000 of 262,000 lines", "Dissent"):
        assert expected in text
    assert "Risks of what was chosen" in text
    said = as_json(whole)["decision"]
    assert [len(said["points"]), said["chosen"]["option"]] == [5, "hergebruik"]
    assert all(option["risks"] for option in said["options"])


def test_cost_of_a_message_is_that_of_its_month(whole: Progress) -> None:
    rows = as_json(whole)["months"]["rows"]
    # 5 s of processor at 5 cents an hour, 9 MB written at 1 cent, 0.81 GB days at 10 cents a month
    expected = (5 / 3600 * 0.05 + 0.009 * 0.01 + 0.81 / (365.25 / 12) * 0.10) / 1000
    assert rows[0]["euro_per_message"] == pytest.approx(expected)
    assert (rows[2]["database_seconds"], rows[2]["euro_without_database"]) == (None, True)
    unpriced = replace(whole, prices=Prices(0.05, 0.0, 0.0))
    assert as_json(unpriced)["months"]["rows"][0]["euro_per_message"] is None


def test_milestones_are_told_as_met_late_and_missed(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        '[[contract]]\nname = "a"\nmilestone = [{name = "gunning", planned = 2020-07-03,'
        ' met = 2020-07-10}, {name = "bouw", planned = 2020-10-01}, {name = "over"}]\n'
    )
    said = _say(tmp_path, "--contracts", file, "--json")
    first, second, third = _json(said)["contracts"][0]["milestones"]
    assert (first["met"], second["met"], third["planned"]) == ("2020-07-10", None, None)
    found = progress(tmp_path, file, None, datetime(2020, 11, 1, tzinfo=UTC))
    rows = {p.name: p.rows for s in told(found, "en") for p in s.parts if not isinstance(p, str)}
    assert rows["met"] == (("a", "gunning", "2020-07-03", "2020-07-10", "7"),)
    assert rows["open"] == (
        ("a", "bouw", "2020-10-01", "yes"),
        ("a", "over", "unknown", "unknown"),
    )
