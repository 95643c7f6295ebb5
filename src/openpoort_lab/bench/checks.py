"""Filings judged per second: all our checks against the processor's own Session API.

Three ways in the same run, in turns, on the same cores and files: our checks with the processor
in forked children (two workers), our checks with the compiled index (two processes), and two
processes with one Session after the other. The start of each (importing, loading a taxonomy,
compiling) is left out. On a busy machine read the CPU time per filing, not the rate.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from openpoort.checks.defaults import UNKNOWN
from openpoort.checks.routes import INDEX
from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.taxonomies.demo import install_demo
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.ports import Filing
from openpoort.sandbox.samples import samples

_TURNS = 3


@dataclass(frozen=True, slots=True)
class Rate:
    """Filings per second, CPU seconds per filing, MiB of a holder, of a process with the index and
    of a Session process; the share of filings that the index decided."""

    subject: str
    kilobytes: float
    ours: float
    index: float
    session: float
    ours_cpu: float
    index_cpu: float
    session_cpu: float
    holder_mib: int
    index_mib: int
    session_mib: int
    decided: float

    @property
    def times(self) -> float:
        return self.ours / self.session

    @property
    def times_cpu(self) -> float:
        return self.session_cpu / self.ours_cpu

    @property
    def index_times(self) -> float:
        return self.index / self.session

    @property
    def index_times_cpu(self) -> float:
        return self.session_cpu / self.index_cpu


def run(
    *,
    seconds: float = 10.0,
    workers: int = 2,
    home: Path | None = None,
    files: Sequence[Path] = (),
) -> list[Rate]:
    """Rates of the VAT return and the small account of the demo, or of `files` against `home`."""
    with tempfile.TemporaryDirectory() as folder:
        if home is None:
            home = Path(folder) / "home"
            install_demo(home)
        if not files:
            files = _samples(Path(folder))
        suite = open_suite(home, workers=workers)
        try:
            return [_rate(home, suite, path, seconds, workers) for path in files]
        finally:
            suite.close()


def _samples(folder: Path) -> list[Path]:
    found = []
    for kind in ("Omzetbelasting", "Jaarrekening"):
        found.append(folder / f"{kind}.xbrl")
        found[-1].write_bytes(samples()[kind])
    return found


def _rate(home: Path, suite: Suite, path: Path, seconds: float, workers: int) -> Rate:
    content = path.read_bytes()
    filing = Filing(UNKNOWN, Identiteit("", ""), Document("application/xml", path.name, content))
    suite.run(filing)  # starts the holder
    entry = _entry(suite, content)
    taxonomy = suite.registry.find(entry)
    if taxonomy is None:
        raise LookupError(f"{path.name}: no installed taxonomy has {entry}")
    holder = suite.pool.holder(taxonomy.packages, entry)
    ours, index, theirs = _Sum(), _Sum(), _Sum()
    for _ in range(_TURNS):
        ours += _ours(suite, holder.process.pid, filing, seconds / _TURNS, workers)
        index += _processes("index", path, [home], seconds / _TURNS, workers)
        theirs += _processes("session", path, taxonomy.packages, seconds / _TURNS, workers)
    return Rate(
        path.stem,
        len(content) / 1024,
        ours.count / ours.seconds,
        index.count / index.seconds,
        theirs.count / theirs.seconds,
        ours.cpu / ours.count,
        index.cpu / index.count,
        theirs.cpu / theirs.count,
        holder.memory().get("rss", 0),
        index.mib,
        theirs.mib,
        index.decided / index.count,
    )


@dataclass(slots=True)
class _Sum:
    """What one side did in its turns."""

    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    mib: int = 0
    decided: int = 0

    def __iadd__(self, other: _Sum) -> _Sum:
        self.count += other.count
        self.seconds += other.seconds
        self.cpu += other.cpu
        self.mib = max(self.mib, other.mib)
        self.decided += other.decided
        return self


def _entry(suite: Suite, content: bytes) -> str:
    known = [e for t in suite.registry.all() for e in t.entries if e.encode() in content]
    return known[0] if known else ""


def _ours(suite: Suite, holder: int, filing: Filing, seconds: float, workers: int) -> _Sum:
    end = time.monotonic() + seconds

    def work() -> int:
        count = 0
        while time.monotonic() < end:
            suite.run(filing)
            count += 1
        return count

    start, cpu = time.monotonic(), time.process_time() + _cpu_of(holder)
    with ThreadPoolExecutor(workers) as threads:
        done = sum(f.result() for f in [threads.submit(work) for _ in range(workers)])
    spent = time.process_time() + _cpu_of(holder) - cpu
    return _Sum(done, time.monotonic() - start, spent)


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process and its ended children (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _processes(way: str, path: Path, given: Sequence[Path], seconds: float, workers: int) -> _Sum:
    """All processes together; their rates add up, so the time counts once."""
    command = [sys.executable, "-m", __name__, way, str(path), str(seconds), *map(str, given)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(workers)]
    results = [json.loads(p.communicate()[0].decode().rpartition("\n")[2]) for p in running]
    total = sum(r["count"] for r in results)
    rate = sum(r["count"] / r["seconds"] for r in results)
    cpu = sum(r["cpu"] for r in results)
    decided = sum(r["decided"] for r in results)
    return _Sum(total, total / rate, cpu, max(r["mib"] for r in results), decided)


def _main() -> None:
    """One process of either other side: one filing after the other until the time is over."""
    way, path, seconds, *given = sys.argv[1:]
    if way == "session":
        found = _repeat(_by_session(path, given), float(seconds))
    else:
        suite = open_suite(Path(given[0]), index=True)
        content = Path(path).read_bytes()
        document = Document("application/xml", Path(path).name, content)
        filing = Filing(UNKNOWN, Identiteit("", ""), document)
        found = _repeat(lambda: suite.run(filing), float(seconds))
        # The first one, which may compile, is not counted in `count`.
        found["decided"] = min(suite.routes.counts().get(INDEX, 0), int(found["count"]))
        suite.close()
    sys.stdout.write("\n" + json.dumps(found))


def _repeat(judge: Callable[[], object], seconds: float) -> dict[str, float]:
    judge()  # the first one also imports
    start, cpu, count = time.monotonic(), time.process_time(), 0
    while time.monotonic() - start < seconds or not count:
        judge()
        count += 1
    return {
        "count": count,
        "seconds": time.monotonic() - start,
        "cpu": time.process_time() - cpu,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "decided": 0,
    }


def _by_session(path: str, packages: list[str]) -> Callable[[], object]:
    from arelle.api.Session import Session
    from arelle.logging.handlers.StructuredMessageLogHandler import StructuredMessageLogHandler
    from arelle.RuntimeOptions import RuntimeOptions

    def judge() -> None:
        with Session() as arelle:
            options = RuntimeOptions(
                entrypointFile=path,
                internetConnectivity="offline",
                packages=packages,
                validate=True,
                baseTaxonomyValidationMode="none",
            )
            arelle.run(options, logHandler=StructuredMessageLogHandler())

    return judge


def table(rates: Sequence[Rate]) -> str:
    """Markdown: with the processor in forked children, then with the index."""
    lines = [
        "| filing | KiB | ours /s | Session /s | times | ours ms CPU | Session ms CPU | times "
        "| holder MiB | Session MiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.subject} | {r.kilobytes:.0f} | {r.ours:.1f} | {r.session:.2f} | {r.times:.1f} "
        f"| {r.ours_cpu * 1000:.0f} | {r.session_cpu * 1000:.0f} | {r.times_cpu:.1f} "
        f"| {r.holder_mib} | {r.session_mib} |"
        for r in rates
    ]
    lines += [
        "",
        "| filing | decided by the index | index /s | times Session | index ms CPU "
        "| times Session | process MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.subject} | {r.decided:.0%} | {r.index:.0f} | {r.index_times:.0f} "
        f"| {r.index_cpu * 1000:.2f} | {r.index_times_cpu:.0f} | {r.index_mib} |"
        for r in rates
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    _main()
