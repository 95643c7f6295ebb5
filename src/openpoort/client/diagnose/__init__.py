"""Diagnosis of a request that a gateway refuses: every check, not just the first that fails.

The checks explain. They are independent of the gateway's own reading, which stops at the first
mistake and has the last word: it runs at the end, so that the report closes with the very answer
that a sender gets.
"""

from __future__ import annotations

from openpoort.client.diagnose import content, envelope, signature, transport
from openpoort.client.diagnose.report import Check, Outcome, Report
from openpoort.client.diagnose.request import Request, read
from openpoort.client.diagnose.subject import Subject, Surroundings
from openpoort.client.diagnose.verdict import Given, verdict

__all__ = ["Check", "Outcome", "Report", "Request", "Surroundings", "diagnose", "read", "reported"]

_HEAD = (transport.tls, transport.http)
_BODY = (
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
    subject = _explained(request, around)
    return _closed(subject.report, verdict(request, around, subject.service))


def reported(request: Request, around: Surroundings, given: Given) -> Report:
    """As `diagnose`, of a request that a door has answered already."""
    return _closed(_explained(request, around).report, given)


def _explained(request: Request, around: Surroundings) -> Subject:
    subject = Subject(request, around)
    only_head = not request.whole or request.method == "GET"
    for check in _HEAD if only_head else (*_HEAD, *_BODY):
        try:
            check(subject)
        except Exception as error:  # noqa: BLE001  # a tool for broken input must not break on it
            what = f"could not be looked at in this request ({type(error).__name__})"
            subject.report.unknown(check.__name__.replace("_", " "), what)
    return subject


def _closed(report: Report, given: Given) -> Report:
    report.fout, report.status, report.unjudged = given.fout, given.status, given.unjudged
    if report.fout and not report.wrong_ones:
        report.wrong("gateway", " ".join(report.fout.split()))
    return report
