"""Tables for journal, Merkle tree, checkpoints.

`journal` is the hot one: rows of (time, canonical bytes) with one right-growing index, and one of
a few pages (brin) to find a day. A partition per month, so that retention drops a partition
instead of deleting rows. What the sequencer adds (`journal_leaf`, `journal_node`,
`journal_checkpoint`) is hashes only and outlives the content.
The triggers stop honest mistakes; tampering by who owns the database is what the tree is for.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        create table journal (
            id bigint generated always as identity,
            xid xid8 not null default pg_current_xact_id(),
            at timestamptz not null,
            entry bytea not null
        ) partition by range (at);
        create index journal_order on journal (xid, id);
        create index journal_time on journal using brin (at);
        create table journal_default partition of journal default;

        create table journal_leaf (
            leaf bigint primary key,
            xid xid8 not null,
            id bigint not null,
            at timestamptz not null,
            kenmerk uuid,
            hash bytea not null
        );
        create index journal_leaf_kenmerk on journal_leaf (kenmerk) where kenmerk is not null;
        create table journal_node (
            level smallint not null,
            number bigint not null,
            hash bytea not null,
            primary key (level, number)
        );
        create table journal_checkpoint (
            size bigint not null,
            at timestamptz not null,
            root bytea not null,
            note text not null,
            primary key (size, at)
        );
        create table journal_state (
            one boolean primary key default true check (one),
            size bigint not null,
            after_xid xid8 not null,
            after_id bigint not null,
            floor_id bigint not null,
            cluster bigint not null
        );
        insert into journal_state (size, after_xid, after_id, floor_id, cluster)
            select 0, '0'::xid8, 0, 0, system_identifier from pg_control_system();
    """)
    op.execute("""
        create function journal_refuse() returns trigger language plpgsql as $$
        begin
            raise exception 'the journal is append-only';
        end $$;
    """)
    for table in ("journal", "journal_leaf", "journal_node", "journal_checkpoint"):
        op.execute(f"""
            create trigger append_only before update or delete or truncate on {table}
                for each statement execute function journal_refuse()
        """)
