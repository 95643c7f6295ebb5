"""The report in a real browser: it renders, a screen reader finds its way, nothing is fetched."""

from __future__ import annotations

import base64
import re
from collections import Counter
from pathlib import Path

import pytest

from tests import weeg_browser
from tests.weeg_folders import example, weeg

pytestmark = pytest.mark.skipif(
    weeg_browser.found() is None, reason="no chromium on this machine (.ci/packages installs it)"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weeg")
    out = folder / "report.html"
    assert weeg("report", example(folder / "d"), "--out", out, "--cross-check").exit_code == 0
    return out


def test_page_fetches_nothing_and_complains_of_nothing(report: Path, tmp_path: Path) -> None:
    with weeg_browser.page(report, tmp_path / "profile") as page:
        assert page.requests == [report.as_uri()]
        logged = [e for e in page.events if e.get("method") == "Log.entryAdded"]
        assert logged == []
        assert page.evaluate("performance.getEntriesByType('resource').length") == 0


def test_screen_reader_is_told_headings_landmarks_tables_and_charts(
    report: Path, tmp_path: Path
) -> None:
    with weeg_browser.page(report, tmp_path / "profile") as page:
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    seen = [n for n in nodes if not n.get("ignored")]

    def of(role: str) -> list[dict]:
        return [n for n in seen if n["role"]["value"] == role]

    roles = Counter(n["role"]["value"] for n in seen)
    assert {r: roles[r] for r in ("banner", "main", "navigation", "contentinfo")} == {
        "banner": 1,
        "main": 1,
        "navigation": 1,
        "contentinfo": 1,
    }
    levels = [_level(n) for n in of("heading")]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert len(levels) == 15
    charts = [n for n in seen if n["role"]["value"] in ("image", "img", "graphics-document")]
    assert len(charts) == 4
    for chart in charts:
        assert chart["name"]["value"].strip()
    tables = of("table")
    assert len(tables) >= 15
    assert all(t["name"]["value"].strip() for t in tables)
    assert roles["rowheader"] > 100
    assert roles["columnheader"] > 60


def test_page_fits_and_every_chart_has_size(report: Path, tmp_path: Path) -> None:
    for width in (1100, 420):
        with weeg_browser.page(report, tmp_path / f"profile{width}", width) as page:
            assert page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
            boxes = page.evaluate(
                "[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect())"
                ".map(b => [b.width, b.height])"
            )
            assert len(boxes) == 4
            assert all(w > 300 and h > 80 for w, h in boxes)
            outside = page.evaluate(
                "[...document.querySelectorAll('svg')].flatMap(s => { const f ="
                " s.getBoundingClientRect(); return [...s.querySelectorAll('text')].filter(t => {"
                " const b = t.getBoundingClientRect(); return b.left < f.left - 1 ||"
                " b.right > f.right + 1 || b.top < f.top - 1 || b.bottom > f.bottom + 1;"
                " }).map(t => t.textContent); })"
            )
            assert outside == []


def test_page_prints_on_paper(report: Path, tmp_path: Path) -> None:
    with weeg_browser.page(report, tmp_path / "profile") as page:
        page.call("Emulation.setEmulatedMedia", media="print")
        # A4 less its margins, at 96 pixels an inch.
        page.call("Emulation.setDeviceMetricsOverride", width=688, height=1000,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        cut_off = page.evaluate(
            "[...document.querySelectorAll('table, svg')]"
            ".filter(t => t.getBoundingClientRect().right > 689).map(t => t.textContent)"
        )
        assert cut_off == []
        pdf = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])
        shot = base64.b64decode(page.call("Page.captureScreenshot")["data"])
    assert pdf.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 5 <= pages <= 40
    assert shot.startswith(b"\x89PNG")
    assert len(shot) > 20_000


def _level(node: dict) -> int:
    (level,) = (p["value"]["value"] for p in node["properties"] if p["name"] == "level")
    return int(level)
