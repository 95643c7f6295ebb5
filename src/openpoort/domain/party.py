"""Who is known here: parties, agreements, mandates and agencies, as plain values.

An agreement says which kinds an OIN may hand in or read, and in which role. A mandate
(machtiging) says for whom: it runs from an interested party to a holder, and a holder that may
delegate can pass it on. `Directory` holds them all and answers what is allowed.
Source: spec 3.4 Authorisation; OIN-Stelsel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit, Oin

K = TypeVar("K")
V = TypeVar("V")

EVERY_KIND = "*"
LONGEST_CHAIN = 4
"""Holders in one chain of mandates; longer ones are refused rather than searched."""


class Right(StrEnum):
    """`send` hands in (aanleveren); `read` asks statuses and fetches return messages."""

    SEND = "send"
    READ = "read"


BOTH = frozenset(Right)


@dataclass(frozen=True, slots=True)
class Window:
    """From (included) to (excluded); None is open. Aware datetimes."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Party:
    """A connected organisation. `identities` are its own: it may act for these as itself.

    `fault_status` is the HTTP status of its faults (500 or 200). `sha1_until` overrides the
    policy's sunset of SHA-1 for this sender. `tls_oins` are other OINs whose TLS certificate may
    carry its messages. `rate` and `burst` override the limit on requests per second.
    """

    oin: Oin
    name: str
    identities: tuple[Identiteit, ...] = ()
    window: Window = ALWAYS
    fault_status: int = 500
    sha1_until: datetime | None = None
    tls_oins: frozenset[Oin] = frozenset()
    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a party may do with which kinds (`*` for every kind), in which roles."""

    oin: Oin
    kinds: frozenset[str]
    rollen: frozenset[str]
    rights: frozenset[Right] = BOTH
    window: Window = ALWAYS


@dataclass(frozen=True, slots=True)
class Mandate:
    """`holder` may act for `belanghebbende`. Given by itself (`giver` None) or passed on by
    `giver`, a party that must hold a mandate with `delegate` of its own."""

    belanghebbende: Identiteit
    holder: Oin
    kinds: frozenset[str]
    rights: frozenset[Right] = BOTH
    giver: Oin | None = None
    delegate: bool = False
    window: Window = ALWAYS


@dataclass(frozen=True, slots=True)
class Afnemer:
    """An agency: where its messages go, and for which kinds it may set a status or hand in a
    return message. Has the fields of `process.ports.Agency`."""

    name: str
    oin: Oin
    endpoint: str
    channel: str = "wus"
    max_parallel: int = 8
    options: dict[str, str] = field(default_factory=dict, hash=False)
    status_kinds: frozenset[str] = frozenset()
    return_kinds: frozenset[str] = frozenset()


def covers(kinds: frozenset[str], kind: str) -> bool:
    return kind in kinds or EVERY_KIND in kinds


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything that is known, at one version. Raises ValueError when it contradicts itself."""

    parties: tuple[Party, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    agencies: tuple[Afnemer, ...] = ()
    _party: dict[Oin, Party] = field(init=False, repr=False, compare=False)
    _agreement: dict[Oin, list[Agreement]] = field(init=False, repr=False, compare=False)
    _mandate: dict[tuple[Oin, tuple[str, str]], list[Mandate]] = field(
        init=False, repr=False, compare=False
    )
    _agency: dict[str, Afnemer] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "_party", _unique(((p.oin, p) for p in self.parties), "party"))
        put(self, "_agency", _unique(((a.name, a) for a in self.agencies), "agency"))
        agreements: dict[Oin, list[Agreement]] = {}
        for agreement in self.agreements:
            if agreement.oin not in self._party:
                raise ValueError(f"agreement for unknown party {agreement.oin.value}")
            agreements.setdefault(agreement.oin, []).append(agreement)
        put(self, "_agreement", agreements)
        mandates: dict[tuple[Oin, tuple[str, str]], list[Mandate]] = {}
        for mandate in self.mandates:
            if mandate.giver == mandate.holder:
                raise ValueError(f"{mandate.holder.value} gives a mandate to itself")
            place = (mandate.holder, mandate.belanghebbende.key)
            mandates.setdefault(place, []).append(mandate)
        put(self, "_mandate", mandates)

    def filled(self, names: Mapping[str, object]) -> Directory:
        """With placeholders in the agencies' endpoints, such as `{agency_port}`, filled in."""

        def fill(text: str) -> str:
            for name, value in names.items():
                text = text.replace("{" + name + "}", str(value))
            return text

        agencies = tuple(replace(a, endpoint=fill(a.endpoint)) for a in self.agencies)
        return replace(self, agencies=agencies)

    def party(self, oin: Oin) -> Party | None:
        return self._party.get(oin)

    def agency(self, name: str) -> Afnemer:
        """KeyError when unknown."""
        return self._agency[name]

    def may_send(
        self, oin: Oin, berichtsoort: str, belanghebbende: Identiteit, rol: str, at: datetime
    ) -> None:
        """Nothing when allowed; otherwise Fault 100 that names what is missing.

        In role Bedrijf a party acts for its own identities only; in any other role for these
        and for whoever mandated it.
        """
        party = self._active(oin, at)
        mine = [
            a
            for a in self._agreement.get(oin, ())
            if covers(a.kinds, berichtsoort) and Right.SEND in a.rights
        ]
        if not mine:
            raise _no(
                f"Er is geen overeenkomst waarmee {party.name} berichtsoort {berichtsoort} "
                "mag aanleveren."
            )
        valid = [a for a in mine if a.window.holds(at)]
        if not valid:
            raise _no(
                f"De overeenkomst van {party.name} voor berichtsoort {berichtsoort} is "
                f"{_when(mine[0].window, at)}."
            )
        if not any(rol in a.rollen for a in valid):
            allowed = ", ".join(sorted(set().union(*(a.rollen for a in valid))))
            raise _no(
                f"De overeenkomst van {party.name} voor berichtsoort {berichtsoort} staat "
                f"rolBelanghebbende {rol} niet toe (wel: {allowed})."
            )
        if _owns(party, belanghebbende):
            return
        if rol == "Bedrijf":
            raise _no(
                f"In de rol Bedrijf mag {party.name} alleen voor zichzelf aanleveren; "
                f"belanghebbende {belanghebbende} is niet bij {party.name} geregistreerd."
            )
        if not self._mandated(oin, berichtsoort, belanghebbende, Right.SEND, at):
            raise self._no_mandate(party, berichtsoort, belanghebbende, at)

    def may_read(
        self, oin: Oin, berichtsoort: str | None, belanghebbende: Identiteit, at: datetime
    ) -> bool:
        """Whether `oin` may see statuses and messages of `belanghebbende` of this kind (None: of
        any kind at all). Having sent a message itself is another right, judged by the process."""
        party = self._party.get(oin)
        if party is None or not party.window.holds(at):
            return False
        kinds = frozenset(k for a in self._readable(oin, at) for k in a.kinds)
        if berichtsoort is not None:
            asked = {berichtsoort} if covers(kinds, berichtsoort) else set()
        else:
            held = self._mandate.get((oin, belanghebbende.key), ())
            asked = set(kinds) | {k for m in held for k in m.kinds if covers(kinds, k)}
        if not asked:
            return False
        if _owns(party, belanghebbende):
            return True
        return any(self._mandated(oin, k, belanghebbende, Right.READ, at) for k in asked)

    def connected(self, oin: Oin, berichtsoort: str, at: datetime) -> bool:
        """Whether `oin` is a party with an agreement to send this kind, whoever it is for."""
        party = self._party.get(oin)
        return (
            party is not None
            and party.window.holds(at)
            and any(
                covers(a.kinds, berichtsoort) and Right.SEND in a.rights and a.window.holds(at)
                for a in self._agreement.get(oin, ())
            )
        )

    def represents(
        self, oin: Oin, berichtsoort: str, belanghebbende: Identiteit, right: Right, at: datetime
    ) -> bool:
        """Whether `belanghebbende` is the party itself or mandated it, through a chain or not."""
        party = self._party.get(oin)
        if party is None or not party.window.holds(at):
            return False
        if _owns(party, belanghebbende):
            return True
        return self._mandated(oin, berichtsoort, belanghebbende, right, at)

    def readable_kinds(
        self, oin: Oin, belanghebbende: Identiteit, kinds: Iterable[str], at: datetime
    ) -> frozenset[str]:
        """Those of `kinds` that `oin` may read for `belanghebbende`."""
        return frozenset(k for k in kinds if self.may_read(oin, k, belanghebbende, at))

    def agency_of(self, oin: Oin) -> Afnemer | None:
        """The agency with this OIN; the first by name when it stands there more than once."""
        return next((a for a in self.agencies if a.oin == oin), None)

    def may_set_status(self, oin: Oin, berichtsoort: str) -> bool:
        return any(a.oin == oin and covers(a.status_kinds, berichtsoort) for a in self.agencies)

    def may_return(self, oin: Oin, berichtsoort: str) -> bool:
        """Whether an agency may hand in a return message of this kind."""
        return any(a.oin == oin and covers(a.return_kinds, berichtsoort) for a in self.agencies)

    def _active(self, oin: Oin, at: datetime) -> Party:
        party = self._party.get(oin)
        if party is None:
            raise _no(f"De organisatie met OIN {oin} is niet aangesloten op deze poort.")
        if not party.window.holds(at):
            raise _no(f"De aansluiting van {party.name} is {_when(party.window, at)}.")
        return party

    def _here(self, oin: Oin, at: datetime) -> bool:
        """Whether this is a party now: one that nobody knows is not."""
        party = self._party.get(oin)
        return party is not None and party.window.holds(at)

    def _readable(self, oin: Oin, at: datetime) -> list[Agreement]:
        mine = self._agreement.get(oin, ())
        return [a for a in mine if Right.READ in a.rights and a.window.holds(at)]

    def _mandated(
        self,
        oin: Oin,
        kind: str,
        belanghebbende: Identiteit,
        right: Right,
        at: datetime,
        holders: frozenset[Oin] = frozenset(),
    ) -> bool:
        """Follow the chain from holder to giver up to the interested party itself. `holders`
        are those already on the path: a ring of mandates proves nothing."""
        holders = holders | {oin}
        if len(holders) > LONGEST_CHAIN:
            return False
        for mandate in self._mandate.get((oin, belanghebbende.key), ()):
            # What is passed on must itself have been received with the right to pass it on.
            if len(holders) > 1 and not mandate.delegate:
                continue
            if not (
                covers(mandate.kinds, kind) and right in mandate.rights and mandate.window.holds(at)
            ):
                continue
            giver = mandate.giver
            if giver is None:
                return True
            # Who is absent is never more than who has ended.
            if giver in holders or not self._here(giver, at):
                continue
            if self._mandated(giver, kind, belanghebbende, right, at, holders):
                return True
        return False

    def _no_mandate(
        self, party: Party, kind: str, belanghebbende: Identiteit, at: datetime
    ) -> Fault:
        what = f"berichtsoort {kind} mag aanleveren voor belanghebbende {belanghebbende}"
        for mandate in self._mandate.get((party.oin, belanghebbende.key), ()):
            if covers(mandate.kinds, kind) and Right.SEND in mandate.rights:
                if not mandate.window.holds(at):
                    return _no(
                        f"De machtiging waarmee {party.name} {what} is {_when(mandate.window, at)}."
                    )
                return _no(
                    f"De machtiging waarmee {party.name} {what} is doorgegeven door OIN "
                    f"{mandate.giver}, maar die mag dat niet (meer)."
                )
        return _no(f"Er is geen machtiging waarmee {party.name} {what}.")


def _unique(rows: Iterable[tuple[K, V]], what: str) -> dict[K, V]:
    made: dict[K, V] = {}
    for key, value in rows:
        if key in made:
            name = key.value if isinstance(key, Oin) else key
            raise ValueError(f"{what} {name} stands there twice")
        made[key] = value
    return made


def _owns(party: Party, belanghebbende: Identiteit) -> bool:
    return any(i.key == belanghebbende.key for i in party.identities)


def _when(window: Window, at: datetime) -> str:
    if window.since is not None and at < window.since:
        return f"pas geldig vanaf {window.since:%Y-%m-%d %H:%M} UTC"
    return f"geldig geweest tot {window.until:%Y-%m-%d %H:%M} UTC"


def _no(text: str) -> Fault:
    return Fault(text)
