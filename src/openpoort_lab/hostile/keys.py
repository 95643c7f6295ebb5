"""Certificate tricks: keys too small, too large or of another kind, and tokens that are none."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from openpoort.wire.names import DS, WSSE
from openpoort_lab.forge import WSU_ID, Forge
from openpoort_lab.hostile.kit import BARE, FAULT, FORBIDDEN, TRUST, Setting, case, copy, of

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - what the contract prescribes
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class Stranger:
    """A key with a certificate that nobody vouches for."""

    private: rsa.RSAPrivateKey
    certificate: bytes

    def sign(self, data: bytes, hash_name: str) -> bytes:
        return self.private.sign(data, padding.PKCS1v15(), _HASHES[hash_name])


def _name(like: bytes) -> x509.Name:
    return x509.load_der_x509_certificate(like).subject


_Public = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def _certificate(subject: x509.Name, public: _Public, issuer: rsa.RSAPrivateKey) -> bytes:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
        .sign(issuer, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


@lru_cache(maxsize=8)
def _private(bits: int, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


def stranger(like: bytes, bits: int = 2048, exponent: int = 65537) -> Stranger:
    """A self-signed certificate with the subject of another one."""
    private = _private(bits, exponent)
    return Stranger(private, _certificate(_name(like), private.public_key(), private))


@lru_cache(maxsize=4)
def stranger_named(name: str) -> Stranger:
    """A self-signed certificate with that common name."""
    private = _private(2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return Stranger(private, _certificate(subject, private.public_key(), private))


def _any_name() -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])


def _with_token(s: Setting, der: bytes) -> bytes:
    """Rightly signed, but the token holds something else than the signer's certificate."""
    made = s.forge()
    made.token.text = b64encode(der).decode()
    return made.sign().raw()


@case("key/self-signed-with-the-same-name", FORBIDDEN, TRUST)
def _self_signed(s: Setting) -> bytes:
    return s.forge(signer=stranger(s.signer.certificate)).sign().raw()


@case("key/token-of-somebody-else", FAULT)
def _other_key(s: Setting) -> bytes:
    return _with_token(s, stranger(s.signer.certificate).certificate)


@case("key/signed-by-somebody-else", FAULT)
def _other_signer(s: Setting) -> bytes:
    made = s.forge(signer=stranger(s.signer.certificate))
    made.token.text = b64encode(s.signer.certificate).decode()
    return made.sign().raw()


@case("key/rsa-1024", FAULT)
def _small(s: Setting) -> bytes:
    return s.forge(signer=stranger(s.signer.certificate, 1024)).sign().raw()


@case("key/exponent-3", FAULT)
def _exponent_3(s: Setting) -> bytes:
    return s.forge(signer=stranger(s.signer.certificate, 2048, 3)).sign().raw()


@case("key/modulus-of-16000-bits", BARE)
def _large(s: Setting) -> bytes:
    public = rsa.RSAPublicNumbers(65537, (1 << 15999) + 12345).public_key()
    return _with_token(s, _certificate(_any_name(), public, _private(2048)))


@case("key/exponent-of-2000-bits", BARE)
def _exponent(s: Setting) -> bytes:
    modulus = _private(2048).public_key().public_numbers().n
    public = rsa.RSAPublicNumbers((1 << 2000) + 1, modulus).public_key()
    return _with_token(s, _certificate(_any_name(), public, _private(2048)))


@case("key/elliptic-curve", FAULT)
def _elliptic(s: Setting) -> bytes:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return _with_token(s, _certificate(_any_name(), public, _private(2048)))


@case("token/half-a-certificate", FAULT)
def _half(s: Setting) -> bytes:
    return _with_token(s, s.signer.certificate[:300])


@case("token/bytes-after-certificate", FAULT)
def _after(s: Setting) -> bytes:
    return _with_token(s, s.signer.certificate + b"\x00")


@case("token/version-4", FAULT)
def _version(s: Setting) -> bytes:
    """X.509 ends at version 3; readers have an error of its own for what comes after."""
    third, fourth = bytes.fromhex("a003020102"), bytes.fromhex("a003020103")
    return _with_token(s, s.signer.certificate.replace(third, fourth, 1))


@case("token/two-certificates-in-a-row", FAULT)
def _row(s: Setting) -> bytes:
    return _with_token(s, s.signer.certificate * 2)


@case("token/empty", FAULT)
def _empty(s: Setting) -> bytes:
    return _with_token(s, b"")


@case("token/no-base64", FAULT)
def _no_base64(s: Setting) -> bytes:
    made = s.forge()
    made.token.text = "-----BEGIN CERTIFICATE-----"
    return made.sign().raw()


@case("token/a-megabyte", BARE)
def _megabyte(s: Setting) -> bytes:
    return _with_token(s, bytes(1024 * 1024))


@case("token/pkcs7", FAULT)
def _pkcs7(s: Setting) -> bytes:
    made = s.forge()
    made.token.set("ValueType", (made.token.get("ValueType") or "").replace("X509v3", "PKCS7"))
    return made.sign().raw()


@case("token/hex-encoding", FAULT)
def _hex(s: Setting) -> bytes:
    made = s.forge()
    encoding = made.token.get("EncodingType") or ""
    made.token.set("EncodingType", encoding.replace("Base64", "Hex"))
    return made.sign().raw()


@case("token/two-tokens", BARE)
def _two_tokens(s: Setting) -> bytes:
    made = s.forge()
    other = copy(made.token)
    other.set(WSU_ID, "id-token-2")
    other.text = b64encode(stranger(s.signer.certificate).certificate).decode()
    made.security.append(other)
    return made.sign().raw()


@case("token/missing", FAULT)
def _missing(s: Setting) -> bytes:
    made = s.forge()
    made.security.remove(made.token)
    return made.sign().raw()


@case("key-info/missing", FAULT)
def _no_key_info(s: Setting) -> bytes:
    made = s.signed()
    made.security[-1].remove(of(made.security, "KeyInfo"))
    return made.raw()


@case("key-info/refers-to-body", BARE)
def _to_body(s: Setting) -> bytes:
    made = s.forge()
    key_info = made.direct()
    of(key_info, "Reference", WSSE).set("URI", "#id-body")
    return made.sign(key_info=key_info).raw()


@case("key-info/refers-elsewhere", BARE)
def _elsewhere(s: Setting) -> bytes:
    made = s.forge()
    key_info = made.direct()
    of(key_info, "Reference", WSSE).set("URI", "https://elders.example/sleutel")
    return made.sign(key_info=key_info).raw()


@case("key-info/certificate-beside-token", BARE)
def _beside(s: Setting) -> bytes:
    other = stranger(s.signer.certificate)
    made = s.forge(signer=other)
    made.token.text = b64encode(s.signer.certificate).decode()
    return made.sign(key_info=made.x509_data()).raw()


@case("key-info/two-certificates", FAULT)
def _chain(s: Setting) -> bytes:
    made = s.forge()
    made.security.remove(made.token)
    key_info = made.x509_data()
    key_info[0].append(copy(key_info[0][0]))
    return made.sign(key_info=key_info).raw()


def _bare_key(made: Forge, local: str) -> bytes:
    key_info = etree.Element(f"{{{DS}}}KeyInfo")
    etree.SubElement(key_info, f"{{{DS}}}{local}").text = "sleutel"
    made.security.remove(made.token)
    return made.sign(key_info=key_info).raw()


@case("key-info/key-name", FAULT)
def _key_name(s: Setting) -> bytes:
    return _bare_key(s.forge(), "KeyName")


@case("key-info/key-value", FAULT)
def _key_value(s: Setting) -> bytes:
    return _bare_key(s.forge(), "KeyValue")


@case("key-info/retrieval-method", FAULT)
def _retrieval(s: Setting) -> bytes:
    return _bare_key(s.forge(), "RetrievalMethod")


@case("key-info/key-identifier", FAULT)
def _identifier(s: Setting) -> bytes:
    made = s.forge()
    key_info = made.direct()
    of(key_info, "Reference", WSSE).tag = f"{{{WSSE}}}KeyIdentifier"
    return made.sign(key_info=key_info).raw()


@case("key-info/embedded-token", FAULT)
def _embedded(s: Setting) -> bytes:
    made = s.forge()
    key_info = made.direct()
    of(key_info, "Reference", WSSE).tag = f"{{{WSSE}}}Embedded"
    return made.sign(key_info=key_info).raw()
