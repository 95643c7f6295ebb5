"""Checks on what stands around the XML: the TLS certificate, the HTTP request, the encoding."""

from __future__ import annotations

import contextlib
import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from openpoort.client.diagnose.report import Report
from openpoort.client.diagnose.subject import Subject
from openpoort.client.trust import name
from openpoort.domain.fault import Fault, Refusal
from openpoort.domain.ids import Oin
from openpoort.trust.anchors import Purpose
from openpoort.trust.chain import judge
from openpoort.trust.subject import oin_of
from openpoort.trust.verdict import Untrusted
from openpoort.wire import mime
from openpoort.wire.xmldsig.certificate import read_certificate

_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']""")
_NOT_UTF8 = {b"\xff\xfe": "UTF-16 (little endian)", b"\xfe\xff": "UTF-16 (big endian)"}


def tls(subject: Subject) -> None:
    """The client certificate of the connection, when the request came in by `--listen`."""
    leaf = subject.request.tls_leaf
    if leaf is None:
        subject.report.unknown(
            "TLS certificate",
            "not in this capture",
            "run `openpoort diagnose --listen` and send to it to have this checked as well",
        )
        return
    try:
        certificate(subject.report, "TLS certificate", leaf, subject, Purpose.AUTHENTICATION)
    except ValueError as error:
        subject.report.wrong("TLS certificate", f"cannot be read: {error}")


def certificate(
    report: Report, title: str, leaf: bytes, subject: Subject, purpose: Purpose
) -> None:
    """OIN, validity and key of a certificate and, with a trust store, the gateway's own verdict.
    ValueError when it cannot be read."""
    cert = read_certificate(leaf)
    facts = {
        "subject": cert.subject.rfc4514_string(),
        "issuer": name_of_issuer(cert),
        "valid": f"{cert.not_valid_before_utc:%Y-%m-%d} until {cert.not_valid_after_utc:%Y-%m-%d}",
    }
    found = cert.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    numbers = [str(attribute.value) for attribute in found]
    if not cert.not_valid_before_utc <= subject.around.now <= cert.not_valid_after_utc:
        report.wrong(title, "not valid at this moment", "renew the certificate", **facts)
    elif len(numbers) != 1:
        report.wrong(
            title,
            f"{len(numbers)} serialNumbers in the subject; one with the OIN is expected",
            "use a PKIoverheid (or development) certificate with the OIN in serialNumber",
            **facts,
        )
    elif not is_oin(numbers[0]):
        report.wrong(title, f"subject serialNumber {numbers[0]} is no OIN (20 digits)", "", **facts)
    elif not isinstance(cert.public_key(), RSAPublicKey):
        report.wrong(title, "the key is not RSA", "the interface signs with RSA only", **facts)
    elif (said := _untrusted(leaf, subject, purpose)) is not None:
        report.wrong(title, f"not trusted by this gateway: {said}", _TRUST_ADVICE, **facts)
    else:
        report.ok(title, f"{name(cert)}, OIN {numbers[0]}", **facts)


_TRUST_ADVICE = "HOME's tls.trust names what it trusts: issuers, purposes, pinned certificates"


def _untrusted(leaf: bytes, subject: Subject, purpose: Purpose) -> Untrusted | None:
    """The verdict of the gate, where there is a trust store; the route counts (fail mode)."""
    grounds = subject.around.grounds
    if grounds is None:
        return None
    mode = grounds.mode(subject.service.name if subject.service is not None else "")
    at = subject.around.now
    try:
        judge(leaf, purpose, at, grounds.anchors, grounds.evidence, mode)
    except Untrusted as untrusted:
        return untrusted
    return None


def oin(leaf: bytes) -> Oin | None:
    """Of a certificate that names one in the way it should."""
    try:
        return oin_of(read_certificate(leaf), test_oins=True)
    except (Untrusted, ValueError):
        return None


def name_of_issuer(cert: x509.Certificate) -> str:
    return cert.issuer.rfc4514_string()


def is_oin(value: str) -> bool:
    try:
        Oin(value)
    except ValueError:
        return False
    return True


def http(subject: Subject) -> None:
    """Method, path, content type and SOAPAction, when the capture has them."""
    request, report = subject.request, subject.report
    if request.method is None and not request.headers:
        report.unknown("HTTP", "only a body in this capture; HTTP headers are not checked")
        return
    if request.method is not None:
        asked = (request.target or "").partition("?")[2].lower()
        described = request.method == "GET" and asked.startswith(("wsdl", "xsd"))
        good = request.method == "POST" or described
        report.judge("HTTP method", good, request.method, "use POST")
        _path(subject)
        if request.method == "GET":
            return
    kind = request.header("content-type")
    if kind is None:
        report.attention(
            "content type", "no Content-Type header", 'send "Content-Type: text/xml; charset=utf-8"'
        )
    elif kind.lower().startswith("application/soap+xml"):
        report.wrong(
            "content type",
            f"{kind} is SOAP 1.2",
            'this interface is SOAP 1.1: send "text/xml; charset=utf-8"',
        )
    else:
        good = kind.lower().split(";")[0].strip() in {"text/xml", "multipart/related"}
        report.judge("content type", good, kind, 'send "text/xml; charset=utf-8"')
    action = request.header("soapaction")
    if action is None:
        report.attention("SOAPAction", "no SOAPAction header", "SOAP 1.1 asks for one, even empty")
    else:
        report.ok("SOAPAction", f"{action} (ignored: the body element decides)")


def _path(subject: Subject) -> None:
    path = (subject.request.target or "").partition("?")[0]
    if "://" in path:
        path = "/" + path.split("/", 3)[-1]
    served = subject.around.served
    subject.service = served.get(path.rstrip("/"))
    subject.report.judge(
        "HTTP path",
        subject.service is not None,
        path,
        "one of " + ", ".join(sorted(served)) + " (other gateways may have other paths)",
    )


def encoding(subject: Subject) -> None:
    """MIME, byte order mark and encoding; leaves the XML octets in `subject.xml`."""
    request, report = subject.request, subject.report
    body = request.body
    if not body.strip():
        report.wrong("body", "the request has no body", "write the envelope into the POST body")
        return
    kind = request.header("content-type")
    if kind and kind.lower().startswith("multipart/"):
        try:
            body = bytes(mime.unpack(body, kind))
            report.ok("MTOM", f"unpacked to {len(body)} bytes; digests count over the result")
        except (Fault, Refusal) as error:
            report.wrong("MTOM", str(error))
            return
    for mark, title in _NOT_UTF8.items():
        if body.startswith(mark):
            report.wrong("encoding", f"the body is {title}", "the interface is UTF-8 only")
            return
    if body.startswith(b"\xef\xbb\xbf"):
        report.ok("byte order mark", "a UTF-8 byte order mark stands first; that is tolerated")
        body = body[3:]
    declared = _ENCODING.search(body[:200])
    said = declared[1].decode("latin-1") if declared else "utf-8"
    try:
        body.decode("utf-8")
        valid = True
    except UnicodeDecodeError:
        valid = False
    good = valid and said.lower() in {"utf-8", "us-ascii", "ascii"}
    report.judge(
        "encoding",
        good,
        f"declared {said}, the bytes are {'valid' if valid else 'not valid'} UTF-8",
        "write the message as UTF-8 and declare it so",
    )
    subject.xml = body


def well_formed(subject: Subject) -> None:
    """Parse; on an error say where, and go on with what can be recovered."""
    if not subject.xml:
        return
    if b"<!DOCTYPE" in subject.xml[:4096] or b"<!ENTITY" in subject.xml:
        subject.report.wrong(
            "document type",
            "the message holds a DTD",
            "leave the DOCTYPE out: a gateway refuses it without an answer (HTTP 400), and nothing "
            "below is looked at",
        )
        return
    # The log and not the exception: a warning that comes last hides a namespace error before it.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, recover=True
    )
    with contextlib.suppress(etree.XMLSyntaxError):
        subject.root = etree.fromstring(subject.xml, parser)
    if subject.root is not None and next(subject.root.iter(etree.Entity), None) is not None:
        subject.root = None  # libxml2 falls over when it canonicalises what is no character
    said = [entry for entry in parser.error_log if entry.level >= etree.ErrorLevels.ERROR]
    if not said:
        subject.report.ok("well-formed", f"XML of {len(subject.xml)} bytes")
        return
    subject.report.wrong(
        "well-formed",
        f"line {said[0].line}, column {said[0].column}: {said[0].message}",
        "everything below is read from what could be recovered"
        if subject.root is not None
        else "nothing below could be read",
    )
