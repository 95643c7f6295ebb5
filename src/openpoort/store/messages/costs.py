"""What the messages of a window wrote, by kind: read from the tables, not estimated.

Bytes are content as it is handed to the database (documents, request, answer, statuses, journal):
without indexes, row headers and the write-ahead log, which decision 31 measures apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

_WROTE = """
with taken as (
    select p.day, p.kenmerk, p.berichtsoort from process p
    where p.day between (%(since)s::timestamptz at time zone 'UTC')::date
        and (%(until)s::timestamptz at time zone 'UTC')::date
        and p.accepted_at >= %(since)s and p.accepted_at < %(until)s),
kept as (
    select t.berichtsoort, count(*) as messages, sum(
        (select sum((d ->> 3)::bigint) from jsonb_array_elements(m.documents) d)) as documents
    from taken t join message m using (day, kenmerk) group by 1),
asked as (
    select t.berichtsoort, sum(octet_length(r.body) + octet_length(r.token)) as bytes
    from taken t join request r using (day, kenmerk) group by 1),
answered as (
    select t.berichtsoort, sum(octet_length(a.body)) as bytes
    from taken t join answer a using (day, kenmerk) group by 1),
told as (
    select t.berichtsoort, count(*) as statuses, sum(pg_column_size(s.*)) as bytes
    from taken t join status s using (day, kenmerk) group by 1),
noted as (
    select t.berichtsoort, sum(octet_length(j.entry)) as bytes
    from taken t join journal_leaf l using (kenmerk)
    join journal j on j.xid = l.xid and j.id = l.id group by 1)
select k.berichtsoort, k.messages, coalesce(told.statuses, 0)::bigint,
    (coalesce(k.documents, 0) + coalesce(asked.bytes, 0) + coalesce(answered.bytes, 0))::bigint,
    coalesce(told.bytes, 0)::bigint, coalesce(noted.bytes, 0)::bigint
from kept k left join asked using (berichtsoort) left join answered using (berichtsoort)
left join told using (berichtsoort) left join noted using (berichtsoort)
order by 1
"""


@dataclass(frozen=True, slots=True)
class Wrote:
    """One kind. Bytes by class of retention: `payload` is documents, request, answer."""

    berichtsoort: str
    messages: int
    statuses: int
    payload: int
    status: int
    journal: int


def wrote(conn: Connection, since: datetime, until: datetime) -> list[Wrote]:
    """By kind, of the messages accepted from `since` up to `until`."""
    rows = conn.execute(_WROTE, {"since": since, "until": until})
    return [Wrote(*row) for row in rows]
