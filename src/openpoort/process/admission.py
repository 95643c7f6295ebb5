"""Whether a hand-in may come in: its kind, its values and the rights of its sender.

All that can be said of it without the database, for whoever must say it (the intake, and the
diagnosis of a request). Every function raises Fault, with the text that the sender gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.kind import Kind
from openpoort.domain.message import Aanlevering
from openpoort.domain.party import Directory
from openpoort.process.flow import switches
from openpoort.process.flow.context import kenmerk_of


@dataclass(frozen=True, slots=True)
class Suited:
    """What a hand-in asks for. `stub`: it goes nowhere, whatever its document; `wait`: how long
    it is kept waiting before it is taken in."""

    kind: Kind
    switch: switches.Switch | None
    stub: bool
    wait: timedelta | None


def suited(
    kinds: Mapping[str, Kind], request: Aanlevering, *, switched: bool, suite: bool
) -> Suited:
    """`switched`: the names of the Aansluit Suite work here; `suite`: it came in by one of its
    paths. Raises Busy too, where a name asks for it."""
    kind = kinds.get(request.berichtsoort)
    if kind is None:
        raise Fault(f"Berichtsoort {request.berichtsoort[:80]!r} is hier niet bekend.")
    switch = switches.of(request.aanleverkenmerk) if switched else None
    stub = suite and switch is switches.Switch.HAPPYFLOW and kind.direction != "retour"
    if not stub:
        _fits(kind, request)
    return Suited(kind, switch, stub, switches.at_hand_in(switch))


def route(
    directory: Directory, sender: Oin, kind: Kind, request: Aanlevering, now: datetime
) -> tuple[UUID | None, str | None]:
    """The earlier process that a return message names (whether there is one only the database
    knows), or who gets a return message that names none. Both None for all other messages."""
    if kind.direction != "retour":
        directory.may_send(
            sender, kind.berichtsoort, request.belanghebbende, request.rol_belanghebbende, now
        )
        if request.kenmerk is not None:
            raise Fault("Het element kenmerk is bij aanleveren niet toegestaan.")
        return None, None
    if not directory.may_return(sender, kind.berichtsoort):
        raise Fault(f"Deze afzender mag berichtsoort {kind.berichtsoort} niet aanleveren.")
    if request.kenmerk is not None:
        return kenmerk_of(request.kenmerk), None
    return None, _owner(directory, request)


def ontvanger(directory: Directory, kind: Kind, request: Aanlevering) -> Identiteit | None:
    """Who it goes to, by our routing; what the sender named where we route nothing."""
    if kind.ontvanger is None:
        return request.ontvanger
    try:
        return Identiteit(directory.agency(kind.ontvanger).oin.value, "OIN")
    except KeyError:
        raise Fault(
            "Voor deze berichtsoort is nu geen ontvanger bekend.",
            reason=400, log=f"agency {kind.ontvanger} is not in the directory",
        ) from None  # fmt: skip


def got_it(kinds: Mapping[str, Kind], directory: Directory, agency: Oin, berichtsoort: str) -> bool:
    """Whether messages of this kind go to this agency."""
    kind = kinds.get(berichtsoort)
    if kind is None:
        return False
    names = {name for step in kind.steps for name in step.agencies}
    return any(a.name in names and a.oin == agency for a in directory.agencies)


def _fits(kind: Kind, request: Aanlevering) -> None:
    """What the kind says about the request itself."""
    types = {t.lower() for t in kind.identity_types}
    if request.belanghebbende.type.lower() not in types:
        raise Fault(
            f"Identiteitstype {request.belanghebbende.type[:20]!r} kan niet bij berichtsoort "
            f"{kind.berichtsoort} (wel: {', '.join(kind.identity_types)})."
        )
    if request.rol_belanghebbende not in kind.rollen:
        raise Fault(
            f"Rol {request.rol_belanghebbende[:40]!r} kan niet bij berichtsoort "
            f"{kind.berichtsoort} (wel: {', '.join(kind.rollen)})."
        )


def _owner(directory: Directory, request: Aanlevering) -> str:
    """OIN of the party that a message without an earlier process goes to."""
    ontvanger = request.ontvanger
    if ontvanger is not None and ontvanger.type.upper() == "OIN":
        if any(p.oin.value == ontvanger.nummer for p in directory.parties):
            return ontvanger.nummer
        raise Fault("De opgegeven ontvanger is niet aangesloten op deze poort.")
    key = (ontvanger or request.belanghebbende).key
    for party in directory.parties:
        if any(identity.key == key for identity in party.identities):
            return party.oin.value
    return ""  # whoever holds a mandate of the interested party can fetch it
