"""The table by which an operator finds a message (store/messages/lookup.py).

One narrow row a message, in a week's partition that goes with the message. Of words it holds eight
octets of a digest, for they may be a person's: `lookup_word` makes them, for who writes and for who
asks. The interested party is not in it: `process` has an index for that. `lookup_state` says up to
which leaf of the journal rows are written; it begins at the first, so that messages from before
this revision are gone through as well, behind the work of the day.
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        create function lookup_word(word text) returns bigint
        language sql immutable strict parallel safe as $$
            select ('x' || encode(substr(sha256(convert_to(word, 'UTF8')), 1, 8), 'hex'))
                ::bit(64)::bigint
        $$;
        create table lookup (
            at timestamptz not null,
            sender bigint not null,
            berichtsoort bigint not null,
            message_id bigint not null,
            aanleverkenmerk bigint,
            day date not null,
            kenmerk uuid not null,
            state text not null,
            primary key (kenmerk, day)
        ) partition by range (day);
        create index lookup_message_id on lookup (message_id);
        create index lookup_aanleverkenmerk on lookup (aanleverkenmerk, at)
            where aanleverkenmerk is not null;
        create index lookup_sender on lookup (sender, at);
        create index lookup_berichtsoort on lookup (berichtsoort, at);
        create index lookup_state_at on lookup (state, at);
        create table lookup_state (
            one boolean primary key default true check (one),
            next bigint not null default 0
        );
        insert into lookup_state default values;
    """)
