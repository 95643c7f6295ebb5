"""`openpoort serve` as an operator meets it: start, stop, kill, health, roles."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from openpoort.app.home import create
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document, Operatie, Vraag
from openpoort.outbound.exchange import BadAnswer
from openpoort.outbound.http import NoAnswer
from openpoort.store.postgres.postmaster import current
from tests.e2e.gateway import Gateway, free_port, openpoort, until, vat_return


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that a test may hurt."""
    create(tmp_path / "home")
    made = Gateway(tmp_path / "home")
    yield made
    if made.process is not None:
        made.stop()


def hand_in(gateway: Gateway) -> str:
    sample = (gateway.home / "samples" / "eFactuur.xml").read_bytes()
    with gateway.client() as client:
        return client.aanleveren(
            vat_return(
                sample,
                berichtsoort="eFactuur",
                belanghebbende=Identiteit("90000044", "KvK"),
                inhoud=Document("application/xml", "eFactuur.xml", sample),
            )
        ).kenmerk


def last_status(gateway: Gateway, kenmerk: str) -> str:
    with gateway.client() as client:
        return client.statussen(kenmerk)[-1].statuscode


def health(gateway: Gateway, path: str) -> tuple[int, str]:
    base = (gateway.home / "run" / "health").read_text().strip()
    try:
        with urllib.request.urlopen(base + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as no:
        with no:
            return no.code, no.read().decode()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_everything_with_exit_code_0(own: Gateway, number: signal.Signals) -> None:
    own.start()
    pids = [own.pid(name) for name in ("door-1", "worker-1", "agency", "health")]
    begin = time.monotonic()
    assert own.stop(number) == 0
    assert time.monotonic() - begin < 15
    assert not any(alive(pid) for pid in pids)
    assert current(own.home / "postgres" / "data") is None
    assert own.lines == [f"ready https://localhost:{own.port}/wus/2.0/\n"]
    for line in own.log.splitlines():
        assert json.loads(line)["level"] in {"info", "warning"}, line


def test_what_was_taken_in_survives_a_stop(own: Gateway) -> None:
    own.start()
    kenmerk = hand_in(own)
    assert own.stop() == 0
    own.lines.clear()
    own.start()
    until(lambda: last_status(own, kenmerk) == "400")


def test_port_in_use_and_second_serve_say_so(own: Gateway) -> None:
    own.start()
    again = openpoort("serve", own.home, "--port", "0")
    assert again.returncode == 2
    assert "already runs" in again.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        own.stop()
        other = openpoort("serve", own.home, "--port", str(port))
    assert other.returncode == 2
    assert f"port {port}" in other.stderr
    assert "--port" in other.stderr
    assert other.stdout == ""


def test_wrong_settings_are_told_with_exit_code_2(own: Gateway) -> None:
    file = own.home / "openpoort.toml"
    file.write_text(file.read_text().replace("port = 8443", "prot = 8443"))
    done = openpoort("serve", own.home)
    assert done.returncode == 2
    assert "did you mean `port`" in done.stderr
    assert openpoort("serve", own.home.parent).returncode == 2


def test_database_that_is_not_there_is_told_without_its_password(own: Gateway) -> None:
    url = f"postgresql://somebody:s3cr3t@127.0.0.1:{free_port()}/nowhere"
    environment = {
        **os.environ, "OPENPOORT_DATABASE_URL": url, "OPENPOORT_AGENCY_PORT": "0",
        "OPENPOORT_HEALTH_PORT": "0",
    }  # fmt: skip
    for command in (("serve", own.home, "--port", "0"), ("message", "list", own.home)):
        done = openpoort(*command, env=environment)
        assert done.returncode == 1, done.stderr
        assert "database.url cannot be used" in done.stderr
        assert "s3cr3t" not in done.stderr
        assert "Traceback" not in done.stderr


def test_gateway_on_a_postgresql_by_url(own: Gateway, dsn: str) -> None:
    """The test's own server stands in for somebody else's cluster."""
    own.environment = {"OPENPOORT_DATABASE_URL": dsn}
    own.start()
    kenmerk = hand_in(own)
    until(lambda: last_status(own, kenmerk) == "400")
    assert own.stop() == 0
    assert not (own.home / "postgres").exists()


def test_wrong_kind_file_is_told_with_exit_code_2(own: Gateway) -> None:
    (own.home / "kinds" / "x.toml").write_text('berichtsoort = "X"\n')
    done = openpoort("serve", own.home, "--port", "0")
    assert done.returncode == 2
    assert "x.toml" in done.stderr


def test_killed_door_worker_and_database_come_back(own: Gateway) -> None:
    own.start()
    first = hand_in(own)
    for name in ("door-1", "worker-1", "agency", "health"):
        pid = own.pid(name)
        os.kill(pid, signal.SIGKILL)
        until(lambda name=name, pid=pid: own.pid(name) != pid)
    postmaster = current(own.home / "postgres" / "data")
    assert postmaster is not None
    os.kill(postmaster.pid, signal.SIGKILL)
    until(lambda: (p := current(own.home / "postgres" / "data")) and p.pid != postmaster.pid)

    def works() -> str | None:
        try:
            return hand_in(own)
        except (NoAnswer, BadAnswer):  # 503: the door may still be reconnecting
            return None

    second = until(works)
    for kenmerk in (first, second):
        # A delivery that met the killed agency is tried again after most of a minute.
        until(lambda kenmerk=kenmerk: last_status(own, kenmerk) == "400", 120.0)


def test_the_first_request_after_health_says_ready_is_taken_in(own: Gateway) -> None:
    own.start()
    kenmerk = hand_in(own)
    data = own.home / "postgres" / "data"
    first = current(data)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: (p := current(data)) and p.pid != first.pid)
    until(lambda: health(own, "/health/ready")[0] == 200)
    with own.client() as client:
        vraag = Vraag(Operatie.NIEUWE_STATUSSEN_PROCES, kenmerk=kenmerk)
        assert client.vraag(vraag).items
    assert last_status(own, kenmerk)
    assert hand_in(own) != kenmerk


def test_connection_made_while_the_door_starts_again_waits(own: Gateway) -> None:
    """The supervisor holds the listening socket, so nobody is refused in between."""
    own.start()
    os.kill(own.pid("door-1"), signal.SIGKILL)
    assert own.http("GET", "/wus/2.0/aanleverservice/1.2?wsdl")[0] == 200


def test_everything_ends_with_a_killed_supervisor_and_the_next_one_goes_on(own: Gateway) -> None:
    own.start()
    kenmerk = hand_in(own)
    pids = [own.pid(name) for name in ("door-1", "worker-1", "agency", "health")]
    postmaster = current(own.home / "postgres" / "data")
    assert own.process is not None
    own.process.kill()
    own.process.wait()
    until(lambda: not any(alive(pid) for pid in pids))
    own.lines.clear()
    own.start()
    # The orphaned server was adopted, not started over.
    assert current(own.home / "postgres" / "data") == postmaster
    until(lambda: last_status(own, kenmerk) == "400")
    assert own.stop() == 0
    assert current(own.home / "postgres" / "data") is None


def test_health_means_something(own: Gateway) -> None:
    own.start()
    assert health(own, "/health/live")[0] == 200
    assert health(own, "/health/ready") == (200, '{"database": "ok", "journal": "ok"}\n')
    kenmerk = hand_in(own)
    until(lambda: last_status(own, kenmerk) == "400")
    own.http("POST", "/wus/2.0/aanleverservice/1.2", b"no XML")
    status, text = health(own, "/metrics")
    assert status == 200
    accepted = 'openpoort_requests_accepted_total{operation="aanleveren",service="aanleverservice"}'
    assert f"{accepted} 1.0" in text
    assert 'openpoort_requests_refused_total{code="ALS100",service="aanleverservice"} 1.0' in text
    assert "openpoort_ready 1.0" in text
    delivered = 'openpoort_delivery_attempts_total{agency="DEMOREGISTER",outcome="delivered"}'
    assert f"{delivered} 1.0" in text
    # A full house: the journal cannot be written, so nothing may be taken in.
    with psycopg.connect(own.dsn, autocommit=True) as conn:
        conn.execute("alter database openpoort set default_transaction_read_only = on")
        status, text = health(own, "/health/ready")
        assert status == 503
        assert "journal" in text
        conn.execute("set default_transaction_read_only = off")
        conn.execute("alter database openpoort reset default_transaction_read_only")
    assert health(own, "/health/ready")[0] == 200


def test_who_judged_a_filing_is_counted(own: Gateway) -> None:
    own.start()
    sample = (own.home / "samples" / "Omzetbelasting.xbrl").read_bytes()
    with own.client() as client:
        kenmerk = client.aanleveren(vat_return(sample)).kenmerk
    until(lambda: last_status(own, kenmerk) in {"400", "410", "500"})
    assert 'openpoort_filings_judged_total{by="index"} 1.0' in health(own, "/metrics")[1]


def test_strangers_are_written_down_and_the_log_stays_json(own: Gateway) -> None:
    own.start()
    for sent in (b"\x16\x03 not http\r\n\r\n", b"x-" + b"y" * 40_000):
        with (
            socket.create_connection(("127.0.0.1", own.port), timeout=10) as plain,
            own.tls().wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            tls.sendall(sent)
            tls.recv(100)
    assert (
        own.http("POST", "/wus/2.0/aanleverservice/1.2", b"x", {"Content-Encoding": "br"})[0] == 415
    )
    assert own.stop() == 0
    for line in own.log.splitlines():
        assert json.loads(line)["level"] in {"info", "warning"}, line
    events = [json.loads(line) for line in (own.home / "security.log").read_text().splitlines()]
    told = [e["reason"] for e in events if e["action"] == "connection.refused"]
    assert "not HTTP" in told
    assert "Content-Encoding is not supported" in told


def resumed_at_either_door(gateway: Gateway) -> None:
    """The doors share the keys of session tickets: a client resumes whichever takes it."""
    context = gateway.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    session = None
    for _ in range(8):
        with (
            socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost", session=session) as tls,
        ):
            tls.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert b" 404 " in tls.recv(1000)
            assert tls.session_reused is (session is not None)
            session = session or tls.session


def test_roles_apart_on_one_database(own: Gateway) -> None:
    """A door alone takes in; a worker alone, on the same database, carries on."""
    own.arguments = ("--port", "0", "--only", "door", "--doors", "2")
    own.start()
    resumed_at_either_door(own)
    kenmerk = hand_in(own)
    assert last_status(own, kenmerk) == "110"
    worker = Gateway(own.home, arguments=("--only", "worker"), agency_port=own.agency_port)
    try:
        worker.start()
        assert worker.lines == ["ready worker\n"]
        until(lambda: last_status(own, kenmerk) == "400")
    finally:
        worker.stop()
    assert last_status(own, kenmerk) == "400"
    assert own.stop() == 0


def last_json(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(text.splitlines()[-1])
    return found


def test_operator_sees_and_handles_what_is_parked(own: Gateway) -> None:
    """The agency refuses; the operator cancels, with a reason. The commands join the running
    database and leave it running."""
    own.start()
    sample = (own.home / "samples" / "eFactuur.xml").read_bytes()
    with own.client() as client:
        kenmerk = client.aanleveren(
            vat_return(
                sample,
                berichtsoort="eFactuur",
                belanghebbende=Identiteit("90000044", "KvK"),
                aanleverkenmerk="TechnischProbleemAfleveren",
                inhoud=Document("application/xml", "eFactuur.xml", sample),
            )
        ).kenmerk
    until(lambda: last_status(own, kenmerk) == "420")
    listed = last_json(openpoort("message", "list", own.home, "--json").stdout)
    assert [m["kenmerk"] for m in listed["messages"]] == [kenmerk]  # type: ignore[attr-defined,index,union-attr]  # rows
    shown = last_json(openpoort("message", "show", own.home, kenmerk, "--json").stdout)
    assert [s["code"] for s in shown["statuses"]][-1] == "420"  # type: ignore[attr-defined,index,union-attr]  # rows
    assert openpoort("work", "list", own.home).returncode == 0

    assert openpoort("work", "cancel", own.home, kenmerk).returncode == 2  # no reason given
    dry = openpoort("work", "cancel", own.home, kenmerk, "--reason", "test", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "would be" in dry.stdout
    assert last_status(own, kenmerk) == "420"
    done = openpoort("work", "cancel", own.home, kenmerk, "--reason", "sent twice", "--json")
    assert last_json(done.stdout)["state"] == "cancelled", done.stderr
    assert last_status(own, kenmerk) == "410"
    again = openpoort("work", "cancel", own.home, kenmerk, "--reason", "once more")
    assert again.returncode == 1
    assert "ended already" in again.stderr
    assert openpoort("work", "release", own.home, "x", "--reason", "y").returncode == 2
    assert openpoort("message", "show", own.home, str(uuid.uuid4())).returncode == 1
    with psycopg.connect(own.dsn) as conn:
        entries = conn.execute("select convert_from(entry, 'utf8') from journal").fetchall()
    mine = [json.loads(e) for (e,) in entries if kenmerk in e and "work.cancelled" in e]
    assert [e["data"]["reason"] for e in mine] == ["sent twice"]
    events = [json.loads(line) for line in (own.home / "security.log").read_text().splitlines()]
    acts = [(e["action"], e["result"]) for e in events if e["action"] == "message.handled"]
    assert acts == [("message.handled", "ok"), ("message.handled", "failed")]


def test_what_a_gateway_writes_is_for_its_owner_only(tmp_path: Path) -> None:
    """In a folder that others can look into, with a umask that lets them."""
    home = tmp_path / "home"
    tmp_path.chmod(0o755)
    home.mkdir(mode=0o755)
    made = openpoort("init", home, umask=0o022)
    assert made.returncode == 0, made.stderr
    (home / "directory.toml").chmod(0o644)  # as an earlier version left it
    (home / "agency").mkdir(mode=0o755)
    (home / "agency" / "receipt.xml").write_text("<a/>")
    (home / "agency" / "receipt.xml").chmod(0o664)
    gateway = Gateway(home).start()
    try:
        kenmerk = hand_in(gateway)
        until(lambda: last_status(gateway, kenmerk) == "400")
    finally:
        gateway.stop()
    open_to_others = {
        str(path.relative_to(home)): oct(path.stat().st_mode & 0o777)
        for path in home.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077 and path.name != "serve.log"
    }
    assert open_to_others == {"security.log": "0o640"}
    assert (home / "agency").stat().st_mode & 0o077 == 0
