"""Return messages and messages that agencies start: listed and fetched by their receiver.

A message is new twice: as a line in the list, and with its content; fetching the list does not
make the content old (clients ask for the list first, then for each message).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from openpoort.domain.fault import Fault
from openpoort.domain.message import Bericht, Operatie, Proces, Vraag
from openpoort.process.engine.batch import Documents
from openpoort.process.flow import texts
from openpoort.process.flow.context import belang, kenmerk_of
from openpoort.process.reading import answers
from openpoort.process.reading.rights import Rights
from openpoort.process.reading.unread import Turn
from openpoort.store.messages import mailbox, messages, reading
from openpoort.store.messages.mailbox import LIST, MESSAGE, Letter, Wanted
from openpoort.store.messages.rows import MessageRow
from openpoort.store.payloads import payloads
from openpoort.store.postgres.pool import Connection
from openpoort.store.store import Store
from openpoort.wire.wus.koppelvlak import Item

_MOST = 10_000
_LARGEST = 256 * 1024 * 1024
"""Octets of content in one answer that is not cut; beyond it the requester must ask by time."""
_LISTS = frozenset({Operatie.BERICHTEN_LIJST, Operatie.NIEUWE_BERICHTEN_LIJST})
_BY_KENMERK = frozenset({Operatie.BERICHTEN_KENMERK, Operatie.NIEUWE_BERICHTEN_KENMERK})


def fetch(
    conn: Connection, store: Store, turn: Turn, rights: Rights, vraag: Vraag
) -> tuple[Item, ...]:
    """What the requester asked for, oldest first; noted in `turn` for when it got through."""
    in_list = vraag.operatie in _LISTS
    turn.what = LIST if in_list else MESSAGE
    new = turn.what if vraag.operatie.nieuwe else None
    if vraag.operatie in _BY_KENMERK:
        found = _by_kenmerk(conn, rights, vraag, new)
    else:
        found = _by_search(conn, rights, vraag, new)
    if len(found) > _MOST and new is None:
        raise Fault(f"Er zijn meer dan {_MOST} berichten; vraag een kortere periode op.")
    rows = messages.messages(conn, [(x.kenmerk, x.day) for x in found])
    made = _lines(found, rows) if in_list else _contents(conn, store, found, rows)
    if new is not None:
        sized = (((item, x), answers.size(vraag.operatie, item)) for item, x in made)
        kept = list(answers.fitting(sized, turn.room))
    else:
        kept = _all(made)
    if new is not None:
        turn.letters = [x for _, x in kept]
    if not in_list:
        turn.fetched = [x for _, x in kept]
    return tuple(item for item, _ in kept)


def _all(made: Iterator[tuple[Item, Letter]]) -> list[tuple[Item, Letter]]:
    kept, total = [], 0
    for item, letter in made:
        total += answers.contents(item)
        if total > _LARGEST:
            raise Fault("Het antwoord wordt te groot; vraag een kortere periode op.")
        kept.append((item, letter))
    return kept


def _by_search(conn: Connection, rights: Rights, vraag: Vraag, new: str | None) -> list[Letter]:
    asked = vraag.belanghebbende
    wanted = Wanted(
        rights.oin.value, vraag.berichtsoort, belang(asked) if asked else None,
        vraag.vanaf, vraag.tot, new, _MOST + 1,
    )  # fmt: skip
    found = mailbox.own(conn, wanted)
    parties = {belang(x): x for x in ([asked] if asked is not None else rights.represented())}
    readable = lambda belang: rights.kinds(parties[belang])  # noqa: E731 - asked for rarely
    for letter in mailbox.others(conn, wanted, list(parties), readable):
        if rights.letter(letter, parties[letter.belang]):
            found.append(letter)
    return sorted(found, key=lambda x: (x.at, x.kenmerk))


def _by_kenmerk(conn: Connection, rights: Rights, vraag: Vraag, new: str | None) -> list[Letter]:
    kenmerk = kenmerk_of(vraag.kenmerk)
    known = reading.known(conn, [kenmerk]).get(kenmerk)
    letters = mailbox.about(conn, kenmerk)
    rows = messages.messages(conn, [(x.kenmerk, x.day) for x in letters])
    mine = [x for x in letters if rights.letter(x, rows[x.kenmerk].belanghebbende)]
    if not mine and (known is None or not rights.process(known)):
        raise Fault(texts.NO_SUCH_KENMERK)
    mine = [x for x in mine if answers.within(vraag, x.at)]
    return mailbox.unseen(conn, rights.oin.value, mine, new) if new and mine else mine


def _lines(
    found: Sequence[Letter], rows: Mapping[UUID, MessageRow]
) -> Iterator[tuple[Item, Letter]]:
    for x in found:
        m = rows[x.kenmerk]
        yield Proces(str(x.shown), m.berichtsoort, m.belanghebbende), x


def _contents(
    conn: Connection, store: Store, found: Sequence[Letter], rows: Mapping[UUID, MessageRow]
) -> Iterator[tuple[Item, Letter]]:
    """One at a time: an answer that is cut reads no more than it holds."""
    for x in found:
        m = rows[x.kenmerk]
        stored = payloads.load(conn, [(x.day, d.digest) for d in m.documents])
        inhoud, *bijlagen = Documents(m.documents, stored, store)()
        yield Bericht(
            kenmerk=str(x.shown), berichtsoort=m.berichtsoort, berichtkenmerk=m.berichtkenmerk,
            tijdstempel_aangeleverd=m.accepted_at, belanghebbende=m.belanghebbende,
            rol_belanghebbende=m.rol_belanghebbende, inhoud=inhoud, bijlagen=tuple(bijlagen),
            aanleverkenmerk=m.aanleverkenmerk, eerder_aanleverkenmerk=m.eerder_aanleverkenmerk,
            aanleveraar=m.sender, ontvanger=m.ontvanger, rol_ontvanger=m.rol_ontvanger,
        ), x  # fmt: skip
