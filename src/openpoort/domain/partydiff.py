"""What changes from one directory to the next, as lines a person can approve.

Lines mask identities: they go to the journal. `told` is for who has to approve: it names whose
mandate it is, and the numbers in full when asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.party import Afnemer, Agreement, Directory, Mandate, Party

Row = Party | Agreement | Mandate | Afnemer


class Verb(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


_SIGN = {Verb.ADDED: "+", Verb.REMOVED: "-", Verb.CHANGED: "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """`old` is None when added, `new` when removed. Only parties and agencies have a key of
    their own and can be changed; an agreement or mandate is removed and added."""

    verb: Verb
    table: str
    old: Row | None
    new: Row | None

    def line(self) -> str:
        """`+ mandate …`; masked."""
        shown = self.new or self.old
        assert shown is not None
        text = f"{_SIGN[self.verb]} {self.table} {describe(shown)}"
        if self.verb is Verb.CHANGED and self.old is not None and self.new is not None:
            text += ": " + "; ".join(_differences(self.old, self.new))
        return text


@dataclass(frozen=True, slots=True)
class Diff:
    """Changes in a fixed order; empty when nothing changes."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def lines(self) -> list[str]:
        return [c.line() for c in self.changes]


def compare(old: Directory, new: Directory) -> Diff:
    """From `old` to `new`; order of rows does not count."""
    changes = [
        *_keyed(
            "party", {p.oin.value: p for p in old.parties}, {p.oin.value: p for p in new.parties}
        ),
        *_plain("agreement", old.agreements, new.agreements),
        *_plain("mandate", old.mandates, new.mandates),
        *_keyed("agency", {a.name: a for a in old.agencies}, {a.name: a for a in new.agencies}),
    ]
    return Diff(tuple(changes))


def told(change: Change, old: Directory, new: Directory, *, full: bool = False) -> str:
    """`line` with the names of whose mandate it is, who holds it and who passed it on, as far as
    they are parties before or after; numbers masked unless `full`."""
    shown = change.new or change.old
    if not isinstance(shown, Mandate | Agreement):
        return change.line()

    def who(identity: Identiteit) -> str:
        text = f"{identity.type}:{identity.nummer}" if full else str(identity)
        owners = (p for d in (new, old) for p in d.parties if _is(p, identity))
        owner = next(owners, None)
        return f"{text} ({owner.name if owner else 'no party'})"

    def party(oin: Oin) -> str:
        known = new.party(oin) or old.party(oin)
        return f"{oin.value} ({known.name if known else 'no party'})"

    return f"{_SIGN[change.verb]} {change.table} {describe(shown, who, party)}"


def _is(party: Party, identity: Identiteit) -> bool:
    return any(i.key == identity.key for i in party.identities)


def _number(oin: Oin) -> str:
    return oin.value


def describe(
    row: Row,
    who: Callable[[Identiteit], str] = str,
    party: Callable[[Oin], str] = _number,
) -> str:
    """One row in words; identities as `who` says (masked), parties as `party` does."""
    if isinstance(row, Party):
        return f"{row.oin.value} {row.name}"
    if isinstance(row, Afnemer):
        return f"{row.name} {row.oin.value} {row.endpoint}"
    since, until = row.window.since, row.window.until
    when = f" {_day(since)}..{_day(until)}" if since or until else ""
    what = f"{','.join(sorted(row.kinds))} ({','.join(sorted(row.rights))}){when}"
    if isinstance(row, Agreement):
        return f"{party(row.oin)} {what} as {','.join(sorted(row.rollen))}"
    chain = f" through {party(row.giver)}" if row.giver else ""
    passes_on = ", may pass on" if row.delegate else ""
    return f"{who(row.belanghebbende)} to {party(row.holder)}{chain} {what}{passes_on}"


def _keyed(table: str, old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterable[Change]:
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        verb = Verb.ADDED if before is None else Verb.REMOVED if after is None else Verb.CHANGED
        yield Change(verb, table, before, after)


def _plain(
    table: str, old: Iterable[Agreement | Mandate], new: Iterable[Agreement | Mandate]
) -> Iterable[Change]:
    before, after = set(old), set(new)
    gone = [Change(Verb.REMOVED, table, row, None) for row in before - after]
    come = [Change(Verb.ADDED, table, None, row) for row in after - before]
    yield from sorted(gone, key=lambda c: c.line())
    yield from sorted(come, key=lambda c: c.line())


def _differences(old: Row, new: Row) -> list[str]:
    found = []
    for name in old.__dataclass_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            found.append(f"{name} {_shown(before)} -> {_shown(after)}")
    return found


def _shown(value: object) -> str:
    if isinstance(value, Oin):
        return value.value
    if isinstance(value, Identiteit):
        return str(value)
    if isinstance(value, tuple | frozenset):
        return "[" + ", ".join(sorted(_shown(v) for v in value)) + "]"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
