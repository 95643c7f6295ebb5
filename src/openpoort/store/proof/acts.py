"""The directory, its proposals and the holds beside the acts that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from openpoort.domain.party import Directory
from openpoort.domain.seal import parsed, sealed
from openpoort.store.directory import directory
from openpoort.store.messages import marks
from openpoort.store.proof.claims import ODD, Said

Connection = psycopg.Connection[Any]
_CHANGES = ("party.", "agreement.", "mandate.", "agency.")
_PROPOSALS = ("directory.proposed", "directory.approved", "directory.rejected")
_HOLDS = ("hold.set", "hold.lifted")


def is_act(kind: str) -> bool:
    """Whether an entry of this kind tells of the directory, a proposal or a hold."""
    return kind.startswith(_CHANGES) or kind in (*_PROPOSALS, *_HOLDS)


@dataclass(slots=True)
class Acts:
    """What the acts lead to: the last change of the directory, the steps of each proposal, the
    holds that stand."""

    last: Said | None = None
    proposals: dict[int, dict[str, Said]] = field(default_factory=dict)
    holds: dict[str, Said] = field(default_factory=dict)

    def add(self, said: Said) -> None:
        kind, data = said["kind"], said["data"]
        if kind == "hold.set":
            self.holds[said["kenmerk"]] = said
        elif kind == "hold.lifted":
            self.holds.pop(said["kenmerk"], None)
        elif kind in _PROPOSALS:
            self.proposals.setdefault(data["proposal"], {})[kind.partition(".")[2]] = said
        elif self.last is None or data["version"] >= self.last["data"]["version"]:
            self.last = said


Say = Callable[[str, str, str], None]


def judge(conn: Connection, acts: Acts, say: Say) -> None:
    """Name every difference between the tables and the acts."""
    with _reading("directory", say):
        _directory(conn, acts.last, say)
    with _reading("proposals", say):
        _proposals(conn, acts.proposals, say)
    with _reading("holds", say):
        _holds(conn, acts.holds, say)


@contextmanager
def _reading(what: str, say: Say) -> Iterator[None]:
    try:
        yield
    except ODD:
        say("entry-unreadable", what, "an act has not the form that the gateway writes")


def latest(conn: Connection, key: Ed25519PublicKey, say: Say) -> int:
    """As `judge`, for the directory alone and without reading the journal: by the acts of the
    moment at which it says that it was changed. Its version. Where the newest of them carries a
    seal, it is judged; one of before there were seals is for `journal verify` to place."""
    row = conn.execute("select changed_at from directory_version").fetchone()
    rows = conn.execute("select entry from journal where at = %s", row or (None,)).fetchall()
    acts = Acts()
    with _reading("directory", say):
        for (entry,) in rows:
            said = parsed(bytes(entry))
            if said and said["kind"].startswith(_CHANGES):
                acts.add(said)
        if acts.last is not None and "seal" in acts.last["data"] and not sealed(acts.last, key):
            say("act-unproven", f"version {acts.last['data']['version']}", "its seal does not hold")
        _directory(conn, acts.last, say)
    return directory.version(conn)


def _directory(conn: Connection, last: Said | None, say: Say) -> None:
    row = conn.execute(
        "select version, changed_at, changed_by from directory_version"
    ).fetchone() or (0, None, None)
    try:
        known = directory.load(conn)
    except ValueError as wrong:
        say("directory-changed", "directory", f"a row holds what none can: {wrong}")
        return
    if last is None and row[1] is not None and _month(row[1]) in _forgotten(conn):
        return
    if last is None:
        if row != (0, None, None) or known != Directory():
            say("directory-changed", "directory", "no act in the journal made it")
        return
    data = last["data"]
    if row != (data["version"], datetime.fromisoformat(last["at"]), last["actor"]):
        say(
            "directory-changed", f"version {row[0]}",
            f"the last act made version {data['version']} at {last['at']}, by {last['actor']}",
        )  # fmt: skip
    if data["directory"] not in (directory.digest(known), directory.digest(_as_of_before(known))):
        say(
            "directory-changed", f"version {data['version']}",
            "parties, agreements, mandates or agencies are not those of the last act",
        )  # fmt: skip


def _as_of_before(known: Directory) -> Directory:
    """Rates without a fraction were digested as whole numbers once."""
    parties = (
        replace(p, rate=int(p.rate)) if p.rate is not None and p.rate == int(p.rate) else p
        for p in known.parties
    )
    return replace(known, parties=tuple(parties))


def _proposals(conn: Connection, told: dict[int, dict[str, Said]], say: Say) -> None:
    found = set()
    for number, base, text, digest, by, at, decided_by, decided_at, decision in conn.execute(
        "select id, base, directory, digest, proposed_by, proposed_at, decided_by, decided_at,"
        " decision from directory_proposal order by id"
    ):
        found.add(number)
        if _month(at) in _forgotten(conn):
            continue
        steps = told.get(number, {})
        first, end = steps.get("proposed"), steps.get(decision or "")
        ends = {"approved", "rejected"} & steps.keys()
        same = (
            first is not None
            and (by, at) == (first["actor"], datetime.fromisoformat(first["at"]))
            and digest == first["data"]["directory"] == sha256(text.encode()).hexdigest()
            and first["data"].get("base", base) == base
            and ends == ({decision} if decision else set())
            and (decided_by, decided_at)
            == ((end["actor"], datetime.fromisoformat(end["at"])) if end else (None, None))
        )
        if not same:
            say("proposal-changed", f"proposal {number}", "it is not what was proposed and decided")
    for number in sorted(told.keys() - found):
        say("proposal-missing", f"proposal {number}", "the row is gone")


def _holds(conn: Connection, told: dict[str, Said], say: Say) -> None:
    found = set()
    for kenmerk, since, by, reason in conn.execute(
        "select kenmerk::text, since, by, reason from hold order by kenmerk"
    ):
        found.add(kenmerk)
        said = told.get(kenmerk)
        if said is None:
            say("hold-changed", f"hold on {kenmerk}", "nobody set it, or it was lifted")
        elif (by, since) != (said["actor"], datetime.fromisoformat(said["at"])) or said["data"].get(
            "words", marks.words(reason)
        ) != marks.words(reason):
            say("hold-changed", f"hold on {kenmerk}", "who, when or why is not what was set")
    for kenmerk in sorted(told.keys() - found):
        say("hold-missing", f"hold on {kenmerk}", "it was set, never lifted, and is gone")


def _forgotten(conn: Connection) -> set[date]:
    """Months of the journal whose content is gone: what was done in them cannot be proven."""
    return {month for (month,) in conn.execute("select month from journal_dropped")}


def _month(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)
