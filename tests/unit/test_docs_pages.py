"""The site: one index of decisions, pages for suppliers in two languages, nothing from outside."""

from __future__ import annotations

import re
from pathlib import Path

from openpoort_lab.figures import decisions

DOCS = Path(__file__).parents[2] / "docs"
PAIRS = {
    "start/index.md": "nl/start.md",
    "how-to/test-your-software.md": "nl/test-uw-software.md",
    "how-to/diagnose.md": "nl/diagnose.md",
    "how-to/certificates.md": "nl/certificaten.md",
}


def test_every_decision_stands_on_the_index() -> None:
    assert (DOCS / "decisions" / decisions.INDEX).read_text() == decisions.index(), (
        "run `python -m openpoort_lab.figures.decisions`"
    )


def test_no_decision_stands_in_the_menu() -> None:
    menu = (DOCS.parent / "mkdocs.yml").read_text().partition("\nnav:")[2]
    assert re.findall(r"decisions/(\S+)", menu) == ["index.md"]


def commands(page: str) -> set[str]:
    """Those typed on a page, without what is said beside them."""
    typed = re.findall(r"^(?:\.venv/bin/)?(?:openpoort|make) .*$", page, re.MULTILINE)
    return {line.partition("#")[0].strip() for line in typed}


def test_pages_for_suppliers_point_at_each_other_and_hold_the_same_code() -> None:
    """A command that changes must change in both."""
    for english, dutch in PAIRS.items():
        one, other = (DOCS / english).read_text(), (DOCS / dutch).read_text()
        assert Path(dutch).name in one, english
        assert Path(english).name in other, dutch
        assert commands(one) == commands(other), english


def test_diagrams_are_drawn_and_load_nothing_from_outside() -> None:
    for page in ("house.md", "flow.md"):
        assert re.search(r"!\[[^]]+\]\(\S+\.svg\)", (DOCS / "explanation" / page).read_text()), page
    for drawing in (DOCS / "explanation").rglob("*.svg"):
        text = drawing.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|<script|<image|@import", text), drawing
        assert "<title>" in text
