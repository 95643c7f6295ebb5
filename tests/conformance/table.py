"""The table of clauses in docs/conformance, made from the clauses file and the tests' markers.

python -m tests.conformance.table          write docs/conformance/index.md
python -m tests.conformance.table --check  exit 1 if it is not up to date
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLAUSES = ROOT / "docs" / "conformance" / "clauses.toml"
TABLE = ROOT / "docs" / "conformance" / "index.md"
HEAD = """# Conformance

One row per clause of the interface, with the tests that carry it. Made by
`python -m tests.conformance.table` from `docs/conformance/clauses.toml` and the markers in
`tests/`; a test fails when this page is behind.

| Clause | Says | Source | Tests |
|---|---|---|---|
"""


def clauses() -> dict[str, dict[str, str]]:
    """Clauses by id, in the order of the file."""
    return {c["id"]: c for c in tomllib.loads(CLAUSES.read_text("utf-8"))["clause"]}


def marked(folder: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Test names (`file::test`) by clause id, as the decorators in the sources say."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for clause in _clauses_of(node):
                    found[clause].append(f"{path.relative_to(folder)}::{node.name}")
    return found


def _clauses_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    calls = [d for d in node.decorator_list if isinstance(d, ast.Call)]
    return [
        str(argument.value)
        for call in calls
        if ast.unparse(call.func) == "pytest.mark.conformance"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]


def render() -> str:
    tests = marked()
    rows = []
    for name, clause in clauses().items():
        carried = "<br>".join(f"`{t}`" for t in sorted(tests.get(name, []))) or "none yet"
        rows.append(f"| {name} | {clause['says']} | {clause['source']} | {carried} |")
    return HEAD + "\n".join(rows) + "\n"


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        return 0 if TABLE.read_text("utf-8") == render() else 1
    TABLE.write_text(render(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
