import psycopg

from openpoort.store.embedded import Embedded


def test_database_is_migrated_and_utf8(postgres: Embedded, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select version_num from alembic_version").fetchone()
        assert row is not None
        assert row[0] >= "0003"
        encoding = conn.execute("show server_encoding").fetchone()
        assert encoding == ("UTF8",)
