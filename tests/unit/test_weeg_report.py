"""The report as text: self-contained, well-formed, the same bytes every time, in both languages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html

from tests.weeg_folders import change, example, weeg
from weeg.texts import LANGUAGES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example(tmp_path_factory.mktemp("weeg") / "d")


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request: pytest.FixtureRequest, folder: Path) -> str:
    out = folder.parent / f"{request.param}.html"
    result = weeg("report", folder, "--out", out, "--lang", request.param, "--cross-check")
    assert result.exit_code == 0
    return out.read_text(encoding="utf-8")


def test_same_folder_and_seed_give_the_same_bytes_in_another_process(
    folder: Path, page: str, tmp_path: Path
) -> None:
    language = re.search('<html lang="(..)">', page)[1]  # type: ignore[index]  # it is there
    for seed in ("1", "77"):
        out = tmp_path / f"{seed}.html"
        command = [sys.executable, "-m", "weeg.cli", "report", str(folder), "--out", str(out),
                   "--lang", language, "--cross-check"]  # fmt: skip
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
        subprocess.run(command, check=True, env=environment, capture_output=True)
        assert out.read_text(encoding="utf-8") == page


def test_another_seed_gives_other_bytes_and_another_hash(folder: Path, tmp_path: Path) -> None:
    other = example(tmp_path / "d")
    change(other, "decision.yaml", "seed: 20200629", "seed: 1")
    hashes = {weeg("report", f, "--out", tmp_path / "r.html").stdout.split()[-1]
              for f in (folder, other)}  # fmt: skip
    assert len(hashes) == 2


def test_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    assert "<script" not in page
    assert "default-src 'none'" in page
    addresses = set(re.findall(r'https?://[^"\s<]+', page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert not re.search(r"url\((?!#)", page)
    assert "data:" not in page


def test_ids_are_unique_and_every_reference_has_a_target(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    named = re.findall(r'(?:xlink:)?href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    for value in re.findall(r'aria-labelledby="([^"]+)"', page):
        named += value.split()
    assert set(named) <= set(ids)


def test_every_chart_has_words_and_a_table_beside_it(page: str) -> None:
    tree = html.document_fromstring(page.encode())
    figures = tree.findall(".//figure")
    assert len(figures) == 4
    for figure in figures:
        chart = figure.find("svg")
        assert chart.get("role") == "img"
        assert chart.find("title").text.strip()
        assert chart.find("desc").text.strip()
        assert figure.find("figcaption").text.strip()
        beside = figure.getnext()
        assert beside.find("table/caption") is not None
    for table in tree.iter("table"):
        assert table.find("caption").text.strip()
        assert all(th.get("scope") == "col" for th in table.findall("thead/tr/th"))
        assert all(row.find("th").get("scope") == "row" for row in table.findall("tbody/tr"))


def test_hatching_carries_what_colour_would(page: str) -> None:
    start = page.index('aria-labelledby="groups-t')
    chart = page[start : page.index("</svg>", start)]
    assert len(set(re.findall(r"url\(#(groups-h[^)]+)\)", chart))) == 4


def test_numbers_follow_the_language(page: str) -> None:
    dutch = 'lang="nl"' in page
    assert ("69,2" in page) is dutch
    assert ("69.2" in page) is not dutch
    assert ("VERZONNEN VOORBEELD" in page) is dutch
    assert ("INVENTED EXAMPLE" in page) is not dutch


def test_hash_stands_in_the_page_and_can_be_repeated_without_weeg(folder: Path, page: str) -> None:
    files = sorted(
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.suffix in (".yaml", ".csv", ".json")
    )
    line = f"LC_ALL=C sha256sum {' '.join(files)} | sha256sum"
    done = subprocess.run(["sh", "-c", line], cwd=folder, check=True, capture_output=True)
    assert done.stdout.split()[0].decode() in page


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    hostile = '<script>alert(1)</script> & $x^2$ "q" [bold]'
    change(folder, "decision.yaml", "nl: Volledige herbouw", f"nl: '{hostile}'")
    change(folder, "decision.yaml", "en: Full rebuild", f"en: '{hostile}'")
    out = tmp_path / "r.html"
    assert weeg("report", folder, "--out", out).exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; $x^2$" in page
    shown = weeg("run", folder)
    assert shown.exit_code == 0
    assert "[bold]" in shown.stdout


def test_report_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    refused = weeg("report", folder, "--out", tmp_path / "no" / "r.html", "--lang", "en")
    assert refused.exit_code == 2
    assert "this cannot be written" in refused.stderr


def test_report_of_one_option_and_no_costs(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    (folder / "costs.yaml").unlink()
    text = (folder / "options.csv").read_text(encoding="utf-8")
    keep = "behouden;75;98;30;40;55;20;90;60;60;5000000;0;0,3;0;70;300;40;1\n"
    (folder / "options.csv").write_text("".join(text.splitlines(True)[:2]) + keep)
    lines = (folder / "decision.yaml").read_text(encoding="utf-8").split("  hergebruik:")[0]
    (folder / "decision.yaml").write_text(lines, encoding="utf-8")
    out = tmp_path / "r.html"
    result = weeg("report", folder, "--out", out, "--lang", "en", "--cross-check")
    assert result.exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert "there is only one option" in page
    assert "there is no financial model" in page
