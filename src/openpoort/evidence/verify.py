"""Verifying an evidence file offline, with the public checkpoint key and nothing else.

Time-stamps want one thing more, the anchor of their TSA: without it what they say is shown and
compared with the checkpoint, and not believed.

Each line of the verdict is one claim that was checked. What ties a part to the journal is its
SHA-256 digest in an entry; what ties the entry is its audit path to a signed checkpoint. The
signatures of sender, gateway and agency are checked as arithmetic, each under the certificate it
brings along: whether that certificate deserved trust on the day is the journal's claim, and for
a relying party with the PKIoverheid roots to repeat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from lxml import etree

from openpoort.domain import merkle
from openpoort.domain.checkpoint import BadCheckpoint, Checkpoint, open_checkpoint
from openpoort.domain.fault import Fault, Refusal
from openpoort.domain.journal import EXPORTED, words_digest
from openpoort.evidence import bundle as file
from openpoort.evidence.bundle import BadBundle, Bundle, Entry
from openpoort.trust.subject import common_name, oin_of
from openpoort.trust.timestamp import SKEW, Asked, BadStamp, claimed, judge
from openpoort.trust.verdict import Untrusted
from openpoort.wire.wus.soap import SignedMessage, SoapFault, open_answer, open_signed
from openpoort.wire.xmldsig.certificate import read_certificate


@dataclass(frozen=True, slots=True)
class Line:
    """One claim. `ok` is None for a remark that is neither good nor bad."""

    ok: bool | None
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`kenmerk` is None when the file could not be read."""

    kenmerk: str | None
    lines: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        return all(line.ok is not False for line in self.lines)


def verify(
    data: bytes, key: Ed25519PublicKey, tsa: Sequence[x509.Certificate] | None = None
) -> Verdict:
    """Judge an evidence file; never raises for what is in it.

    With `tsa`, the anchors of a time-stamping authority, the file must hold a time-stamp below
    one of them that covers all of the message's entries but those of taking evidence out.
    """
    try:
        bundle, seal = file.read(data)
    except BadBundle as exc:
        return Verdict(None, (Line(False, "file", str(exc)),))
    return Verdict(bundle.kenmerk, tuple(_Verifier(bundle, key, tsa).lines(seal)))


class _Verifier:
    def __init__(
        self, bundle: Bundle, key: Ed25519PublicKey, tsa: Sequence[x509.Certificate] | None
    ) -> None:
        self.bundle, self.key, self.tsa = bundle, key, tsa
        self.points: dict[str, Checkpoint] = {}
        self.notes: list[tuple[Entry, dict[str, Any]]] = []
        self.message_id: str | None = None

    def lines(self, seal: str) -> Iterator[Line]:
        yield self._seal(seal)
        point, line = self._checkpoint(self.bundle.checkpoint, "checkpoint")
        yield line
        if point is None:
            return
        yield from self._earlier(point)
        yield from self._entries(point)
        yield from self._timestamps(point)
        yield from self._request()
        yield from self._answers()
        yield from self._statuses()
        yield from self._deliveries()

    def _seal(self, seal: str) -> Line:
        try:
            if file.sealed(self.bundle, seal, self.key):
                return Line(True, "file", f"sealed by this key, exported {self.bundle.exported_at}")
            return Line(False, "file", "the seal is over other content: the file was changed")
        except BadCheckpoint as exc:
            return Line(False, "file", f"seal: {exc}")

    def _checkpoint(self, note: str, what: str) -> tuple[Checkpoint | None, Line]:
        try:
            point = open_checkpoint(note, self.key)
        except BadCheckpoint as exc:
            return None, Line(False, what, str(exc))
        self.points[note] = point
        text = f"{point.origin}: {point.size} entries, signed by this key at {point.at}"
        return point, Line(True, what, text)

    def _earlier(self, point: Checkpoint) -> Iterator[Line]:
        for one in self.bundle.earlier:
            old, line = self._checkpoint(one.checkpoint, "earlier checkpoint")
            yield line
            if old is None:
                continue
            holds = old.origin == point.origin and merkle.extends(
                old.size, point.size, old.root, point.root, one.path
            )
            says = "begins with" if holds else "does not begin with"
            yield Line(
                holds, "consistency",
                f"the journal of {point.size} entries {says} the one of {old.size}",
            )  # fmt: skip

    def _timestamps(self, point: Checkpoint) -> Iterator[Line]:
        told = [one.leaf for one, said in self.notes if said["kind"] != EXPORTED]
        last = max(told, default=point.size)
        covered = False
        for one in self.bundle.timestamps:
            stamped = self.points.get(one.checkpoint)
            if stamped is None:
                yield Line(False, "time-stamp", "is over no checkpoint of this file that holds")
                continue
            line = self._timestamp(one, stamped)
            covered = covered or (line.ok is True and stamped.size > last)
            yield line
        if self.tsa is not None and not covered:
            text = "none by this TSA covers what happened to the message; export again later"
            yield Line(False, "time-stamp", text)
        elif not self.bundle.timestamps:
            yield Line(None, "time-stamp", "none: all times here are the gateway's own")

    def _timestamp(self, one: file.TimeStamp, point: Checkpoint) -> Line:
        asked = Asked(one.checkpoint.encode(), one.nonce)
        try:
            if self.tsa is None:
                stamp = claimed(one.token, asked)
            else:
                stamp = judge(one.token, asked, self.tsa)
        except BadStamp as wrong:
            return Line(False, "time-stamp", str(wrong))
        if point.at - stamp.at > SKEW:
            return Line(False, "time-stamp", f"{stamp.at} lies before the checkpoint, {point.at}")
        if self.tsa is None:
            text = f"says {stamp.at} about the first {point.size} entries; its signature is not"
            return Line(None, "time-stamp", f"{text} judged: give the TSA's anchor with --tsa")
        text = f"the first {point.size} entries stood there at {stamp.at}, signed by {stamp.tsa}"
        return Line(True, "time-stamp", f"{text}, policy {stamp.policy}")

    def _entries(self, point: Checkpoint) -> Iterator[Line]:
        leaves = [one.leaf for one in self.bundle.entries]
        if leaves != sorted(set(leaves)) or not leaves:
            yield Line(False, "journal", "the entries are missing or not in their order")
        for one in self.bundle.entries:
            digest = merkle.leaf_hash(one.entry.encode())
            if not merkle.includes(digest, one.leaf, point.size, one.path, point.root):
                yield Line(False, "journal", f"entry {one.leaf} is not in the signed journal")
                continue
            said = json.loads(one.entry)
            if said["kenmerk"] != self.bundle.kenmerk:
                yield Line(False, "journal", f"entry {one.leaf} is about another message")
                continue
            self.notes.append((one, said))
            yield Line(
                True, "journal",
                f"entry {one.leaf} of {point.size}: {said['kind']}, {said['at']}, {said['actor']}",
            )  # fmt: skip

    def _anchor(self, data: bytes) -> str | None:
        """Which entry holds the digest of `data`; None if none does."""
        digest = sha256(data).hexdigest()
        for one, said in self.notes:
            if digest in said["data"].values():
                return f"its digest stands in entry {one.leaf} ({said['kind']})"
        return None

    def _anchored(self, data: bytes, what: str) -> Line:
        found = self._anchor(data)
        return Line(bool(found), what, found or "its digest stands in no entry of the journal")

    def _request(self) -> Iterator[Line]:
        request = self.bundle.request
        if request is None:
            yield Line(None, "request", "none: the gateway made this message itself")
            return
        yield self._anchored(request.body, "request")
        if request.tls is None:
            yield Line(None, "tls certificate", "none was kept")
        else:
            yield self._anchored(request.tls, "tls certificate")
            yield Line(None, "tls certificate", _name(request.tls))
        yield self._anchored(request.token, "token certificate")
        yield from self._signed(
            "request signature", request.body, request.content_type, request.token
        )

    def _signed(
        self, what: str, body: bytes, content_type: str | None, token: bytes | None
    ) -> Iterator[Line]:
        """The arithmetic of a request, or of an answer (`token` None: whatever it brings)."""
        try:
            opened = open_answer(body) if token is None else open_signed(body, content_type)
        except (Fault, Refusal) as exc:
            yield Line(False, what, f"does not hold: {exc}")
            return
        if isinstance(opened, SoapFault):
            yield Line(None, what, f"an unsigned fault: {opened.faultcode}")
            return
        if token is not None and opened.token != token:
            yield Line(False, what, "holds, but under another certificate than the one kept")
            return
        algorithm = opened.algorithms.signature.rpartition("#")[2]
        yield Line(True, what, f"holds ({algorithm}), by {_name(opened.token)}")
        yield from self._about(what, opened, token is not None)

    def _about(self, what: str, opened: SignedMessage, is_request: bool) -> Iterator[Line]:
        """That an answer or receipt is about this message, by what its signer signed."""
        if is_request:
            self.message_id = opened.addressing.message_id
            return
        if what == "answer signature" and self.message_id is not None:
            same = opened.addressing.relates_to == self.message_id
            yield Line(same, what, f"relates to {'this' if same else 'another'} request")
        named = self._kenmerk(opened)
        if named is not None:
            same = named == self.bundle.kenmerk
            yield Line(same, what, f"names {'this' if same else 'another'} kenmerk")

    def _kenmerk(self, opened: SignedMessage) -> str | None:
        for element in opened.body.iter(etree.Element):
            if etree.QName(element).localname == "kenmerk":
                return (element.text or "").strip()
        return None

    def _answers(self) -> Iterator[Line]:
        if not self.bundle.answers:
            yield Line(None, "answer", "no answer sent")
        for answer in self.bundle.answers:
            yield self._anchored(answer.body, "answer")
            yield from self._signed("answer signature", answer.body, None, None)

    def _statuses(self) -> Iterator[Line]:
        numbers = [status.seq for status in self.bundle.statuses]
        if numbers != list(range(1, len(numbers) + 1)):
            yield Line(False, "status", "the statuses have gaps or are not in their order")
        for status in self.bundle.statuses:
            text = f"{status.seq}: {status.code} at {status.at}"
            found = self._status(status)
            yield Line(found is not None, "status", f"{text}, {found or 'in no journal entry'}")

    def _status(self, status: file.StatusLine) -> str | None:
        """The entry that tells of this status with the same code, number, time and words."""
        words = words_digest(status.fout, status.details)
        for one, said in self.notes:
            data = said["data"]
            for seq, code, at in data.get("statuses", ()):
                begun = (seq, code, datetime.fromisoformat(at), None, None)
                if begun == (status.seq, status.code, status.at, status.foutcode, words):
                    return f"entry {one.leaf}"
            if (
                data.get("seq") == status.seq
                and data.get("code") == status.code
                and data.get("foutcode") == status.foutcode
                and data.get("words") == words
                and datetime.fromisoformat(said["at"]) == status.at
            ):
                return f"entry {one.leaf}"
        return None

    def _deliveries(self) -> Iterator[Line]:
        if not self.bundle.deliveries:
            yield Line(None, "delivery", "not delivered to an agency")
        for one in self.bundle.deliveries:
            what = f"delivery to {one.agency}"
            found = self._delivered(one)
            yield Line(
                found is not None, what,
                f"at {one.delivered_at}, {found or 'in no journal entry'}",
            )  # fmt: skip
            if one.receipt is None:
                yield Line(None, what, "the channel keeps no receipt")
            else:
                yield from self._signed("receipt signature", one.receipt, None, None)

    def _delivered(self, one: file.Delivery) -> str | None:
        digest = None if one.receipt is None else sha256(one.receipt).hexdigest()
        for entry, said in self.notes:
            data = said["data"]
            if (
                digest in (None, data.get("receipt"))
                and data.get("agency") == one.agency
                and datetime.fromisoformat(said["at"]) == one.delivered_at
            ):
                what = "it" if digest is None else "the receipt's digest"
                return f"{what} stands in entry {entry.leaf} ({said['kind']})"
        return None


def _name(certificate: bytes) -> str:
    """Who a certificate names, for people."""
    try:
        read = read_certificate(certificate)
    except ValueError:
        return "bytes that are no certificate"
    try:
        oin = oin_of(read, test_oins=True).value
    except Untrusted:
        oin = "no OIN"
    return f"{common_name(read)} ({oin})"
