"""No hot statement scans a table: what each really runs is explained on filled tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from openpoort.domain.message import Operatie
from openpoort.operate import work
from openpoort.store.messages import closed_weeks, reading
from openpoort.store.postgres import partitions
from openpoort.store.postgres.primary import SETUP
from tests.process.house import (
    BEDRIJF,
    BTW,
    DIENST,
    HAPPY,
    INTERMEDIAIR,
    START,
    Gate,
    request,
)

ROWS = 60_000
LONG_AGO = date(2019, 1, 7)
PLANS: list[tuple[str, str]] = []

FILL = """
create temporary table many as select
    gen_random_uuid() as kenmerk, date '2026-11-09' + (n %% 15) as day,
    timestamptz '2026-11-09 12:00+00' + (n %% 15) * interval '1 day' as at, n,
    lpad((n %% 500)::text, 20, '0') as sender,
    case when n %% 500 = 0 then 'btw:001000044B37' else 'btw:' || n %% 1000 end as belang
from generate_series(1, %(rows)s) n;
insert into register select kenmerk, day, 'Omzetbelasting', sender, null from many;
insert into repeat select gen_random_uuid(), 'x', kenmerk, day from many;
insert into message (day, kenmerk, berichtsoort, sender, berichtkenmerk, belang_type,
    belang_nummer, rol_belang, accepted_at, documents)
select day, kenmerk, 'Omzetbelasting', sender, 'm', 'BTW', 'x', 'Bedrijf', at, '[]' from many;
insert into process (day, kenmerk, berichtsoort, sender, belang, accepted_at, state, seq, last_at,
    unread)
select day, kenmerk, 'Omzetbelasting', sender, belang, at, 'delivered', 3, at, n %% 50 = 0
from many;
insert into status select day, kenmerk, s, '100', at, null, null, null
from many, generate_series(1, 3) s;
insert into request (day, kenmerk, received_at, digest, size, cuts, body, token)
select day, kenmerk, at, 'd', 1, '[]', 'b', 't' from many;
insert into answer select day, kenmerk, at, 'd', 'b' from many;
insert into payload select day, decode(md5(kenmerk::text), 'hex'), 1, 'db', 'x' from many;
insert into delivery select day, kenmerk, 'DEMODIENST', 1, 'm', 1, at, 'r' from many;
insert into mailbox (day, kenmerk, shown, owner, belang, berichtsoort, at)
select day, kenmerk, kenmerk, sender, belang, 'Servicebericht', at from many;
insert into seen select day, sender, kenmerk, 'status', '{1,2,3}' from many;
insert into job (day, kenmerk, step, lane, agency, due_at)
select day, kenmerk, 'afleveren', 'agency:OTHER' || n %% 5, 'OTHER', at + interval '1 year'
from many;
analyze;
"""


class Explaining(psycopg.Connection[Any]):
    """A connection that explains every statement before it runs it."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        words = str(query).split(None, 1)
        if words and words[0] in {"select", "insert", "update", "delete", "with"}:
            plan = super().execute("explain (format json) " + query, params).fetchone()
            PLANS.append((query, json.dumps(plan)))
        return super().execute(query, params, **more)


def explaining(dsn: str) -> Explaining:
    conn = Explaining.connect(dsn, autocommit=True)
    psycopg.Connection.execute(conn, SETUP)
    return conn


@pytest.fixture
def empty(dsn: str) -> Iterator[Gate]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        partitions.ensure(conn, START.date().replace(day=9), 3)
        partitions.ensure(conn, LONG_AGO, 9)
    PLANS.clear()
    gate = Gate(dsn, connect=explaining)
    yield gate
    gate.close()


@pytest.fixture
def filled(empty: Gate) -> Gate:
    with psycopg.connect(empty.store.dsn, autocommit=True) as conn:
        for statement in (FILL % {"rows": ROWS}).split(";"):
            if statement.strip():
                conn.execute(statement)
    return empty


def scans(plan: dict[str, Any]) -> Iterator[str]:
    if plan.get("Node Type") == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scans(part)


def relations(plan: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in plan:
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from relations(part)


def day_in_the_life(gate: Gate) -> None:
    """Every hot statement, once."""
    gate.channel.verdict = None
    kenmerk = gate.send(message_id="uuid:1")
    assert gate.send(message_id="uuid:1") == kenmerk
    gate.work()
    gate.set_status(kenmerk, "500")
    assert gate.codes(kenmerk) == HAPPY
    gate.send(request("Retourbericht", kenmerk=kenmerk), oin=DIENST)
    gate.send(request("Servicebericht"), oin=DIENST)
    gate.work()
    one = {"kenmerk": kenmerk}
    party = {"belanghebbende": BTW, "berichtsoort": "Omzetbelasting"}
    for operatie, asked in [
        (Operatie.NIEUWE_STATUSSEN_PROCES, one), (Operatie.NIEUWE_STATUSSEN, party),
        (Operatie.BERICHTSOORTEN, {"belanghebbende": BTW}),
        (Operatie.NIEUWE_BERICHTEN_LIJST, {}), (Operatie.BERICHTEN_KENMERK, one),
        (Operatie.NIEUWE_BERICHTEN_KENMERK, one),
        (Operatie.NIEUWE_BERICHTEN, {"belanghebbende": BTW, "berichtsoort": "Retourbericht"}),
    ]:  # fmt: skip
        gate.ask(operatie, **asked)
    work.show(gate.store, UUID(kenmerk))


def test_no_hot_statement_scans_a_table(filled: Gate) -> None:
    gate = filled
    day_in_the_life(gate)
    assert len({query for query, _ in PLANS}) > 30
    with psycopg.connect(gate.store.dsn) as conn:
        rows = conn.execute("select relname from pg_class where reltuples > 1000").fetchall()
    large = {row[0] for row in rows}
    assert {"register", "repeat", "job"} <= large
    bad = {
        (query, relation)
        for query, plan in PLANS
        for relation in scans(json.loads(plan)[0][0]["Plan"])
        if relation in large
    }
    assert bad == set()


def test_a_look_up_touches_no_week_but_its_own(filled: Gate) -> None:
    """With weeks kept for years, a statement that gets each of them ready costs a hundred times
    as much as one that says its days (decision 46)."""
    day_in_the_life(filled)
    old = re.compile(r"_2019\d{4}$")
    touched = {
        query
        for query, plan in PLANS
        if query != reading.KINDS
        and not of_what_is_new(query)
        and any(map(old.search, relations(json.loads(plan)[0][0]["Plan"])))
    }
    assert touched == set()
    assert any(old.search(r) for _, p in PLANS for r in relations(json.loads(p)[0][0]["Plan"]))


def polls(gate: Gate) -> int:
    """Everything that is polled for, by a sender and by who reads for others; how much came."""
    statuses = {"belanghebbende": BTW, "berichtsoort": "Omzetbelasting"}
    return sum(
        len(gate.ask(operatie, oin=oin, **asked).items)
        for operatie, asked in [
            (Operatie.NIEUWE_STATUSSEN, statuses), (Operatie.NIEUWE_BERICHTEN_LIJST, {}),
            (Operatie.NIEUWE_BERICHTEN, {"belanghebbende": BTW, "berichtsoort": "Servicebericht"}),
        ]
        for oin in (BEDRIJF, INTERMEDIAIR)
    )  # fmt: skip


def test_a_poll_opens_no_week_that_is_settled(empty: Gate) -> None:
    """The first one looks everywhere. Afterwards a week of long ago costs nothing, unless it
    holds something."""
    gate = empty
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.send(request("Servicebericht"), oin=DIENST)
    gate.work()
    with psycopg.connect(gate.store.dsn, autocommit=True) as conn:
        assert closed_weeks.settle(conn, START.date()) == date(2026, 11, 9)
    while polls(gate):
        pass
    PLANS.clear()
    assert polls(gate) == 0
    assert weeks() == {"20261109", "20261116", "20261123", "20261130", "20261207"}
    gate.wall.turn(days=35)
    with psycopg.connect(gate.store.dsn, autocommit=True) as conn:
        assert closed_weeks.settle(conn, gate.clock.now().date()) == date(2026, 12, 14)
        partitions.ensure(conn, gate.clock.now().date(), 2)
    assert polls(gate) == 0
    gate.set_status(kenmerk, "500")
    PLANS.clear()
    assert polls(gate) == 1
    assert weeks() == {"20261123", "20261228", "20270104", "20270111"}


def weeks() -> set[str]:
    """Of the partitions in the plans of lists of what is new."""
    plans = [json.loads(plan)[0][0]["Plan"] for query, plan in PLANS if of_what_is_new(query)]
    assert len(plans) >= 10
    return {relation[-8:] for plan in plans for relation in relations(plan)}


def of_what_is_new(query: str) -> bool:
    return query in (reading.UNREAD, reading.UNSEEN) or "order by b.at" in query
