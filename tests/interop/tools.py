"""Tools of other makers that a machine may lack; where they are missing the tests say so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE
from tests.e2e.gateway import Gateway

PASSWORD = b"geheim"
HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "interop"
"""Outside version control; what is built here is built once per checkout."""


_UNREACHABLE = (
    "Could not transfer artifact",
    "ENOTFOUND",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "EAI_AGAIN",
)


def need(*commands: str) -> pytest.MarkDecorator:
    """Skips with a reason where a command is not installed, or these stacks were not asked for."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        return pytest.mark.skipif(True, reason=f"not installed: {', '.join(missing)}")
    asked = os.environ.get("INTEROP_STACKS") == "1"
    return pytest.mark.skipif(not asked, reason="other stacks: `make interop` (needs packages)")


def run(*words: str | Path, cwd: Path | None = None, seconds: float = 240) -> str:
    """Stdout of a command; its last words when it fails."""
    fetches = words[0] in ("mvn", "npm")
    try:
        done = subprocess.run(
            list(map(str, words)),
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=cwd,
            check=False,
        )
    except subprocess.TimeoutExpired:
        if not fetches:
            raise
        pytest.skip(f"{words[0]} did not get its packages within {seconds:g} s")
    said = done.stdout + done.stderr
    if done.returncode and fetches and any(word in said for word in _UNREACHABLE):
        pytest.skip(f"{words[0]} cannot reach its packages: {said[-300:]}")
    assert done.returncode == 0, said[-6000:]
    return done.stdout


def wsdls(gateway: Gateway, folder: Path) -> None:
    """The three WSDLs and the schema as the gateway serves them, with the import made local."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in (AANLEVER, STATUSINFORMATIE, OPHAAL):
        status, content, _ = gateway.http("GET", f"{service.path}?wsdl")
        assert status == 200
        text = re.sub(rb'schemaLocation="[^"]*"', b'schemaLocation="koppelvlak.xsd"', content)
        _keep(folder / f"{service.name}.wsdl", re.sub(rb":\d+/wus/", b":8443/wus/", text))
    status, content, _ = gateway.http("GET", f"{AANLEVER.path}?xsd")
    assert status == 200
    _keep(folder / "koppelvlak.xsd", content)


def published(contract: Path, folder: Path) -> None:
    """The contract's own WSDLs and schema. Changed: one algorithm suite is left in, because WSS4J
    refuses three, and the import points at the schema beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(contract.glob("*.wsdl")):
        text = file.read_bytes()
        for other in (b"Basic128Rsa15", b"Basic256Rsa15"):
            text = re.sub(rb"<sp:%s */>" % other, b"", text)
        schema = b'schemaLocation="digipoort-koppelvlak-1.2.xsd"'
        _keep(folder / file.name, re.sub(rb'schemaLocation="[^"]*"', schema, text))
    for file in contract.glob("*.xsd"):
        _keep(folder / file.name, file.read_bytes())


def _keep(path: Path, content: bytes) -> None:
    """Write only what changed: a code generator looks at the time of its input."""
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def stores(gateway: Gateway, folder: Path) -> None:
    """`bedrijf.p12` (key and chain) and `trust.p12` (what Java believes)."""
    folder.mkdir(parents=True, exist_ok=True)
    pki = gateway.home / "pki"
    chain = x509.load_pem_x509_certificates((pki / "bedrijf.pem").read_bytes())
    key = serialization.load_pem_private_key((pki / "bedrijf.key").read_bytes(), None)
    how = serialization.BestAvailableEncryption(PASSWORD)
    made = pkcs12.serialize_key_and_certificates(
        b"bedrijf",
        key,  # type: ignore[arg-type]  # RSA, as the development PKI makes them
        chain[0],
        chain[1:],
        how,
    )
    (folder / "bedrijf.p12").write_bytes(made)
    roots = [x509.load_pem_x509_certificate((pki / "ca.pem").read_bytes()), *chain[1:]]
    entries = [pkcs12.PKCS12Certificate(c, f"ca{n}".encode()) for n, c in enumerate(roots)]
    trust = pkcs12.serialize_java_truststore(entries, how)
    (folder / "trust.p12").write_bytes(trust)


def told(output: str) -> dict[str, str]:
    """`name=value` lines as a dictionary."""
    return dict(line.partition("=")[::2] for line in output.splitlines() if "=" in line)
