"""Messages that wait for their receiver (Ophaalservice)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg

from openpoort.store.messages import closed_weeks
from openpoort.store.messages.closed_weeks import Span
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]
LIST, MESSAGE = "list", "message"
"""The two ways in which a message can be new: as a line in the list, and with its content."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in a mailbox; `shown` is the kenmerk that its receiver knows it by."""

    day: date
    kenmerk: UUID
    shown: UUID
    owner: str
    belang: str
    berichtsoort: str
    at: datetime


_COLUMNS = "b.day, b.kenmerk, b.shown, b.owner, b.belang, b.berichtsoort, b.at"
_WHERE = (
    "(%(kind)s::text is null or b.berichtsoort = %(kind)s)"
    " and (%(belang)s::text is null or b.belang = %(belang)s)"
    " and (%(since)s::timestamptz is null or b.at >= %(since)s)"
    " and (%(until)s::timestamptz is null or b.at < %(until)s)"
    " and (b.day >= %(from)s or b.day = any(%(days)s::date[]))"
)
OWN = f"""
select {_COLUMNS} from mailbox b where b.owner = %(requester)s and {_WHERE} {{new}}
order by b.at, b.kenmerk limit %(limit)s
"""
OTHERS = f"""
select {_COLUMNS} from mailbox b where b.belang = any(%(of)s) and b.owner <> %(requester)s
    and {_WHERE} {{new}}
order by b.at, b.kenmerk limit %(limit)s
"""
_UNSEEN = """and not exists (select from seen s where s.kenmerk = b.kenmerk and s.day = b.day
    and s.requester = %(requester)s and s.what = %(what)s
    and (s.day >= %(from)s or s.day = any(%(days)s::date[])))"""
_FLAG = {LIST: "new_in_list", MESSAGE: "new_as_message"}
PLACES = """
select kenmerk, day from register where kenmerk = %(kenmerk)s and about is null
union all
select kenmerk, day from register where about = %(kenmerk)s
"""
ABOUT = f"""
select {_COLUMNS} from unnest(%b::uuid[], %b::date[]) w(k, d)
    join mailbox b on b.kenmerk = w.k and b.day = w.d where b.day = any(%b)
order by 7, 2
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question: `new` is LIST or MESSAGE for what is new that way, None for all. `kinds` are the
    only ones that the requester may have, where it may not have all."""

    requester: str
    kind: str | None = None
    belang: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    new: str | None = None
    limit: int = 1000
    kinds: tuple[str, ...] | None = None

    def parameters(self, span: Span) -> dict[str, object]:
        return {
            "requester": self.requester, "kind": self.kind, "belang": self.belang,
            "since": self.since, "until": self.until, "what": self.new, "limit": self.limit,
            "from": span.since, "days": span.days,
            "kinds": list(self.kinds) if self.kinds is not None else None,
        }  # fmt: skip

    def key(self, about: str | None) -> UUID:
        """The question whether something is new, of one's own (None) or about somebody; whatever
        the time of it."""
        words = ("letter", self.requester, about, self.new, self.kind, self.belang)
        return closed_weeks.question(*words, *(self.kinds or ()))


def own(conn: Connection, wanted: Wanted) -> list[Letter]:
    """Letters that are the requester's own, oldest first."""
    new = f"and b.{_FLAG[wanted.new]}" if wanted.new else ""
    keys = {wanted.requester: wanted.key(None)}
    return _listed(conn, OWN.format(new=new), wanted, keys)


Readable = Callable[[str], Collection[str] | None]
"""The kinds that the requester may have of a party; None: every kind."""


def _every_kind(belang: str) -> None:
    return None


def others(
    conn: Connection, wanted: Wanted, of: Sequence[str], readable: Readable = _every_kind
) -> list[Letter]:
    """Letters about these parties that are somebody else's, oldest first, at most `wanted.limit`
    for each; whether the requester may have them is for the caller to judge.

    What it may not have stays unseen for ever and must hide nothing. Mostly there is little of
    it; only where a list is full, rights become part of the question.
    """
    new = _UNSEEN if wanted.new else ""
    keys = {belang: wanted.key(belang) for belang in of}
    found = _listed(conn, OTHERS.format(new=new), wanted, keys) if keys else []
    if len(found) < wanted.limit:
        return found
    if len(keys) > 1:
        return [x for belang in keys for x in others(conn, wanted, [belang], readable)]
    (belang,) = keys
    kinds = readable(belang)
    if kinds is None:
        return found
    allowed = replace(wanted, kinds=tuple(sorted(kinds)))
    query = OTHERS.format(new=f"{new} and b.berichtsoort = any(%(kinds)s::text[])")
    return _listed(conn, query, allowed, {belang: allowed.key(belang)})


def _listed(conn: Connection, query: str, wanted: Wanted, keys: Mapping[str, UUID]) -> list[Letter]:
    """`keys`: whose letters, with the question about each."""
    span = closed_weeks.span(conn, list(keys.values()), keys) if wanted.new else closed_weeks.ALL
    given = wanted.parameters(span) | {"of": list(keys)}
    found = [Letter(*row) for row in conn.execute(query, given).fetchall()]
    complete = wanted.since is None and wanted.until is None and len(found) < wanted.limit
    if wanted.new and complete:
        days: dict[UUID, set[date]] = {}
        for letter in found:
            key = keys.get(letter.owner) or keys[letter.belang]
            days.setdefault(key, set()).add(letter.day)
        closed_weeks.learn(conn, span, days)
    return found


def about(conn: Connection, kenmerk: UUID) -> list[Letter]:
    """Letters known by `kenmerk`: itself, or those that belong to that process; oldest first."""
    places = conn.execute(PLACES, {"kenmerk": kenmerk}).fetchall()
    places = places or [(kenmerk, partitions.present())]
    days = [day for _, day in places]
    rows = conn.execute(
        ABOUT, [[k for k, _ in places], days, partitions.days(days)], binary=True
    ).fetchall()
    return [Letter(*row) for row in rows]


def unseen(conn: Connection, requester: str, letters: Sequence[Letter], what: str) -> list[Letter]:
    """Those that are new to the requester."""
    days = [x.day for x in letters]
    rows = conn.execute(
        f"select b.kenmerk from unnest(%(k)s::uuid[], %(d)s::date[]) w(k, d)"
        f" join mailbox b on b.kenmerk = w.k and b.day = w.d where b.day = any(%(d)s) and"
        f" case when b.owner = %(requester)s then b.{_FLAG[what]} else true end {_UNSEEN}",
        {"k": [x.kenmerk for x in letters], "d": days, "requester": requester, "what": what,
         "from": date.max, "days": days},
    ).fetchall()  # fmt: skip
    fresh = {row[0] for row in rows}
    return [letter for letter in letters if letter.kenmerk in fresh]


def mark(conn: Connection, requester: str, letters: Sequence[Letter], what: str) -> None:
    """The requester has had these, in the caller's transaction."""
    own_ones = sorted((x.kenmerk, x.day) for x in letters if x.owner == requester)
    if own_ones:
        conn.execute(
            f"update mailbox set {_FLAG[what]} = false"
            " where kenmerk = any(%b) and day = any(%b) and owner = %b",
            [[k for k, _ in own_ones], [d for _, d in own_ones], requester],
            binary=True,
        )
    rest = sorted((x.kenmerk, x.day) for x in letters if x.owner != requester)
    if rest:
        conn.execute(
            "insert into seen (day, requester, kenmerk, what, seqs)"
            " select w.day, %b, w.kenmerk, %b, '{1}' from unnest(%b::uuid[], %b::date[])"
            " w(kenmerk, day) on conflict do nothing",
            [requester, what, [k for k, _ in rest], [d for _, d in rest]],
            binary=True,
        )
