"""Rows by which an operator finds a message, written behind the commit that took it in.

Everything that happens to a message has a journal entry in the same transaction, and entries get
numbers without a gap (`store/journal/sequencer.py`). So who goes through the numbers meets every
message after each change, and writes down what is true of it then: no commit waits for it, and
nothing is missed whatever dies in between. A batch of rows and the number it reached are one
transaction; the row of the position is locked meanwhile, so one works at a time, on whichever
machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from openpoort.store.journal import sequencer
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]
_MOST = 100  # batches that a command goes through: more is for the workers

_STATE = "select next, (select size from journal_state) from lookup_state"
_TURN = "select from lookup_state where next = %s for update"
_PLACES = """
select kenmerk, day from register where kenmerk = any(array(
    select distinct kenmerk from journal_leaf
    where leaf >= %s and leaf < %s and kenmerk is not null)) order by kenmerk
"""
WRITE = """
insert into lookup (at, sender, berichtsoort, message_id, aanleverkenmerk, day, kenmerk, state)
select m.accepted_at, lookup_word(m.sender), lookup_word(m.berichtsoort),
    lookup_word(m.berichtkenmerk), lookup_word(m.aanleverkenmerk), m.day, m.kenmerk, p.state
from unnest(%s::uuid[], %s::date[]) w(k, d)
    join message m on m.kenmerk = w.k and m.day = w.d
    join process p on p.kenmerk = w.k and p.day = w.d
where m.day = any(%s) and p.day = any(%s)
on conflict (kenmerk, day) do update set state = excluded.state
    where lookup.state <> excluded.state
"""
_MOVE = "update lookup_state set next = %s"


@dataclass(frozen=True, slots=True)
class Step:
    """`behind`: journal entries that have a place and were not looked at yet."""

    behind: int

    @property
    def more(self) -> bool:
        return self.behind > 0


def step(conn: Connection, batch: int = 2000, *, wait: bool = False) -> Step | None:
    """Go through at most `batch` journal entries in one transaction; None while another does.

    With `wait`, stands in line instead. `conn` is outside a transaction.
    """
    while True:
        state = conn.execute(_STATE).fetchone()
        assert state is not None
        first, size = state
        end = min(first + batch, size)
        if first == end:
            return Step(0)
        places = conn.execute(_PLACES, [first, end]).fetchall()
        days = partitions.days(day for _, day in places)
        partitions.ensure_beside(conn, "lookup", "message", days)
        with conn.transaction():
            turn = _TURN if wait else f"{_TURN} skip locked"
            if conn.execute(turn, [first]).rowcount:
                conn.execute(WRITE, [[k for k, _ in places], [d for _, d in places], days, days])
                conn.execute(_MOVE, [end])
                return Step(size - end)
        if not wait:
            return None


def catch_up(conn: Connection) -> int:
    """Give what is committed its place and its rows, so that a command sees what was handed in
    just before it; the entries left when that is too much for a command."""
    while (placed := sequencer.step(conn, wait=True)) is not None and placed.more:
        pass
    behind = 0
    for _ in range(_MOST):
        done = step(conn, wait=True)
        behind = done.behind if done is not None else 0
        if not behind:
            break
    return behind
