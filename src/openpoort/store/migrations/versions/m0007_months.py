"""Tables of what a month cost (store/messages/months.py): a row a month, kind and agency, the
processor time
of each process, and up to which leaf of the journal was counted.

Counting begins here: what the journal holds already stays uncounted.
"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        create table month_cost (
            month date not null,
            berichtsoort text not null,
            agency text not null,
            messages bigint not null,
            cpu_seconds double precision not null,
            database_seconds double precision,
            bytes bigint not null,
            byte_days double precision not null,
            primary key (month, berichtsoort, agency)
        );
        create table processor_time (
            process text primary key,
            role text not null,
            seconds double precision not null,
            counted double precision not null default 0,
            at timestamptz not null
        );
        create table month_counted (
            one boolean primary key default true check (one),
            leaf bigint not null,
            since timestamptz not null default now(),
            until timestamptz not null default now()
        );
        insert into month_counted (leaf) select coalesce(max(leaf) + 1, 0) from journal_leaf;
    """)
