"""Promises beside those of the closing balance that must hold in the tables at every moment.

Each is a question whose answer must be empty. Not hot: they read whole tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from openpoort.domain.process import ENDED, State
from openpoort.store.postgres import partitions
from openpoort.store.postgres.primary import connect

_QUESTIONS = {
    "a job stands once": """
        select kenmerk from job group by kenmerk, step, agency, generation having count(*) > 1""",
    "every message has its request, its process and its place in the register": """
        select m.kenmerk from message m
        where m.parent is null and (
            not exists (select from request r where r.kenmerk = m.kenmerk and r.day = m.day)
            or not exists (select from process p where p.kenmerk = m.kenmerk and p.day = m.day)
            or not exists (select from register g where g.kenmerk = m.kenmerk))""",
    "every acceptance is in the journal once": """
        select m.kenmerk from message m
        left join (
            select kenmerk, count(*) n from (
                select (convert_from(entry, 'UTF8')::jsonb ->> 'kenmerk')::uuid kenmerk
                from journal
                where convert_from(entry, 'UTF8')::jsonb ->> 'kind' = 'message.accepted'
            ) a group by 1
        ) a using (kenmerk)
        where m.parent is null and a.n is distinct from 1""",
}


def contradictions(dsn: str) -> list[str]:
    """Sentences that name a promise and a kenmerk that breaks it; empty when all hold."""
    found = []
    with connect(dsn) as conn:
        for promise, question in _QUESTIONS.items():
            rows = conn.execute(question).fetchmany(20)
            found += [f"{row[0]}: broken: {promise}" for row in rows]
    return found


def histories(dsn: str, kenmerken: Sequence[str]) -> dict[str, list[str]]:
    """Status codes in order by kenmerk, for those that exist."""
    with connect(dsn) as conn:
        rows = conn.execute(
            "select kenmerk::text, array_agg(code order by seq) from status"
            " where kenmerk = any(%s::uuid[]) group by 1",
            [list(kenmerken)],
        ).fetchall()
    return dict(rows)


def unfinished(dsn: str, kenmerken: Sequence[str]) -> int:
    """How many of these processes have neither ended nor been parked."""
    return len(waiting(dsn, kenmerken))


def waiting(dsn: str, kenmerken: Sequence[str]) -> list[tuple[str, datetime]]:
    """Those that have neither ended nor been parked, and since when or from when their next step
    is due (the beginning of time when none waits)."""
    with connect(dsn) as conn:
        return conn.execute(
            "select p.kenmerk::text, coalesce((select min(j.due_at) from job j"
            " where j.kenmerk = p.kenmerk), 'epoch') from process p"
            " where p.kenmerk = any(%s::uuid[])"
            f" and p.state not in {partitions.states(*ENDED, State.PARKED)}",
            [list(kenmerken)],
        ).fetchall()
