"""The tables of figures in README and docs/performance.md, made from recorded measurements.

`python -m openpoort.devkit.figures measure NAME…` runs the commands below and records what they
printed, with the day, in docs/figures/NAME.json; `… write` puts the tables in place. Nothing in
the tables is typed by hand.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openpoort.devkit.fill import fill
from openpoort.store.db import migrate
from openpoort.store.embedded import Embedded

ROOT = Path.cwd()
FOLDER = ROOT / "docs" / "figures"
COMMANDS = {
    "accept": ["bench", "accept", "--reference", "--messages", "4000", "--json"],
    "accept-p99": ["bench", "accept", "--messages", "3000", "--rate", "{rate}", "--json"],
    "process": ["bench", "process", "--messages", "3000", "--json"],
    "process-vat": ["bench", "process", "--messages", "200", "--vat", "--json"],
    "status": ["bench", "status", "--messages", "4000", "--json"],
    "fetch": ["bench", "fetch", "--messages", "2000", "--json"],
    "mixed": ["bench", "mixed", "--messages", "3000", "--json"],
    "checks": ["bench", "checks", "--json"],
    "chaos": ["chaos", "--messages", "200", "--json"],
    "restore-drill": ["restore-drill", "{home}", "--json"],
}
"""What is run for each record; `{rate}` is 70 % of the recorded accept rate, `{home}` a
gateway with 100,000 messages."""

_START, _END = "<!-- figures -->", "<!-- /figures -->"


def measure(names: list[str]) -> None:
    """Run and record. A command that fails is recorded with its exit code, not hidden."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or list(COMMANDS):
        rate = f"{record('accept').get('rate', 100) * 0.7:.0f}"
        with tempfile.TemporaryDirectory(prefix="op-figures-") as folder:
            home = Path(folder) / "home"
            if "{home}" in COMMANDS[name]:
                _filled(home)
            words = [w.format(rate=rate, home=home) for w in COMMANDS[name]]
            done = subprocess.run(
                [sys.executable, "-m", "openpoort", *words],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        line = next((x for x in reversed(done.stdout.splitlines()) if x.startswith("{")), "{}")
        found = {
            "command": "openpoort " + " ".join(words).replace(str(home), "HOME"),
            "day": datetime.now(UTC).date().isoformat(),
            "exit_code": done.returncode,
            "result": json.loads(line),
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
        sys.stderr.write(f"{name}: {line}\n")


def _filled(home: Path) -> None:
    """A gateway in `home` that holds 100,000 finished messages."""
    subprocess.run([sys.executable, "-m", "openpoort", "init", str(home)], check=True)
    server = Embedded(home / "postgres")
    dsn = server.start()
    try:
        migrate(dsn)
        fill(dsn, 100_000, datetime.now(UTC))
    finally:
        server.stop()


def record(name: str) -> dict[str, Any]:
    """The recorded result; empty when it was never measured."""
    try:
        found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    except OSError:
        return {}
    return {**found["result"], "day": found["day"], "command": found["command"]}


def _number(name: str, show: Callable[[dict[str, Any]], str]) -> str:
    found = record(name)
    try:
        return f"{show(found)} ({found['day']})"
    except (KeyError, TypeError):
        return "not measured yet"


def lines_of_code() -> tuple[int, int]:
    """Lines that are neither blank nor a comment alone: of the gateway, and of its tests."""

    def count(folder: Path) -> int:
        return sum(
            1
            for file in folder.rglob("*.py")
            for line in file.read_text().splitlines()
            if line.strip() and not line.strip().startswith("#")
        )

    return count(ROOT / "src" / "openpoort"), count(ROOT / "tests")


def front_page() -> str:
    """The table of the README."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    code, tests = lines_of_code()
    rows = [
        ("parts to deploy", "2: openpoort (door, worker) and PostgreSQL"),
        ("direct dependencies", str(len(project["dependencies"]))),
        ("lines of code", f"{code:,} and {tests:,} of tests"),
        (
            "cost per message, handing in",
            _number("accept", lambda r: f"{r['cpu_ms_per_message']:.2f} ms of processor time"),
        ),
        (
            "cost per message, whole process",
            _number("process", lambda r: f"{r['cpu_ms_per_message']:.2f} ms of processor time"),
        ),
        (
            "handing in, share of what the RSA of one core allows",
            _number("accept", lambda r: f"{r['ratio_to_limit'] * 100:.0f} %"),
        ),
        (
            "handing in, next to a straightforward variant",
            _number("accept", lambda r: f"{r['ratio_to_reference']:.1f} times"),
        ),
        (
            "last chaos run",
            _number(
                "chaos",
                lambda r: (
                    f"{r['acknowledged']:,} acknowledged in {r['strikes']} strikes,"
                    f" {r['broken']} promises broken"
                ),
            ),
        ),
        (
            "last restore drill",
            _number(
                "restore-drill",
                lambda r: (
                    f"{r['rows']:,} rows in {r['tables']} tables"
                    f" {'equal' if r['equal'] else 'NOT equal'}, RTO {r['rto_seconds']:.1f} s,"
                    f" RPO {r['rpo_seconds']:.1f} s"
                ),
            ),
        ),
    ]
    body = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"| | |\n|---|---|\n{body}\n\nMade by `make figures` from `docs/figures/`."


def performance() -> str:
    """The table of docs/performance.md."""
    columns = ("rate", "ratio_to_limit", "cpu_ms_per_message", "p50_ms", "p99_ms", "lost", "failed")
    head = "| scenario | " + " | ".join(c.replace("_", " ") for c in columns) + " | day |"
    rows = [head, "|---" * (len(columns) + 2) + "|"]
    for name in COMMANDS:
        found = record(name)
        if "rate" in found and "lost" in found:
            cells = " | ".join(str(found[c]) for c in columns)
            rows.append(f"| `{found['command']}` | {cells} | {found['day']} |")
    stages = record("accept").get("stages_ms", {})
    parts = ", ".join(f"{k} {v:.2f}" for k, v in sorted(stages.items()))
    more = f"\n\nProcessor time of handing in by stage, ms a message: {parts}." if parts else ""
    return "\n".join(rows) + more


def _put(file: Path, table: str) -> None:
    text = file.read_text()
    pattern = re.compile(re.escape(_START) + ".*?" + re.escape(_END), re.DOTALL)
    file.write_text(pattern.sub(lambda _: f"{_START}\n{table}\n{_END}", text))


def write() -> None:
    """Put both tables in place."""
    _put(ROOT / "README.md", front_page())
    _put(ROOT / "docs" / "performance.md", performance())


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2:])
    write()
