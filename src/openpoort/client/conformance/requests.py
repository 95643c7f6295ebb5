"""Cases: what a gateway must take, in every shape that clients write."""

from __future__ import annotations

import base64
import itertools
import re
import ssl
from collections.abc import Iterator
from dataclasses import replace

from openpoort.client.conformance.kit import Case, Fails, Headers, Kit, Skips, expect
from openpoort.client.forge import Shape
from openpoort.domain.message import Operatie
from openpoort.outbound.http import Https, NoAnswer
from openpoort.wire.wus.services import AANLEVER

_PARTS = ("Timestamp", "BinarySecurityToken", "Signature")
_HEADERS = ("Action", "MessageID", "ReplyTo", "To")
_SHA1 = Shape(digest="sha1", signature="sha1")


def _taken(clause: str, title: str, shape: Shape, must: bool = True, **how: object) -> Case:
    def run(kit: Kit) -> None:
        kit.hand_in(shape, **how).accepted()

    return Case(clause, title, run, must)


def _shapes() -> Iterator[Case]:
    for order in itertools.permutations(_PARTS):
        shape = replace(_SHA1, security=order)
        yield _taken("WUS-5.9-3", f"takes Security with {', '.join(order)}", shape)
    for header in (
        ("Security", *_HEADERS),
        (*_HEADERS, "Security"),
        ("To", "Security", *_HEADERS[:3]),
    ):
        title = "Security " + ("first" if header[0] == "Security" else "last or between")
        yield _taken("WUS-5.9-3", f"takes {title} in the header", Shape(header=header))
    yield _taken("WUS-5.9-3", "takes an InclusiveNamespaces list", Shape(inclusive="s a u o"))
    data = Shape(key_info="x509data")
    yield _taken("WUS-5.9-3", "takes X509Data instead of a token", data, must=False)
    yield _taken("WUS-2.1-8", "takes SHA-1", _SHA1)
    yield _taken("WUS-2.1-8", "takes SHA-256", Shape())
    strong = Shape(digest="sha512", signature="sha512")
    yield _taken("WUS-2.1-8", "takes SHA-512", strong, must=False)
    mixed = Shape(digest="sha1", signature="sha256")
    yield _taken("WUS-2.1-8", "takes rsa-sha256 over SHA-1 digests", mixed, must=False)
    without = Shape(header=("Action", "MessageID", "To", "Security"))
    yield _taken("WUS-2.1-5", "takes a request without ReplyTo", without)
    yield _taken("WUS-2.1-2", "takes a Timestamp without Expires", Shape(lifetime=None))
    for digits in (0, 3, 6, 7):
        shape = Shape(fraction=digits)
        yield _taken("WUS-5.9-5", f"takes {digits} digits after the second", shape)


def _http() -> Iterator[Case]:
    action = AANLEVER.operations[0].action
    for title, value in (
        ("quoted", f'"{action}"'),
        ("unquoted", action),
        ("short", "aanleverenRequest"),
        ("empty", '""'),
        ("about something else", '"http://example.org/other"'),
    ):
        how: Headers = {"SOAPAction": value}
        yield _taken("WUS-5.9-2", f"takes a SOAPAction that is {title}", Shape(), headers=how)
    yield _taken("WUS-5.9-2", "takes no SOAPAction", Shape(), headers={"SOAPAction": ""})
    for kind in ("text/xml", "text/xml; charset=UTF-8", 'text/xml;charset="utf-8"'):
        how = {"Content-Type": kind}
        yield _taken("WUS-5.9-2", f"takes Content-Type {kind}", Shape(), headers=how)
    yield _taken(
        "WUS-5.9-2",
        "takes a byte order mark and an XML declaration",
        Shape(),
        wrap=lambda raw: (b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>' + raw, {}),
    )
    yield _taken(
        "WUS-5.9-2",
        "takes an XML declaration",
        Shape(),
        wrap=lambda raw: (b'<?xml version="1.0" encoding="UTF-8"?>\n' + raw, {}),
    )
    yield _taken(
        "WUS-1.2-1",
        "takes the action spelling of .NET proxies",
        _SHA1,
        action=AANLEVER.operations[0].action_wcf,
    )
    yield _taken("WUS-2.4-1", "takes an MTOM message", Shape(), wrap=_mtom)


def _mtom(raw: bytes) -> tuple[bytes, Headers]:
    """Move the content out as a MIME part; the signature stays over the inlined message."""
    found = re.search(rb"<inhoud>([A-Za-z0-9+/=\s]+)</inhoud>", raw)
    if found is None:
        raise Skips("the message has no content to move out")
    include = (
        b'<inhoud><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" '
        b'href="cid:inhoud@openpoort.test"/></inhoud>'
    )
    root = raw[: found.start()] + include + raw[found.end() :]
    mark = b"conformance-5f0c"
    parts = (
        b'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\n'
        b"Content-Transfer-Encoding: binary\r\nContent-ID: <root@openpoort.test>\r\n\r\n" + root,
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
        b"Content-ID: <inhoud@openpoort.test>\r\n\r\n" + base64.b64decode(found[1]),
    )
    body = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts)
    kind = (
        'multipart/related; type="application/xop+xml"; start="<root@openpoort.test>"; '
        f'start-info="text/xml"; boundary="{mark.decode()}"'
    )
    return body + b"--" + mark + b"--\r\n", {"Content-Type": kind}


def _tls_version(version: ssl.TLSVersion, title: str, must: bool) -> Case:
    def run(kit: Kit) -> None:
        context = kit.context()
        context.minimum_version = context.maximum_version = version
        with Https(context) as http:
            try:
                http.get(kit.endpoints.aanleveren + "?wsdl")
            except NoAnswer as error:
                raise Fails(str(error)) from error

    return Case("WUS-5.9-1", f"speaks {title}", run, must)


def _anonymous(kit: Kit) -> None:
    with Https(kit.context(anonymous=True)) as http:
        try:
            answer = http.post(kit.endpoints.aanleveren, b"<x/>", {"Content-Type": "text/xml"})
        except NoAnswer:
            return
    expect(answer.status in (400, 401, 403), f"HTTP {answer.status} without a client certificate")


def _actions(kit: Kit) -> None:
    """The answer has the WSDL's action, whichever spelling the request had."""
    operation = AANLEVER.operations[0]
    for spelling in (operation.action, operation.action_wcf):
        found = kit.hand_in(action=spelling).accepted().addressing.action
        expect(found == operation.response_action, f"the answer's action is {found}")


def _by_element(kit: Kit) -> None:
    """A body of another operation of the service decides, not the SOAPAction header."""
    seen = kit.ask(Operatie.BERICHTSOORTEN, belanghebbende=kit.message.belanghebbende)
    expect(seen.accepted().operation == "getBerichtsoortenResponse", seen.told())


CASES = (
    *_shapes(),
    *_http(),
    _tls_version(ssl.TLSVersion.TLSv1_2, "TLS 1.2", must=True),
    _tls_version(ssl.TLSVersion.TLSv1_3, "TLS 1.3", must=False),
    Case("WUS-5.9-1", "refuses a connection without a client certificate", _anonymous),
    Case("WUS-1.2-1", "answers with the action of the WSDL", _actions),
    Case("WUS-1.2-2", "routes on the body element", _by_element),
)
