from pathlib import Path

import psycopg
import pytest

from openpoort.store.postgres import embedded
from openpoort.store.postgres.embedded import Embedded


def test_database_is_migrated_and_utf8(postgres: Embedded, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select version_num from alembic_version").fetchone()
        assert row is not None
        assert row[0] >= "0003"
        encoding = conn.execute("show server_encoding").fetchone()
        assert encoding == ("UTF8",)


def test_the_server_has_the_buffers_it_was_given(postgres: Embedded, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select pg_size_bytes(current_setting('shared_buffers'))").fetchone()
    assert row == (int(embedded._shared_buffers().removesuffix("MB")) << 20,)


@pytest.mark.parametrize(
    ("limit", "buffers"),
    [("4294967296\n", "512MB"), ("268435456\n", "128MB"), ("17179869184\n", "2048MB")],
)
def test_buffers_follow_the_memory_of_the_container(
    limit: str, buffers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        embedded.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, 2**26)
    )
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(embedded, "_LIMITS", (tmp_path / "none", tmp_path / "memory.max"))
    assert embedded._shared_buffers() == buffers


def test_buffers_without_a_container_follow_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        embedded.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, 2**21)
    )
    (tmp_path / "memory.max").write_text("max\n")
    monkeypatch.setattr(embedded, "_LIMITS", (tmp_path / "memory.max",))
    assert embedded._shared_buffers() == "1024MB"
