"""Tests as records: which clients, controls and clauses of frameworks passed, on which day.

`python -m openpoort_lab.figures.proofs NAME...` runs the tests behind `clients` (`make interop`),
`controls` (the rows of docs/security/controls.md) and `frameworks`
(docs/conformance/frameworks.toml) and writes what they said to src/openpoort/records, which the
release carries. A skipped test is no pass; a client that could not be tried is not counted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openpoort_lab.figures import standing

ROOT = Path.cwd()
RECORDS = ROOT / "src" / "openpoort" / "records"
CLIENTS = {
    "Apache CXF (Java)": ("tests/interop/test_java.py",),
    "Node": ("tests/interop/test_node.py",),
    "zeep (Python)": ("tests/interop/test_python_zeep.py",),
    "shapes of .NET": ("tests/interop/test_dotnet_shapes.py",),
}
TESTED = ("clients", "controls", "frameworks")
_NAMED = re.compile(r"`(tests/[\w/]+\.py(?:::\w+)?)`")
Rows = Mapping[str, tuple[str, ...]]
"""Row -> the tests that show it, as `FILE` or `FILE::TEST`."""


def controls(page: str) -> Rows:
    """The rows that a program can carry, with the tests they name.

    A row that is done in part, or that names no test, has none: nothing shows the whole of it.
    What is the operator's is not here.
    """
    cells = [line.split("|") for line in page.splitlines() if line.startswith("| ")]
    return {
        row[1].strip(): tuple(_tests(row[4])) if row[2].strip() == "done" else ()
        for row in cells
        if row[2].strip() in ("done", "part")
    }


def _tests(cell: str) -> Iterator[str]:
    for test in _NAMED.findall(cell):
        if Path(test.partition("::")[0]).name.startswith("test_"):
            yield test


def frameworks(text: str) -> Rows:
    """Every clause; one that nothing shows yet has no tests."""
    return {
        clause["id"]: tuple(clause["tests"])
        for framework in tomllib.loads(text).values()
        for clause in framework["clause"]
    }


def frameworks_page(text: str) -> str:
    """docs/conformance/frameworks.md."""
    lines = [
        "# Frameworks",
        "",
        "Clauses of government-wide frameworks with the tests that show them (criterion 8 of the",
        "annex). Made by `make docs` from `docs/conformance/frameworks.toml`; `frameworks_passed`",
        "counts the clauses of which every test passed, over all clauses.",
    ]
    for name, framework in tomllib.loads(text).items():
        lines += ["", f"## {name}", "", f"{framework['about']}.", "", "| Clause | Says | Tests |",
                  "|---|---|---|"]  # fmt: skip
        for clause in framework["clause"]:
            tests = "<br>".join(f"`{test}`" for test in clause["tests"]) or "**not yet**"
            lines.append(f"| {clause['id']} | {clause['says']} | {tests} |")
    return "\n".join(lines) + "\n"


def judged(rows: Rows, outcomes: Mapping[str, str]) -> dict[str, str]:
    """Row -> passed, failed, skipped, or none when no test shows it.

    `outcomes` by `FILE::TEST`; a row passed when it has a passed test and no other outcome.
    """
    return {name: _judge(tests, outcomes) for name, tests in rows.items()}


def _judge(tests: Iterable[str], outcomes: Mapping[str, str]) -> str:
    found: set[str] = set()
    for test in tests:
        mine = {o for name, o in outcomes.items() if name == test or name.startswith(f"{test}::")}
        found |= mine or {"failed"}  # a named test that did not run shows nothing
    if not found:
        return "none"
    return "failed" if "failed" in found else "skipped" if "skipped" in found else "passed"


def outcomes(report: bytes) -> dict[str, str]:
    """`FILE::TEST` -> its worst outcome over all parameters, from a JUnit report of our own."""
    order = ["passed", "skipped", "failed"]
    found: dict[str, str] = {}
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  -- pytest wrote it just now
        name = case.get("name", "").partition("[")[0]
        file = case.get("classname", "").replace(".", "/") + ".py"
        states = {child.tag for child in case}
        now = "failed" if states & {"failure", "error"} else "passed"
        now = "skipped" if now == "passed" and "skipped" in states else now
        key = f"{file}::{name}"
        found[key] = max(found.get(key, "passed"), now, key=order.index)
    return found


def _rows(name: str) -> Rows:
    """KeyError for a record that is not made of tests."""
    if name == "controls":
        return controls((ROOT / "docs" / "security" / "controls.md").read_text("utf-8"))
    if name == "frameworks":
        return frameworks((ROOT / "docs" / "conformance" / "frameworks.toml").read_text("utf-8"))
    return {"clients": CLIENTS}[name]


def measure(name: str) -> dict[str, Any]:
    """Run the tests behind one record and give it."""
    rows, of = _rows(name), standing.mark(name, ROOT)
    tests = sorted({test for named in rows.values() for test in named})
    with tempfile.TemporaryDirectory(prefix="op-proofs-") as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
             f"--junitxml={report}", *tests],
            env={**os.environ, "INTEROP_STACKS": "1"}, check=False, stdout=sys.stderr,
        )  # fmt: skip
        found = judged(rows, outcomes(report.read_bytes()))
    return {
        "command": f"make measure NAMES={name}",
        "day": datetime.now(UTC).date().isoformat(),
        "result": found,
        **of,
    }


def write(name: str, found: Mapping[str, Any]) -> None:
    text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False)
    (RECORDS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def carry() -> None:
    """What the release carries of docs/figures: the last chaos run."""
    found = json.loads((ROOT / "docs" / "figures" / "chaos.json").read_text("utf-8"))
    kept = {key: found["result"][key] for key in ("acknowledged", "struck", "broken")}
    of = {key: found[key] for key in ("command", "day", "commit", "code")}
    write("chaos", {**of, "result": kept})


def refused() -> list[str]:
    """Records of tests that do not stand any more, and why."""
    today = datetime.now(UTC).date()
    found = {name: json.loads((RECORDS / f"{name}.json").read_text("utf-8")) for name in TESTED}
    said = {name: standing.refusal(record, ROOT, today) for name, record in found.items()}
    return [f"{name}: {why}" for name, why in said.items() if why]


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        write(wanted, measure(wanted))
    carry()
    if left := refused():
        sys.exit("to be measured anew (make measure NAMES=...):\n  " + "\n  ".join(left))
