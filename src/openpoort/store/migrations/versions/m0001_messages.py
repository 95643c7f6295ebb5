"""Tables for messages, processes, statuses, jobs.

What grows with every message is partitioned by `day`, the day of acceptance, so that time runs
out by dropping partitions (store/postgres/partitions.py makes them). Only `register` and `repeat`,
the two keys, are whole: unique for ever means unique over all partitions. Bytes that are
compressed or encrypted already are stored without another try (external).
"""

from alembic import op

revision = "0001"
down_revision = None

KEYS = """
create table register (
    kenmerk uuid primary key,
    day date not null,
    berichtsoort text not null,
    sender text not null,
    about uuid,
    switch text
);
create index register_about on register (about) where about is not null;

create table repeat (
    key uuid primary key,
    digest bytea not null,
    kenmerk uuid not null,
    day date not null
);

create table certificate (
    digest bytea primary key,
    der bytea not null
);
alter table certificate alter der set storage external;
"""

PARTITIONED = """
create table message (
    day date not null,
    kenmerk uuid not null,
    about uuid,
    parent uuid,
    berichtsoort text not null,
    sender text not null,
    berichtkenmerk text not null,
    aanleverkenmerk text,
    eerder_aanleverkenmerk text,
    belang_type text not null,
    belang_nummer text not null,
    rol_belang text not null,
    ontvanger_type text,
    ontvanger_nummer text,
    rol_ontvanger text,
    autorisatie_adres text,
    accepted_at timestamptz not null,
    documents jsonb not null,
    primary key (kenmerk, day)
) partition by range (day);

create table process (
    day date not null,
    kenmerk uuid not null,
    berichtsoort text not null,
    sender text not null,
    belang text not null,
    accepted_at timestamptz not null,
    state text not null,
    seq smallint not null,
    last_at timestamptz not null,
    open smallint not null default 0,
    episode boolean not null default false,
    unread boolean not null default true,
    data jsonb,
    primary key (kenmerk, day)
) partition by range (day);
create index process_belang on process (belang, berichtsoort, sender, accepted_at, kenmerk);
create index process_unread on process (sender, belang, berichtsoort, accepted_at, kenmerk)
    where unread;

create table status (
    day date not null,
    kenmerk uuid not null,
    seq smallint not null,
    code text not null,
    at timestamptz not null,
    foutcode text,
    fout text,
    details text,
    primary key (kenmerk, seq, day)
) partition by range (day);

create table request (
    day date not null,
    kenmerk uuid not null,
    received_at timestamptz not null,
    content_type text,
    digest bytea not null,
    size integer not null,
    cuts jsonb not null,
    body bytea not null,
    tls bytea,
    token bytea not null,
    primary key (kenmerk, day)
) partition by range (day);
alter table request alter body set storage external;

create table answer (
    day date not null,
    kenmerk uuid not null,
    at timestamptz not null,
    digest bytea not null,
    body bytea not null
) partition by range (day);
alter table answer alter body set storage external;
create index answer_kenmerk on answer (kenmerk, at);

create table payload (
    day date not null,
    digest bytea not null,
    size integer not null,
    place text not null,
    body bytea,
    primary key (digest, day)
) partition by range (day);
alter table payload alter body set storage external;

create table delivery (
    day date not null,
    kenmerk uuid not null,
    agency text not null,
    generation smallint not null,
    message_id text not null,
    attempts integer not null,
    delivered_at timestamptz not null,
    receipt bytea not null,
    primary key (kenmerk, agency, generation, day)
) partition by range (day);
create index delivery_agency on delivery (agency, delivered_at);

create table mailbox (
    day date not null,
    kenmerk uuid not null,
    shown uuid not null,
    owner text not null,
    belang text not null,
    berichtsoort text not null,
    at timestamptz not null,
    new_in_list boolean not null default true,
    new_as_message boolean not null default true,
    primary key (kenmerk, day)
) partition by range (day);
create index mailbox_owner on mailbox (owner, at, kenmerk);
create index mailbox_belang on mailbox (belang, at, kenmerk);
create index mailbox_list on mailbox (owner, at, kenmerk) where new_in_list;
create index mailbox_message on mailbox (owner, at, kenmerk) where new_as_message;

create table seen (
    day date not null,
    requester text not null,
    kenmerk uuid not null,
    what text not null,
    seqs smallint[] not null,
    primary key (kenmerk, requester, what, day)
) partition by range (day);
"""

QUEUE = """
create table job (
    id bigint generated always as identity primary key,
    day date not null,
    kenmerk uuid not null,
    step text not null,
    lane text not null,
    agency text,
    generation smallint not null default 0,
    due_at timestamptz not null,
    attempts integer not null default 0,
    first_at timestamptz,
    fence uuid,
    lease_until timestamptz
) with (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
create index job_due on job (lane, due_at, id);
create index job_leased on job (lane) where fence is not null;
create index job_kenmerk on job (kenmerk);

create table parked (
    id bigint generated always as identity primary key,
    day date not null,
    kenmerk uuid not null,
    step text not null,
    lane text not null,
    agency text,
    generation smallint not null,
    attempts integer not null,
    since timestamptz not null,
    reason text not null
);
create index parked_kenmerk on parked (kenmerk);
create index parked_since on parked (since, id);

create table heartbeat (
    node text primary key,
    at timestamptz not null
);
"""


def upgrade() -> None:
    for part in (KEYS, PARTITIONED, QUEUE):
        op.execute(part)
