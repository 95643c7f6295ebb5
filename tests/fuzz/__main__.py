"""Fuzz the request path.

    python -m tests.fuzz [--seconds S] [--seed N] [--engine bytes|made|atheris] [--keep DIR]
    python -m tests.fuzz --engine made --count 1000000

`bytes` mutates the saved corpus; `made` makes signed messages up and holds each beside xmlsec, in
both directions; `atheris` is guided by coverage (pip install atheris).
An input that breaks the promise is written to the folder of --keep; exit code 1.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tests.fuzz.made import Made, messages
from tests.fuzz.mutate import CORPUS, mutations, seeds


def keep(data: bytes, folder: Path, why: BaseException) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    print(f"broken: {type(why).__name__}: {why}; kept as {path}")


def run(inputs: Iterator[Made], seconds: float, folder: Path) -> int:
    from tests.fuzz.promise import one

    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    for made in inputs:
        if time.monotonic() > end:
            break
        try:
            counts[one(made.raw, made.content_type, made.inlined)] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            counts["broken"] += 1
            keep(made.raw, folder, error)
    print(f"{counts.total()} inputs: {dict(counts)}")
    return 1 if counts["broken"] else 0


def guided(seconds: float, seed: int, folder: Path) -> int:
    import atheris

    with atheris.instrument_imports(include=["openpoort.wire", "openpoort.domain"]):
        from tests.fuzz.promise import one

    folder.mkdir(parents=True, exist_ok=True)
    limit = [f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=40000"]
    limit.append(f"-artifact_prefix={folder}/")
    atheris.Setup([sys.argv[0], *limit, str(folder / "grown"), str(CORPUS)], one)
    (folder / "grown").mkdir(exist_ok=True)
    atheris.Fuzz()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, help="default: 60, or no end with --count")
    parser.add_argument("--count", type=int, help="of --engine bytes and made")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000 + 1)
    parser.add_argument("--engine", choices=("bytes", "made", "atheris"), default="bytes")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    seconds = options.seconds or (float("inf") if options.count else 60)
    if options.engine == "atheris":
        return guided(seconds, options.seed, options.keep)
    mutated = (Made(data, None, None) for data in mutations(options.seed, seeds()))
    inputs = messages(options.seed) if options.engine == "made" else mutated
    return run(islice(inputs, options.count), seconds, options.keep)


if __name__ == "__main__":
    sys.exit(main())
