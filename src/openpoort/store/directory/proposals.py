"""Changes of the directory that wait for a second pair of eyes.

A proposal holds the whole directory as proposed and the version it was made on. It is approved
by another name than proposed it, and only while the directory is still at that version: nobody
approves something else than was shown. Every step is journalled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from openpoort.domain import names, partyfile
from openpoort.domain.journal import JournalEntry
from openpoort.domain.party import Directory
from openpoort.domain.partydiff import Diff, compare
from openpoort.domain.seal import Seal, unsealed
from openpoort.store.directory import directory
from openpoort.store.journal import journal

Connection = psycopg.Connection[Any]


class NotAllowed(Exception):
    """The proposal cannot be decided this way; the message says why."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open proposal. `base` is the directory version it was made on."""

    id: int
    base: int
    content: Directory
    digest: str
    proposed_by: str
    proposed_at: datetime


def propose(
    conn: Connection,
    new: Directory,
    actor: str,
    at: datetime,
    made_on: int | None = None,
    seal: Seal = unsealed,
) -> tuple[int | None, Diff]:
    """Keep `new` as a proposal: its number and what it would change; no number if nothing.

    Raises directory.Stale.
    """
    base = directory.current(conn, made_on)
    diff = compare(directory.load(conn), new)
    if not diff:
        return None, diff
    mark = directory.digest(new)
    row = conn.execute(
        "insert into directory_proposal (base, directory, digest, proposed_by, proposed_at)"
        " values (%s, %s, %s, %s, %s) returning id",
        (base, partyfile.write(new), mark, actor, at),
    ).fetchone()
    assert row is not None
    number = int(row[0])
    _note(conn, "proposed", at, actor, number, mark, seal, base=base, lines=diff.lines())
    return number, diff


def open_ones(conn: Connection) -> tuple[Proposal, ...]:
    """Undecided proposals, oldest first."""
    rows = conn.execute(
        "select id, base, directory, digest, proposed_by, proposed_at from directory_proposal"
        " where decision is null order by id"
    )
    return tuple(Proposal(i, b, partyfile.read(t), d, by, at) for i, b, t, d, by, at in rows)


def approve(
    conn: Connection, number: int, actor: str, at: datetime, seal: Seal = unsealed
) -> tuple[Proposal, Diff]:
    """Apply a proposal in the caller's transaction. Raises NotAllowed."""
    proposal = _open(conn, number)
    if names.same(proposal.proposed_by, actor):
        raise NotAllowed(f"proposal {number} is {actor}'s own; somebody else must approve it")
    row = conn.execute("select version from directory_version for update").fetchone()
    assert row is not None
    if row[0] != proposal.base:
        raise NotAllowed(
            f"the directory changed since proposal {number} was made "
            f"(version {proposal.base}, now {row[0]}); propose again"
        )
    _decide(conn, proposal, actor, at, "approved", seal)
    return proposal, directory.apply(conn, proposal.content, actor, at, seal=seal)


def reject(
    conn: Connection, number: int, actor: str, at: datetime, seal: Seal = unsealed
) -> Proposal:
    """Close a proposal without applying it; its maker may do this too. Raises NotAllowed."""
    proposal = _open(conn, number)
    _decide(conn, proposal, actor, at, "rejected", seal)
    return proposal


def _open(conn: Connection, number: int) -> Proposal:
    row = conn.execute(
        "select id, base, directory, digest, proposed_by, proposed_at from directory_proposal"
        " where id = %s and decision is null for update",
        (number,),
    ).fetchone()
    if row is None:
        raise NotAllowed(f"there is no open proposal {number}")
    proposal = Proposal(row[0], row[1], partyfile.read(row[2]), *row[3:])
    if directory.digest(proposal.content) != proposal.digest:
        raise NotAllowed(f"proposal {number} is not what was proposed: its digest differs")
    return proposal


def _decide(
    conn: Connection, proposal: Proposal, actor: str, at: datetime, decision: str, seal: Seal
) -> None:
    conn.execute(
        "update directory_proposal set decision = %s, decided_by = %s, decided_at = %s"
        " where id = %s",
        (decision, actor, at, proposal.id),
    )
    mark = proposal.digest
    _note(conn, decision, at, actor, proposal.id, mark, seal, by=proposal.proposed_by)


def _note(
    conn: Connection,
    what: str,
    at: datetime,
    actor: str,
    number: int,
    mark: str,
    seal: Seal,
    **more: object,
) -> None:
    data = {"proposal": number, "directory": mark, **more}
    journal.add(conn, [seal(JournalEntry(f"directory.{what}", at, actor, data=data))])
