"""The tables of figures in README and docs/performance.md, made from recorded measurements.

`python -m openpoort_lab.figures.figures measure NAME…` runs the commands below and records what
they printed, with the day, the commit and the number of cores, in docs/figures/NAME.json; `…
write` puts the tables in place. Nothing in the tables is typed by hand. A record that does not
stand any more (openpoort_lab/figures/standing.py) is left out, named below the table, and makes
`write` end with exit code 1.
"""

from __future__ import annotations

import contextlib
import json
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import migrate
from openpoort_lab.bench import prepare
from openpoort_lab.bench.fill import fill
from openpoort_lab.bench.gateway import BENCH_KIND, own
from openpoort_lab.bench.measure import Plan, drive
from openpoort_lab.bench.prepare import Order
from openpoort_lab.figures import standing
from openpoort_lab.figures.goals import table as goal_table

ROOT = Path.cwd()
FOLDER = ROOT / "docs" / "figures"
TABLES = ROOT / "build" / "flat"
NT = Path("../shared/data/xbrl")
NT_FILES = [
    f"{NT}/instances/omzetbelasting/ob-aangifte-2020-nt14-valid.xbrl",
    f"{NT}/instances/valid/kvk-rpt-jaarverantwoording-2016-nlgaap-klein-publicatiestukken.xbrl",
]
COMMANDS = {
    "accept": ["bench", "accept", "--reference", "--messages", "4000", "--json"],
    "accept-10k": ["bench", "accept", "--size", "10k", "--messages", "1500", "--json"],
    "accept-50k": ["bench", "accept", "--size", "50k", "--messages", "1000", "--json"],
    "accept-1m": [
        "bench",
        "accept",
        "--size",
        "1m",
        "--messages",
        "60",
        "--callers",
        "4",
        "--json",
    ],
    "accept-15m": [
        "bench",
        "accept",
        "--size",
        "15m",
        "--messages",
        "6",
        "--callers",
        "2",
        "--json",
    ],
    "accept-1-caller": ["bench", "accept", "--callers", "1", "--messages", "800", "--json"],
    "accept-64-callers": ["bench", "accept", "--callers", "64", "--messages", "2000", "--json"],
    "accept-new": ["bench", "accept", "--new-connections", "--messages", "1000", "--json"],
    "accept-p99": ["bench", "accept", "--messages", "3000", "--rate", "{rate}", "--json"],
    "process": ["bench", "process", "--messages", "3000", "--json"],
    "process-15m": [
        "bench",
        "process",
        "--size",
        "15m",
        "--messages",
        "8",
        "--callers",
        "2",
        "--json",
    ],
    "process-vat": ["bench", "process", "--messages", "200", "--vat", "--json"],
    "status": ["bench", "status", "--messages", "4000", "--json"],
    "fetch": ["bench", "fetch", "--messages", "2000", "--json"],
    "mixed": ["bench", "mixed", "--messages", "3000", "--json"],
    "beside": [
        "bench",
        "beside",
        "--messages",
        "1000",
        "--large",
        "10",
        "--rounds",
        "5",
        "--json",
    ],
    "deadline": ["bench", "deadline", "--messages", "2000", "--rate", "{rate}", "--json"],
    "flat": [
        "bench",
        "flat",
        "--sizes",
        "1000,1000000,5000000",
        "--messages",
        "1000",
        "--rounds",
        "3",
        "--folder",
        "{tables}",
        "--json",
    ],
    "checks": ["bench", "checks", "--json"],
    "checks-nt": ["bench", "checks", "--home", "{nt}", "--json", *NT_FILES],
    "chaos": ["chaos", "--messages", "60", "--json"],
    "chaos-outside": [
        "chaos",
        "--database",
        "outside",
        "--seed",
        "2",
        "--messages",
        "60",
        "--json",
    ],
    "restore-drill": ["restore-drill", "{home}", "--age", "60", "--json"],
}
"""What is run for each record; `{rate}` is 70 % of the recorded accept rate, `{home}` a gateway
with 100,000 messages that runs and takes in 20 a second, `{nt}` one with the NT packages of the
shared data, `{tables}` filled tables that are kept for the next time (build/flat, 13 GB)."""
LONG = {"flat"}
"""Measured only when named: fills tables for a quarter of an hour, the first time. All the
rest together takes less than half an hour on two quiet cores."""

_START, _END = "<!-- figures -->", "<!-- /figures -->"


def measure(names: list[str]) -> None:
    """Run and record. A command that fails is recorded with its exit code, not hidden."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if unknown := set(names) - set(COMMANDS):
        sys.exit(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(COMMANDS)}")
    for name in names or [name for name in COMMANDS if name not in LONG]:
        of = standing.mark(name, ROOT) | standing.machine()
        rate = f"{_recorded('accept').get('result', {}).get('rate', 100) * 0.7:.0f}"
        with tempfile.TemporaryDirectory(prefix="op-figures-") as folder:
            home = Path(folder) / "home"
            if "{home}" in COMMANDS[name]:
                _filled(home)
            if "{nt}" in COMMANDS[name]:
                _with_taxonomies(home)
            begin = time.monotonic()
            given = {"rate": rate, "home": home, "nt": home, "tables": TABLES}
            words = [w.format(**given) for w in COMMANDS[name]]
            with _loaded(home) if "{home}" in COMMANDS[name] else contextlib.nullcontext():
                done = subprocess.run(
                    [sys.executable, "-m", "openpoort", *words],
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
        line = next((x for x in reversed(done.stdout.splitlines()) if x.startswith("{")), "{}")
        found = {
            "command": _shown(words, home),
            "day": datetime.now(UTC).date().isoformat(),
            "exit_code": done.returncode,
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "seconds": round(time.monotonic() - begin),
            "result": json.loads(line),
            **of,
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
        sys.stderr.write(f"{name} ({found['seconds']} s): {line}\n")


def _shown(words: list[str], home: Path) -> str:
    """The command without the folders of whoever measured."""
    return "openpoort " + " ".join(words).replace(str(home), "HOME").replace(str(TABLES), "FOLDER")


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


@contextlib.contextmanager
def _loaded(home: Path) -> Iterator[None]:
    """The gateway of `home` runs, and a client hands in 20 messages a second for 90 seconds."""
    (home / "kinds" / "Bench.toml").write_text(BENCH_KIND)
    plan = Plan(messages=1800, callers=4, rate=20.0)
    with own(home) as gateway:
        order = Order(gateway.target, plan.berichtsoort, plan.size, gateway.base, 1)
        requests = prepare.aanleveringen(order, plan.messages)
        load = threading.Thread(target=drive, args=(gateway, requests, plan))
        load.start()
        yield
        load.join()


def _with_taxonomies(home: Path) -> None:
    for package in sorted((NT / "taxonomies").glob("*.zip")):
        add = ["taxonomy", "add", str(package), "--home", str(home)]
        subprocess.run([sys.executable, "-m", "openpoort", *add], check=True)


def _recorded(name: str) -> dict[str, Any]:
    """The record as it stands in its file; empty when it was never measured."""
    try:
        found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    except OSError:
        return {}
    return found


@cache
def refused(name: str) -> str | None:
    """Why the record may not be shown; None for one that may, or that is not there."""
    found = _recorded(name)
    return standing.refusal(found, ROOT, datetime.now(UTC).date()) if found else None


def record(name: str) -> dict[str, Any]:
    """The recorded result; empty when it was never measured, or does not stand any more."""
    found = _recorded(name)
    if not found or refused(name):
        return {}
    of = {key: found.get(key) for key in ("day", "command", "commit", "cores")}
    return {**found["result"], **of}


def _of(found: dict[str, Any]) -> str:
    """With what a figure was measured."""
    cores = f"{found['cores']} cores" if found["cores"] else "cores not recorded"
    return f"`{found['command']}`, {cores}, {found['day']}, commit {found['commit'][:10]}"


def _number(name: str, show: Callable[[dict[str, Any]], str]) -> tuple[str, str]:
    """The figure, and with what it was measured."""
    found = record(name)
    try:
        return show(found), _of(found)
    except (KeyError, TypeError):
        if why := refused(name):
            return "to be measured anew", f"the record of {_recorded(name)['day']}: {why}"
        return "not measured yet", f"`openpoort {' '.join(COMMANDS[name])}`"


def _left_out() -> str:
    """Which records are not shown, and why."""
    reasons: dict[str, list[str]] = {}
    for name in COMMANDS:
        if why := refused(name):
            reasons.setdefault(why, []).append(f"`{name}`")
    rows = "".join(f"\n- {', '.join(names)}: {why}" for why, names in reasons.items())
    return f"\n\nRecords that are not shown, to be measured anew:\n{rows}" if rows else ""


def _struck(found: dict[str, Any]) -> str:
    return (
        f"{found['acknowledged']:,} acknowledged in {found['struck']} strikes,"
        f" {found['broken']} promises broken"
    )


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
    counted = "counted by `make figures`"
    rows: list[tuple[str, tuple[str, str]]] = [
        ("parts to deploy", ("2: openpoort (door, worker) and PostgreSQL", counted)),
        ("direct dependencies", (str(len(project["dependencies"])), counted)),
        ("lines of code", (f"{code:,} and {tests:,} of tests", counted)),
        ("processor time of handing one message in: doors and PostgreSQL",
         _number("accept", _handing_in)),
        ("processor time of one message in the whole process: doors, workers and PostgreSQL",
         _number("process", _whole_process)),
        ("messages handed in a second, as a share of what the RSA of one core allows (one"
         " verification and one signature a message; higher is better)",
         _number("accept", lambda r: f"{r['ratio_to_limit'] * 100:.0f} %")),
        ("messages handed in a second, beside a straightforward gateway of our own"
         " (`openpoort_lab/bench/reference.py`: python-xmlsec, one commit a message)",
         _number("accept", _beside_reference)),
        ("last chaos run, embedded PostgreSQL", _number("chaos", _struck)),
        ("last chaos run, PostgreSQL a server from outside", _number("chaos-outside", _struck)),
        ("last restore drill", _number("restore-drill", _drilled)),
    ]  # fmt: skip
    body = "\n".join(f"| {name} | {value} | {how} |" for name, (value, how) in rows)
    return (
        f"| what | figure | how it was measured |\n|---|---|---|\n{body}\n\n"
        "Made by `make figures` from `docs/figures/`; a record of code that changed by more than"
        f" {standing.MOST_LINES} lines, or older than {standing.OLDEST.days} days, is not shown."
    )


def _handing_in(found: dict[str, Any]) -> str:
    door, database = found["cpu_ms_per_message"], found["notes"]["database_cpu_ms"]
    return f"{door + database:.2f} ms: doors {door:.2f}, PostgreSQL {database:.2f}"


def _whole_process(found: dict[str, Any]) -> str:
    parts = found["parts_ms"]
    door, worker, database = parts["door"], parts["worker"], parts["postgres"]
    return (
        f"{door + worker + database:.2f} ms: doors {door:.2f}, workers {worker:.2f},"
        f" PostgreSQL {database:.2f}"
    )


def _beside_reference(found: dict[str, Any]) -> str:
    times = found["ratio_to_reference"]
    return f"{times:.1f} times as many: {'better' if times > 1 else 'not better'}"


def _drilled(found: dict[str, Any]) -> str:
    text = (
        f"{found['rows']:,} rows in {found['tables']} tables"
        f" {'equal' if found['equal'] else 'NOT equal'}, RTO {found['rto_seconds']:.1f} s, "
    )
    if found["rpo_seconds"] is None or not found["journal_leaves"]:
        return text + "RPO not measured: no entries came after the backup"
    return text + (
        f"RPO {found['rpo_seconds']:.1f} s with a backup {found['backup_age_seconds']:.0f} s old"
        f" ({found['entries_since_backup']:,} entries came after it)"
    )


def performance() -> str:
    """The tables of docs/performance.md."""
    columns = (
        "rate", "ratio_to_limit", "cpu_ms_per_message", "p50_ms", "p95_ms", "p99_ms", "lost",
        "failed",
    )  # fmt: skip
    head = "| scenario | " + " | ".join(c.replace("_", " ") for c in columns)
    head += " | peak MB | day |"
    rows = [head, "|---" * (len(columns) + 3) + "|"]
    for name in COMMANDS:
        found = record(name)
        if "rate" in found and "lost" in found:
            cells = " | ".join(str(found[c]) for c in columns)
            peak = f"{found['peak_bytes'] / 1e6:.0f}"
            rows.append(f"| `{found['command']}` | {cells} | {peak} | {found['day']} |")
    stages = record("accept").get("stages_ms", {})
    parts = ", ".join(f"{k} {v:.2f}" for k, v in sorted(stages.items()))
    more = f"\n\nProcessor time of handing in by stage, ms a message: {parts}." if parts else ""
    large = _beside(record("beside")) + _extra(record("process-15m"))
    goals = "\n\nAgainst the goals, from the same records:\n\n" + goal_table(record)
    return "\n".join(rows) + more + large + _flat(record("flat")) + goals + _left_out()


def _beside(found: dict[str, Any]) -> str:
    """What large messages cost and do to small ones; nothing when it was not measured."""
    notes = found.get("notes", {})
    if not notes:
        return ""
    return (
        f"\n\nA message of {notes['large_size'] / 1e6:.0f} MB costs a door"
        f" {notes['extra_memory_ratio']:.2f} times its size in extra memory. With one sender of"
        f" {notes['large_messages']} of them next to small ones, p99 of the small ones is"
        f" {found['p99_ms']:.0f} ms; alone, in turn with it, {notes['alone_p99_ms']:.0f} ms:"
        f" {notes['p99_ratio']:.2f} times (`{found['command']}`, {found['day']})."
    )


def _extra(found: dict[str, Any]) -> str:
    """What each part takes of memory for a large message; nothing when it was not measured."""
    notes = found.get("notes", {})
    parts = ("door", "worker", "agency")
    if not notes:
        return ""
    taken = ", ".join(f"{part} {notes[f'{part}_extra_memory_ratio']:.2f}" for part in parts)
    return (
        f"\n\nA message of 15 MB that is handed in, checked for structure and delivered, two at a"
        f" time: extra memory of each part at its peak, in times 15 MB: {taken}"
        f" (`{found['command']}`, {found['day']})."
    )


def _flat(found: dict[str, Any]) -> str:
    """Rates and plans by number of messages in the tables; nothing when it was not measured."""
    levels = found.get("levels", [])
    if not levels:
        return ""
    rows = [
        f"`{found['command']}` ({found['day']}); CPU is that of door and PostgreSQL together:",
        "",
        "| messages in the tables | GB | accept/s | accept, CPU ms | status/s | status, CPU ms |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {x['rows']:,} | {x['bytes'] / 1e9:.1f} | {x['accept_rate']:.0f} |"
        f" {x['accept_cpu_ms']:.2f} | {x['status_rate']:.0f} | {x['status_cpu_ms']:.2f} |"
        for x in levels
    ]
    spread = ", ".join(
        f"{name.replace('_', ' ')} {(value - 1) * 100:.0f} %"
        for name, value in sorted(found["spread"].items())
    )
    rows += [
        f"\nBetween the best and the worst of these: {spread}.",
        "",
        "| statement | plan with most in the tables |"
        + "".join(f" pages at {x['rows']:,} |" for x in levels),
        "|---|---|" + "---|" * len(levels),
    ]
    for place, plan in enumerate(levels[-1]["plans"]):
        scanned = f" (scans {', '.join(plan['scanned'])})" if plan["scanned"] else ""
        pages = "".join(f" {x['plans'][place]['pages']} |" for x in levels)
        rows.append(f"| {plan['what']} | {', '.join(plan['nodes'])}{scanned} |{pages}")
    return "\n\n" + "\n".join(rows)


def _put(file: Path, table: str) -> None:
    text = file.read_text()
    pattern = re.compile(re.escape(_START) + ".*?" + re.escape(_END), re.DOTALL)
    file.write_text(pattern.sub(lambda _: f"{_START}\n{table}\n{_END}", text))


def write() -> None:
    """Put both tables in place. Exit code 1 when a record was left out."""
    _put(ROOT / "README.md", front_page())
    _put(ROOT / "docs" / "performance.md", performance())
    left = [f"{name}: {why}" for name in COMMANDS if (why := refused(name))]
    if left:
        sys.exit("to be measured anew (make measure NAMES=...):\n  " + "\n  ".join(left))


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2:])
    write()
