"""The rows of messages beside what the journal says of them: every difference, named.

Works on a batch of messages, whatever their days, with one question per table. What a proof of
deletion covers is not missing; the caller knows the proofs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import psycopg

from openpoort.domain.journal import words_digest
from openpoort.domain.process import ENDED, Carried, State
from openpoort.store.messages import marks, message_export
from openpoort.store.messages.marks import Beside
from openpoort.store.messages.rows import MessageRow
from openpoort.store.payloads import payloads
from openpoort.store.payloads.payloads import Places
from openpoort.store.proof.claims import Claim
from openpoort.store.proof.message_rows import Rows, documents

Connection = psycopg.Connection[Any]
_NO_ROW = (ValueError, TypeError, KeyError, IndexError, AttributeError, psycopg.DataError)
"""What reading a row raises that nobody but an administrator wrote."""
Missing = Callable[[str, Claim, str], None]
"""(table, message, what is missing): told unless a proof of deletion covers it."""
Say = Callable[[str, str, str], None]


@dataclass(slots=True)
class Proof:
    """`unproven` counts acceptances of before there were marks, `unread` requests whose documents
    stand outside the database and were not read."""

    conn: Connection
    say: Say
    missing: Missing
    outside: Places = ()
    unproven: int = 0
    unread: int = 0
    _rows: Rows = field(init=False)

    def judge(self, claims: Sequence[Claim]) -> None:
        """Compare every row of these messages. Raises PayloadUnavailable."""
        try:
            self._rows = Rows.read(self.conn, claims)
        except _NO_ROW as wrong:
            self._apart(claims, wrong)
            return
        for claim in claims:
            try:
                self._judge(claim)
            except _NO_ROW as wrong:
                self._apart([claim], wrong)

    def _apart(self, claims: Sequence[Claim], wrong: Exception) -> None:
        """A value that no row of ours can have must not hide what else is wrong."""
        if len(claims) > 1:
            for claim in claims:
                self.judge([claim])
            return
        for claim in claims:
            text = f"a row, or an entry about it, holds what none can: {type(wrong).__name__}"
            self._differs("message", claim, text)

    def _judge(self, claim: Claim) -> None:
        row = self._rows.messages.get(claim.kenmerk)
        if row is None:
            self.missing("message", claim, "the row is gone")
        else:
            self._message(claim, row)
            self._documents(claim, row)
        for one in (self._register, self._process, self._statuses, self._answers):
            one(claim)
        self._request(claim, row)
        self._deliveries(claim)
        self._mailbox(claim)
        self._parked(claim)

    def _of(self, table: str, claim: Claim) -> list[tuple[Any, ...]]:
        return self._rows.of(table, claim)

    def _differs(self, table: str, claim: Claim, text: str) -> None:
        self.say(f"{table}-changed", f"{table} of {claim.kenmerk}", text)

    def _message(self, claim: Claim, row: MessageRow) -> None:
        said = claim.accepted
        if (row.sender, row.accepted_at, row.berichtsoort) != (
            claim.sender,
            claim.at,
            said["kind"],
        ):
            self._differs("message", claim, "sender, time or kind is not what was accepted")
        elif [d.digest.hex() for d in row.documents] != said["documents"]:
            self._differs("message", claim, "its documents are not those that were accepted")
        if claim.row is None:
            self.unproven += 1
            return
        if not self._of("register", claim) or not self._of("process", claim):
            return  # named there, or gone with a proof
        if claim.row != marks.message(row, self._beside(claim, row)):
            self._differs(
                "message", claim,
                "it, its keys (repeat), its switch (register) or whose it is (process) was changed",
            )  # fmt: skip

    def _beside(self, claim: Claim, row: MessageRow) -> Beside:
        [(*_, switch)] = self._of("register", claim)
        own, content = marks.message_key(row), marks.content_key(row)
        repeats, whose = self._rows.repeats, (claim.kenmerk, claim.day)
        mine = {
            key: repeats[key][0]
            for key in (own, content)
            if key in repeats and repeats[key][1:] == whose
        }
        return Beside(
            self._of("process", claim)[0][2], switch, own if own in mine else None,
            mine.get(own, b""), content if mine.get(content) == b"" else None,
        )  # fmt: skip

    def _register(self, claim: Claim) -> None:
        rows = self._of("register", claim)
        row = self._rows.messages.get(claim.kenmerk)
        if not rows:
            self.missing("register", claim, "the kenmerk is gone")
            return
        day, berichtsoort, sender, about, _ = rows[0]
        if (day, berichtsoort, sender) != (claim.day, claim.accepted["kind"], claim.sender):
            self._differs("register", claim, "day, kind or sender is not what was accepted")
        elif row is not None and about != row.about:
            self._differs("register", claim, "what it is about is not what was accepted")

    def _process(self, claim: Claim) -> None:
        rows = self._of("process", claim)
        if not rows:
            self.missing("process", claim, "the row is gone")
            return
        berichtsoort, sender, _, at, state, seq, last, data = rows[0]
        if (berichtsoort, sender, at) != (claim.accepted["kind"], claim.sender, claim.at):
            self._differs("process", claim, "kind, sender or time is not what was accepted")
        told = claim.statuses.get(seq)
        if seq != max(claim.statuses, default=0) or (told is not None and told[1] != last):
            self._differs("process", claim, "its last status is not the last that was set")
        to_its_sender = Carried.of(data).redelivery_of or State(state)
        if (to_its_sender if to_its_sender in ENDED else None) != claim.closed:
            self._differs("process", claim, f"{state}, and the journal says {claim.closed}")

    def _statuses(self, claim: Claim) -> None:
        rows = self._of("status", claim)
        if not rows and claim.statuses:
            self.missing("status", claim, "its statuses are gone")
            return
        found = {
            seq: (code, at, foutcode, words_digest(fout, details))
            for seq, code, at, foutcode, fout, details in rows
        }
        for seq in sorted(found.keys() | claim.statuses.keys()):
            if seq not in claim.statuses:
                self._differs("status", claim, f"status {seq} was never set")
            elif seq not in found:
                self._differs("status", claim, f"status {seq} is gone")
            elif found[seq] != claim.statuses[seq]:
                self._differs("status", claim, f"status {seq} is not what was set")

    def _answers(self, claim: Claim) -> None:
        rows = self._of("answer", claim)
        if not rows and claim.answers:
            self.missing("answer", claim, "its answers are gone")
            return
        if sorted((at, digest) for at, digest, _ in rows) != sorted(claim.answers):
            self._differs("answer", claim, "its answers are not those that were made")
        elif not all(same for *_, same in rows):
            self._differs("answer", claim, "an answer is not what its digest was made from")

    def _request(self, claim: Claim, row: MessageRow | None) -> None:
        rows, said = self._of("request", claim), claim.accepted
        if "request" not in said:
            if rows:
                self._differs("request", claim, "the gateway made this message itself")
            return
        if not rows:
            self.missing("request", claim, "the request as received is gone")
            return
        received_at, content_type, digest, size, token, tls = rows[0]
        if (digest, token, tls) != (said["request"], said["token"], said.get("tls")):
            self._differs("request", claim, "its digest or certificates are not those received")
        mark = said.get(marks.RECEIVED)
        if mark is not None and mark != marks.request(received_at, content_type):
            self._differs("request", claim, "time or content type is not what was received")
        if row is not None:
            self._body(claim, row, size)

    def _body(self, claim: Claim, row: MessageRow, size: int) -> None:
        here = [self._rows.stored.get((row.day, d.digest)) for d in row.documents]
        if not self.outside and any(one is not None and one[1] != "db" for one in here):
            self.unread += 1
            return
        try:
            found = message_export.request(self.conn, row, self.outside)
        except (payloads.PayloadMissing, IndexError) as wrong:
            self._differs("request", claim, f"it cannot be put together: {wrong}")
            return
        if found is None:
            self._differs("request", claim, "a certificate that it came with is gone")
        elif _hex(found.body) != claim.accepted["request"] or size != len(found.body):
            self._differs("request", claim, "its octets are not those that were received")
        elif [_hex(found.token), _hex(found.tls)] != [
            claim.accepted["token"], claim.accepted.get("tls")
        ]:  # fmt: skip
            self._differs("request", claim, "its certificates are not those it came with")

    def _documents(self, claim: Claim, row: MessageRow) -> None:
        sizes = {d.digest: d.size for d in row.documents}
        for digest in documents(claim):
            stored = self._rows.stored.get((claim.day, digest))
            if stored is None:
                self.missing("payload", claim, f"document {digest.hex()[:16]} is gone")
            elif not stored[2] or sizes.get(digest, stored[0]) != stored[0]:
                self._differs("payload", claim, f"document {digest.hex()[:16]} was changed")

    def _deliveries(self, claim: Claim) -> None:
        rows = self._of("delivery", claim)
        told = [_delivery(at, said) for at, said in claim.deliveries]
        if not rows and told:
            self.missing("delivery", claim, "its deliveries are gone")
            return
        for agency, generation, message_id, attempts, at, receipt in rows:
            here = (agency, message_id, attempts, at, receipt)
            if not any(one[:5] == here and one[5] in (None, generation) for one in told):
                self._differs("delivery", claim, f"that to {agency} is not what was made")
        if {(a, m) for a, _, m, *_ in rows} != {(one[0], one[1]) for one in told}:
            self._differs("delivery", claim, "a delivery is gone, or was never made")

    def _mailbox(self, claim: Claim) -> None:
        rows, process = self._of("mailbox", claim), self._of("process", claim)
        told = sorted((said["shown"], said["owner"], at) for at, said in claim.returned)
        if not rows and told:
            self.missing("mailbox", claim, "what was put out for its receiver is gone")
            return
        if sorted((str(shown), owner, at) for shown, owner, _, _, at in rows) != told or any(
            process and (belang, kind) != (process[0][2], process[0][0])
            for _, _, belang, kind, _ in rows
        ):
            self._differs("mailbox", claim, "it is not what was put out for its receiver")

    def _parked(self, claim: Claim) -> None:
        told = {(said["step"], said["agency"], at) for at, said in claim.parked}
        for step, agency, since in self._of("parked", claim):
            if (step, agency, since) not in told:
                self._differs("parked", claim, f"nobody parked it at {step}")


def _hex(octets: bytes | None) -> str | None:
    return None if octets is None else sha256(octets).hexdigest()


def _delivery(at: datetime, said: dict[str, Any]) -> tuple[Any, ...]:
    return (
        said["agency"], said.get("message_id"), said["attempt"], at, said["receipt"],
        said.get("generation"),
    )  # fmt: skip
