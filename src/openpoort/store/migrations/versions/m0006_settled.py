"""Tables by which a poll for what is new leaves old weeks alone (store/messages/closed_weeks.py).

`settled` is one row. `late` is written by triggers on the weeks before it, which
`store/postgres/partitions.py` puts there, so that it holds whichever version of the gateway writes.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        create table settled (
            one boolean primary key default true check (one),
            before date not null default '0001-01-01'
        );
        insert into settled default values;
        create table late (
            who text not null,
            day date not null
        );
        create index late_who on late (who, day);
        create table nothing_new (
            question uuid primary key,
            before date not null,
            but date[] not null
        );
    """)
    op.execute("""
        create function note_late() returns trigger language plpgsql as $$
        begin
            insert into late (who, day)
            select to_jsonb(new) ->> column_name, new.day from unnest(tg_argv) column_name
            where not exists (select from late l
                where l.who = to_jsonb(new) ->> column_name and l.day = new.day);
            return null;
        end $$;
    """)
