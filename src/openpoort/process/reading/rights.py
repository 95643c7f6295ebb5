"""Who may see what: one's own messages, and those that the directory opens to one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.message import Vraag
from openpoort.domain.party import EVERY_KIND, Directory
from openpoort.process.flow.context import belang
from openpoort.store.messages.mailbox import Letter
from openpoort.store.messages.reading import Known

_UNNAMED = "\0"
"""A kind that no agreement and no mandate names: whoever may read it may read every kind."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Of one requester, at one moment."""

    oin: Oin
    directory: Directory
    at: datetime

    def process(self, known: Known) -> bool:
        """The sender sees its own process; others what they may read."""
        return known.sender == self.oin.value or self.directory.may_read(
            self.oin, known.berichtsoort, known.belanghebbende, self.at
        )

    def letter(self, letter: Letter, belanghebbende: Identiteit) -> bool:
        return letter.owner == self.oin.value or self.directory.may_read(
            self.oin, letter.berichtsoort, belanghebbende, self.at
        )

    def kinds(self, belanghebbende: Identiteit) -> frozenset[str] | None:
        """Kinds of which it may read what is about this party; None: of every kind there is."""
        named = {kind for one in self.directory.agreements for kind in one.kinds}
        named.update(kind for one in self.directory.mandates for kind in one.kinds)

        def may(kind: str) -> bool:
            return self.directory.may_read(self.oin, kind, belanghebbende, self.at)

        return None if may(_UNNAMED) else frozenset(filter(may, named - {EVERY_KIND}))

    def every(self, kind: str, vraag: Vraag) -> bool:
        """Whether processes of every sender may be seen, of this kind about this party."""
        assert vraag.belanghebbende is not None
        return self.directory.may_read(self.oin, kind, vraag.belanghebbende, self.at)

    def belang(self, vraag: Vraag) -> str:
        if vraag.belanghebbende is None:
            raise Fault("Het element identiteitBelanghebbende ontbreekt.")
        return belang(vraag.belanghebbende)

    def represented(self) -> Iterable[Identiteit]:
        """Parties that the requester may read for: itself and whoever mandated it."""
        party = self.directory.party(self.oin)
        found = {i.key: i for i in party.identities} if party else {}
        for mandate in self.directory.mandates:
            if mandate.holder == self.oin:
                found.setdefault(mandate.belanghebbende.key, mandate.belanghebbende)
        return [i for i in found.values() if self.directory.may_read(self.oin, None, i, self.at)]
