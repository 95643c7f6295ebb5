"""Checks on the envelope: SOAP 1.1, one Body, the WS-Addressing headers and their values."""

from __future__ import annotations

from lxml import etree

from openpoort.client.diagnose.subject import Subject, elements, local, shown, space, text
from openpoort.wire.names import ANONYMOUS, KOPPELVLAK, NONE, SOAP, SOAP12, WSA, WSSE
from openpoort.wire.wus.addressing import alike, endpoints
from openpoort.wire.wus.services import AANLEVER, OPHAAL, STATUSINFORMATIE, by_element

_KNOWN = ("To", "Action", "MessageID", "ReplyTo", "FaultTo", "From", "RelatesTo")
_OLD_WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DEBUGGER = "VsDebuggerCausalityData"


def envelope(subject: Subject) -> None:
    """SOAP version, Header and Body; finds the parts for the checks that follow."""
    root, report = subject.root, subject.report
    if root is None:
        return
    if root.tag == f"{{{SOAP12}}}Envelope":
        report.wrong("envelope", "SOAP 1.2", "use the SOAP 1.1 namespace " + SOAP)
    else:
        report.judge(
            "envelope",
            root.tag == f"{{{SOAP}}}Envelope",
            f"root element {shown(root)} in namespace {space(root)}",
            "the root must be Envelope in " + SOAP,
        )
    for child in elements(root):
        if local(child) == "Header" and subject.header is None:
            subject.header = child
        elif local(child) == "Body" and subject.body is None:
            subject.body = child
    if subject.body is None:
        report.wrong("body", "there is no Body in the envelope")
    else:
        inside = elements(subject.body)
        report.judge("body", len(inside) == 1, f"{len(inside)} elements in Body", "exactly one")
        subject.payload = inside[0] if inside else None
    if subject.header is None:
        report.wrong(
            "headers",
            "there is no Header: no WS-Addressing and no WS-Security",
            "the interface needs wsa:To, wsa:Action, wsa:MessageID and a signed wsse:Security",
        )
    else:
        _headers(subject, subject.header)


def _headers(subject: Subject, header: etree._Element) -> None:
    report, found = subject.report, elements(header)
    report.ok("header order", ", ".join(shown(e) for e in found) + " (any order is accepted)")
    for element in found:
        named = space(element)
        if element.tag == f"{{{WSSE}}}Security":
            subject.security = element if subject.security is None else subject.security
        elif named == _OLD_WSA:
            report.wrong(
                f"header {shown(element)}",
                "WS-Addressing of 2004",
                "use the namespace " + WSA,
            )
        elif local(element) == _DEBUGGER:
            report.wrong(
                f"header {_DEBUGGER}",
                "the .NET debugger added a header of its own",
                'add <add name="Remote.Disable" value="1"/> under <switches> in app.config',
            )
        elif named != WSA or local(element) not in _KNOWN:
            report.wrong(
                f"header {shown(element)}",
                "own header fields are not allowed",
                "remove it from the envelope",
            )
    twice = {e.tag for e in found if sum(o.tag == e.tag for o in found) > 1}
    for tag in sorted(str(tag) for tag in twice):
        report.wrong("headers", f"{tag.rpartition('}')[2]} stands more than once")


def operation(subject: Subject) -> None:
    """Which operation the body element asks for: that decides, not Action and not SOAPAction."""
    payload, report = subject.payload, subject.report
    if payload is None:
        return
    found = by_element(str(payload.tag))
    if found is None:
        report.wrong(
            "operation", f"{shown(payload)} is no request of the interface", _guess(payload)
        )
        return
    service, subject.operation = found
    if subject.service is not None and subject.service.name != service.name:
        report.wrong(
            "operation",
            f"{local(payload)} went to {subject.service.path}",
            f"send it to {service.path}",
        )
    else:
        report.ok("operation", f"{subject.operation.name} of the {service.title}")
    subject.service = service


def _guess(payload: etree._Element) -> str:
    name, named = local(payload), space(payload)
    known = {
        etree.QName(o.request).localname: o
        for s in (AANLEVER, STATUSINFORMATIE, OPHAAL)
        for o in s.operations
    }
    if name in known:
        return f"the element is right, its namespace {named} is not: use {KOPPELVLAK}"
    for service in (AANLEVER, STATUSINFORMATIE, OPHAAL):
        for operation in service.operations:
            if name.lower().startswith(operation.name.lower()):
                right = etree.QName(operation.request).localname
                return f"the element must be {right} in {KOPPELVLAK}"
    return f"the interface knows {', '.join(known)} in {KOPPELVLAK}"


def addressing(subject: Subject) -> None:
    """To, Action, MessageID and ReplyTo against what the interface prescribes."""
    header, report = subject.header, subject.report
    if header is None:
        return
    values = {local(e): e for e in elements(header) if space(e) == WSA}
    for name in ("To", "Action", "MessageID"):
        if name not in values:
            report.wrong(f"wsa:{name}", "missing", f"add wsa:{name} and sign it")
        elif not text(values[name]):
            report.wrong(f"wsa:{name}", "empty")
    if text(values.get("To")):
        _to(subject, text(values["To"]))
    if text(values.get("Action")):
        _action(subject, text(values["Action"]))
    if text(values.get("MessageID")):
        _message_id(subject, text(values["MessageID"]))
    for name in ("ReplyTo", "FaultTo", "From"):
        if name in values:
            address = text(values[name])
            report.judge(
                f"wsa:{name}",
                address in ((ANONYMOUS,) if name == "ReplyTo" else (ANONYMOUS, NONE)),
                address or "empty",
                f"the address must be {ANONYMOUS}",
            )
    if "ReplyTo" not in values:
        report.ok("wsa:ReplyTo", "absent; that is allowed")


def _to(subject: Subject, value: str) -> None:
    service, hosts = subject.service, subject.around.hosts
    if not hosts:
        known = service is not None and (
            alike(value).endswith(service.path) or alike(value) in endpoints((), service)
        )
        subject.report.attention(
            "wsa:To",
            value,
            "must equal the address you send to"
            + ("" if known or service is None else f", which ends in {service.path}"),
        )
        return
    good = service is not None and alike(value) in endpoints(hosts, service)
    advice = f"it must be {hosts[0].rstrip('/')}{service.path if service else '…'}"
    subject.report.judge("wsa:To", good, value, advice)


def _action(subject: Subject, value: str) -> None:
    operation = subject.operation
    if operation is None:
        subject.report.unknown("wsa:Action", f"{value} (the operation is unknown)")
        return
    if value == operation.action_wcf:
        subject.report.ok("wsa:Action", f"{value} (the spelling of .NET proxies)")
        return
    advice = f"use {operation.action}"
    if value == operation.response_action:
        advice += "; this is the action of the answer"
    elif value.startswith(KOPPELVLAK):
        advice += "; the namespace of the messages is not that of the service"
    subject.report.judge("wsa:Action", value == operation.action, value, advice)


def _message_id(subject: Subject, value: str) -> None:
    if ":" not in value:
        subject.report.wrong("wsa:MessageID", value, "an absolute IRI, such as urn:uuid:<v4>")
    elif len(value) > 256:
        subject.report.wrong("wsa:MessageID", f"{len(value)} characters", "at most 256")
    else:
        subject.report.ok("wsa:MessageID", value)
