"""What the security pages call a test must be one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "security").glob("*.md"))
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_named_test_exists(page: Path) -> None:
    named = _NAMED.findall(page.read_text(encoding="utf-8"))
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).is_file()
        or (test and not re.search(rf"def {test}\(", (ROOT / file).read_text(encoding="utf-8")))
    ]
    assert missing == []
    assert len(named) > (20 if page.stem in {"threat-model", "controls"} else 0)


def test_every_attack_in_the_threat_model_names_what_shows_it() -> None:
    text = (ROOT / "docs" / "security" / "threat-model.md").read_text(encoding="utf-8")
    tables = text.split("## At the door")[1].split("## What we do not stop")[0]
    rows = [r for r in tables.splitlines() if r.startswith("| ") and "shown by" not in r]
    assert len(rows) > 30
    assert [r for r in rows if "`tests/" not in r] == []
