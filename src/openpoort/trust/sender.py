"""The gate: an envelope whose signature holds comes in, a verified message goes out, or nothing.

The two are different types, so that an unjudged envelope cannot be passed on by mistake. Time,
trust store and evidence are arguments; nothing here reads a clock or a file.
Source: settled points, Certificates; Digikoppeling WB013, PKI003.
"""

from __future__ import annotations

from dataclasses import dataclass

from openpoort.domain.ids import Oin


@dataclass(frozen=True, slots=True)
class VerifiedSender:
    """Who signed, as judged. Fingerprints are SHA-256 in lower-case hex; `tls_fingerprint` is
    empty when the message did not come over TLS (an imported one)."""

    oin: Oin
    common_name: str
    token_fingerprint: str
    tls_fingerprint: str
