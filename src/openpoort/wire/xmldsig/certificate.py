"""The public key of a token, under limits: RSA only, sizes that cannot be used to stall us."""

from __future__ import annotations

from binascii import a2b_base64
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, InvalidVersion, load_der_x509_certificate

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.names import BLANKS

MIN_BITS = 2048
MAX_BITS = 8192
MIN_EXPONENT = 65537
MAX_EXPONENT = 2**32
_NO_BLANKS = str.maketrans("", "", BLANKS)
_MAX_TEXT = 16 * 1024  # of base64; 1024 of them are kept


def base64(text: str, what: str) -> bytes:
    """Decode base64 that may hold line breaks; Fault naming `what` if it is anything else."""
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        pass
    try:
        return a2b_base64(text.translate(_NO_BLANKS), strict_mode=True)
    except ValueError:
        raise Fault(f"{what} is geen geldige base64.") from None


def read_certificate(der: bytes) -> Certificate:
    """The certificate that somebody sent. ValueError when it is none: the library has an error
    apart from that for a version that does not exist."""
    try:
        return load_der_x509_certificate(der)
    except InvalidVersion as error:
        raise ValueError(str(error)) from None


@lru_cache(maxsize=1024)
def token(text: str) -> tuple[bytes, RSAPublicKey]:
    """The certificate (DER) in the text of a token, and its key.

    Kept by text: the same sender comes back, and reading a certificate costs as much as
    verifying with it. The key says nothing yet about who may use it.
    """
    if len(text) > _MAX_TEXT:
        raise Refusal("token larger than any certificate")
    der = base64(text, "Het certificaat in de handtekening")
    try:
        key = read_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Fault("Het certificaat in de handtekening is geen X.509-certificaat.") from None
    if not isinstance(key, RSAPublicKey):
        raise Fault("Het certificaat in de handtekening heeft geen RSA-sleutel.")
    exponent = key.public_numbers().e
    if key.key_size > MAX_BITS or exponent > MAX_EXPONENT:
        raise Refusal("key too large to verify with")
    if key.key_size < MIN_BITS:
        raise Fault(f"De RSA-sleutel is {key.key_size} bits; ten minste {MIN_BITS} is vereist.")
    if exponent < MIN_EXPONENT:
        raise Fault(f"De RSA-exponent is {exponent}; ten minste {MIN_EXPONENT} is vereist.")
    return der, key
