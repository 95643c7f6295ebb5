"""The example message of the lab, with the keys and times of these tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort.evidence.export import Exporter
from openpoort_lab.figures import example
from openpoort_lab.figures.example import Example
from tests.wire_kit import NOW, key

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "openpoort.example"
KENMERK = UUID("3f0c2ab4-16b5-4c3c-9d3e-0123456789ab")


def case(kenmerk: UUID = KENMERK, **changes: Any) -> Example:
    tls = key("Voorbeeld TLS").certificate
    return Example(NOW, key(), key("Poort"), key("Dienst"), tls, kenmerk, **changes)


def exporter() -> Exporter:
    return Exporter(KEY, ORIGIN, lambda: NOW + timedelta(days=1), patience=5)


def others(conn: psycopg.Connection[Any], count: int) -> None:
    example.others(conn, count, NOW)
