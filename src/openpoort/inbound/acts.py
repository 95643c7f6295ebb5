"""What a judged request asks, done: taken in, answered, or a status set.

The process judges the rights, has the answer signed and keeps it in the commit of the message; it
is sent after that commit, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Oin
from openpoort.domain.message import (
    AanleverBevestiging,
    Aanlevering,
    Antwoord,
    Received,
    Vraag,
    ZetStatus,
    ZetStatusBevestiging,
)
from openpoort.domain.party import Directory
from openpoort.inbound.http import Answer, Post
from openpoort.inbound.wus import Judged, Stopwatch, Trail, fresh
from openpoort.process.intake import Intake
from openpoort.process.reading.answers import LARGEST
from openpoort.process.reading.reader import Reader, Reading
from openpoort.wire.wus import koppelvlak, seal
from openpoort.wire.wus.seal import Signer
from openpoort.wire.wus.services import AANLEVER, AANSLUIT_SUITE
from openpoort.wire.wus.signed_message import SignedMessage


@dataclass(slots=True)
class Acting:
    """For `Wus.act`. `signers` holds one per certificate of the door, in its order, so that an
    answer is signed by what the connection presented."""

    intake: Intake
    reader: Reader
    directory: Callable[[], Directory]
    signers: Sequence[Signer]
    now: Callable[[], datetime]

    async def __call__(self, post: Post, judged: Judged, trail: Trail) -> Answer:
        value, who = judged.value, judged.verified
        raw = Received(post.raw, self.now(), post.line.peer, post.content_type)
        if isinstance(value, Vraag):
            return await self._read(post, judged, trail, value)
        if isinstance(value, Aanlevering):
            try:
                taken = await self.intake.aanleveren(
                    who,
                    value,
                    raw,
                    lambda said: self._seal(post, judged, trail, said),
                    suite=post.service.path in AANSLUIT_SUITE,
                )
            except Fault:
                trail.action = self._event(who.sender.oin, value)
                raise
            if trail.spent:
                trail.spent("store", self.intake.cpu_since())
            return Answer(200, taken.answer)
        if isinstance(value, ZetStatus):
            done = await self.intake.zet_status(who, value, raw)
            return Answer(200, self._seal(post, judged, trail, done))
        raise Fault(f"Het bericht {judged.operation.name} wordt hier niet aangenomen.")

    def _event(self, oin: Oin, value: Aanlevering) -> str:
        """The security event of a refused hand-in: no right to it, or just a mistake."""
        directory = self.directory()
        if directory.party(oin) is None:
            known = directory.agency_of(oin) is not None
            return "request.faulted" if known else "request.unknown-sender"
        try:
            directory.may_send(
                oin, value.berichtsoort, value.belanghebbende, value.rol_belanghebbende, self.now()
            )
        except Fault:
            return "request.unauthorised"
        return "request.faulted"

    async def _read(self, post: Post, judged: Judged, trail: Trail, value: Vraag) -> Answer:
        room = self._room(post, judged, value) if value.operatie.nieuwe else LARGEST
        reading: Reading = await self.reader.vraag(judged.verified, value, room)
        try:
            answer = self._seal(post, judged, trail, reading.antwoord)
        except BaseException:
            await reading.release()
            raise

        async def then(delivered: bool) -> None:
            await (reading.delivered() if delivered else reading.release())

        return Answer(200, answer, then=then)

    def _room(self, post: Post, judged: Judged, value: Vraag) -> int:
        """Octets for the items of an answer that is cut: what else is in it is known by now."""
        message, action = judged.verified.message, judged.operation.response_action
        certificate = self.signers[post.line.place].certificate
        identifiers = (fresh(), message.addressing.message_id)
        around = seal.overhead(certificate, _hash_name(message), action, *identifiers)
        return LARGEST - around - koppelvlak.frame(value.operatie)

    def _seal(
        self,
        post: Post,
        judged: Judged,
        trail: Trail,
        value: AanleverBevestiging | ZetStatusBevestiging | Antwoord,
    ) -> bytes:
        message = judged.verified.message
        asked = message.addressing.message_id
        watch = Stopwatch(trail.spent)
        answer = seal.seal_answer(
            koppelvlak.write(value),
            action=judged.operation.response_action,
            message_id=asked if post.service.name == AANLEVER.name else fresh(),
            relates_to=asked,
            created=self.now(),
            signer=self.signers[post.line.place],
            hash_name=_hash_name(message),
        )
        watch.mark("sign")
        return answer


def _hash_name(asked: SignedMessage) -> str:
    """What the answer to it is signed with."""
    return "sha1" if asked.algorithms.hash_name == "sha1" else "sha256"
