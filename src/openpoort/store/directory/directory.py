"""The directory in the database: read whole, changed by difference, journalled with the change.

Who changes it locks the one row of `directory_version` first, so that two changes never mix;
who caches it asks `version`, one row by primary key.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.journal import JournalEntry
from openpoort.domain.party import (
    Afnemer,
    Agreement,
    Directory,
    Mandate,
    Party,
    Right,
    Window,
)
from openpoort.domain.partydiff import Change, Diff, Verb, compare
from openpoort.domain.partyfile import write
from openpoort.domain.seal import Seal, unsealed
from openpoort.store.journal import journal

Connection = psycopg.Connection[Any]


class Stale(ValueError):
    """The change was made on another version than stands here: it would undo somebody's."""


def version(conn: Connection) -> int:
    """Zero while nothing was ever applied; grows by one with each change."""
    row = conn.execute("select version from directory_version").fetchone()
    assert row is not None
    return int(row[0])


def load(conn: Connection) -> Directory:
    """All of it, at one moment (its statements see one snapshot only in a repeatable-read
    transaction; a change in between shows in `version`, which callers compare)."""
    return Directory(
        parties=_parties(conn), agreements=_agreements(conn), mandates=_mandates(conn),
        agencies=_agencies(conn),
    )  # fmt: skip


def digest(directory: Directory) -> str:
    """SHA-256 over the canonical file: what the journal and a proposal are bound to."""
    return sha256(write(directory).encode()).hexdigest()


def current(conn: Connection, base: int | None) -> int:
    """The version, locked until the end of the transaction. Raises Stale when `base`, the one a
    change was made on (None: not known), is another."""
    row = conn.execute(
        "select version, changed_at, changed_by from directory_version for update"
    ).fetchone()
    assert row is not None
    now, at, by = row
    if base is not None and base != now:
        last = f", changed by {by} on {at:%Y-%m-%d %H:%M} UTC" if at else ""
        raise Stale(f"made from version {base} of the directory, which is at {now}{last}")
    return int(now)


def apply(
    conn: Connection,
    new: Directory,
    actor: str,
    at: datetime,
    base: int | None = None,
    seal: Seal = unsealed,
) -> Diff:
    """Make the directory equal to `new` in the caller's transaction; the differences found.

    Nothing is written when there are none. Each change is a journal entry, sealed by `seal`.
    Raises Stale.
    """
    before = current(conn, base)
    diff = compare(load(conn), new)
    if not diff:
        return diff
    for change in diff.changes:
        _take_away(conn, change)
    _put(conn, diff)
    now = before + 1
    conn.execute(
        "update directory_version set version = %s, changed_at = %s, changed_by = %s",
        (now, at, actor),
    )
    mark = digest(load(conn))
    journal.add(
        conn,
        [
            seal(
                JournalEntry(
                    f"{change.table}.{change.verb}",
                    at,
                    actor,
                    data={"line": change.line(), "version": now, "directory": mark},
                )
            )
            for change in diff.changes
        ],
    )
    return diff


def _parties(conn: Connection) -> tuple[Party, ...]:
    identities: dict[str, list[Identiteit]] = {}
    for oin, kind, nummer in conn.execute(
        "select oin, type, nummer from party_identity order by oin, place"
    ):
        identities.setdefault(oin, []).append(Identiteit(nummer, kind))
    rows = conn.cursor(row_factory=dict_row).execute(
        "select oin, name, since, until, fault_status, sha1_until, tls_oins, rate, burst"
        " from party order by oin"
    )
    return tuple(
        Party(
            oin=Oin(r["oin"]),
            name=r["name"],
            identities=tuple(identities.get(r["oin"], ())),
            window=_window(r),
            fault_status=r["fault_status"],
            sha1_until=r["sha1_until"],
            tls_oins=frozenset(Oin(o) for o in r["tls_oins"]),
            rate=r["rate"],
            burst=r["burst"],
        )
        for r in rows
    )


def _agreements(conn: Connection) -> tuple[Agreement, ...]:
    rows = conn.cursor(row_factory=dict_row).execute(
        "select oin, kinds, rollen, rights, since, until from agreement order by id"
    )
    return tuple(
        Agreement(
            oin=Oin(r["oin"]),
            kinds=frozenset(r["kinds"]),
            rollen=frozenset(r["rollen"]),
            rights=_rights(r),
            window=_window(r),
        )
        for r in rows
    )


def _mandates(conn: Connection) -> tuple[Mandate, ...]:
    rows = conn.cursor(row_factory=dict_row).execute(
        "select type, nummer, holder, giver, kinds, rights, delegate, since, until"
        " from mandate order by id"
    )
    return tuple(
        Mandate(
            belanghebbende=Identiteit(r["nummer"], r["type"]),
            holder=Oin(r["holder"]),
            kinds=frozenset(r["kinds"]),
            rights=_rights(r),
            giver=Oin(r["giver"]) if r["giver"] else None,
            delegate=r["delegate"],
            window=_window(r),
        )
        for r in rows
    )


def _agencies(conn: Connection) -> tuple[Afnemer, ...]:
    rows = conn.cursor(row_factory=dict_row).execute(
        "select name, oin, endpoint, channel, max_parallel, options, status_kinds, return_kinds"
        " from agency order by name"
    )
    return tuple(
        Afnemer(
            name=r["name"],
            oin=Oin(r["oin"]),
            endpoint=r["endpoint"],
            channel=r["channel"],
            max_parallel=r["max_parallel"],
            options=r["options"],
            status_kinds=frozenset(r["status_kinds"]),
            return_kinds=frozenset(r["return_kinds"]),
        )
        for r in rows
    )


def _rights(row: dict[str, Any]) -> frozenset[Right]:
    return frozenset(Right(r) for r in row["rights"])


def _window(row: dict[str, Any]) -> Window:
    return Window(row["since"], row["until"])


def _take_away(conn: Connection, change: Change) -> None:
    old = change.old
    if old is None:
        return
    if isinstance(old, Party):
        conn.execute("delete from party where oin = %s", (old.oin.value,))
    elif isinstance(old, Afnemer):
        conn.execute("delete from agency where name = %s", (old.name,))
    elif change.verb is Verb.REMOVED:
        _delete_equal(conn, change.table, _values(old))


def _delete_equal(conn: Connection, table: str, values: dict[str, Any]) -> None:
    """Rows without a key of their own go by all their values; arrays are stored sorted."""
    same = " and ".join(f"{name} is not distinct from %({name})s" for name in values)
    conn.execute(f"delete from {table} where {same}", values)


def _put(conn: Connection, diff: Diff) -> None:
    """Everything that is new, a table at a time: a file of a hundred thousand mandates is one
    round trip or two, not a hundred thousand."""
    new: dict[str, list[dict[str, Any]]] = {}
    identities: list[tuple[str, int, str, str]] = []
    for change in diff.changes:
        if change.new is None:
            continue
        new.setdefault(change.table, []).append(_values(change.new))
        if isinstance(change.new, Party):
            oin = change.new.oin.value
            identities += [(oin, n, i.type, i.nummer) for n, i in enumerate(change.new.identities)]
    cursor = conn.cursor()
    for table, rows in new.items():
        names = ", ".join(rows[0])
        places = ", ".join(f"%({name})s" for name in rows[0])
        cursor.executemany(f"insert into {table} ({names}) values ({places})", rows)
    cursor.executemany("insert into party_identity values (%s, %s, %s, %s)", identities)


def _values(row: Party | Agreement | Mandate | Afnemer) -> dict[str, Any]:
    """A row as its columns."""
    if isinstance(row, Party):
        return {
            "oin": row.oin.value,
            "name": row.name,
            "since": row.window.since,
            "until": row.window.until,
            "fault_status": row.fault_status,
            "sha1_until": row.sha1_until,
            "tls_oins": sorted(o.value for o in row.tls_oins),
            "rate": row.rate,
            "burst": row.burst,
        }
    if isinstance(row, Afnemer):
        return {
            "name": row.name,
            "oin": row.oin.value,
            "endpoint": row.endpoint,
            "channel": row.channel,
            "max_parallel": row.max_parallel,
            "options": Jsonb(row.options),
            "status_kinds": sorted(row.status_kinds),
            "return_kinds": sorted(row.return_kinds),
        }
    values: dict[str, Any] = {
        "kinds": sorted(row.kinds),
        "rights": sorted(r.value for r in row.rights),
        "since": row.window.since,
        "until": row.window.until,
    }
    if isinstance(row, Agreement):
        return values | {"oin": row.oin.value, "rollen": sorted(row.rollen)}
    return values | {
        "type": row.belanghebbende.type,
        "nummer": row.belanghebbende.nummer,
        "holder": row.holder.value,
        "giver": row.giver.value if row.giver else None,
        "delegate": row.delegate,
    }
