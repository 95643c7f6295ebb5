"""The directory that `init` writes: invented parties that may send every shipped kind.

`bedrijf` acts for its own identities, `intermediair` for itself and two invented clients, of
which the second came to it through a chain of mandates. The agencies receive and answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.party import (
    EVERY_KIND,
    Afnemer,
    Agreement,
    Directory,
    Mandate,
    Party,
    Right,
)
from openpoort.domain.partyfile import write
from openpoort.sandbox.agencies import AGENCIES
from openpoort.sandbox.pki import OINS

BEDRIJF = ("001000044", "90000044")
"""RSIN and KvK number; BTW and Fi are RSIN + B37, LHnr is RSIN + L01."""
INTERMEDIAIR = ("002000040", "90000055")
CLIENTS = (("003000059", "90000066"), ("004000067", "90000077"))
FIRST_IN_CHAIN = "00000099003000088000"
"""An office without an agreement of its own that passed the mandate of the second client on."""

_HEADER = """\
# Who is known at this gateway, and what they may do. Applied by `openpoort party apply`.
# The organisations and numbers are invented (test OINs start with 00000099).
"""


def identities(rsin: str, kvk: str) -> tuple[Identiteit, ...]:
    """The five forms in which one organisation is named."""
    return (
        Identiteit(rsin + "B37", "BTW"),
        Identiteit(rsin + "B37", "Fi"),
        Identiteit(rsin + "L01", "LHnr"),
        Identiteit(kvk, "KvK"),
        Identiteit(rsin, "RSIN"),
    )


def starting(kinds: Sequence[str] = (EVERY_KIND,)) -> Directory:
    """The starting directory as a value; endpoints keep their `{agency_port}` placeholder."""
    bedrijf, intermediair = Oin(OINS["bedrijf"]), Oin(OINS["intermediair"])
    every = frozenset(kinds)
    mandates = [Mandate(i, intermediair, every) for i in identities(*CLIENTS[0])]
    for who in identities(*CLIENTS[1]):
        first = Oin(FIRST_IN_CHAIN)
        mandates.append(Mandate(who, first, every, delegate=True))
        mandates.append(Mandate(who, intermediair, every, giver=first))
    return Directory(
        parties=(
            Party(bedrijf, "Voorbeeldbedrijf B.V.", identities(*BEDRIJF)),
            Party(intermediair, "Voorbeeldkantoor B.V.", identities(*INTERMEDIAIR)),
            Party(Oin(FIRST_IN_CHAIN), "Voorbeeldadministratie B.V."),
        ),
        agreements=(
            Agreement(bedrijf, every, frozenset({"Bedrijf"}), frozenset(Right)),
            Agreement(intermediair, every, frozenset({"Intermediair", "Bedrijf"})),
        ),
        mandates=tuple(mandates),
        agencies=tuple(_agency(row.name, row.oin) for row in AGENCIES),
    )


def default(kinds: Sequence[str] = (EVERY_KIND,)) -> str:
    """`directory.toml` as `init` writes it."""
    return _HEADER + "\n" + write(starting(kinds))


def _agency(name: str, oin: str) -> Afnemer:
    every = frozenset({EVERY_KIND})
    endpoint = "https://localhost:{agency_port}/" + name.lower() + "/wus/2.0/afleverservice/1.2"
    # As many at once as a large agency takes; one sync of its disk serves all of them.
    return Afnemer(
        name, Oin(oin), endpoint, max_parallel=32, status_kinds=every, return_kinds=every
    )
