"""The whole hostile corpus against a running gateway: right verdict, nothing stored.

`tests/unit/test_hostile_corpus.py` holds the codec to the same list. Here the key is one that the
gateway trusts, so that nothing is refused for the wrong reason.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from openpoort.devkit.hostile import Hostile, corpus
from openpoort.keys.pem import PemSigner
from openpoort.wire.services import AANLEVER, OPHAAL, STATUSINFORMATIE, Service
from tests.e2e.gateway import Gateway


class Sender:
    """One connection as `bedrijf`, opened again when the door closes it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._connection: http.client.HTTPSConnection | None = None

    def send(self, path: str, hostile: Hostile) -> str:
        """HTTP status of a bare refusal, or the code of the fault."""
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                "localhost", self._gateway.port, context=self._gateway.tls(), timeout=60
            )
        headers = {"Content-Type": hostile.content_type}
        self._connection.request("POST", path, hostile.raw, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.will_close:
            self.close()
        if not content:
            return str(answer.status)
        return content.decode().partition("<fault:foutcode>")[2].partition("</")[0] or "accepted"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@pytest.fixture
def sender(gateway: Gateway) -> Iterator[Sender]:
    with closing(Sender(gateway)) as made:
        yield made


@pytest.mark.parametrize("service", [AANLEVER, STATUSINFORMATIE, OPHAAL], ids=lambda s: s.name)
@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_every_hostile_message_is_stopped_at_the_door(
    gateway: Gateway, sender: Sender, service: Service, hash_name: str
) -> None:
    pki = gateway.home / "pki"
    signer = PemSigner(pki / "bedrijf.pem", pki / "bedrijf.key")
    to = f"https://localhost:{gateway.port}{service.path}"
    before = gateway.counts()
    wrong = {}
    for hostile in corpus(signer, datetime.now(UTC), service, hash_name, to):
        found = sender.send(service.path, hostile)
        if found != hostile.expected:
            wrong[hostile.name] = (hostile.expected, found)
    assert wrong == {}
    assert gateway.counts() == before
