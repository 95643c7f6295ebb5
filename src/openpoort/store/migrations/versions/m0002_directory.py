"""Tables for parties, agreements, mandates, agencies; evidence of revocation; algorithm use.

`directory_version` has one row; who changes the directory locks it, who caches it reads it.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        create table party (
            oin text primary key,
            name text not null,
            since timestamptz,
            until timestamptz,
            fault_status smallint not null default 500,
            sha1_until timestamptz,
            tls_oins text[] not null default '{}',
            rate double precision,
            burst integer
        );
        create table party_identity (
            oin text not null references party on delete cascade,
            place smallint not null,
            type text not null,
            nummer text not null,
            primary key (oin, place)
        );
        create table agreement (
            id bigint generated always as identity primary key,
            oin text not null,
            kinds text[] not null,
            rollen text[] not null,
            rights text[] not null,
            since timestamptz,
            until timestamptz
        );
        create table mandate (
            id bigint generated always as identity primary key,
            type text not null,
            nummer text not null,
            holder text not null,
            giver text,
            kinds text[] not null,
            rights text[] not null,
            delegate boolean not null,
            since timestamptz,
            until timestamptz
        );
        create table agency (
            name text primary key,
            oin text not null,
            endpoint text not null,
            channel text not null,
            max_parallel integer not null,
            options jsonb not null,
            status_kinds text[] not null,
            return_kinds text[] not null
        );
        create table directory_version (
            one boolean primary key default true check (one),
            version bigint not null,
            changed_at timestamptz,
            changed_by text
        );
        insert into directory_version (version) values (0);
        create table directory_proposal (
            id bigint generated always as identity primary key,
            base bigint not null,
            directory text not null,
            digest text not null,
            proposed_by text not null,
            proposed_at timestamptz not null,
            decided_by text,
            decided_at timestamptz,
            decision text check (decision in ('approved', 'rejected'))
        );
    """)
    op.execute("""
        create table revocation_evidence (
            source text not null,
            subject text not null default '',
            kind text not null check (kind in ('crl', 'ocsp')),
            content bytea,
            this_update timestamptz,
            next_update timestamptz,
            fetched_at timestamptz,
            tried_at timestamptz not null,
            problem text,
            primary key (source, subject)
        );
        create table revocation_state (
            one boolean primary key default true check (one),
            version bigint not null
        );
        insert into revocation_state (version) values (0);
        create table certificate_seen (
            fingerprint text primary key,
            content bytea not null,
            last_seen date not null
        );
        create table algorithm_use (
            oin text not null,
            algorithm text not null,
            day date not null,
            messages bigint not null,
            last_at timestamptz not null,
            primary key (oin, algorithm, day)
        );
    """)
