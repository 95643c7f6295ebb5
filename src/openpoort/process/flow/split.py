"""A batch in parts.

It is split once, in the transaction of the step: its parts get their kenmerk, statuses and first
job together with the parent's status, or nothing is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from openpoort.domain.finding import Finding
from openpoort.domain.journal import JournalEntry
from openpoort.domain.kind import Kind, Step
from openpoort.process.flow.context import Work, belang, first_jobs, first_open
from openpoort.process.ports import CheckUnavailable
from openpoort.store.messages import marks
from openpoort.store.messages.changes import TICK
from openpoort.store.messages.marks import Beside
from openpoort.store.messages.rows import Accept, DocumentRow, MessageRow, StatusRow, started
from openpoort.store.payloads.payloads import Stored


def split(work: Work, step: Step) -> Sequence[Finding]:
    """Every element with the named tag becomes a process of its own kind and kenmerk.

    Findings when the batch cannot be split: then nothing was made."""
    kind = work.house.kinds[step.options["berichtsoort"]]
    if work.house.split is None:
        raise CheckUnavailable("nothing that splits is installed")
    parts, wrong = work.house.split(work.documents()[0].inhoud, step.options["element"])
    if wrong:
        return wrong
    children = [_child(work, kind, number, part) for number, part in enumerate(parts, 1)]
    work.process.children += children
    kenmerken = [str(child.message.kenmerk) for child in children]
    work.process.note("message.split", work.now, {"parts": kenmerken})
    return []


def _child(work: Work, kind: Kind, number: int, body: bytes) -> Accept:
    parent, now = work.message, work.now
    kenmerk = work.house.new_kenmerk()
    digest = hashlib.sha256(body).digest()
    name = f"{kind.berichtsoort}-{number}{kind.extensions[0]}"
    message = MessageRow(
        day=now.date(), kenmerk=kenmerk, about=None, parent=parent.kenmerk,
        berichtsoort=kind.berichtsoort, sender=parent.sender,
        berichtkenmerk=parent.berichtkenmerk, aanleverkenmerk=parent.aanleverkenmerk,
        eerder_aanleverkenmerk=None, belanghebbende=parent.belanghebbende,
        rol_belanghebbende=parent.rol_belanghebbende, ontvanger=parent.ontvanger,
        rol_ontvanger=parent.rol_ontvanger, autorisatie_adres=parent.autorisatie_adres,
        accepted_at=now, documents=(DocumentRow("application/xml", name, digest, len(body)),),
    )  # fmt: skip
    statuses = tuple(StatusRow(i, code, now + i * TICK) for i, code in enumerate(kind.start, 1))
    entry = JournalEntry(
        "message.accepted", now, parent.sender, str(kenmerk),
        {"kind": kind.berichtsoort, "parent": str(parent.kenmerk), "documents": [digest.hex()],
         "statuses": started(statuses),
         marks.ROW: marks.message(message, Beside(belang(parent.belanghebbende)))},
    )  # fmt: skip
    stored = Stored(digest, len(body), body=body)
    return Accept(
        message=message, belang=belang(parent.belanghebbende), statuses=statuses,
        jobs=first_jobs(work.house, kind, message), payloads=(stored,),
        entries=(entry,), open=first_open(kind),
    )  # fmt: skip
