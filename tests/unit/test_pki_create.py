"""The development PKI: what `init` writes must be what a TLS stack and a signer accept."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.verification import PolicyBuilder, Store

from openpoort.domain.ids import Oin
from openpoort.keys.pem import KeyUnusable, PemSigner
from openpoort.sandbox import pki


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pki")
    pki.create(made, ["wus.digipoort.logius.nl"])
    return made


@pytest.mark.parametrize("name", pki.OINS)
def test_leaf_carries_its_oin_and_chain(folder: Path, name: str) -> None:
    leaf, issuing = x509.load_pem_x509_certificates((folder / f"{name}.pem").read_bytes())
    (number,) = leaf.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    assert Oin(str(number.value)).value == pki.OINS[name]
    leaf.verify_directly_issued_by(issuing)
    root = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    issuing.verify_directly_issued_by(root)


def test_private_files_are_private(folder: Path) -> None:
    keys = sorted(folder.glob("*.key"))
    assert {k.stem for k in keys} == {*pki.OINS, "ca", "intermediate", "checkpoint"}
    assert {k.stat().st_mode & 0o777 for k in keys} == {0o600}


@pytest.mark.parametrize("host", ["localhost", "wus.digipoort.logius.nl"])
def test_strict_verifier_accepts_the_server_for_each_host(folder: Path, host: str) -> None:
    leaf, issuing = x509.load_pem_x509_certificates((folder / "server.pem").read_bytes())
    root = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    builder = PolicyBuilder().store(Store([root]))
    chain = builder.build_server_verifier(x509.DNSName(host)).verify(leaf, [issuing])
    assert chain == [leaf, issuing, root]


def test_first_host_is_the_common_name_of_the_server(folder: Path) -> None:
    leaf = x509.load_pem_x509_certificates((folder / "server.pem").read_bytes())[0]
    (name,) = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert name.value == "wus.digipoort.logius.nl"


def test_ssl_loads_chain_and_key(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "ca.pem")
    assert [c["subject"] for c in context.get_ca_certs()]


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha512"])
def test_pem_signer_signs_with_the_leaf_key(folder: Path, name: str) -> None:
    signer = PemSigner(folder / "bedrijf.pem", folder / "bedrijf.key")
    key = x509.load_der_x509_certificate(signer.certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    chosen = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}[name]
    key.verify(signer.sign(b"message", name), b"message", padding.PKCS1v15(), chosen)


def test_pem_signer_refuses_a_key_of_another(folder: Path) -> None:
    with pytest.raises(KeyUnusable, match="does not belong"):
        PemSigner(folder / "bedrijf.pem", folder / "server.key")
