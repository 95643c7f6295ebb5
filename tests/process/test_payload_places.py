"""One contract for every place of documents: the database, a folder, an S3-compatible store."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from openpoort.store.messages import messages
from openpoort.store.payloads import payloads
from openpoort.store.payloads.folder import Folder
from openpoort.store.payloads.payloads import Key, PayloadMissing, PayloadStore, PayloadUnavailable
from openpoort.store.payloads.s3 import S3
from openpoort.store.postgres import partitions
from openpoort.store.postgres.embedded import Embedded
from tests import s3
from tests.s3 import Server

DAY = date(2026, 11, 23)
LARGE = random.Random(1).randbytes(20 * 1024 * 1024)
BODIES = {
    "empty": b"", "one octet": b"\0", "looks like a checksum": hashlib.sha256(b"").digest(),
    "line ends": b"\r\n\n\r" * 7, "20 MiB": LARGE,
}  # fmt: skip


@dataclass
class Place:
    """`outside` is empty for the database. `file` is where the bytes of a document stand, `shut`
    makes writing impossible."""

    dsn: str
    outside: tuple[PayloadStore, ...]
    file: Callable[[Key], Path]
    shut: Callable[[], None]

    def keep(self, body: bytes) -> Key:
        """As the house does it: the bytes first, then the row that names them."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            stored = payloads.store(body, self.outside, DAY, threshold=0)
            with conn.transaction():
                messages.insert_payloads(conn, [(DAY, stored)])
        return DAY, stored.digest

    def fetch(self, key: Key) -> bytes:
        with psycopg.connect(self.dsn) as conn:
            return bytes(payloads.read(payloads.load(conn, [key])[key[1]], self.outside))

    def change(self, key: Key, body: bytes | None) -> None:
        """Behind the back of the gateway; None takes it away."""
        if self.outside:
            file = self.file(key)
            assert file.is_file()
            file.unlink() if body is None else file.write_bytes(body)
            return
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute("update payload set body = %s where digest = %s", (body, key[1]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with s3.server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(params=["database", "folder", "s3"])
def place(request: pytest.FixtureRequest, dsn: str, tmp_path: Path) -> Iterator[Place]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        partitions.ensure(conn, DAY, 0)
    if request.param == "database":
        yield Place(dsn, (), lambda _: tmp_path, lambda: _read_only(dsn))
    elif request.param == "folder":
        folder = Folder(tmp_path / "payloads")
        yield Place(dsn, (folder,), folder._file, lambda: _no_folder(folder.path))
    else:
        server: Server = request.getfixturevalue("server")
        bucket = server.bucket(prefix=tmp_path.name)
        root = server.folder / "payloads" / tmp_path.name
        with ExitStack() as stack:
            yield Place(
                dsn, (S3("s3", bucket, tmp_path, pause=0),),
                lambda key: root / str(key[0]) / key[1].hex(),
                lambda: _restart(server, stack),
            )  # fmt: skip


def _read_only(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"alter database {conn.info.dbname} set default_transaction_read_only = on")


def _no_folder(path: Path) -> None:
    """Also root cannot write here."""
    if path.exists():
        path.rename(path.with_name("elsewhere"))
    path.write_text("a file")


def _restart(server: Server, stack: ExitStack) -> None:
    server.stop()
    server.start("--readonly")
    stack.callback(server.start)
    stack.callback(server.stop)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_kept_comes_back(place: Place, body: bytes) -> None:
    key = place.keep(body)
    assert key == (DAY, hashlib.sha256(body).digest())
    assert place.fetch(key) == body
    assert place.keep(body) == key
    assert place.fetch(key) == body


def test_the_same_document_from_many_at_once_stands_once(place: Place) -> None:
    body = LARGE[:2_000_000]
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: place.keep(body), range(16)))
    [key] = keys
    assert place.fetch(key) == body
    with psycopg.connect(place.dsn) as conn:
        assert conn.execute("select count(*) from payload").fetchone() == (1,)
    if place.outside:
        assert list(place.outside[0].old(datetime.now(UTC) + timedelta(days=1))) == [key]


@pytest.mark.parametrize("body", [b"", b"documenT", b"document and more"])
def test_a_changed_document_is_not_given_and_a_repeat_mends_it(place: Place, body: bytes) -> None:
    key = place.keep(b"document")
    place.change(key, body)
    with pytest.raises(PayloadMissing, match="was changed"):
        place.fetch(key)
    if place.outside:  # a row that stands is not written again
        place.keep(b"document")
        assert place.fetch(key) == b"document"


def test_a_document_that_is_gone_is_missing_and_a_repeat_brings_it_back(place: Place) -> None:
    key = place.keep(b"document")
    place.change(key, None)
    with pytest.raises(PayloadMissing):
        place.fetch(key)
    if place.outside:
        other = place.keep(b"another")
        with psycopg.connect(place.dsn) as conn:
            assert payloads.missing(conn, place.outside) == 1
        assert place.fetch(other) == b"another"
        place.keep(b"document")
        assert place.fetch(key) == b"document"


def test_where_nothing_can_be_written_nothing_is_half_kept(place: Place) -> None:
    kept = None if isinstance(_first(place), Folder) else place.keep(b"before")
    place.shut()
    with pytest.raises((PayloadUnavailable, psycopg.errors.ReadOnlySqlTransaction)) as wrong:
        place.keep(b"document")
    if isinstance(wrong.value, PayloadUnavailable):
        assert wrong.value.retry_after > 0
    with psycopg.connect(place.dsn) as conn:
        assert conn.execute("select count(*) from payload").fetchone() == (int(bool(kept)),)
    if kept:
        assert place.fetch(kept) == b"before"


def _first(place: Place) -> PayloadStore | None:
    return place.outside[0] if place.outside else None


@pytest.mark.parametrize("place", ["folder", "s3"], indirect=True)
def test_only_documents_without_a_row_of_an_earlier_day_are_swept(place: Place) -> None:
    [outside] = place.outside
    key = place.keep(b"with a row")
    lost = (DAY, hashlib.sha256(b"lost").digest())
    other = (DAY - timedelta(days=1), key[1])  # the same bytes, on a day of which the row is gone
    today = (datetime.now(UTC).date(), lost[1])
    for one, body in ((lost, b"lost"), (other, b"with a row"), (today, b"lost")):
        outside.put(one, body)
    stranger = place.file(lost).with_name("README")
    stranger.write_text("not ours")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    # By the clock of the house the day is over, by that of the place they are new.
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        assert payloads.sweep(conn, place.outside, long_ago) == 0
        late = datetime.combine(today[0], datetime.max.time(), UTC)
        assert payloads.sweep(conn, place.outside, late) == 2
        assert payloads.sweep(conn, place.outside, late) == 0
    assert place.fetch(key) == b"with a row"
    assert bytes(outside.get(today)) == b"lost"
    for gone in (lost, other):
        with pytest.raises(PayloadMissing):
            outside.get(gone)
    assert stranger.exists()
    outside.remove([lost, other])


@pytest.mark.parametrize("place", ["folder", "s3"], indirect=True)
def test_a_place_is_swept_by_one_database_only(place: Place, postgres: Embedded) -> None:
    """A test gateway with the settings of production must not take its documents for orphans."""
    key, late = place.keep(b"document"), datetime.now(UTC) + timedelta(days=2)
    with psycopg.connect(place.dsn, autocommit=True) as conn:
        assert payloads.sweep(conn, place.outside, late) == 0
        conn.execute("create role plain")
        conn.execute("set role plain")
        assert conn.execute(payloads._DATABASE).fetchone() is not None  # no rights needed
        conn.execute("reset role")
        conn.execute("drop role plain")
    with (
        psycopg.connect(postgres.dsn("openpoort"), autocommit=True) as other,
        pytest.raises(PayloadUnavailable, match="not swept: its owner is not database"),
    ):
        payloads.sweep(other, place.outside, late)
    assert place.fetch(key) == b"document"


def test_places_stand_side_by_side_and_each_row_knows_its_own(
    dsn: str, tmp_path: Path, server: Server
) -> None:
    folder, bucket = (
        Folder(tmp_path / "payloads"),
        S3("s3", server.bucket(prefix="side"), tmp_path, 0),
    )
    second = S3("archive", server.bucket(prefix="side2"), tmp_path, 0)

    def made(*outside: PayloadStore) -> Place:
        return Place(dsn, outside, lambda _: tmp_path, lambda: None)

    with psycopg.connect(dsn, autocommit=True) as conn:
        partitions.ensure(conn, DAY, 0)
    keys = {
        made(*order).keep(body): body
        for body, order in {
            b"in folder": (folder, bucket), b"in s3": (bucket, folder, second),
            b"in archive": (second, bucket, folder), b"folder again": (folder, bucket, second),
            b"inside": (),
        }.items()
    }  # fmt: skip
    after = made(bucket, second, folder)
    assert {key: after.fetch(key) for key in keys} == keys
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("select place, count(*) from payload group by place").fetchall()
    assert dict(rows) == {"folder": 2, "s3": 1, "archive": 1, "db": 1}
    [lost] = [key for key, body in keys.items() if body == b"in archive"]
    with pytest.raises(PayloadMissing, match="is in archive, not set up here"):
        made(folder, bucket).fetch(lost)
