"""Signing keys in a token over PKCS#11: an HSM, a smart card, SoftHSM in tests.

Named by URI (RFC 7512): `pkcs11:token=T;object=LABEL?module-path=M.so&pin-source=FILE`, or `id`
in percent-encoded bytes instead of `object`. The PIN comes from a file, never from the URI: a URI
stands in settings and process lists. Open it in the process that signs: after a fork it is dead.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from openpoort.keys.pem import KeyUnusable

try:
    import pkcs11
    from pkcs11 import Mechanism, ObjectClass
except ImportError as missing:  # pragma: no cover - the package is there in development and CI
    raise KeyUnusable("keys in a token need the package python-pkcs11") from missing

_MECHANISMS = {
    "sha1": Mechanism.SHA1_RSA_PKCS,
    "sha256": Mechanism.SHA256_RSA_PKCS,
    "sha384": Mechanism.SHA384_RSA_PKCS,
    "sha512": Mechanism.SHA512_RSA_PKCS,
}


class TokenSigner:
    """RSA PKCS#1 v1.5 by a token. A session serves one thread at a time; a lost one (token
    taken out, HSM restarted) is opened again once, at the next signature."""

    def __init__(self, certificate_path: Path, uri: str) -> None:
        """Raises KeyUnusable (also when key and certificate do not belong together), OSError."""
        self.pem_chain = certificate_path.read_bytes()
        self._leaf = x509.load_pem_x509_certificates(self.pem_chain)[0]
        self.certificate = self._leaf.public_bytes(serialization.Encoding.DER)
        self._path, self._query = _parts(uri)
        self._lock = threading.Lock()
        self._key: Any = None
        with self._lock:
            self._open()
        self._belongs()

    def sign(self, data: bytes, hash_name: str) -> bytes:
        """Raises KeyUnusable when the token does not answer."""
        mechanism = _MECHANISMS[hash_name]
        with self._lock:
            try:
                return bytes(self._key.sign(data, mechanism=mechanism))
            except pkcs11.PKCS11Error:
                self._open()
            try:
                return bytes(self._key.sign(data, mechanism=mechanism))
            except pkcs11.PKCS11Error as error:
                raise KeyUnusable(f"the token does not sign: {type(error).__name__}") from error

    def _open(self) -> None:
        try:
            token = pkcs11.lib(self._query["module-path"]).get_token(
                token_label=self._path["token"]
            )
            pin = Path(self._query["pin-source"]).read_text().strip()
            try:
                session = token.open(user_pin=pin)
            except pkcs11.UserAlreadyLoggedIn:
                session = token.open()  # a login counts for the whole process
            label, number = self._which()
            self._key = session.get_key(ObjectClass.PRIVATE_KEY, label=label, id=number)
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise KeyUnusable(f"the token cannot be used: {type(error).__name__}") from error

    def _which(self) -> tuple[str | None, bytes | None]:
        """Label or id; the id when both are given."""
        if "id" in self._path:
            return None, unquote_to_bytes(self._path["id"])
        return unquote(self._path["object"]), None

    def _belongs(self) -> None:
        public = self._leaf.public_key()
        if not isinstance(public, rsa.RSAPublicKey):
            raise KeyUnusable("the certificate holds no RSA key")
        trial = b"does this key belong to this certificate?"
        try:
            public.verify(self.sign(trial, "sha256"), trial, padding.PKCS1v15(), hashes.SHA256())
        except Exception as error:
            raise KeyUnusable("the key in the token does not belong to the certificate") from error


def _parts(uri: str) -> tuple[dict[str, str], dict[str, str]]:
    """Path and query attributes; `id` stays percent-encoded."""
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    first = dict(p.partition("=")[::2] for p in path.split(";") if p)
    second = {k: unquote(v) for k, v in (p.partition("=")[::2] for p in query.split("&") if p)}
    if "token" not in first or not {"object", "id"} & set(first):
        raise KeyUnusable("a pkcs11 URI names token and object (or id)")
    if "pin-value" in second:
        raise KeyUnusable("the PIN does not belong in the URI; use pin-source=FILE")
    if not {"module-path", "pin-source"} <= set(second):
        raise KeyUnusable("a pkcs11 URI needs ?module-path=LIBRARY&pin-source=FILE")
    first["token"] = unquote(first["token"])
    return first, second
