"""A seeded slice of the fuzzing; the long run is `python -m tests.fuzz`."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import pytest

from openpoort.devkit.hostile import corpus
from openpoort.wire.services import AANLEVER
from tests.fuzz.mutate import mutations, seeds
from tests.fuzz.promise import one
from tests.wire_kit import HOST, NOW, key


def test_the_promise_holds_for_the_saved_corpus() -> None:
    assert {one(data) for data in seeds()} == {"message"}


@pytest.mark.parametrize("seed", range(3))
def test_the_promise_holds_for_mutated_requests(seed: int) -> None:
    counts = Counter(one(data) for data in islice(mutations(seed, seeds()), 1000))
    assert counts["message"] > 10
    assert counts["fault"] > 500
    assert counts["refusal"] > 10


def test_the_promise_holds_for_the_hostile_corpus() -> None:
    signer = key()
    for hostile in corpus(signer, NOW, AANLEVER, "sha256", HOST + AANLEVER.path):
        if not hostile.content_type.startswith("multipart"):
            one(hostile.raw)


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this Python")
def test_the_promise_holds_where_coverage_leads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--engine", "atheris", "--seed", "1"]
    done = subprocess.run(
        [*command, "--seconds", "5", "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
