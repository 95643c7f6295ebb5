"""What a directory says that cannot be meant: refused where it is new, told where it stood there.

`unknown` names words that nothing here answers to; `loose` names what is allowed and has no
effect, or another one than its reader thinks. Identities are masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from openpoort.domain.ids import Oin
from openpoort.domain.kind import Kind
from openpoort.domain.party import EVERY_KIND, Agreement, Directory, Mandate, Party
from openpoort.domain.partydiff import Diff, Row, Verb, describe


@dataclass(frozen=True, slots=True)
class Words:
    """What the installed kinds know: names of kinds, roles, types of identity (lower case)."""

    kinds: frozenset[str]
    rollen: frozenset[str]
    types: frozenset[str]

    @classmethod
    def of(cls, kinds: Mapping[str, Kind]) -> Words:
        return cls(
            frozenset(kinds) | {EVERY_KIND},
            frozenset(r for k in kinds.values() for r in k.rollen),
            frozenset(t.lower() for k in kinds.values() for t in k.identity_types) | {"oin"},
        )


def unknown(diff: Diff, new: Directory, words: Words) -> list[str]:
    """Per row that is added or changed, the words in it that nothing here answers to."""
    found = []
    for change in diff.changes:
        if change.new is not None:
            about = f"{change.table} {describe(change.new)}"
            found += [f"{about}: {what}" for what in _unknown(change.new, new, words)]
    return found


def _unknown(row: Row, new: Directory, words: Words) -> Iterable[str]:
    if isinstance(row, Party):
        yield from _types((i.type for i in row.identities), words)
        return
    if isinstance(row, Agreement):
        yield from _kinds(row.kinds, words)
        for rol in sorted(row.rollen - words.rollen):
            yield f"unknown role {rol!r} (known: {', '.join(sorted(words.rollen))})"
    elif isinstance(row, Mandate):
        yield from _kinds(row.kinds, words)
        yield from _types([row.belanghebbende.type], words)
        if new.party(row.holder) is None:
            yield f"the holder {row.holder.value} is no party"
    else:
        yield from _kinds(row.status_kinds | row.return_kinds, words)


def _kinds(kinds: frozenset[str], words: Words) -> Iterable[str]:
    for kind in sorted(kinds - words.kinds):
        yield f"unknown kind {kind!r}"


def _types(types: Iterable[str], words: Words) -> Iterable[str]:
    for one in sorted({t for t in types if t.lower() not in words.types}):
        yield f"unknown type of identity {one!r} (known: {', '.join(sorted(words.types))})"


def loose(directory: Directory, at: datetime) -> list[str]:
    """Mandates that hang in the air at `at`, and identities that two parties call their own."""
    return [*_hanging(directory, at), *_shared(directory)]


def _hanging(directory: Directory, at: datetime) -> Iterable[str]:
    passed_on = {(m.holder, m.belanghebbende.key) for m in directory.mandates if m.delegate}
    for mandate in directory.mandates:
        about = f"mandate {describe(mandate)} has no effect"
        why = _absent(directory, mandate.holder, at)
        if why:
            yield f"{about}: its holder {why}"
        if mandate.giver is None:
            continue
        why = _absent(directory, mandate.giver, at)
        if why:
            yield f"{about}: who passed it on {why}"
        elif (mandate.giver, mandate.belanghebbende.key) not in passed_on:
            yield f"{about}: who passed it on holds none that may be passed on"


def _absent(directory: Directory, oin: Oin, at: datetime) -> str:
    party = directory.party(oin)
    if party is None:
        return "is no party"
    if party.window.until is not None and party.window.until <= at:
        return f"is a party that ended on {party.window.until:%Y-%m-%d}"
    return ""


def _shared(directory: Directory) -> Iterable[str]:
    owners: dict[tuple[str, str], list[Party]] = {}
    for party in directory.parties:
        for key in {i.key for i in party.identities}:
            owners.setdefault(key, []).append(party)
    for parties in owners.values():
        if len(parties) > 1:
            key = next(k for k, v in owners.items() if v is parties)
            shown = next(i for i in parties[0].identities if i.key == key)
            names = " and ".join(f"{p.oin.value} {p.name}" for p in parties)
            yield f"{shown} stands at {names}: each may act for it as itself"


def removes_all(diff: Diff, old: Directory, new: Directory) -> bool:
    """Whether every party, or every agency, that there was goes."""
    gone = [c for c in diff.changes if c.verb is Verb.REMOVED]
    return bool(gone) and (
        (bool(old.parties) and not new.parties) or (bool(old.agencies) and not new.agencies)
    )
