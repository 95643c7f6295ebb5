"""A running gateway takes over a changed directory and a revocation without a restart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.serialization import Encoding

from openpoort.client.wus import Client
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document
from openpoort.keys.fetch import Found, Source
from openpoort.outbound.exchange import BadAnswer, Faulted
from openpoort.outbound.http import NoAnswer
from openpoort.sandbox import pki
from openpoort.sandbox.authority import Ca, pem
from openpoort.sandbox.revocations import crl
from openpoort.store.directory import revocation
from openpoort.trust.chain import fingerprint
from tests.e2e.gateway import Gateway, openpoort, until

NEW = Identiteit("005000072B01", "BTW")
OFFICE = pki.OINS["intermediair"]


def filing(who: Identiteit) -> Aanlevering:
    return Aanlevering(
        "OB_zonder_xbrl", who, "Intermediair", Document("application/xml", "a.xbrl", b"<a/>")
    )


def apply(gateway: Gateway, file: Path, text: str) -> None:
    file.write_text(text)
    done = openpoort("party", "apply", file, "--home", gateway.home)
    assert done.returncode == 0, done.stderr


def accepted(client: Client, who: Identiteit) -> bool:
    try:
        client.aanleveren(filing(who))
    except Faulted as no:
        return "geen machtiging" not in str(no.fout)
    return True


def test_mandate_counts_from_when_it_is_applied_until_it_is_taken_away(
    gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "changed.toml"
    before = openpoort("party", "show", "--home", gateway.home).stdout
    mandate = (
        f'[[mandate]]\nbelanghebbende = "BTW:{NEW.nummer}"\nholder = "{OFFICE}"\nkinds = ["*"]\n'
    )
    with gateway.client("intermediair") as client:
        assert not accepted(client, NEW)
        apply(gateway, file, before + "\n" + mandate)
        until(lambda: accepted(client, NEW), 15)
        apply(gateway, file, before[before.index("[[") :])  # without the version it was made from
        until(lambda: not accepted(client, NEW), 15)


def test_revoked_certificate_is_refused_by_the_running_gateway(
    gateway: Gateway, tmp_path: Path
) -> None:
    """Evidence comes in as the fetcher leaves it; the fetcher has tests of its own."""
    at = datetime.now(UTC).replace(microsecond=0)
    issuing = pki.load_issuer(gateway.home / "pki")
    thief = issuing.leaf("gestolen.test", OFFICE, at, crl_urls=["http://127.0.0.1:9/none.crl"])
    pki.write(tmp_path, "thief", thief)
    client = Client.from_files(
        f"https://localhost:{gateway.port}",
        tmp_path / "thief.pem",
        tmp_path / "thief.key",
        gateway.home / "pki" / "ca.pem",
    )
    own = Identiteit("002000040B37", "BTW")
    with client:
        client.aanleveren(filing(own))
        content = crl(issuing, at, [thief.certificate])
        source = Source("crl", "http://test.invalid/crl", issuing.certificate.public_bytes(
            Encoding.DER
        ))  # fmt: skip
        with psycopg.connect(gateway.dsn) as conn:
            revocation.put(conn, source, Found(content, at, at + timedelta(days=1)), at)

        def refused() -> bool:
            try:
                client.aanleveren(filing(own))
            except BadAnswer as no:
                return "403" in str(no)
            return False

        until(refused, 15)
    with gateway.client("intermediair") as other:
        other.aanleveren(filing(own))  # the same organisation with its sound certificate
    events = map(json.loads, (gateway.home / "security.log").read_text().splitlines())
    told = [e for e in events if e["action"] == "certificate.refused"]
    assert told[-1]["object"] == fingerprint(thief.der)
    assert told[-1]["reason"] == "certificate-token-revoked"
    assert told[-1]["actor"] == OFFICE


def test_new_root_is_accepted_and_a_withdrawn_one_refused_without_a_restart(
    gateway: Gateway, tmp_path: Path
) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    root = Ca.root("the next generation", at)
    issuing = root.intermediate("its services authority", at)
    pki.write(tmp_path, "office", issuing.leaf("kantoor.test", OFFICE, at))
    store = gateway.home / "pki" / "trust.toml"
    before = store.read_text()

    def outcome() -> str:
        with Client.from_files(
            f"https://localhost:{gateway.port}",
            tmp_path / "office.pem",
            tmp_path / "office.key",
            gateway.home / "pki" / "ca.pem",
        ) as client:
            try:
                client.aanleveren(filing(Identiteit("002000040B37", "BTW")))
            except BadAnswer as no:
                return "403" if "403" in str(no) else str(no)
            except NoAnswer:
                return "no handshake"
            return "accepted"

    try:
        assert outcome() == "no handshake"
        (store.parent / "next.pem").write_bytes(pem(root.certificate))
        (store.parent / "next-ca.pem").write_bytes(pem(issuing.certificate))
        generation = (
            '\n[[generation]]\nname = "next"\nroots = ["next.pem"]\n'
            'intermediates = ["next-ca.pem"]\n'
        )
        store.write_text(before + generation)
        until(lambda: outcome() == "accepted", 15)
        store.write_text(before + generation + "until = 2026-01-01\n")
        until(lambda: outcome() == "403", 15)
    finally:
        store.write_text(before)
