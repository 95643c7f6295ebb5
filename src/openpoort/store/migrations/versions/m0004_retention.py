"""Tables for retention: legal holds, what was dropped of the journal; the journal by month.

A month of the journal is made beside it and then attached, so that writers go on.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        create table hold (
            kenmerk uuid primary key,
            since timestamptz not null,
            by text not null,
            reason text not null
        );
        create table journal_dropped (
            month date primary key,
            rows bigint not null,
            digest bytea not null
        );
    """)
    op.execute("""
        create function journal_month(day date) returns boolean language plpgsql as $$
        declare
            first date := date_trunc('month', day)::date;
            start timestamptz := first::timestamp at time zone 'UTC';
            finish timestamptz := (first + interval '1 month')::timestamp at time zone 'UTC';
            name text := 'journal_' || to_char(first, 'YYYYMM');
        begin
            if to_regclass(name) is not null
                or exists (select from journal_default where at >= start and at < finish) then
                return false;
            end if;
            execute format('create table %I (like journal including defaults including indexes)',
                name);
            execute format('alter table journal attach partition %I for values from (%L) to (%L)',
                name, start, finish);
            return true;
        exception when duplicate_table then
            return false;
        end $$;
    """)
    op.execute("""
        select journal_month((current_date + n * interval '1 month')::date)
        from generate_series(0, 2) n
    """)
