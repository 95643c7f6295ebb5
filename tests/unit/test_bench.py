"""What `openpoort bench` refuses before it starts anything, and how it tells what went wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from openpoort.cli import main
from openpoort_lab.bench.flat import Flat, Level
from openpoort_lab.bench.load import Run, Shot
from openpoort_lab.bench.report import Result, plot
from openpoort_lab.cli.bench import _show

RESULT = Result("accept", 10, 100.0, 2.0, 3000.0, 0.033, 1.0, 2.0, 3.0, 1_000_000, 0, 0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["accept", "--url", "https://gateway.example"], "add --target-host gateway.example"),
        (
            ["accept", "--url", "https://gateway.example", "--target-host", "other.example"],
            "add --target-host gateway.example",
        ),
        (["accept", "--url", "https://localhost.example/"], "add --target-host localhost.example"),
        (["accept", "--url", "https://user@10.0.0.1:8443"], "add --target-host 10.0.0.1"),
        (
            ["accept", "--url", "https://gateway.example", "--target-host", "gateway.example"],
            "--url needs --cert, --key, --ca as well",
        ),
        (["status", "--url", "localhost:8443"], "give one as https://localhost:8443"),
        (["status", "--url", "https://localhost:99999"], "give one as https://localhost:8443"),
        (["mixed", "--url", "http://localhost:8443"], "give one as https://localhost:8443"),
        (["fetch", "--url", "https://localhost:8443"], "leave out --url"),
        (["accept", "--size", "21m"], "between 64 bytes and 20 MiB"),
        (["accept", "--size", "10"], "between 64 bytes and 20 MiB"),
        (["accept", "--size", "-1"], "between 64 bytes and 20 MiB"),
        (["accept", "--callers", "65"], "1<=x<=64"),
        (["accept", "--messages", "0"], "1<=x"),
        (["deadline", "--rate", "nan"], "must be a number"),
        (["accept", "--rate", "0"], "0.1<=x"),
        (["accept", "--rate", "100", "--new-connections"], "leave out --new-connections"),
        (["accept", "--reference", "--rate", "100"], "leave out --url"),
        (["accept", "--home", "/etc"], "holds something else"),
        (["accept", "--plot", "/nowhere/plot"], "there is no folder /nowhere"),
        (["flat", "--sizes", "many"], "numbers of messages by commas"),
        (["flat", "--sizes", "1"], "each 100 to 100 million"),
        (["flat", "--sizes", "1000,100000000"], "choose smaller ones"),
    ],
)
def test_what_cannot_or_may_not_be_is_said_at_once(words: list[str], says: str) -> None:
    done = CliRunner().invoke(main, ["bench", *words], env={"COLUMNS": "200"})
    assert done.exit_code == 2, done.output
    assert says in " ".join(done.stderr.split())
    assert done.stdout == ""


@pytest.mark.parametrize(("lost", "failed", "code"), [(0, 0, 0), (1, 0, 1), (0, 2, 1)])
def test_lost_or_failed_messages_end_in_exit_code_1(
    lost: int, failed: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {name: getattr(RESULT, name) for name in RESULT.__slots__}
    result = Result(**{**fields, "lost": lost, "failed": failed})
    ended = 0
    try:
        _show(result, Run([], 1.0), {"as_json": True, "plot": None})
    except SystemExit as end:
        ended = int(str(end.code))
    said = capsys.readouterr()
    found = json.loads(said.out.splitlines()[-1])
    assert ended == code
    assert (found["lost"], found["failed"]) == (lost, failed)
    assert (f"lost {lost}, failed {failed}" in said.err) == (code == 1)
    wanted = {"rate", "cpu_ms_per_message", "rsa_limit", "ratio_to_limit", "ratio_to_reference",
              "p50_ms", "p99_ms"}  # fmt: skip
    assert wanted <= set(found)


def test_a_stall_stays_in_the_picture(tmp_path: Path) -> None:
    shots = [Shot(t / 10, t / 10 + 0.05, 200, b"") for t in (*range(20), *range(60, 80))]
    for path in plot(shots, "a stall of four seconds", tmp_path / "picture"):
        assert path.stat().st_size > 1000
    drawn = (tmp_path / "picture.svg").read_text()
    assert "messages a second" in drawn or drawn.count("<path") > 10
    assert plot([], "nothing came back", tmp_path / "empty")


def test_spread_is_best_over_worst() -> None:
    levels = tuple(Level(n, n, 100.0 - n, 2.0 + n, 50.0, 1.0, 0.1, ()) for n in (0, 10, 20))
    found = json.loads(Flat(levels, 0, 0).as_json())
    assert found["spread"] == {
        "accept_rate": 1.25, "accept_cpu_ms": 11.0, "status_rate": 1.0, "status_cpu_ms": 1.0,
    }  # fmt: skip
