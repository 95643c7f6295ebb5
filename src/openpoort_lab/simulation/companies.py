"""Senders: what they hand in, how they repeat it, and what they hear of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Aanlevering, Document, Operatie, Vraag
from openpoort.domain.status import Status
from openpoort.process.reading.reader import Busy
from openpoort.sandbox.directory import BEDRIJF, CLIENTS, INTERMEDIAIR, identities
from openpoort.sandbox.pki import OINS
from openpoort_lab.simulation.gateway import Door, NoAnswer, verified

COMPANY, OFFICE = OINS["bedrijf"], OINS["intermediair"]
_WHO = {
    COMPANY: (identities(*BEDRIJF),),
    OFFICE: (identities(*INTERMEDIAIR), identities(*CLIENTS[0]), identities(*CLIENTS[1])),
}
_TYPE = {"Omzetbelasting": 0, "eFactuur": 3, "Jaarrekening-Kopie": 3, "Verzamelfactuur": 3,
         "Nabezorging": 3, "Servicebericht": 3, "Retourbericht": 3}  # fmt: skip
"""Which identity of a party (of `identities`) a kind goes by."""


@dataclass(slots=True)
class Order:
    """One message that somebody means to hand in once. `wrong`: its MessageID was used before
    with other values, and it must be refused. `kenmerk`: what it was acknowledged with."""

    number: int
    oin: str
    message_id: str
    request: Aanlevering
    raw: bytes
    wrong: bool = False
    kenmerk: str | None = None


class Companies:
    """Makes orders and keeps at them until each has its answer."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self.orders: list[Order] = []
        self.open = 0
        self.repeats = 0

    def order(self, number: int) -> Order:
        """The next one: mostly new, now and then a MessageID with other values."""
        draw = self._world.scheduler.draw
        if self.orders and draw.random() < 0.01:
            before = draw.choice(self.orders)
            if not before.wrong and before.kenmerk is not None and before.request.kenmerk is None:
                other = replace(before.request, aanleverkenmerk="iets anders")
                return Order(number, before.oin, before.message_id, other, before.raw, wrong=True)
        kind = draw.choices(*self._world.mix)[0]
        oin = draw.choice((COMPANY, OFFICE))
        about = None
        if kind in ("Servicebericht", "Retourbericht"):
            oin = OINS["agency"]
            if kind == "Retourbericht":
                about = self._world.delivered_to_agency()
                kind = kind if about else "Servicebericht"
        parties = _WHO.get(oin, _WHO[COMPANY])
        party = draw.choice(parties)
        rol = "Bedrijf" if party is parties[0] else "Intermediair"
        request = Aanlevering(
            kind, party[_TYPE[kind]], rol, self._document(number, kind),
            self._attachments(number, kind), kenmerk=about,
            aanleverkenmerk=f"nummer {number // self._world.content_repeats}",
        )  # fmt: skip
        raw = b"<soap>%d</soap>" % number
        return Order(number, oin, f"urn:uuid:{self._world.uuid()}", request, raw)

    def _document(self, number: int, kind: str) -> Document:
        draw = self._world.scheduler.draw
        if kind == "Verzamelfactuur":
            parts = "".join(f"<Factuur>{number}-{n}</Factuur>" for n in range(draw.randint(1, 4)))
            return Document(
                "application/xml", "v.xml", f"<Verzameling>{parts}</Verzameling>".encode()
            )
        mark = ""
        if draw.random() < 0.03:
            mark = "fout:" + draw.choice(("structure", "filing", "xbrl", "plain"))
        same = number // self._world.content_repeats
        return Document("application/xml", "a.xbrl", f"<xbrl>{same} {mark}</xbrl>".encode())

    def _attachments(self, number: int, kind: str) -> tuple[Document, ...]:
        if kind == "Jaarrekening-Kopie" and number % 3:
            return (Document("application/pdf", "b.pdf", b"bijlage %d" % number),)
        return ()

    def hand_in(self, order: Order) -> None:
        """A task: send until it is acknowledged or refused for good."""
        world = self._world
        draw = world.scheduler.draw
        who = verified(order.oin, order.message_id)
        again = draw.random() < world.trouble.sent_again
        while True:
            try:
                door = world.a_door()
                taken = door.hand_in(who, order.request, order.raw)
                if draw.random() < world.trouble.answer_lost:
                    raise NoAnswer
            except Fault as fault:
                world.laws.refused(order, fault)
                break
            except (NoAnswer, Busy):
                self.repeats += 1
            except Exception as error:  # noqa: BLE001 - the door makes a technical fault of it
                world.laws.technical(order, error)
                self.repeats += 1
            else:
                world.laws.acknowledged(order, taken)
                if not again:
                    break
                again = False  # a sender that did not see the answer, or does not trust it
                self.repeats += 1
            world.scheduler.pause(draw.choice((0.0, 0.2, 2.0, 30.0)) + draw.random())
        self.open -= 1

    def poll(self) -> None:
        """One question about what is new, by company or office."""
        world = self._world
        draw = world.scheduler.draw
        requester = draw.choice((COMPANY, OFFICE))
        own = [o for o in self.orders[-50:] if o.kenmerk and o.oin == requester]
        if own and draw.random() < 0.5:
            chosen = draw.choice(own)
            asked: dict[str, Any] = {"kenmerk": chosen.kenmerk}
            operatie = draw.choice((Operatie.NIEUWE_STATUSSEN_PROCES, Operatie.STATUSSEN_PROCES))
        else:
            kind = draw.choice(world.mix[0])
            who: Identiteit = draw.choice(_WHO[requester])[_TYPE[kind]]
            asked = {"berichtsoort": kind, "belanghebbende": who}
            operatie = Operatie.NIEUWE_STATUSSEN
        lost = draw.random() < world.trouble.answer_lost
        self.ask(world.a_door, requester, Vraag(operatie, **asked), lost)

    def ask(
        self, a_door: Callable[[], Door], requester: str, vraag: Vraag, lost: bool = False
    ) -> int | None:
        """Ask once; how many items came through. None when there was no answer."""
        world = self._world
        try:
            who = verified(requester, f"urn:uuid:{world.uuid()}")
            items = a_door().ask(who, vraag, lost).items
        except (NoAnswer, Busy):
            return None
        except Fault as fault:
            world.laws.reading_refused(vraag, fault)
            return None
        except Exception as error:  # noqa: BLE001 - the door makes a technical fault of it
            world.laws.technical(None, error)
            return None
        for item in items:
            if isinstance(item, Status) and vraag.operatie.nieuwe:
                world.laws.told(requester, item)
        return len(items)
