"""What `diagnose` says and what the door answers are the same, for every mistake we can make.

A slice; `python -m tests.e2e.test_diagnose_equals_door 20000` makes more mutations.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from openpoort.app.around import around
from openpoort.app.home import create
from openpoort.client.diagnose import Report, Request, diagnose
from openpoort.client.diagnose.verdict import KENMERK, PASSED, REPEAT
from openpoort.domain.fault import Fault, Refusal
from openpoort.process.flow import texts
from openpoort.settings import load
from openpoort.wire.wus.signed_message import SoapFault
from openpoort.wire.wus.soap import open_answer
from tests.conftest import SHARED
from tests.e2e.gateway import Gateway
from tests.mistakes import Maker, Sent

_IN_THE_DATABASE = {texts.NO_SUCH_KENMERK: KENMERK, "MessageID is al gebruikt": REPEAT}
"""What only the database of the gateway knows; a diagnosis says that it does not."""


@dataclass(frozen=True)
class Said:
    """An answer without what differs from one moment to the next."""

    status: int
    fout: str

    @property
    def accepted(self) -> bool:
        return self.fout == "" and self.status in {0, 200}


def said(status: int, content: bytes) -> Said:
    try:
        opened = open_answer(content) if content else None
    except (Fault, Refusal):  # plain text
        return Said(status, content.decode())
    if not isinstance(opened, SoapFault):
        return Said(status, "" if content else f"HTTP {status}")
    assert opened.fout is not None
    return Said(status, timeless(f"{opened.fout.foutcode}: {opened.fout.foutbeschrijving}"))


def timeless(text: str) -> str:
    return re.sub(r"hier is het \S+", "hier is het …", text)


@dataclass
class Line:
    """Connections to one door, one per sender, opened again when it closes them."""

    port: int
    contexts: dict[str, ssl.SSLContext]
    _open: dict[str, http.client.HTTPSConnection] = field(default_factory=dict)

    def ask(self, sent: Sent) -> Said:
        connection = self._open.get(sent.who)
        if connection is None:
            connection = self._open[sent.who] = http.client.HTTPSConnection(
                "localhost", self.port, context=self.contexts[sent.who], timeout=60
            )
        connection.request(sent.method, sent.path, sent.raw, dict(sent.headers))
        answer = connection.getresponse()
        content = answer.read()
        if answer.will_close:
            self._open.pop(sent.who).close()
        return said(answer.status, content)

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()


@contextmanager
def listening(home: Path, base: str) -> Iterator[tuple[int, Iterator[str]]]:
    """`diagnose --listen` as it is typed: its port and the lines it writes."""
    words = ["diagnose", "--listen", "--home", str(home), "--port", "0", "--to", base, "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "openpoort", *words], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        lines = iter(run.stdout)
        yield int(next(lines).split(":")[2].split("/")[0]), lines
        run.terminate()


@dataclass
class Compared:
    """Differences by name; `open` are those that only the database could tell."""

    total: int = 0
    open: int = 0
    refused: int = 0
    wrong: dict[str, tuple[object, object]] = field(default_factory=dict)
    unexplained: dict[str, object] = field(default_factory=dict)


def compare(
    gateway: Gateway, mutated: int, shared: Path | None, seed: int = 1, every: int = 1
) -> Compared:
    """`every`: one in so many is tried."""
    base = f"https://localhost:{gateway.port}"
    pki, result = gateway.home / "pki", Compared()
    contexts = {who: gateway.tls(who) for who in ("bedrijf", "intermediair", "uwv")}
    leaves = {
        who: ssl.PEM_cert_to_DER_cert((pki / f"{who}.pem").read_text().split("-----END")[0]
                                      + "-----END CERTIFICATE-----\n")
        for who in contexts
    }  # fmt: skip
    known = around(load(gateway.home), (base,))
    with listening(gateway.home, base) as (port, lines):
        door, listener = Line(gateway.port, contexts), Line(port, contexts)
        made = Maker(pki, base).every(mutated, shared, seed)
        for sent in islice(made, 0, None, every):
            result.total += 1
            try:
                answered, heard = door.ask(sent), listener.ask(sent)
            except OSError as wrong:
                raise AssertionError(sent.name) from wrong
            told: dict[str, Any] = json.loads(next(lines))
            headers = tuple(sent.headers.items())
            request = Request(sent.raw, sent.method, sent.path, headers, leaves[sent.who])
            report = diagnose(request, known(datetime.now(UTC), None))
            _judge(result, sent.name, answered, heard, told, report)
        door.close()
        listener.close()
    return result


def _judge(
    result: Compared, name: str, door: Said, heard: Said, told: dict[str, Any], report: Report
) -> None:
    offline = Said(report.status, timeless(report.fout))
    online = Said(told["status"], timeless(told["fout"]))
    explained = [check.name for check in report.wrong_ones]
    result.refused += not door.accepted
    if bool(explained) == door.accepted or (not door.accepted and explained == ["gateway"]):
        result.unexplained[name] = (door.fout, explained)
    for text, what in _IN_THE_DATABASE.items():
        if text in door.fout and what in report.unjudged and what in told["unjudged"]:
            result.open += 1
            return
    if door.accepted:
        passed = heard.fout.endswith(PASSED) or heard == door
        if not passed or offline.fout or online.fout or not report.accepted:
            result.wrong[name] = (door, (heard, offline, online))
    elif heard != door or not _same(door, offline) or not _same(door, online):
        result.wrong[name] = (door, (heard, offline, online))


def _same(door: Said, diagnosed: Said) -> bool:
    """A diagnosis says more than a bare refusal does: the reason."""
    return door.status == diagnosed.status and (
        diagnosed.fout == door.fout or diagnosed.fout.startswith(f"HTTP {door.status}")
    )


def test_diagnosis_and_door_say_the_same(gateway: Gateway) -> None:
    result = compare(gateway, 60, SHARED if SHARED.is_dir() else None, every=11)
    assert result.wrong == {}
    assert result.refused > 60
    assert result.total > result.refused


def main() -> None:
    mutated, seed = (int(word) for word in (*sys.argv[1:], "20000", "1")[:2])
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        create(home)
        gateway = Gateway(home).start()
        try:
            result = compare(gateway, mutated, SHARED if SHARED.is_dir() else None, seed)
        finally:
            gateway.stop()
    print(f"{result.total} requests, {result.refused} refused")
    print(f"{len(result.wrong)} told differently")
    print(f"{result.open} that only the database decides")
    print(f"{len(result.unexplained)} where the explanation does not fit")
    for name, pair in [*result.wrong.items(), *result.unexplained.items()][:60]:
        print(name, *pair, sep="\n   ")


if __name__ == "__main__":
    main()
