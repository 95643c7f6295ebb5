"""The whole hostile corpus against a running gateway: right verdict, one security
event each, nothing stored.

`tests/unit/test_hostile_corpus.py` holds the codec to the same list. Here the key is one that the
gateway trusts, so that nothing is refused for the wrong reason.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from openpoort.keys.pem import PemSigner
from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE, Service
from openpoort_lab.hostile import Hostile, corpus
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


def told(gateway: Gateway) -> list[dict[str, Any]]:
    """The security events about requests so far."""
    lines = (gateway.home / "security.log").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    families = {"request", "certificate", "algorithm"}
    return [e for e in events if e["action"].partition(".")[0] in families]


def fits(event: dict[str, Any], verdict: str, path: str) -> bool:
    """A bare refusal is an alarm, or names a certificate; a fault names its code or the policy."""
    if event["result"] != "refused" or event["time"] == "" or not event["origin"]:
        return False
    if event["action"] in {"certificate.refused", "algorithm.refused"}:
        return event["object"] != path
    if verdict in {"400", "403"}:
        return event["action"] == "request.refused" and str(event["http_status"]) == verdict
    return event["object"] == path and event.get("code") == verdict


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
    seen = len(told(gateway))
    wrong, untold = {}, []
    messages = corpus(signer, datetime.now(UTC), service, hash_name, to)
    for sent, hostile in enumerate(messages, 1):
        found = sender.send(service.path, hostile)
        if found != hostile.expected:
            wrong[hostile.name] = (hostile.expected, found)
        events = told(gateway)[seen:]
        if len(events) != sent or not fits(events[-1], hostile.expected, service.path):
            untold.append((hostile.name, hostile.expected, events[-1:]))
    assert wrong == {}
    assert untold == []
    assert gateway.counts() == before
