"""Checks on time and content: Timestamp, schema, documents, kind and rights as far as known."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from openpoort.client.diagnose.subject import Subject, elements, local, text
from openpoort.client.diagnose.transport import oin
from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import Kind
from openpoort.domain.message import MAX_DOCUMENT
from openpoort.process.flow.kinds import load
from openpoort.wire.names import KOPPELVLAK, WSU
from openpoort.wire.wus.services import xsd
from openpoort.wire.xml import instant


def times(subject: Subject) -> None:
    """Created and Expires against the clock."""
    if subject.security is None:
        return
    report, stamp = subject.report, subject.security.find(f"{{{WSU}}}Timestamp")
    if stamp is None:
        report.wrong(
            "timestamp", "wsu:Timestamp is missing", "add it with wsu:Created, and sign it"
        )
        return
    created = _moment(subject, stamp, "Created")
    expires = _moment(subject, stamp, "Expires")
    if stamp.find(f"{{{WSU}}}Created") is None:
        report.wrong("timestamp", "wsu:Created is missing")
    now, skew = subject.around.now, subject.around.skew
    if created is not None:
        off = (created - now).total_seconds()
        side = "ahead of" if off > 0 else "behind"
        report.judge(
            "time",
            abs(created - now) <= skew,
            f"Created {created.isoformat()} is {abs(off):.0f} s {side} this clock",
            _time_advice(off, skew.total_seconds()),
        )
    if expires is not None and created is not None and expires < created:
        report.wrong("timestamp", "Expires lies before Created")
    elif expires is not None:
        report.judge(
            "expiry",
            expires >= now - skew,
            f"Expires {expires.isoformat()}",
            "the message was too old when it came in",
        )


def _time_advice(off: float, skew: float) -> str:
    hours = round(off / 3600)
    if hours in (1, 2) and abs(off - hours * 3600) <= skew:
        return "this is Dutch local time written as UTC: convert it before writing Z"
    return (
        f"at most {skew:.0f} s is accepted: set the clock (NTP) and write UTC with Z; "
        "an old capture can be judged with --at"
    )


def _moment(subject: Subject, stamp: etree._Element, name: str) -> datetime | None:
    value = text(stamp.find(f"{{{WSU}}}{name}"))
    if not value:
        return None
    try:
        return instant.parse(value, UTC)
    except ValueError:
        subject.report.wrong(f"wsu:{name}", f"{value} is no xsd:dateTime")
        return None


def schema(subject: Subject) -> None:
    """Every violation of the schema, not just the first."""
    if subject.payload is None or subject.operation is None:
        return
    validator = etree.XMLSchema(etree.fromstring(xsd()))
    if validator.validate(subject.payload):
        subject.report.ok("schema", f"{local(subject.payload)} is valid")
        return
    short = "{" + KOPPELVLAK + "}"
    lines = dict.fromkeys(
        f"line {error.line}: {error.message.replace(short, '')}"
        for error in list(validator.error_log)  # type: ignore[call-overload]  # the stubs miss __iter__
    )
    for line in list(lines)[:20]:
        subject.report.wrong("schema", line, _schema_advice(line))


def _schema_advice(line: str) -> str:
    if "identiteitIntermediair" in line:
        return "there is no such element: an intermediary is known by its certificate"
    if "berichtBijlagen" in line and "Missing child" in line:
        return "leave berichtBijlagen out when there are no attachments"
    if "not expected" in line:
        return "mind the order: the elements form an xsd:sequence"
    return ""


def documents(subject: Subject) -> None:
    """Content and attachments of an aanleverRequest: base64, size, what it starts with."""
    if subject.payload is None or local(subject.payload) != "aanleverRequest":
        return
    for element in subject.payload.iter(f"{{{KOPPELVLAK}}}inhoud"):
        name = text(element.getparent().find(f"{{{KOPPELVLAK}}}bestandsnaam")) or "inhoud"  # type: ignore[union-attr]  # inhoud is never the root
        try:
            content = base64.b64decode("".join((element.text or "").split()), validate=True)
        except ValueError as error:
            subject.report.wrong(f"document {name}", f"no base64: {error}")
            continue
        size = len(content)
        if size > MAX_DOCUMENT:
            subject.report.wrong(f"document {name}", f"{size} bytes; at most {MAX_DOCUMENT}")
        elif not size:
            subject.report.wrong(f"document {name}", "empty")
        elif content[:1] not in b"<\xef" and name.endswith((".xml", ".xbrl")):
            twice = _is_base64(content)
            advice = "encoded as base64 twice" if twice else "the content is no XML"
            subject.report.attention(
                f"document {name}", f"{size} bytes, does not start with <", advice
            )
        else:
            subject.report.ok(f"document {name}", f"{size} bytes")


def _is_base64(content: bytes) -> bool:
    try:
        base64.b64decode(content, validate=True)
    except ValueError:
        return False
    return True


def kind(subject: Subject) -> None:
    """Berichtsoort, identity and role, with the kinds and parties of a HOME."""
    payload, around, report = subject.payload, subject.around, subject.report
    if payload is None or local(payload) != "aanleverRequest":
        return
    values = {local(e): e for e in elements(payload)}
    berichtsoort = text(values.get("berichtsoort"))
    kinds = around.kinds or _supplied()
    known = kinds.get(berichtsoort)
    if not around.kinds:
        advice = "" if known is not None else _guess(berichtsoort, kinds)
        report.unknown("berichtsoort", f"{berichtsoort} (no kinds known; pass --home)", advice)
        return
    if known is None:
        report.wrong("berichtsoort", berichtsoort or "missing", _guess(berichtsoort, kinds))
        return
    report.ok("berichtsoort", f"{berichtsoort}: {known.title}")
    who = values.get("identiteitBelanghebbende")
    identity = _identity(who) if who is not None else None
    if identity is not None:
        allowed = {t.lower() for t in known.identity_types}
        report.judge(
            "identity",
            identity.type.lower() in allowed,
            f"{identity.type} {identity.nummer}",
            f"{berichtsoort} takes {', '.join(known.identity_types)}",
        )
    rol = text(values.get("rolBelanghebbende"))
    report.judge(
        "role",
        rol in known.rollen,
        rol or "missing",
        f"{berichtsoort} takes {', '.join(known.rollen)}",
    )
    _rights(subject, berichtsoort, identity, rol)


@lru_cache(maxsize=1)
def _supplied() -> Mapping[str, Kind]:
    """What every openpoort knows; another gateway may know more."""
    return load()


def _guess(berichtsoort: str, kinds: Mapping[str, Kind]) -> str:
    folded = {name.lower().replace("_", ""): name for name in kinds}
    guess = _KINDS.get(berichtsoort) or folded.get(berichtsoort.lower().replace("_", ""))
    return f"did you mean {guess}?" if guess else "known: " + ", ".join(sorted(kinds))


_KINDS = {"Loonaangifte": "Aangifte_LH", "BTW": "Omzetbelasting", "Suppletie": "OBSUP"}
"""Names that developers guess, with the real ones."""


def _identity(element: etree._Element) -> Identiteit | None:
    values = {local(e): text(e) for e in elements(element)}
    if values.get("nummer") and values.get("type"):
        return Identiteit(values["nummer"], values["type"])
    return None


def _rights(subject: Subject, berichtsoort: str, who: Identiteit | None, rol: str) -> None:
    around, report = subject.around, subject.report
    if around.directory is None or subject.certificate is None or who is None:
        report.unknown("rights", "unknown here: they stand in the gateway's directory (--home)")
        return
    sender = oin(subject.certificate.public_bytes(Encoding.DER))
    if sender is None:
        return
    kind = around.kinds[berichtsoort]
    try:
        if kind.direction != "retour":
            around.directory.may_send(sender, berichtsoort, who, rol, around.now)
        elif not around.directory.may_return(sender, berichtsoort):
            raise Fault("this is a return message: only the agency may send it")
        report.ok("rights", "the sender may send this kind for this party in this role")
    except Fault as fault:
        report.wrong("rights", fault.text, "see `openpoort party` on the gateway")
