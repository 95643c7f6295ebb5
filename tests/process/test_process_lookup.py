"""An operator finds a message by what he was told, in tables of any size, and reads its story."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner

from openpoort.cli import main
from openpoort.domain.fault import Fout
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit
from openpoort.domain.process import ENDED, State
from openpoort.operate import work
from openpoort.operate.retention import run
from openpoort.process.ports import CheckUnavailable, DeliveryFailed, DeliveryRefused
from openpoort.store.journal import sequencer
from openpoort.store.messages import find, lookup
from openpoort.store.messages.find import Asked
from openpoort.store.postgres import partitions
from openpoort_lab.bench.fill import fill, lookups
from tests.process.house import BEDRIJF, BTW, INTERMEDIAIR, START, Gate, Passes, request

KVK = Identiteit("90000044", "KvK")


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn)
    yield gate
    gate.close()


def found(gate: Gate, **asked: object) -> list[str]:
    with gate.store.connect() as conn:
        assert lookup.catch_up(conn) == 0
        return [str(line.kenmerk) for line in find.find(conn, Asked(**asked))]  # type: ignore[arg-type]


def rows(gate: Gate) -> dict[str, str]:
    with gate.store.connect() as conn:
        return {str(k): state for k, state in conn.execute("select kenmerk, state from lookup")}


def states(gate: Gate) -> dict[str, str]:
    with gate.store.connect() as conn:
        return {str(k): state for k, state in conn.execute("select kenmerk, state from process")}


def test_a_message_is_found_by_each_thing_that_is_known_of_it(gate: Gate) -> None:
    gate.channel.verdict = None
    one = gate.send(request(aanleverkenmerk="btw 3e kwartaal"), message_id="uuid:one")
    gate.wall.turn(days=1)
    two = gate.send(message_id="uuid:two")
    gate.work()
    gate.set_status(one, "500")
    day = timedelta(days=1)
    assert found(gate) == [two, one]
    assert found(gate, kenmerk=UUID(one)) == [one]
    assert found(gate, aanleverkenmerk="btw 3e kwartaal") == [one]
    assert found(gate, message_id="uuid:two") == [two]
    assert found(gate, sender=BEDRIJF) == [two, one]
    assert found(gate, sender=INTERMEDIAIR) == []
    assert found(gate, belanghebbende=BTW) == [two, one]
    assert found(gate, belanghebbende=Identiteit("NL001000044b37", "btw")) == [two, one]
    assert found(gate, belanghebbende=KVK) == []
    assert found(gate, berichtsoort="Omzetbelasting", limit=1) == [two]
    assert found(gate, until=START + day) == [one]
    assert found(gate, since=START + day) == [two]
    assert found(gate, states=("waiting",)) == [two]
    assert found(gate, states=tuple(ENDED)) == [one]
    both = {"sender": BEDRIJF, "belanghebbende": BTW, "states": tuple(ENDED), "since": START}
    assert found(gate, aanleverkenmerk="btw 3e kwartaal", **both) == [one]
    assert found(gate, aanleverkenmerk="kenmerk van de klant", **both) == []


def test_what_is_found_is_compared_with_the_words_themselves(gate: Gate) -> None:
    """Eight octets of a digest may belong to two words."""
    kenmerk = gate.send(message_id="uuid:one")
    assert found(gate) == [kenmerk]
    with gate.store.connect() as conn:
        conn.execute("update lookup set message_id = lookup_word('uuid:other')")
    assert found(gate, message_id="uuid:other") == []


def test_rows_hold_no_word_of_a_person(gate: Gate) -> None:
    gate.send(request(aanleverkenmerk="aangifte van J. Voorbeeld"))
    assert len(found(gate)) == 1
    with gate.store.connect() as conn:
        [(text,)] = conn.execute("select to_jsonb(l)::text from lookup l").fetchall()
    assert [w for w in ("Voorbeeld", "001000044B37", BEDRIJF, "Omzetbelasting") if w in text] == []


def test_rows_follow_every_change_and_a_crash_between_two_batches_loses_none(gate: Gate) -> None:
    gate.channel.verdict = None
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("connection refused")
    kenmerken = [gate.send() for _ in range(3)]
    with gate.store.connect() as conn:
        sequencer.step(conn)
        assert lookup.step(conn, batch=2) == lookup.Step(1)  # and then it dies
    assert 0 < len(rows(gate)) < 3
    gate.work()
    assert set(found(gate)) == set(kenmerken)
    assert rows(gate) == states(gate)
    gate.wall.turn(hours=72)
    gate.channel.errors.clear()
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("still refused")
    gate.work()
    assert len(found(gate, states=("parked",))) == 3
    assert rows(gate) == states(gate)
    with gate.store.connect() as conn:
        conn.execute("update lookup_state set next = 0")
    assert len(found(gate)) == 3
    assert rows(gate) == states(gate)


def test_one_works_at_a_time_and_the_other_comes_back_later(gate: Gate) -> None:
    gate.send()
    with gate.store.connect() as conn, gate.store.connect() as other:
        sequencer.step(conn)
        with other.transaction():
            other.execute("select from lookup_state for update")
            assert lookup.step(conn) is None
        assert lookup.step(conn) == lookup.Step(0)
    assert len(rows(gate)) == 1


def test_rows_of_weeks_that_an_older_version_made_are_written(gate: Gate) -> None:
    kenmerk = gate.send()
    with gate.store.connect() as conn:
        for monday in partitions.weeks(conn, "lookup"):
            partitions.drop(conn, "lookup", monday)
    assert found(gate, message_id="uuid:none") == []
    assert found(gate) == [kenmerk]


def test_rows_go_with_their_message(gate: Gate) -> None:
    gate.send()
    gate.work()
    assert len(found(gate)) == 1
    with gate.store.connect() as conn:
        run(conn, gate.house.kinds, START + timedelta(days=800))
    assert rows(gate) == {}
    assert found(gate) == []
    with gate.store.connect() as conn:  # nothing brings the week back
        conn.execute("update lookup_state set next = 0")
        assert lookup.catch_up(conn) == 0
        assert date(2026, 11, 23) not in partitions.weeks(conn, "lookup")


def test_each_look_up_walks_an_index_over_years_of_weeks(dsn: str) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(dsn, autocommit=True) as conn:
        fill(dsn, 40_000, now, weeks=2)
        partitions.ensure(conn, date(2019, 1, 7), 30)
        asked = [
            Asked(message_id=str(uuid4())), Asked(aanleverkenmerk="fill77"),
            Asked(belanghebbende=Identiteit("FILL7", "BTW")), Asked(sender="0" * 20),
            Asked(berichtsoort="Niets"), Asked(states=("parked",)), Asked(since=now),
            Asked(aanleverkenmerk="fill77", belanghebbende=Identiteit("FILL7", "BTW")),
        ]  # fmt: skip
    with Explaining.connect(dsn, autocommit=True) as conn:
        for one in asked:
            find.find(conn, replace(one, limit=5))
    assert len(lookups(dsn)) == 11


class Explaining(psycopg.Connection[Any]):
    """A connection that lets no statement scan a table, or open weeks that it does not need."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        if "%(" in query:
            plan = json.dumps(super().execute("explain (format json) " + query, params).fetchone())
            assert "Seq Scan" not in plan, query
            assert plan.count("Relation Name") <= 4, query
        return super().execute(query, params, **more)


def story(gate: Gate, kenmerk: str) -> list[tuple[str, object]]:
    told = work.show(gate.store, UUID(kenmerk)).moments
    return [(m.what, m.more.get("reason") or m.more.get("fout")) for m in told]


def test_the_story_says_why_each_attempt_failed_and_when_the_next_one_is(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("no answer within 30 s")
    kenmerk = gate.send()
    gate.work()
    assert story(gate, kenmerk)[-3:] == [
        ("attempt 1 of afleveren to DEMODIENST", None),
        ("status 420", None),
        ("attempt 1 of afleveren failed", "no answer within 30 s"),
    ]
    [waits] = work.show(gate.store, UUID(kenmerk)).waits
    assert (waits.who, waits.why, waits.attempt) == ("DEMODIENST", "to try again", 2)
    assert waits.due_at is not None
    assert waits.due_at > gate.clock.now()
    gate.wall.turn(hours=72)
    gate.work()
    [waits] = work.show(gate.store, UUID(kenmerk)).waits
    assert (waits.who, waits.step) == ("a person", "afleveren")
    assert "no answer within 30 s" in waits.why


def test_the_story_says_why_an_agency_refused(gate: Gate) -> None:
    gate.channel.errors["DEMODIENST"] = DeliveryRefused("AFO123", "Deze periode is gesloten.")
    kenmerk = gate.send()
    gate.work()
    assert ("status 410", "Deze periode is gesloten.") in story(gate, kenmerk)
    assert work.show(gate.store, UUID(kenmerk)).waits == ()


def test_the_story_holds_the_findings_of_a_311_without_what_they_quote(dsn: str) -> None:
    wrong = Finding(
        "X1", Severity.ERROR, "Het bedrag 'van J. Voorbeeld' is geen getal.", "xbrl", line=7
    )
    gate = Gate(dsn, checks=[Passes("xbrl", (wrong,))])
    kenmerk = gate.send()
    gate.work()
    [status] = [m for m in work.show(gate.store, UUID(kenmerk)).moments if m.what == "status 311"]
    assert status.more["findings"] == [
        {"code": "X1", "level": "error", "message": "Het bedrag '…' is geen getal.", "line": "7"}
    ]
    gate.close()


def test_the_story_says_that_a_check_could_not_run_and_whose_verdict_is_waited_for(
    dsn: str,
) -> None:
    xbrl = Passes("xbrl", error=CheckUnavailable("the processor died"))
    gate = Gate(dsn, checks=[xbrl])
    gate.channel.verdict = None
    kenmerk = gate.send()
    gate.work()
    assert ("status 321", None) in story(gate, kenmerk)
    assert story(gate, kenmerk)[-1][1] == "the processor died"
    xbrl.error = None
    gate.wall.turn(hours=1)
    gate.work()
    [waits] = work.show(gate.store, UUID(kenmerk)).waits
    assert (waits.who, waits.why) == ("DEMODIENST", "its verdict: 500, 510, 710")
    gate.set_status(kenmerk, "510", fout=Fout("F1", "Het nummer 'x' is onbekend."))
    assert ("status 510", "Het nummer '…' is onbekend.") in story(gate, kenmerk)
    gate.close()


def test_the_states_one_can_ask_for_are_those_that_there_are(gate: Gate) -> None:
    assert set(states(gate).values()) <= set(State)


def test_list_and_show_on_the_command_line_say_the_same_as_the_tables(
    gate: Gate, tmp_path: Path
) -> None:
    (tmp_path / "openpoort.toml").write_text(f'[database]\nurl = "{gate.store.dsn}"\n')
    gate.channel.errors["DEMODIENST"] = DeliveryFailed("no answer within 30 s")
    kenmerk = gate.send(message_id="uuid:one")
    gate.work()
    home = ["--home", str(tmp_path)]

    def said(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, *home])
        assert done.exit_code == 0, done.output
        return done.stdout

    [row] = json.loads(said("message", "list", "--message-id", "uuid:one", "--json"))["messages"]
    assert (row["kenmerk"], row["state"], row["statuscode"]) == (kenmerk, "running", "420")
    assert said("message", "list", "--state", "ended") == "no messages\n"
    shown = said("message", "show", kenmerk)
    assert "attempt 1 of afleveren failed: no answer within 30 s" in shown
    assert "waits for DEMODIENST: to try again (step afleveren, attempt 2, at 2026-11-23" in shown
    assert said("work", "show", kenmerk) == shown
    assert json.loads(said("work", "show", kenmerk, "--json"))["waits_for"][0]["attempt"] == 2
