"""A batch that was judged good can be split, whatever is in it; else it is told why."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from lxml import etree

from openpoort.checks.split import MOST_OCTETS, MOST_PARTS, split
from openpoort.checks.structure import Structure
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document
from openpoort.domain.process import Event
from openpoort.operate import work
from openpoort.operate.work import Act
from openpoort.process.flow import steps
from openpoort.store.messages import changes
from tests.process.house import Gate, request

KVK = Identiteit("90000044", "KvK")
STARTED = ["105", "100", "110"]
NS = "urn:openpoort:demo:verzamelfactuur:2026"
INVOICE = "urn:openpoort:demo:efactuur:2026"


@pytest.fixture
def gate(dsn: str) -> Iterator[Gate]:
    gate = Gate(dsn, checks=[Structure()])
    yield gate
    gate.close()


def batch(*invoices: str, head: str = "") -> bytes:
    return (
        f'<v:Verzamelfactuur xmlns:v="{NS}">{head}{"".join(invoices)}</v:Verzamelfactuur>'.encode()
    )


def whole(content: bytes) -> Aanlevering:
    document = Document("application/xml", "verzameling.xml", content)
    return request("Verzamelfactuur", belanghebbende=KVK, inhoud=document)


def own(number: int) -> str:
    """An invoice that declares its own namespace, as most programs write them."""
    return f'<Factuur xmlns="{INVOICE}"><Factuurnummer>{number}</Factuurnummer></Factuur>'


def children(gate: Gate, kenmerk: str) -> list[str]:
    with gate.store.connect() as conn:
        rows = conn.execute("select kenmerk::text from message where parent = %s", [kenmerk])
        return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (batch(own(1), "<!-- van de boekhouding -->", own(2)), 2),
        (batch("<?xml-stylesheet href='a.xsl'?>", own(1)), 1),
        (batch(*map(own, range(600))), 600),
        (batch(*map(own, range(3)), head="<!-- " + "x" * 5000 + " -->"), 3),
        (b"<a>" * 40 + own(1).encode() + b"</a>" * 40, 0),
    ],
    ids=["comment", "instruction", "600 with their own xmlns", "long comment", "nested deep"],
)
def test_what_structure_lets_pass_is_split(gate: Gate, content: bytes, parts: int) -> None:
    kenmerk = gate.send(whole(content))
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "301", "400" if parts else "311"]
    found = children(gate, kenmerk)
    assert len(found) == parts
    assert {gate.codes(child)[-1] for child in found} <= {"400"}
    assert gate.count("parked") == 0


def test_the_largest_batch_is_split_and_one_more_is_told(gate: Gate) -> None:
    most = gate.send(whole(batch(*[own(1)] * MOST_PARTS)))
    more = gate.send(whole(batch(*[own(1)] * (MOST_PARTS + 1))))
    with gate.store.connect() as conn:
        gate.engine._local.round(conn)
    assert gate.codes(most)[-1] == "400"
    assert len(children(gate, most)) == MOST_PARTS
    last = gate.statuses(more)[-1]
    assert last.statuscode == "311"
    assert last.fout is not None
    assert f"{MOST_PARTS + 1} elementen Factuur" in last.fout.foutbeschrijving


def test_parts_hold_what_stood_in_the_batch() -> None:
    content = batch(
        "<x:Factuur xmlns:x='urn:x' y='1'><!-- c --><x:a>&lt;<![CDATA[<]]></x:a></x:Factuur>"
    )
    [part], wrong = split(content, "Factuur")
    assert not wrong
    made, stood = etree.fromstring(part), etree.fromstring(content)[0]
    assert etree.tostring(
        made, method="c14n", exclusive=True, with_comments=True
    ) == etree.tostring(stood, method="c14n", exclusive=True, with_comments=True, with_tail=False)


def test_parts_that_would_outgrow_their_batch_are_told_why() -> None:
    declared = "".join(f' xmlns:p{n}="urn:{"x" * 200}{n}"' for n in range(300))
    content = f"<r{declared}>{'<Factuur/>' * 2000}</r>".encode()
    assert len(content) * 50 < MOST_OCTETS
    parts, [finding] = split(content, "Factuur")
    assert not parts
    assert "namespaces" in finding.message


def test_content_that_is_no_xml_is_told_why(dsn: str) -> None:
    gate = Gate(dsn)  # with a kind whose check does not look
    kenmerk = gate.send(whole(b"<a><Factuur></a>"))
    gate.work()
    last = gate.statuses(kenmerk)[-1]
    assert last.statuscode == "311"
    assert last.fout is not None
    assert "geen welgevormde XML" in last.fout.foutbeschrijving
    gate.close()


def test_a_batch_that_an_earlier_version_parked_is_released(gate: Gate) -> None:
    kenmerk = gate.send(whole(batch(own(1), "<!-- c -->")))
    with gate.store.connect() as conn, conn.transaction():  # as that version left it
        [job] = [job for job, _ in work.parked.jobs(conn, UUID(kenmerk), lock=True)]
        conn.execute("delete from job")
        [process] = changes.lock(conn, [(UUID(kenmerk), job.day)]).values()
        process.add("301", gate.clock.now())
        left = type(job)(job.day, job.kenmerk, "splitsen", "local", job.due_at)
        process.go(Event.BROKE)
        steps.put_on_list(process, left, gate.clock.now(), "internal error: Refusal: comment")
        changes.apply(conn, [process])
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "301"]
    act = Act("beheerder", "the new version can split it", gate.clock.now())
    work.release(gate.store, gate.house, UUID(kenmerk), act)
    gate.work()
    assert gate.codes(kenmerk) == [*STARTED, "301", "400"]
    assert len(children(gate, kenmerk)) == 1
    assert gate.count("parked") == 0
