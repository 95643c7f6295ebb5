"""What an administrator changes in a row the proof names, or the page says why it cannot."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from openpoort import telemetry
from openpoort.app.watch import Watch
from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.journal import JournalEntry
from openpoort.domain.message import Aanlevering, Received
from openpoort.domain.party import Party
from openpoort.domain.seal import sealer
from openpoort.operate.retention import run
from openpoort.process.flow import kinds
from openpoort.process.ports import DeliveryFailed
from openpoort.store.directory import directory, proposals
from openpoort.store.directory.revocation import Observed
from openpoort.store.journal import journal, sequencer
from openpoort.store.journal.audit import audit
from openpoort.store.messages import retention
from openpoort.store.proof.proving import Proven, prove, prove_some, untold
from tests.process.house import BEDRIJF, DIENST, START, Gate, request, verified

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SEAL = sealer(KEY)
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "trust.md"
KVK = Identiteit("90000044", "KvK")
Connection = psycopg.Connection[Any]


def send(gate: Gate, asked: Aanlevering, oin: str = BEDRIJF, **more: Any) -> str:
    """With a signed answer, its documents large enough to be cut out of the request."""
    raw = Received(
        b"<soap>" + bytes(asked.inhoud.inhoud) + b"</soap>", gate.clock.now(), b"tls", "text/xml"
    )
    who = verified(oin, more.get("message_id"))
    done = gate.intake.aanleveren(who, asked, raw, lambda said: said.kenmerk.encode())
    return asyncio.run(done).kenmerk


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    """Messages of every course: delivered, repeated by content, split, returned,
    parked, with a switch; a directory with a proposal decided and one open, a hold."""
    repeats = replace(kinds.load()["Omzetbelasting"], repeat="aanleverkenmerk")
    gate = Gate(dsn, extra=[repeats], switches=True)
    gate.channel.receipts = True
    first = send(gate, request())
    send(gate, request("ICP", belanghebbende=request().belanghebbende, aanleverkenmerk="Happyflow"))
    send(gate, request("eFactuur", b"<a/>" * 100, belanghebbende=KVK))
    batch = b"<Verzameling>" + b"<Factuur><regel/></Factuur>" * 3 + b"</Verzameling>"
    send(gate, request("Verzamelfactuur", batch, belanghebbende=KVK))
    send(gate, request("Servicebericht"), oin=DIENST)
    gate.work()
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("connection refused")
    send(gate, request(aanleverkenmerk="later"))
    gate.work()
    gate.wall.turn(hours=72)
    gate.work()
    gate.channel.errors.clear()
    send(gate, request(aanleverkenmerk="op weg"))  # its job waits
    _administered(gate, first)
    yield gate
    gate.close()


def _administered(gate: Gate, held: str) -> None:
    known = gate.directory
    observed = Observed()
    observed.certificate(b"a certificate", gate.clock.now())
    with gate.store.connect() as conn, conn.transaction():
        parties = (replace(known.parties[0], rate=5.0, burst=9, tls_oins=frozenset({Oin(DIENST)}),
                           sha1_until=START), *known.parties[1:])  # fmt: skip
        start = replace(known, parties=parties)
        directory.apply(conn, start, "anna", START, seal=SEAL)
        more = replace(start, parties=(*parties, Party(Oin("00000099009000011000"), "Nieuw")))
        number, _ = proposals.propose(conn, more, "anna", START, seal=SEAL)
        proposals.approve(conn, number or 0, "bea", START + timedelta(hours=1), SEAL)
        proposals.propose(conn, start, "anna", START + timedelta(hours=2), seal=SEAL)
        observed.flush(conn)
    with gate.store.connect() as conn:
        retention.hold(conn, held, "jurist", "zaak 12", START, SEAL)
        journal.ahead(conn, START)
        settle(conn)


def settle(conn: Connection) -> None:
    while (placed := sequencer.step(conn)) is None or placed.more:
        pass
    sequencer.sign(conn, KEY, "openpoort", datetime.now(UTC))


def proven(conn: Connection) -> Proven:
    with conn.transaction():
        return prove(conn, KEY.public_key())


def named(conn: Connection) -> set[str]:
    found = {p.what for p in proven(conn).problems}
    return found | {p.what for p in audit(conn, KEY.public_key()).problems}


def test_an_untouched_database_has_no_problems(gate: Gate) -> None:
    send(gate, request())  # the same content under another MessageID
    with gate.store.connect() as conn, conn.transaction():
        found = proven(conn)
        assert found.problems == ()
        assert (found.messages, found.unproven, found.unread) == (10, 0, 0)


@contextmanager
def administrator(conn: Connection) -> Iterator[None]:
    """A transaction of somebody who may do everything, rolled back at the end."""
    with conn.transaction(force_rollback=True):
        conn.execute("set local session_replication_role = replica")
        for table, column in conn.execute(
            "select table_name, column_name from information_schema.columns c join pg_class r"
            " on r.relname = table_name and not r.relispartition where is_identity = 'YES'"
        ).fetchall():
            words = f"alter table {table} alter {column} drop identity"
            conn.execute(words)
        for table, constraint in conn.execute(
            "select conrelid::regclass::text, conname from pg_constraint where contype in"
            " ('p', 'c', 'f') and connamespace = 'public'::regnamespace and conparentid = 0"
            " order by contype = 'p'"
        ).fetchall():
            words = f"alter table {table} drop constraint {constraint}"
            conn.execute(words)
        yield


CHANGE = {
    "bytea": "overlay({c} placing '\\x58' from greatest(length({c}), 1))",
    "bigint": "{c} + 1",
    "integer": "{c} + 1",
    "smallint": "({c} + 1)::smallint",
    "double precision": "coalesce({c}, 0) + 1",
    "boolean": "not {c}",
    "numeric": "{c} + 1",
    "date": "{c} + 1",
    "timestamp with time zone": "coalesce({c}, '2026-01-01') + interval '1 microsecond'",
    "text": "coalesce({c}, '') || 'x'",
    "character varying": "coalesce({c}, '') || 'x'",
    "uuid": "'00000000-0000-4000-8000-000000000001'",
    "jsonb": "jsonb_build_array({c})",
    "xid8": "(({c}::text)::bigint + 1)::text::xid8",
    "ARRAY": "array_append({c}, (array['9'])[1]::{t})",
}


def columns(conn: Connection) -> list[tuple[str, str, str, str]]:
    """(table, column, type, type of its elements) of every table that is no partition."""
    return conn.execute(
        "select c.table_name, c.column_name, c.data_type, ltrim(c.udt_name, '_')"
        " from information_schema.columns c join pg_class r on r.relname = c.table_name"
        " and r.relnamespace = 'public'::regnamespace and not r.relispartition"
        " where c.table_schema = 'public' order by 1, c.ordinal_position"
    ).fetchall()


def exempt() -> dict[str, set[str]]:
    """Table -> columns (`*`: all) that the page lists as not proven."""
    text = PAGE.read_text(encoding="utf-8")
    _, _, rest = text.partition("## What a row can still say falsely")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", rest.partition("\n## ")[0], re.M)
    return {table: set(re.findall(r"`(\w+)`", said)) or {"*"} for table, said in rows}


def test_every_column_that_an_administrator_changes_is_named_or_listed_with_its_reason(
    gate: Gate,
) -> None:
    listed = exempt()
    assert "job" in listed
    unseen, needless, empty = [], [], []
    with gate.store.connect() as conn:
        every = columns(conn)
        with administrator(conn):
            for table, column, kind, element in every:
                excused = listed.get(table, set()) & {column, "*"}
                with conn.transaction(force_rollback=True):
                    change = CHANGE[kind].format(c=column, t=element)
                    words = f"update {table} set {column} = {change}"
                    done = conn.execute(words)
                    if not done.rowcount:
                        empty.append(table)
                    elif not named(conn) and not excused:
                        unseen.append(f"{table}.{column}")
                    elif column in excused and named(conn):
                        needless.append(f"{table}.{column}")
    assert unseen == []
    assert needless == ["process.data"], "the page says that it is not proven, and it is"
    assert {t for t in empty if "*" not in listed.get(t, set())} <= {"journal_timestamp"}
    assert listed.keys() <= {t for t, *_ in every}


KEPT = (
    "message", "register", "process", "status", "request", "answer", "payload", "delivery",
    "mailbox", "hold", "directory_proposal", "party", "party_identity", "agreement", "mandate",
    "agency", "repeat", "certificate", "journal", "journal_leaf", "journal_node",
)  # fmt: skip


def test_every_deleted_row_is_named(gate: Gate) -> None:
    counts = {table: min(gate.count(table), 4) for table in KEPT}
    with gate.store.connect() as conn, administrator(conn):
        for table, row in ((t, n) for t, count in counts.items() for n in range(count)):
            with conn.transaction(force_rollback=True):
                words = sql.SQL(
                    "delete from {t} where (tableoid, ctid) = (select tableoid, ctid from {t}"
                    " order by tableoid, ctid offset %s limit 1)"
                )
                done = conn.execute(words.format(t=sql.Identifier(table)), [row])
                assert done.rowcount == 1
                assert named(conn), f"row {row} of {table}"


NEW = {
    "kenmerk": "'00000000-0000-4000-8000-000000000001'", "seq": "99", "agency": "'ANDER'",
    "nummer": "'9'", "rights": "'{read}'", "name": "'Ander'", "id": "99", "digest": "'\\x00'",
}  # fmt: skip
PUT_IN = [
    *((table, "kenmerk") for table in ("message", "register", "process", "status", "request",
                                       "answer", "delivery", "mailbox", "job", "parked",
                                       "repeat", "hold")),
    ("status", "seq"), ("delivery", "agency"), ("mandate", "nummer"), ("agreement", "rights"),
    ("party", "name"), ("directory_proposal", "id"), ("payload", "digest"),
]  # fmt: skip


def test_a_row_that_was_put_in_is_named(gate: Gate) -> None:
    with gate.store.connect() as conn, administrator(conn):
        every = columns(conn)
        for table, key in PUT_IN:
            names = [c for t, c, *_ in every if t == table]
            shown = ", ".join(NEW[key] if c == key else c for c in names)
            words = (
                f"insert into {table} ({', '.join(names)}) overriding system value"
                f" select {shown} from {table} limit 1"
            )
            with conn.transaction(force_rollback=True):
                conn.execute(words)
                assert named(conn), f"{table} with another {key}"


def test_what_was_deleted_with_a_sealed_proof_is_no_problem(gate: Gate) -> None:
    with gate.store.connect() as conn:
        [(kenmerk, *_)] = retention.holds(conn)
        retention.lift(conn, kenmerk, "jurist", START, SEAL)
        gate.engine.run_until_idle()
        conn.execute("update process set state = 'rejected' where state = 'parked'")
        kept = run(conn, gate.house.kinds, START + timedelta(days=100), seal=SEAL)
        assert kept
        settle(conn)
        whats = {p.what for p in proven(conn).problems}
    assert gate.count("request") == 0
    assert whats == {"process-changed"}  # the one that was made to end above


def test_a_message_erased_everywhere_with_a_made_up_proof_is_named(gate: Gate) -> None:
    made_up = JournalEntry(
        "retention.deleted", START, "openpoort",
        data={"table": "message", "from": "2026-11-23", "rows": 10, "digest": "00" * 32},
    )  # fmt: skip
    with gate.store.connect() as conn:
        conn.execute("set session_replication_role = replica")
        for table in ("message", "register", "process", "status", "request", "answer", "delivery",
                      "mailbox", "payload", "repeat", "job", "parked", "hold"):  # fmt: skip
            conn.execute(sql.SQL("delete from {}").format(sql.Identifier(table)))
        with conn.transaction():
            journal.add(conn, [made_up])
            for table in ("register", "process", "status", "request", "answer", "delivery",
                          "mailbox", "payload"):  # fmt: skip
                journal.add(conn, [replace(made_up, data={**made_up.data, "table": table})])
        settle(conn)
        whats = {p.what for p in proven(conn).problems}
        assert {"act-unproven", "message-missing", "register-missing", "hold-missing"} <= whats
        other = sealer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
        with conn.transaction():
            journal.add(conn, [other(made_up)])
        assert "message-missing" in {p.what for p in proven(conn).problems}


def test_a_message_erased_before_its_week_was_deleted_is_named(gate: Gate) -> None:
    with gate.store.connect() as conn:
        conn.execute("delete from hold")
        conn.execute("delete from message where berichtsoort = 'Servicebericht'")
        monday = START.date()
        assert retention.drop_week(conn, "message", monday, START, SEAL)
        settle(conn)
        whats = {p.what: p.text for p in proven(conn).problems}
    assert whats["deletion-differs"] == "10 messages taken in, 9 in what was deleted"
    assert "message-missing" not in whats


def test_a_right_that_was_given_without_the_key_is_named(gate: Gate) -> None:
    """The administrator applies a change as the gateway would, and lets it be signed."""
    with gate.store.connect() as conn, conn.transaction():
        known = directory.load(conn)
        more = replace(known, mandates=known.mandates[1:])
        directory.apply(conn, more, "anna", START + timedelta(days=1))
    with gate.store.connect() as conn:
        settle(conn)
        assert {p.what for p in proven(conn).problems} == {"act-unproven"}


def test_acts_of_before_there_were_seals_still_verify(dsn: str) -> None:
    """A HOME of an earlier version: acts without seals, acceptances without marks."""
    gate = Gate(dsn)
    with gate.store.connect() as conn, conn.transaction():
        directory.apply(conn, gate.directory, "serve", START)
    kenmerk = gate.send()
    gate.work()
    with gate.store.connect() as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(
            "update journal set entry = convert_to(regexp_replace(convert_from(entry, 'UTF8'),"
            " '\"(row|received)\":\"[0-9a-f]+\",', '', 'g'), 'UTF8')"
        )
        settle(conn)
        found = proven(conn)
        assert (found.problems, found.messages, found.unproven) == ((), 1, 1)
        conn.execute("update message set belang_nummer = 'x'")
        assert proven(conn).problems == ()  # what nobody wrote down cannot be proven
        conn.execute("update message set sender = 'x'")
        assert {p.what for p in proven(conn).problems} == {"message-changed"}
        conn.execute("set session_replication_role = origin")
        gate.send()
        settle(conn)
        monday = START.date()
        with conn.transaction(force_rollback=True):
            retention.drop_week(conn, "answer", monday, START)
            settle(conn)
            assert "act-unproven" in {p.what for p in proven(conn).problems}
    assert UUID(kenmerk)
    gate.close()


def test_a_slice_names_the_same_and_judges_no_deleted_week(gate: Gate) -> None:
    with gate.store.connect() as conn:
        every = [k for (k,) in conn.execute("select kenmerk from register order by kenmerk")]
        found = prove_some(conn, every)
        assert (found.problems, found.messages) == ((), 10)
        assert untold(conn, START.date()) == []
        with administrator(conn):
            conn.execute("update message set belang_nummer = '9' where kenmerk = %s", [every[3]])
            [problem] = prove_some(conn, every).problems
            assert (problem.what, problem.where) == ("message-changed", f"message of {every[3]}")
        with administrator(conn):
            conn.execute("update process set kenmerk = gen_random_uuid() where kenmerk = %s",
                         [every[0]])  # fmt: skip
            assert untold(conn, START.date()) or untold(conn, START.date() + timedelta(days=3))
        retention.drop_week(conn, "request", START.date(), START, SEAL)
        assert prove_some(conn, every).problems == ()


def test_a_refused_message_leaves_nothing_to_prove(gate: Gate) -> None:
    with pytest.raises(Fault):
        send(gate, request("Onbekend"))
    with gate.store.connect() as conn:
        assert proven(conn).messages == 10


def test_a_round_of_the_watch_tells_each_difference_once(
    gate: Gate, dsn: str, tmp_path: Path
) -> None:
    watch = Watch(dsn, KEY.public_key(), gate.clock.now)
    assert watch.round() == []
    telemetry.security_log(tmp_path / "security.log")
    with gate.store.connect() as conn:
        conn.execute("update message set aanleverkenmerk = 'x' where berichtsoort = 'ICP'")
        conn.execute("update party set sha1_until = '2036-01-01'")
    assert sorted(one.what for one in watch.round()) == ["directory-changed", "message-changed"]
    assert watch.round() == []
    lines = [json.loads(line) for line in (tmp_path / "security.log").read_text().splitlines()]
    assert {line["action"] for line in lines} == {"journal.differs"}
    assert {line["difference"] for line in lines} == {"directory-changed", "message-changed"}


def test_an_older_directory_put_back_whole_is_named_by_who_saw_the_newer(
    gate: Gate, dsn: str
) -> None:
    watch = Watch(dsn, KEY.public_key(), gate.clock.now)
    with gate.store.connect() as conn, conn.transaction():
        old = conn.execute("select version, changed_at, changed_by from directory_version")
        [before] = old.fetchall()
        known = directory.load(conn)
        directory.apply(conn, replace(known, mandates=()), "anna", gate.clock.now(), seal=SEAL)
    assert watch.round() == []
    with gate.store.connect() as conn, conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(
            "insert into mandate (type, nummer, holder, giver, kinds, rights, delegate)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [(m.belanghebbende.type, m.belanghebbende.nummer, m.holder.value,
              m.giver.value if m.giver else None, sorted(m.kinds), sorted(m.rights), m.delegate)
             for m in known.mandates],
        )  # fmt: skip
        cursor.execute("update directory_version set version = %s, changed_at = %s,"
                       " changed_by = %s", before)  # fmt: skip
    [problem] = watch.round()
    assert (problem.what, problem.text) == ("directory-changed", "version 3 was seen before")
    with gate.store.connect() as conn:
        assert "directory-changed" in {p.what for p in proven(conn).problems}


def test_a_time_that_only_a_database_has_is_a_change_like_any_other(gate: Gate) -> None:
    times = [(t, c) for t, c, kind, _ in columns_of(gate) if kind == "timestamp with time zone"]
    assert len(times) > 20
    listed, unseen = exempt(), []
    with gate.store.connect() as conn, administrator(conn):
        for number, (table, column) in enumerate(times):
            far = ("infinity", "-infinity", "294276-01-01", "4713-01-01 BC")[number % 4]
            with conn.transaction(force_rollback=True):
                done = conn.execute(f"update {table} set {column} = '{far}'")
                excused = listed.get(table, set()) & {column, "*"}
                if not named(conn) and done.rowcount and not excused:
                    unseen.append(f"{table}.{column}")
    assert unseen == []


def columns_of(gate: Gate) -> list[tuple[str, str, str, str]]:
    with gate.store.connect() as conn:
        return columns(conn)


GARBAGE = [
    b"[" * 100_000,
    b"\xff",
    b'{"kind":"message.accepted"}',
    b'{"actor":"x","at":"x","data":{},"kenmerk":"x","kind":"message.accepted"}',
    b'{"actor":"x","at":7,"data":{},"kenmerk":7,"kind":7}',
    b'{"actor":"x","at":"2026-11-23T12:00:00+00:00","data":{},"kenmerk":"x",'
    b'"kind":"message.accepted"}',
    b'{"actor":"x","at":"2026-11-23T12:00:00+00:00","data":{"statuses":5,"documents":[7]},'
    b'"kenmerk":"","kind":"message.accepted"}',
]
TOLD = ["message.accepted", "status.set", "party.added"]


@pytest.mark.parametrize("kind", TOLD)
def test_an_entry_made_unreadable_is_named_and_hides_nothing_else(gate: Gate, kind: str) -> None:
    with gate.store.connect() as conn, administrator(conn):
        words = "update message set sender = 'x' where berichtsoort = 'ICP' returning kenmerk::text"
        kenmerk = conn.execute(words).fetchone()
        assert kenmerk is not None
        for garbage in GARBAGE:
            with conn.transaction(force_rollback=True):
                conn.execute(
                    "update journal set entry = %s where id = (select max(id) from journal"
                    " where convert_from(entry, 'utf8')::jsonb ->> 'kind' = %s)",
                    [garbage, kind],
                )
                assert "row-changed" in {p.what for p in audit(conn, KEY.public_key()).problems}
                places = [p.where for p in proven(conn).problems]
                assert any(kenmerk[0] in where for where in places), garbage
                every = [k for (k,) in conn.execute("select kenmerk from register").fetchall()]
                some = [p.where for p in prove_some(conn, every).problems]
                assert any(kenmerk[0] in where for where in some), garbage
