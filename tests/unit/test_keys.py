"""One contract for every kind of signing key: PEM files, and a token by way of SoftHSM."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from openpoort.keys.seam import Key, KeyUnusable, is_token, open_key
from openpoort.sandbox import pki
from tests import softhsm

_HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    pki.create(made)
    return made


@pytest.fixture(scope="module")
def token(folder: Path) -> Iterator[str]:
    """URI of a fresh SoftHSM token, but for `;object=`."""
    with softhsm.token(folder) as made:
        yield made.uri


@pytest.fixture(params=["pem", "token", "token by id"])
def key(request: pytest.FixtureRequest, folder: Path) -> Key:
    if request.param == "pem":
        return open_key(folder / "server.pem", folder / "server.key")
    uri: str = request.getfixturevalue("token")
    which = "object=server" if request.param == "token" else "id=%01"
    return open_key(folder / "server.pem", uri.replace("?", f";{which}?"))


def holds(key: Key, data: bytes, signature: bytes, name: str) -> None:
    public = x509.load_der_x509_certificate(key.certificate).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, data, padding.PKCS1v15(), _HASHES[name])


@pytest.mark.parametrize("name", _HASHES)
def test_key_signs_for_its_certificate(key: Key, name: str) -> None:
    holds(key, b"message", key.sign(b"message", name), name)


def test_key_shows_leaf_and_chain(key: Key, folder: Path) -> None:
    assert key.pem_chain == (folder / "server.pem").read_bytes()
    leaf = x509.load_pem_x509_certificates(key.pem_chain)[0]
    assert x509.load_der_x509_certificate(key.certificate) == leaf


def test_key_serves_many_threads(key: Key) -> None:
    parts = [f"message {n}".encode() for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        signed = list(threads.map(lambda part: key.sign(part, "sha256"), parts))
    for part, signature in zip(parts, signed, strict=True):
        holds(key, part, signature, "sha256")


def test_key_of_another_certificate_is_refused(folder: Path, token: str) -> None:
    uri = token.replace("?", ";object=bedrijf?")
    with pytest.raises(KeyUnusable, match="does not belong"):
        open_key(folder / "server.pem", uri)


@pytest.mark.parametrize("change", [("server", "nobody"), ("poort", "nowhere"), ("/pin", "/nopin")])
def test_token_that_cannot_be_used_says_so(
    folder: Path, token: str, change: tuple[str, str]
) -> None:
    uri = token.replace("?", ";object=server?").replace(*change)
    with pytest.raises(KeyUnusable, match="cannot be used") as caught:
        open_key(folder / "server.pem", uri)
    assert "24680" not in str(caught.value)


def test_lost_session_is_opened_again(folder: Path, token: str) -> None:
    key = open_key(folder / "server.pem", token.replace("?", ";object=server?"))
    key._key.session.close()  # type: ignore[attr-defined] # as when the HSM restarts
    holds(key, b"again", key.sign(b"again", "sha256"), "sha256")


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("pkcs11:object=a?module-path=m&pin-source=p", "names token"),
        ("pkcs11:token=t?module-path=m&pin-source=p", "names token"),
        ("pkcs11:token=t;object=o", "needs"),
        ("pkcs11:token=t;object=o?module-path=m&pin-value=1", "PIN does not belong"),
    ],
)
def test_bad_uri_says_what_to_change(folder: Path, uri: str, says: str) -> None:
    pytest.importorskip("pkcs11")
    assert is_token(uri)
    with pytest.raises(KeyUnusable, match=says):
        open_key(folder / "server.pem", uri)
