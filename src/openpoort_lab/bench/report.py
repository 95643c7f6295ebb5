"""One result value, shown as a line, a table row, JSON or a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from openpoort_lab.bench.load import Shot


@dataclass(frozen=True, slots=True)
class Result:
    """What a scenario measured. Rates per second, times in milliseconds, memory in bytes.

    `ratio_to_limit` compares with the RSA limit of one core, measured in the same run;
    `ratio_to_reference` with the reference variant, when it ran too. `lost` counts acknowledged
    messages that the gateway does not know afterwards, `failed` answers that were not the
    expected ones. `parts_ms` is the CPU time per message of every part of the measured machine:
    doors, worker, agency, PostgreSQL and the client that measures.
    """

    scenario: str
    messages: int
    rate: float
    cpu_ms_per_message: float
    rsa_limit: float
    ratio_to_limit: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    peak_bytes: int
    lost: int
    failed: int
    ratio_to_reference: float | None = None
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    parts_ms: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return self.lost == 0 and self.failed == 0

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the sorted values lie; 0.0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def plot(shots: Sequence[Shot], title: str, file: Path) -> list[Path]:
    """Rate and latency over time as `file`.png and `file`.svg; returns both paths."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    ordered = sorted(shots, key=lambda s: s.done)
    span = max(ordered[-1].done, 0.001) if ordered else 1.0
    width = max(span / 60, 0.1)
    # A slice without an answer is a stall, and stays in the picture: rate 0, no latency.
    slices: list[list[float]] = [[] for _ in range(int(span / width) + 1)]
    for shot in ordered:
        slices[int(shot.done / width)].append(shot.latency * 1000)
    edges = [place * width for place in range(len(slices) + 1)]
    middles = [edge + width / 2 for edge in edges[:-1]]
    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 5))
    above.stairs([len(part) / width for part in slices], edges, color="black")
    above.set_ylabel("messages a second")
    above.set_ylim(bottom=0)
    above.set_title(title)
    for share, style in ((0.5, "-"), (0.99, ":")):
        line = [percentile(part, share) if part else float("nan") for part in slices]
        below.plot(middles, line, style, color="black", label=f"p{share * 100:.0f}")
    below.set_ylabel("latency (ms)")
    below.set_xlabel("seconds since the first request")
    below.set_ylim(bottom=0)
    below.set_xlim(0, edges[-1])
    below.legend()
    figure.tight_layout()
    files = [file.with_suffix(".png"), file.with_suffix(".svg")]
    for path in files:
        figure.savefig(path)
    pyplot.close(figure)
    return files
