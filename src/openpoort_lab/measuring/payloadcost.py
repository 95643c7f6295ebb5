"""What keeping a document costs in each place: the database, a folder, an S3-compatible store.

`python -m openpoort_lab.measuring.payloadcost [ENDPOINT/BUCKET]`, keys in AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY. Keeping is bytes and row, committed; the places take turns, each round with
fresh bytes; medians in milliseconds, and the ratio to the database.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from openpoort.store.messages import messages
from openpoort.store.payloads import payloads
from openpoort.store.payloads.folder import Folder
from openpoort.store.payloads.payloads import Places
from openpoort.store.payloads.s3 import S3, Bucket
from openpoort.store.postgres import partitions
from openpoort.store.postgres.embedded import Embedded
from openpoort.store.postgres.migrate import migrate

SIZES = {"100 kB": 100_000, "250 kB": 250_000, "1 MB": 1_000_000, "4 MB": 4_000_000,
         "15 MB": 15_000_000}  # fmt: skip
Cost = dict[str, dict[str, dict[str, float]]]


def measure(dsn: str, places: dict[str, Places], rounds: int) -> Cost:
    """Size -> place -> milliseconds of `keep` and `read`, with their ratio to the database."""
    spent: dict[tuple[str, str, str], list[float]] = {}
    today = datetime.now(UTC).date()
    with psycopg.connect(dsn, autocommit=True) as conn:
        partitions.ensure(conn, today, 0)
        for size, octets in SIZES.items():
            for _ in range(rounds + 1):  # the first of each opens connections and is not counted
                for name, outside in places.items():
                    body = os.urandom(octets)
                    begin = time.perf_counter()
                    stored = payloads.store(body, outside, today, threshold=0)
                    with conn.transaction():
                        messages.insert_payloads(conn, [(today, stored)])
                    kept = time.perf_counter()
                    row = payloads.load(conn, [(today, stored.digest)])[stored.digest]
                    assert bytes(payloads.read(row, outside)) == body
                    spent.setdefault((size, name, "keep"), []).append(kept - begin)
                    spent.setdefault((size, name, "read"), []).append(time.perf_counter() - kept)
    found: Cost = {}
    for (size, name, what), times in spent.items():
        took = median(times[1:]) * 1e3
        first = median(spent[size, "database", what][1:]) * 1e3
        cost = found.setdefault(size, {}).setdefault(name, {})
        cost |= {f"{what}_ms": round(took, 2), f"{what}_ratio": round(took / first, 2)}
    return found


def _bucket(address: str, spool: Path) -> S3:
    endpoint, _, bucket = address.rpartition("/")
    keys: dict[str, Any] = {
        "key_id": os.environ["AWS_ACCESS_KEY_ID"], "secret": os.environ["AWS_SECRET_ACCESS_KEY"]
    }  # fmt: skip
    return S3("s3", Bucket(endpoint, bucket, prefix=f"cost-{time.time_ns()}", **keys), spool)


def main(words: list[str], rounds: int = 15) -> None:
    with tempfile.TemporaryDirectory(prefix="op-cost-", dir=Path.cwd()) as folder:
        server = Embedded(Path(folder) / "postgres")
        dsn = server.start()
        try:
            migrate(dsn)
            places: dict[str, Places] = {
                "database": (), "folder": (Folder(Path(folder) / "payloads"),)
            }  # fmt: skip
            if words:
                places["s3"] = (_bucket(words[0], Path(folder)),)
            found = measure(dsn, places, rounds)
        finally:
            server.stop()
    for size, costs in found.items():
        for name, cost in costs.items():
            print(f"{size:8} {name:9}", *(f"{k} {v:8.2f}" for k, v in cost.items()))  # noqa: T201
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
