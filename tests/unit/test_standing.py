"""Recorded figures: shown while the code that they measured stands, refused when it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from openpoort_lab.figures import standing

DAY = date(2026, 11, 1)
DRILL = "src/openpoort/app/drill.py"


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    done = subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True,
                          text=True)  # fmt: skip
    return done.stdout


def code(root: Path, lines: int, first: str = "x") -> None:
    for path in standing.paths("restore-drill"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("same\n")
    (root / DRILL).write_text("".join(f"{first}{n}\n" for n in range(lines)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the code of one record, committed."""
    git(tmp_path, "init", "-q")
    code(tmp_path, 300)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "measured")
    return tmp_path


@pytest.fixture
def record(root: Path) -> dict[str, Any]:
    return {"day": str(DAY), "command": "c", "result": {}, **standing.mark("restore-drill", root)}


def _commit(root: Path) -> None:
    git(root, "commit", "-q", "-a", "-m", "changed")


def test_200_changed_lines_stand_and_one_more_does_not(root: Path, record: dict[str, Any]) -> None:
    lines = (root / DRILL).read_text().splitlines()
    (root / DRILL).write_text("\n".join(["other"] * 200 + lines[200:]) + "\n")
    _commit(root)
    assert standing.refusal(record, root, DAY) is None
    (root / DRILL).write_text("\n".join(["other"] * 201 + lines[201:]) + "\n")
    said = "the code that it measured changed by 201 lines"
    assert standing.refusal(record, root, DAY) == said  # the last one is not committed yet
    _commit(root)
    assert standing.refusal(record, root, DAY) == said


def test_60_days_stand_and_one_more_does_not(root: Path, record: dict[str, Any]) -> None:
    assert standing.refusal(record, root, DAY + timedelta(days=60)) is None
    assert standing.refusal(record, root, DAY + timedelta(days=61)) == "older than 60 days"


def test_code_elsewhere_does_not_matter(root: Path, record: dict[str, Any]) -> None:
    (root / "README.md").write_text("x\n" * 500)
    git(root, "add", ".")
    _commit(root)
    assert standing.refusal(record, root, DAY) is None


def test_a_record_without_a_commit_or_of_code_that_went_is_refused(
    root: Path, record: dict[str, Any]
) -> None:
    assert standing.refusal({"day": str(DAY)}, root, DAY) == "names no commit"
    git(root, "rm", "-q", DRILL)
    _commit(root)
    assert standing.refusal(record, root, DAY) == f"{DRILL} is not there any more"


def test_a_shallow_clone_judges_what_it_can_and_says_the_rest(
    root: Path, record: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def clone() -> Path:
        folder = tmp_path_factory.mktemp("clone") / "c"
        git(root, "clone", "-q", "--depth", "1", root.as_uri(), str(folder))
        return folder

    (root / "README.md").write_text("x\n")
    git(root, "add", ".")
    _commit(root)
    assert standing.refusal(record, clone(), DAY) is None  # its commit is gone, its code is not
    code(root, 300, "y")
    _commit(root)
    assert "git fetch --unshallow" in str(standing.refusal(record, clone(), DAY))
    assert "changed by 300 lines" in str(standing.refusal(record, root, DAY))


def test_uncommitted_code_is_not_measured(root: Path) -> None:
    code(root, 10)
    with pytest.raises(SystemExit, match="commit the code"):
        standing.mark("restore-drill", root)


def test_make_figures_leaves_out_what_does_not_stand_and_fails(
    root: Path, record: dict[str, Any]
) -> None:
    """The whole command, in a repository of its own."""
    result = {
        "rows": 7, "tables": 3, "equal": True, "rto_seconds": 1.0, "rpo_seconds": 2.0,
        "journal_leaves": 5, "backup_age_seconds": 30.0, "entries_since_backup": 9,
    }  # fmt: skip
    for folder in ("docs/figures", "tests"):
        (root / folder).mkdir(parents=True)
    for file in ("README.md", "docs/performance.md"):
        (root / file).write_text("<!-- figures -->\n<!-- /figures -->\n")
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["a"]\n')
    today = date.today()  # noqa: DTZ011  # a day more or less is no matter here
    written = {**record, "day": str(today), "result": result, "cores": 2}
    (root / "docs/figures/restore-drill.json").write_text(json.dumps(written))

    def write() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "openpoort_lab.figures.figures", "write"]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    assert write().returncode == 0
    text = (root / "README.md").read_text()
    assert "RPO 2.0 s with a backup 30 s old (9 entries came after it)" in text
    assert f"`c`, 2 cores, {today}, commit {record['commit'][:10]}" in text
    code(root, 300, "y")
    _commit(root)
    said = write()
    assert said.returncode == 1
    assert "restore-drill: the code that it measured changed by 300 lines" in said.stderr
    text = (root / "README.md").read_text()
    assert "RPO 2.0 s" not in text
    assert "to be measured anew" in text


def test_every_record_names_its_commit_and_the_code_that_it_measured() -> None:
    files = [*Path("docs/figures").glob("*.json"), *Path("src/openpoort/records").glob("*.json")]
    assert len(files) > 20
    for file in files:
        found = json.loads(file.read_text("utf-8"))
        assert len(found["commit"]) == 40, file
        if file.stem != "new-kind":  # the work of a person and a command, not of code
            assert set(found["code"]) <= set(standing.paths(file.stem)), file
            assert any(found["code"].values()), file
