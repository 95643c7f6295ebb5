"""The physical limit of this machine, measured in the same run as what is compared with it.

One accepted message costs at least one RSA-2048 verification and one RSA-2048 signature.
"""

from __future__ import annotations

import statistics
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def rsa_limit(rounds: int = 5, seconds: float = 0.4) -> float:
    """Messages a second that one core could verify and sign if nothing else cost anything.

    Median of `rounds` rounds of `seconds` each.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public, text = key.public_key(), b"x" * 512
    rates: list[float] = []
    for _ in range(rounds):
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            signature = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
            public.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
            count += 1
        rates.append(count / (time.perf_counter() - begin))
    return statistics.median(rates)
