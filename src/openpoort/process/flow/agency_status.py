"""zetStatus: what an agency says about a message it got.

Only the agency that the message was delivered to may speak. A verdict that comes before we have
written the delivery (the agency is fast, or we died in between) is kept until then. The same
verdict twice changes nothing; another one after the end is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Oin
from openpoort.domain.message import ZetStatus
from openpoort.domain.party import Directory
from openpoort.domain.process import AGENCY_EVENTS, TRANSITIONS, AgencyStatus
from openpoort.process.flow import steps, texts
from openpoort.store.messages import changes
from openpoort.store.messages.changes import Process
from openpoort.store.store import Store
from openpoort.wire.xml.instant import UNSET


@dataclass(frozen=True, slots=True)
class Verdict:
    """One zetStatusRequest. `digest` is that of the request as received."""

    sender: Oin
    kenmerk: UUID
    request: ZetStatus
    at: datetime
    digest: bytes


class Setter:
    """Work for a Batcher: sets a batch of verdicts in one transaction."""

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory

    def __call__(self, conn: Any, items: Sequence[Verdict]) -> list[Fault | None]:
        directory = self._directory()
        with conn.transaction():
            known = changes.registers(conn, {item.kenmerk for item in items})
            places = {(k, row[0]) for k, row in known.items()}
            to = changes.offered_to(conn, places)
            named = changes.berichtkenmerken(
                conn, ((i.kenmerk, known[i.kenmerk][0]) for i in items
                       if i.request.berichtkenmerk is not None and i.kenmerk in known)
            )  # fmt: skip
            locked = changes.lock(conn, places)
            results: list[Fault | None] = []
            for item in items:
                process = locked.get(item.kenmerk)
                names = to.get(item.kenmerk, frozenset())
                results.append(_set(directory, item, process, names, named.get(item.kenmerk)))
            changes.apply(conn, [p for p in locked.values() if p.entries])
        return results


def _set(
    directory: Directory,
    item: Verdict,
    process: Process | None,
    offered: frozenset[str],
    berichtkenmerk: str | None,
) -> Fault | None:
    """`berichtkenmerk` is that of the message, where the request names one."""
    request = item.request
    mine = {a.name for a in directory.agencies if a.oin == item.sender}
    if (
        process is None
        or not mine & offered
        or not directory.may_set_status(item.sender, process.berichtsoort)
    ):
        return Fault(texts.NO_SUCH_KENMERK)
    if request.berichtkenmerk not in (None, berichtkenmerk):
        return Fault(
            f"Berichtkenmerk {request.berichtkenmerk!r} hoort niet bij het bericht met dit kenmerk."
        )
    event = AGENCY_EVENTS.get(request.statuscode)
    if event is None:
        return Fault(
            f"Statuscode {request.statuscode[:20]!r} kan niet worden gezet "
            f"(wel: {', '.join(AGENCY_EVENTS)})."
        )
    carried = process.carried
    said = AgencyStatus(request.statuscode, request.fout, request.statusdetails)
    if carried.last_agency_status == said:
        return None
    # Of a message that an operator has delivered once more it counts what it is to its sender.
    if event not in TRANSITIONS[carried.redelivery_of or process.state]:
        return Fault("Dit proces is al afgerond; de status kan niet meer worden gewijzigd.")
    if carried.kept_agency_status is not None and carried.kept_agency_status.ends:
        return Fault("Voor dit proces is al een andere status gezet.")
    carried.last_agency_status = said
    note: dict[str, object] = {"code": request.statuscode, "request": item.digest.hex(),
                               "said_at": request.tijdstempel_status.isoformat()}  # fmt: skip
    process.note("status.received", item.at, note, item.sender.value)
    said_at = request.tijdstempel_status
    at = item.at if said_at == UNSET else min(max(said_at, process.last_at), item.at)
    steps.agency_says(process, said, at)
    return None
