"""What a gateway would answer: our own reading of the request, to its first fault."""

from __future__ import annotations

from openpoort.client.diagnose.subject import Subject
from openpoort.domain.fault import Fault, Refusal
from openpoort.wire import addressing, koppelvlak, mime, seal
from openpoort.wire.services import AANLEVER
from openpoort.wire.soap import open_signed


def verdict(subject: Subject) -> str:
    """The foutcode and Dutch text of the fault, or a note on a bare refusal; empty if accepted.

    Without known host names every wsa:To is taken for right.
    """
    service = subject.service or AANLEVER
    request, around = subject.request, subject.around
    try:
        raw = mime.unpack(request.body, request.header("content-type"))
        message = open_signed(raw)
        to = message.addressing.to
        anywhere = frozenset({addressing.alike(to or "")})
        accepted = addressing.endpoints(around.hosts, service) if around.hosts else anywhere
        addressing.check(message, service, accepted, around.now, around.skew)
        koppelvlak.read(message)
    except Fault as fault:
        fout = seal.fout(service, fault)
        return f"{fout.foutcode}: {fout.foutbeschrijving}"
    except Refusal as refusal:
        return f"HTTP {refusal.status} without an answer ({refusal.what})"
    return ""
