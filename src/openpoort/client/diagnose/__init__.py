"""Diagnosis of a request that a gateway refuses: every check, not just the first that fails.

Independent of the gateway's own reading, which stops at the first mistake; that one is run at
the end, so that the report also shows the very fault a sender gets.
"""

from __future__ import annotations

from openpoort.client.diagnose import content, envelope, signature, transport
from openpoort.client.diagnose.report import Check, Outcome, Report
from openpoort.client.diagnose.request import Request, read
from openpoort.client.diagnose.subject import Subject, Surroundings
from openpoort.client.diagnose.verdict import verdict

__all__ = ["Check", "Outcome", "Report", "Request", "Surroundings", "diagnose", "read"]

_CHECKS = (
    transport.tls,
    transport.http,
    transport.encoding,
    transport.well_formed,
    envelope.envelope,
    envelope.operation,
    envelope.addressing,
    signature.security,
    content.times,
    content.schema,
    content.documents,
    content.kind,
)


def diagnose(request: Request, around: Surroundings) -> Report:
    """All checks over one request, in the order a message is read. Never raises on bad input."""
    subject = Subject(request, around)
    for check in _CHECKS:
        check(subject)
    subject.report.fout = verdict(subject)
    return subject.report
