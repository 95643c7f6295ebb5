"""Gathering one message with all its proofs into an evidence file.

When the last checkpoint does not cover the message, one is made: entries of the message that
still wait below the watermark are placed first, for which the oldest writing transaction has to
end (bounded by `patience`). All reading is of one moment, so a message on its way gives a file
that is whole up to that moment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort.domain import merkle
from openpoort.domain.checkpoint import Checkpoint, open_checkpoint
from openpoort.domain.journal import EXPORTED
from openpoort.evidence import bundle
from openpoort.evidence.bundle import Bundle
from openpoort.store.journal import sequencer, timestamps, tree
from openpoort.store.journal.sequencer import Connection, JournalBroken
from openpoort.store.messages import message_export
from openpoort.store.messages.message_export import LeafRow
from openpoort.store.payloads.payloads import Places
from openpoort.store.sequencing import keep


class NotCovered(Exception):
    """The journal could not be brought so far that it covers the message; try again later."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """`key` signs checkpoints and the seal; `patience` in seconds; `copy` is the file that gets
    each checkpoint made."""

    key: Ed25519PrivateKey
    origin: str
    now: Callable[[], datetime]
    outside: Places = ()
    patience: float = 30.0
    copy: Path | None = None

    def export(self, conn: Connection, kenmerk: UUID) -> bytes:
        """The evidence file of one message. `conn` is outside a transaction.

        Raises NoSuchMessage, PayloadMissing, PayloadUnavailable, NotCovered, JournalBroken.
        """
        with message_export.snapshot(conn):
            message_export.day(conn, kenmerk)
        end = time.monotonic() + self.patience
        while True:
            placed = sequencer.step(conn, wait=True)
            with message_export.snapshot(conn):
                leaves = message_export.leaves(conn, kenmerk)
                waits = message_export.waiting(conn, kenmerk)
                notes = _around(conn, leaves) if leaves else []
                if leaves and notes and not waits:
                    found = self._gather(conn, kenmerk, leaves, notes)
                    return bundle.write(found, self.origin, self.key)
            if leaves and not waits:
                signed = sequencer.sign(conn, self.key, self.origin, self.now())
                if signed is not None:
                    keep(self.copy, signed[1])
            elif time.monotonic() > end:
                raise NotCovered(
                    f"{len(waits)} journal entries of {kenmerk} still wait for a transaction to end"
                )
            elif placed is None or not placed.more:
                time.sleep(0.05)

    def _gather(
        self, conn: Connection, kenmerk: UUID, leaves: Sequence[LeafRow], notes: Sequence[str]
    ) -> Bundle:
        row = message_export.message(conn, kenmerk)
        request = message_export.request(conn, row, self.outside)
        public = self.key.public_key()
        *earlier, last = [open_checkpoint(note, public) for note in notes]
        return Bundle(
            kenmerk=str(kenmerk),
            exported_at=self.now(),
            request=None
            if request is None
            else bundle.Request(
                request.received_at, request.content_type, request.body, request.tls, request.token
            ),
            answers=tuple(bundle.Answer(*one) for one in message_export.answers(conn, row)),
            statuses=tuple(bundle.StatusLine(*one) for one in message_export.statuses(conn, row)),
            deliveries=tuple(
                bundle.Delivery(*one) for one in message_export.deliveries(conn, row, self.outside)
            ),
            entries=tuple(_entry(conn, one, last) for one in leaves),
            checkpoint=notes[-1],
            earlier=tuple(
                bundle.Earlier(note, tree.consistency(conn, old.size, last.size))
                for note, old in zip(notes, earlier, strict=False)
            ),
            timestamps=tuple(
                bundle.TimeStamp(one.note, one.nonce, one.token)
                for one in timestamps.of(conn, notes)
            ),
        )


def _around(conn: Connection, leaves: Sequence[LeafRow]) -> list[str]:
    told = [row.leaf for row in leaves if json.loads(row.entry)["kind"] != EXPORTED]
    return message_export.around(conn, leaves[0].leaf, leaves[-1].leaf, max(told, default=0))


def _entry(conn: Connection, row: LeafRow, point: Checkpoint) -> bundle.Entry:
    path = tree.inclusion(conn, row.leaf, point.size)
    if not merkle.includes(merkle.leaf_hash(row.entry), row.leaf, point.size, path, point.root):
        raise JournalBroken(f"entry {row.leaf} is not in the signed tree")
    return bundle.Entry(row.leaf, row.entry.decode(), path)
