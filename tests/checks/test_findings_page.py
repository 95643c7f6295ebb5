"""The list of codes in the docs is the list in the code."""

from __future__ import annotations

import re
from pathlib import Path

from openpoort.checks.codes import OWN
from openpoort_lab.figures.findings_page import page

ROOT = Path(__file__).resolve().parents[2]


def test_page_in_the_docs_is_the_generated_one() -> None:
    assert (ROOT / "docs" / "reference" / "findings.md").read_text("utf-8") == page()


def test_every_own_code_in_the_source_is_listed_and_used() -> None:
    sources = list((ROOT / "src" / "openpoort" / "checks").rglob("*.py"))
    text = "".join(p.read_text("utf-8") for p in sources if p.name != "codes.py")
    assert set(re.findall(r'"(OP-[0-9]\.[0-9]{2})"', text)) == set(OWN)
