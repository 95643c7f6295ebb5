"""Tables for time-stamps of checkpoints by another party, and how asking for them goes.

A token stands beside its checkpoint and is never changed; `timestamping` is one row that all
nodes share, so that one asks at a time and a failure is told once.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        create table journal_timestamp (
            size bigint not null,
            at timestamptz not null,
            stamped_at timestamptz not null,
            nonce numeric not null,
            token bytea not null,
            primary key (size, at)
        );
        create trigger append_only before update or delete or truncate on journal_timestamp
            for each statement execute function journal_refuse();
        create table timestamping (
            one boolean primary key default true check (one),
            asked_at timestamptz,
            failing_since timestamptz,
            reason text
        );
        insert into timestamping default values;
    """)
