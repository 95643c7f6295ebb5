"""Requests as people, programs and attackers get them wrong, made now for one gateway.

The hostile corpus, the refusals of the conformance kit, shapes and values of our own, saved and
captured messages, and mutations of all of them: what a door and a diagnosis must judge alike.
"""

from __future__ import annotations

import contextlib
import gzip
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from openpoort.client.conformance import refusals, requests
from openpoort.client.conformance.kit import Fails, Kit, Message, Skips
from openpoort.client.forge import Shape, forge
from openpoort.domain.ids import Identiteit
from openpoort.keys.pem import PemSigner
from openpoort.outbound.http import Answer
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE, ZETSTATUS
from openpoort_lab.forge import Forge
from openpoort_lab.hostile import corpus
from tests.fuzz.mutate import mutations, seeds
from tests.wire_kit import aanlevering

XML = {"content-type": "text/xml; charset=utf-8"}
SERVED = (AANLEVER, STATUSINFORMATIE, OPHAAL, ZETSTATUS)


@dataclass(frozen=True)
class Sent:
    """One request; `who` opens the TLS connection."""

    name: str
    path: str
    raw: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: XML)
    who: str = "bedrijf"
    method: str = "POST"


@dataclass(frozen=True)
class Maker:
    """Makes them for the gateway with this PKI, at this base address."""

    pki: Path
    base: str

    def signer(self, who: str = "bedrijf") -> PemSigner:
        return PemSigner(self.pki / f"{who}.pem", self.pki / f"{who}.key")

    def forged(self, shape: Shape | None = None, who: str = "bedrijf", **changes: object) -> bytes:
        values: dict[str, object] = {
            "to": self.base + AANLEVER.path,
            "action": AANLEVER.operations[0].action,
            "created": datetime.now(UTC),
            "signer": self.signer(who),
        }
        body = changes.pop("body", None) or koppelvlak.write(aanlevering(**changes))  # type: ignore[arg-type]
        return forge(body, shape or Shape(), **values)  # type: ignore[arg-type]

    def right(self) -> Iterator[Sent]:
        """One good request for each service; the kenmerken in them are nobody's."""
        for service in SERVED:
            made = Forge(
                self.signer(), datetime.now(UTC), service, "sha256", self.base + service.path
            )
            yield Sent(f"right {service.name}", service.path, made.sign().raw())

    def every(self, mutated: int, shared: Path | None, seed: int = 1) -> Iterator[Sent]:
        yield from self.right()
        yield from self.hostile()
        yield from self.conformance()
        yield from self.values()
        yield from self.heads()
        yield from self.saved(shared)
        yield from islice(self.mutated(seed), mutated)

    def hostile(self) -> Iterator[Sent]:
        for service in SERVED[:3]:
            to = self.base + service.path
            for hash_name in ("sha1", "sha256"):
                for case in corpus(self.signer(), datetime.now(UTC), service, hash_name, to):
                    if "flood" in case.name and (service, hash_name) != (AANLEVER, "sha256"):
                        continue  # dear to explain, and the same everywhere
                    headers = {"content-type": case.content_type}
                    yield Sent(f"{service.name} {case.name}", service.path, case.raw, headers)

    def conformance(self) -> Iterator[Sent]:
        """What the kit would send, case by case."""
        pki = self.pki
        kit = Kit(
            self.base + "/wus/2.0/", pki / "bedrijf.pem", pki / "bedrijf.key", pki / "ca.pem",
            Message(),
        )  # fmt: skip
        recorder = _Recorder(self.base)
        kit.http.close()
        kit.http = recorder  # type: ignore[assignment]  # all that the cases use of it
        for case in (*refusals.CASES, *requests.CASES):
            recorder.name = f"{case.clause} {case.title}"
            with contextlib.suppress(Fails, Skips, AssertionError, Exception):
                case.run(kit)
        yield from recorder.sent

    def values(self) -> Iterator[Sent]:
        """Kind, identity, role, rights, switches, and who signs for whom."""
        mine = aanlevering().belanghebbende
        path = AANLEVER.path
        for name, changes in (
            ("a kind that is not", {"berichtsoort": "Loonaangifte"}),
            ("a kind in capitals", {"berichtsoort": "OMZETBELASTING"}),
            ("an identity that does not go with it", {"belanghebbende": Identiteit("1", "KvK")}),
            ("a role that is not", {"rol_belanghebbende": "Gemachtigde"}),
            ("a role that goes not with the agreement", {"rol_belanghebbende": "Intermediair"}),
            ("somebody else", {"belanghebbende": Identiteit("009999999B37", "BTW")}),
            ("a kenmerk", {"kenmerk": "3f0d5a52-8a3e-4a58-9d5c-5b2f8a1e7c44"}),
            ("a switch that faults", {"aanleverkenmerk": "AanleverFault"}),
            ("a switch that sheds", {"aanleverkenmerk": "OverbelastAanleveren"}),
            ("a return message", {"berichtsoort": "Servicebericht"}),
            ("right", {}),
        ):
            yield Sent(name, path, self.forged(**changes))  # type: ignore[arg-type]
            for who in ("intermediair", "uwv"):
                if (self.pki / f"{who}.pem").exists():
                    raw = self.forged(who=who, **changes)  # type: ignore[arg-type]
                    yield Sent(f"{name}, by {who}", path, raw, who=who)
        mandated = {"belanghebbende": Identiteit("003000059B37", "BTW"),
                    "rol_belanghebbende": "Intermediair"}  # fmt: skip
        for who in ("bedrijf", "intermediair"):
            raw = self.forged(who=who, **mandated)  # type: ignore[arg-type]
            yield Sent(f"mandated to the other, by {who}", path, raw, who=who)
        for signs, calls in (("intermediair", "bedrijf"), ("bedrijf", "intermediair")):
            raw = self.forged(who=signs, belanghebbende=mine)
            yield Sent(f"signed by {signs}, sent by {calls}", path, raw, who=calls)
        for service in (STATUSINFORMATIE, OPHAAL, ZETSTATUS):
            yield Sent(f"sent to {service.name}", service.path, self.forged())
        for place in ("/cpl/aanleverservice/1.2", path + "/"):
            yield Sent(f"sent to {place}", place, self.forged())
        for minutes in (-70, -11, -4, 4, 6, 60):
            at = datetime.now(UTC) + timedelta(minutes=minutes)
            made = Forge(self.signer(), at, AANLEVER, "sha256", self.base + path)
            yield Sent(f"{minutes} minutes", path, made.sign().raw())
        for to in ("aanleverservice/1.2", path, "https://x.example" + path, path + "/", ""):
            made = Forge(self.signer(), datetime.now(UTC), AANLEVER, "sha256", to)
            yield Sent(f"To {to}", path, made.sign().raw())

    def heads(self) -> Iterator[Sent]:
        """HTTP that is not as it should be around a request that is."""
        raw, path = self.forged(), AANLEVER.path
        yield Sent("no such path", "/wus/2.0/aanleverservice/1.1", raw)
        yield Sent("a query behind the path", path + "?x=1", self.forged())
        yield Sent("no content type", path, self.forged(), {})
        yield Sent("SOAP 1.2", path, self.forged(), {"content-type": "application/soap+xml"})
        yield Sent("JSON", path, self.forged(), {"content-type": "application/json"})
        yield Sent("multipart that is not", path, raw, {"content-type": "multipart/related"})
        yield Sent("gzip", path, gzip.compress(raw), {**XML, "content-encoding": "gzip"})
        yield Sent("nothing", path, b"")
        yield Sent("GET", path, b"", method="GET")
        yield Sent("PUT", path, raw, method="PUT")
        yield Sent("UTF-16", path, raw.decode().encode("utf-16"))
        yield Sent("a mark first", path, b"\xef\xbb\xbf" + self.forged())

    def saved(self, shared: Path | None) -> Iterator[Sent]:
        """Old messages, ours and others': whoever signed them, their time has passed."""
        here = Path(__file__).parent
        found = [*(here / "fuzz/corpus").iterdir(), *(here / "golden/wire").glob("*.xml")]
        if shared is not None:
            found += [*(shared / "cases/wire").glob("*.xml")]
            found += [*(shared / "data/wus").glob("c*/*.xml")]
        for file in sorted(found):
            raw = file.read_bytes()
            about = [s for s in SERVED if s.name.encode() in raw] or [AANLEVER]
            yield Sent(file.name, about[0].path, raw)

    def mutated(self, seed: int) -> Iterator[Sent]:
        """Endless. Made of fresh messages, so that what holds is judged to the end, and of old."""
        dice = random.Random(seed)
        fresh = [sent.raw for sent in self.right()] + [self.forged(), self.forged(Shape())]
        for number, raw in enumerate(mutations(seed, fresh * 3 + seeds())):
            found = [s for s in SERVED if s.name.encode() in raw] or [dice.choice(SERVED)]
            multipart = 'multipart/related; type="application/xop+xml"; boundary="grens"'
            headers = {"content-type": multipart} if raw.startswith(b"--grens") else XML
            yield Sent(f"mutation {number}", found[0].path, raw, headers)


class _Recorder:
    """In the place of the kit's HTTP: keeps what would go out."""

    def __init__(self, base: str) -> None:
        self.base, self.sent, self.name = base, list[Sent](), ""

    def post(self, url: str, raw: bytes, headers: Mapping[str, str]) -> Answer:
        path = url.removeprefix(self.base)
        self.sent.append(Sent(self.name, path, raw, {k.lower(): v for k, v in headers.items()}))
        return Answer(500, {}, b"")

    def close(self) -> None:
        pass
