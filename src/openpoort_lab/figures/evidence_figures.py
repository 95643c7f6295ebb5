"""`python -m openpoort_lab.figures.evidence_figures`: what evidence costs as the journal grows.

Fills a journal of its own to each size in turn with one real message in the middle, and measures
export, verification and proof size of that message. Proofs are folded from 2 log2(n) rows at
most, so their size and time must grow with the logarithm; the plot shows whether they do.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click
import psycopg

from openpoort.evidence import bundle
from openpoort.evidence.export import Exporter
from openpoort.evidence.verify import verify
from openpoort.keys.checkpoint import load_private
from openpoort.keys.pem import PemSigner
from openpoort.sandbox import pki
from openpoort.store.journal import sequencer
from openpoort.store.journal.audit import audit
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import migrate
from openpoort_lab.figures.example import Connection, Example, others

SIZES = (1_000, 10_000, 100_000, 1_000_000)
KENMERK = UUID("3f0c2ab4-16b5-4c3c-9d3e-0123456789ab")
ORIGIN = "openpoort"
ROUNDS = 21
ENTRIES = 5
"""Journal entries of the example message."""


@dataclass(frozen=True, slots=True)
class Row:
    """Times in ms (medians), sizes in bytes, the rate in entries a second, the audit in s."""

    entries: int
    hashes: int
    proof_bytes: int
    file_bytes: int
    export_ms: float
    verify_ms: float
    place_rate: float
    audit_s: float


def measure(sizes: Sequence[int], say: Callable[[str], None]) -> list[Row]:
    """One row per size, smallest first."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        pki.create(Path(folder) / "pki", ())
        for size in sorted(sizes):
            server = Embedded(Path(folder) / f"pg{size}")
            dsn = server.start()
            try:
                migrate(dsn)
                with psycopg.connect(dsn, autocommit=True) as conn:
                    rows.append(_measure(conn, Path(folder) / "pki", size))
            finally:
                server.stop()
            say(f"{size} entries: {asdict(rows[-1])}")
    return rows


def _measure(conn: Connection, keys: Path, size: int) -> Row:
    key = load_private(keys / "checkpoint.key")
    at = datetime.now(UTC)
    sender, gateway, agency = (PemSigner(keys / f"{n}.pem", keys / f"{n}.key") for n in _NAMES)
    others(conn, size // 2, at)
    Example(at, sender, gateway, agency, sender.certificate, KENMERK, bytes(20_000)).put(conn)
    others(conn, size - size // 2 - ENTRIES, at)
    begin = time.perf_counter()
    while _placed(conn) < size:
        # The last entries may wait a moment: for whatever else is writing in this database.
        sequencer.step(conn)
        sequencer.sign(conn, key, ORIGIN, at)
    sequencer.sign(conn, key, ORIGIN, at)
    rate = size / (time.perf_counter() - begin)
    conn.execute("analyze")
    exporter = Exporter(key, ORIGIN, lambda: at)
    data = exporter.export(conn, KENMERK)
    export_ms = _median(lambda: exporter.export(conn, KENMERK))
    verdict = verify(data, key.public_key())
    if not verdict.ok:
        raise RuntimeError(f"the evidence does not verify: {verdict}")
    verify_ms = _median(lambda: verify(data, key.public_key()))
    found, _ = bundle.read(data)
    begin = time.perf_counter()
    with conn.transaction():
        report = audit(conn, key.public_key())
    if report.problems or report.size != size:
        raise RuntimeError(f"the audit found {report}")
    longest = max(len(entry.path) for entry in found.entries)
    proofs = [*(e.path for e in found.entries), *(e.path for e in found.earlier)]
    return Row(
        size, longest, 32 * sum(map(len, proofs)), len(data), export_ms, verify_ms, rate,
        time.perf_counter() - begin,
    )  # fmt: skip


_NAMES = ("bedrijf", "server", "agency")


def _placed(conn: Connection) -> int:
    row = conn.execute("select size from journal_state").fetchone()
    return int(row[0]) if row else 0


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def table(rows: Sequence[Row]) -> str:
    lines = [
        f"| {r.entries:,} | {r.hashes} | {r.proof_bytes:,} | {r.file_bytes:,} | {r.export_ms:.1f} "
        f"| {r.verify_ms:.1f} | {r.place_rate:,.0f} | {r.audit_s:.1f} |"
        for r in rows
    ]
    return _PAGE + "\n".join(lines) + "\n"


_PAGE = """# Evidence among many entries

Made by `python -m openpoort_lab.figures.evidence_figures`. One message of 20 kB with 5 journal
entries in the middle of the journal; embedded PostgreSQL on the same machine; medians of 21. Proof
bytes are all audit paths and consistency proofs of the file; most of the rest of the file is the
message. Placing is the sequencer's rate with a checkpoint after every 5,000 entries; the audit
recomputes the whole journal. Bytes are exact; times depend on what else the machine does.

![Proof size and times against the size of the journal](evidence-figures.svg)

| entries | longest path | proof bytes | file bytes | export ms | verify ms | placed/s | audit s |
|---:|---:|---:|---:|---:|---:|---:|---:|
"""


def plot(rows: Sequence[Row], path: Path) -> None:
    """Proof bytes and times over the size on a logarithmic axis: straight is logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "openpoort"
    from matplotlib import pyplot

    sizes = [r.entries for r in rows]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4))
    left.semilogx(sizes, [r.proof_bytes for r in rows], "o-", label="proof bytes")
    left.set_ylabel(f"bytes of proof for {ENTRIES} entries")
    right.semilogx(sizes, [r.export_ms for r in rows], "o-", label="export")
    right.semilogx(sizes, [r.verify_ms for r in rows], "s--", label="verify")
    right.set_ylabel("ms (median)")
    right.legend()
    for axes in (left, right):
        axes.set_xlabel("entries in the journal (log)")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.tight_layout()
    for suffix in (".svg", ".png"):
        figure.savefig(
            path.with_suffix(suffix), metadata={"Date": None} if suffix == ".svg" else {}
        )
    pyplot.close(figure)


@click.command()
@click.option("--size", "sizes", multiple=True, type=click.IntRange(100), default=SIZES)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="docs/reference")
def main(sizes: tuple[int, ...], out: Path) -> None:
    """Measure, and write evidence-figures.md, .svg and .png into OUT."""
    rows = measure(sizes, lambda text: click.echo(text, err=True))
    out.mkdir(parents=True, exist_ok=True)
    (out / "evidence-figures.md").write_text(table(rows))
    plot(rows, out / "evidence-figures")


if __name__ == "__main__":
    main()
