"""Messages as an operator looks for them: by what he was told, newest first, few at a time.

Week by week from the newest, each by the index of the narrowest thing asked, until there are
enough. So what it takes does not grow with what is kept, but for a step per week. Look-up rows hold
digests of words (`store/messages/lookup.py`); what is found is compared with the words themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from openpoort.domain.ids import Identiteit
from openpoort.domain.process import State
from openpoort.store.postgres import partitions

Connection = psycopg.Connection[Any]

_WEEK = "{0}.day >= %(monday)s and {0}.day < %(next)s"
_WORDS = f"""
select l.at, l.kenmerk, l.day from lookup l
where {_WEEK.format("l")} and l.at >= %(since)s and l.at < %(until)s
    and l.state = any(%(states)s) {{}}
order by l.at desc limit %(limit)s
"""
_STATES = f"""
select l.at, l.kenmerk, l.day from unnest(%(states)s::text[]) s(state), lateral (
    select at, kenmerk, day from lookup l
    where {_WEEK.format("l")} and l.state = s.state and l.at >= %(since)s and l.at < %(until)s
    order by l.at desc limit %(limit)s
) l order by l.at desc limit %(limit)s
"""
_BELANG = f"""
select p.accepted_at, p.kenmerk, p.day from process p
where {_WEEK.format("p")} and p.belang = %(belang)s and p.state = any(%(states)s)
    and p.accepted_at >= %(since)s and p.accepted_at < %(until)s {{}}
order by p.accepted_at desc limit %(limit)s
"""
_ABOUT = f"""
and exists (select from process p where p.kenmerk = l.kenmerk and p.day = l.day
    and {_WEEK.format("p")} and p.belang = %(belang)s)
"""
_LINES = """
select m.kenmerk, m.berichtsoort, m.sender, m.berichtkenmerk, m.aanleverkenmerk, m.belang_nummer,
    m.belang_type, m.accepted_at, p.state, (select s.code from status s
        where s.kenmerk = m.kenmerk and s.day = m.day and s.day = any(%(days)s)
        order by s.seq desc limit 1)
from unnest(%(kenmerken)s::uuid[], %(at)s::date[]) w(k, d)
    join message m on m.kenmerk = w.k and m.day = w.d
    join process p on p.kenmerk = w.k and p.day = w.d
where m.day = any(%(days)s) and p.day = any(%(days)s)
order by m.accepted_at desc
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `state` is the engine's word, `status` the last code its sender sees."""

    kenmerk: UUID
    berichtsoort: str
    sender: str
    message_id: str
    aanleverkenmerk: str | None
    belanghebbende: Identiteit
    accepted_at: datetime
    state: str
    status: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message must be; None is not asked. `since` is part of the period, `until` is not.
    `states` are the engine's words (`State`)."""

    kenmerk: UUID | None = None
    message_id: str | None = None
    aanleverkenmerk: str | None = None
    belanghebbende: Identiteit | None = None
    sender: str | None = None
    berichtsoort: str | None = None
    states: tuple[str, ...] = tuple(State)
    since: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    until: datetime = datetime(9999, 1, 1, tzinfo=UTC)
    limit: int = 50

    @property
    def belang(self) -> str | None:
        """As `process` folds it."""
        return ":".join(self.belanghebbende.key) if self.belanghebbende else None

    def fits(self, line: Line) -> bool:
        """By the words themselves."""
        return (
            self.kenmerk in (None, line.kenmerk)
            and self.message_id in (None, line.message_id)
            and self.aanleverkenmerk in (None, line.aanleverkenmerk)
            and (self.belanghebbende is None or self.belanghebbende.key == line.belanghebbende.key)
            and self.sender in (None, line.sender)
            and self.berichtsoort in (None, line.berichtsoort)
            and line.state in self.states
            and self.since <= line.accepted_at < self.until
        )


def find(conn: Connection, asked: Asked) -> list[Line]:
    """Newest first, at most `asked.limit`. `conn` is outside a transaction."""
    if asked.kenmerk is not None:
        places = conn.execute(
            "select kenmerk, day from register where kenmerk = %s", [asked.kenmerk]
        ).fetchall()
    else:
        places = _places(conn, asked)
    if not places:
        return []
    days = [day for _, day in places]
    values = {"kenmerken": [k for k, _ in places], "at": days, "days": partitions.days(days)}
    lines = [
        Line(kenmerk, kind, sender, message_id, own, Identiteit(nummer, of), at, state, status)
        for kenmerk, kind, sender, message_id, own, nummer, of, at, state, status in conn.execute(
            _LINES, values, prepare=False
        )
    ]
    return [line for line in lines if asked.fits(line)][: asked.limit]


def _places(conn: Connection, asked: Asked) -> list[tuple[UUID, date]]:
    query = statement(asked)
    found: list[tuple[UUID, date]] = []
    for monday in _weeks(conn, asked):
        values = {
            "monday": monday, "next": monday + timedelta(weeks=1), "since": asked.since,
            "until": asked.until, "states": list(asked.states), "belang": asked.belang,
            "message_id": asked.message_id, "aanleverkenmerk": asked.aanleverkenmerk,
            "sender": asked.sender, "berichtsoort": asked.berichtsoort,
            "limit": asked.limit - len(found),
        }  # fmt: skip
        # Planned anew for each week, which then is the only partition that is opened.
        rows = conn.execute(query, values, prepare=False).fetchall()
        found += [(kenmerk, day) for _, kenmerk, day in rows]
        if len(found) >= asked.limit:
            break
    return found


def _weeks(conn: Connection, asked: Asked) -> Iterator[date]:
    """Mondays from the newest to the oldest that can hold something of the period."""
    for monday in reversed(partitions.weeks(conn, "process")):
        start = datetime(monday.year, monday.month, monday.day, tzinfo=UTC)
        if start < asked.until and start + timedelta(weeks=1) > asked.since:
            yield monday


def statement(asked: Asked) -> str:
    """What finds the places of one week, by an index that fits what is asked."""
    plain = [name for name in ("sender", "berichtsoort") if getattr(asked, name) is not None]
    keys = [n for n in ("message_id", "aanleverkenmerk") if getattr(asked, n) is not None]
    if asked.belang is not None and not keys:
        return _BELANG.format("".join(f" and p.{name} = %({name})s" for name in plain))
    if not keys and not plain:
        return _STATES
    words = "".join(f" and l.{name} = lookup_word(%({name})s)" for name in (*keys, *plain))
    return _WORDS.format(words + (_ABOUT if asked.belang is not None else ""))
