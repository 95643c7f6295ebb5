"""MIME around a message: content type, charset and MTOM/XOP (SOAP MTOM 1.0, XOP 1.0).

The signature of an MTOM message covers the infoset in which every part stands inlined as
base64, so parts are put in place before anything else looks at the message.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from email.message import Message
from functools import lru_cache
from urllib.parse import unquote

from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.domain.octets import Octets, View, view
from openpoort.wire.names import BLANKS
from openpoort.wire.xml import tags
from openpoort.wire.xml.parser import BOM, DEFAULT, Limits, parse
from openpoort.wire.xml.streamed_body import Base64

_XML_TYPES = frozenset({"text/xml", "application/xml"})
_XOP_TYPES = frozenset({"application/xop+xml", "text/xml", "application/xml"})
_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
_MAX_PARTS = 64
_MAX_HEADER = 8192
_MAX_TYPE, _MAX_PARAMETERS = 1024, 16


def unpack(body: Octets, content_type: str | None, limits: Limits = DEFAULT) -> Octets:
    """The XML octets of a request: MTOM parts inlined as base64, no byte order mark.

    Fault if the content type or charset is not ours or the MIME is broken.
    """
    kind, options = _content_type(content_type or "text/xml")
    if kind == "multipart/related":
        return _inline(body, options, limits)
    if kind == "application/soap+xml":
        raise Fault("Het bericht is SOAP 1.2 (application/soap+xml); dit koppelvlak is SOAP 1.1.")
    if kind not in _XML_TYPES:
        raise Fault(f"Content-Type {kind[:80]} wordt niet ondersteund; stuur text/xml.")
    _charset(options)
    if not body.startswith(BOM):
        return body
    return body[len(BOM) :] if isinstance(body, bytes) else body.part(len(BOM), len(body))


def _content_type(text: str) -> tuple[str, dict[str, str]]:
    """Type and parameters. Bounded before it is read: the library takes time that grows with the
    square of the semicolons."""
    if len(text) > _MAX_TYPE or text.count(";") > _MAX_PARAMETERS:
        raise Fault(
            f"Content-Type is langer dan {_MAX_TYPE} tekens of heeft meer dan {_MAX_PARAMETERS} "
            "parameters."
        )
    return _read_type(text)


@lru_cache(maxsize=64)
def _read_type(text: str) -> tuple[str, dict[str, str]]:
    header = Message()
    header["content-type"] = text.replace("\r", " ").replace("\n", " ")
    options = header.get_params(failobj=[], header="content-type")
    kind = options[0][0] if options else ""
    return kind.strip().lower(), {name.lower(): str(value) for name, value in options[1:]}


def _charset(options: dict[str, str]) -> None:
    charset = options.get("charset", "utf-8").strip("\"' ").lower()
    if charset not in ("utf-8", "utf8", "us-ascii", ""):
        raise Fault(f"De charset {charset[:40]} wordt niet ondersteund; stuur UTF-8.")


def _inline(body: Octets, options: dict[str, str], limits: Limits) -> Octets:
    """The root part with every xop:Include replaced by the part it names."""
    boundary = options.get("boundary", "")
    if not 1 <= len(boundary) <= 70:
        raise Fault("Het multipart-bericht heeft geen bruikbare boundary.")
    parts = _split(body, boundary)
    start = options.get("start", "").strip("<> ") or next(iter(parts))
    if start not in parts:
        raise Fault("Het multipart-bericht mist het deel dat start noemt.")
    kind, inner = _content_type(parts[start].kind)
    if kind not in _XOP_TYPES:
        raise Fault(f"Het eerste deel van het multipart-bericht is {kind[:80]}, geen XML.")
    _charset(inner)
    root = parse(bytes(parts[start].octets()), limits)
    used: set[str] = set()
    contents: dict[etree._Element, View] = {}
    for include in list(root.iter(_INCLUDE)):
        name = unquote(include.get("href", "").removeprefix("cid:"))
        if name not in parts or name == start:
            raise Fault("Een xop:Include verwijst naar een deel dat er niet is.")
        if name in used:  # one part named a thousand times is a bomb
            raise Refusal("xop part included twice")
        used.add(name)
        contents[_emptied(include)] = parts[name].octets()
    woven = _weave(root, contents, limits)
    return b"".join(woven) if isinstance(body, bytes) else body.keep(woven)


def _emptied(include: etree._Element) -> etree._Element:
    """The element of which the text stands in a part, with nothing in it."""
    parent = include.getparent()
    alone = parent is not None and len(parent) == 1 and not (parent.text or "").strip(BLANKS)
    if parent is None or not alone or (include.tail or "").strip(BLANKS) or len(include):
        raise Fault("Een xop:Include moet de enige inhoud van zijn element zijn.")
    parent.remove(include)
    parent.text = ""  # written with an end tag of its own, which no text at all is not
    return parent


def _weave(
    root: etree._Element, contents: Mapping[etree._Element, View], limits: Limits
) -> Iterator[bytes]:
    """The message in pieces, every content as base64 inside its element."""
    text = etree.tostring(root, encoding="utf-8")
    encoded = {at: Base64(content) for at, content in tags.places(text, root, contents).items()}
    if len(text) + sum(map(len, encoded.values())) > limits.max_bytes:
        raise Fault(f"Het bericht is groter dan {limits.max_bytes} octetten.")
    done = 0
    for at, content in encoded.items():
        yield text[done:at]
        yield from content
        done = at
    yield text[done:]


class _Part:
    """One part of a multipart message; the content stays a slice until asked for."""

    __slots__ = ("encoding", "kind", "view")

    def __init__(self, kind: str, encoding: str, view: View) -> None:
        self.kind, self.encoding, self.view = kind, encoding, view

    def octets(self) -> View:
        if self.encoding == "base64":
            try:
                return memoryview(a2b_base64(bytes(self.view)))
            except ValueError:
                raise Fault("Een deel van het multipart-bericht is geen base64.") from None
        if self.encoding in ("", "binary", "8bit", "7bit"):
            return self.view
        raise Fault(f"Content-Transfer-Encoding {self.encoding[:40]} wordt niet ondersteund.")


def _split(body: Octets, boundary: str) -> dict[str, _Part]:
    """The parts by Content-ID, first one first. RFC 2046 section 5.1."""
    line = b"--" + boundary.encode("latin-1", "replace")
    parts: dict[str, _Part] = {}
    at = 0 if body.startswith(line) else body.find(b"\r\n" + line) + 2
    if at == 1:
        raise Fault("Het multipart-bericht bevat zijn boundary niet.")
    while True:
        at = at + len(line)
        if body.startswith(b"--", at):
            break
        begin = body.find(b"\r\n", at) + 2
        blank = body.find(b"\r\n\r\n", begin - 2, begin + _MAX_HEADER)
        end = body.find(b"\r\n" + line, max(blank, 0))
        if begin == 1 or blank < 0 or end < 0 or len(parts) >= _MAX_PARTS:
            raise Fault("Het multipart-bericht is afgebroken of onjuist opgebouwd.")
        name, part = _part(
            body[begin:blank], view(body, blank + 4, max(end, blank + 4)), len(parts)
        )
        if name in parts:
            raise Refusal("two MIME parts with one Content-ID")
        parts[name] = part
        at = end + 2
    if not parts:
        raise Fault("Het multipart-bericht heeft geen delen.")
    return parts


_FOLD = re.compile(rb"\r\n[ \t]+")


def _part(head: bytes, content: View, number: int) -> tuple[str, _Part]:
    fields = {}
    for line in _FOLD.sub(b" ", head).split(b"\r\n"):
        field, _, value = line.partition(b":")
        fields[field.strip().lower()] = value.strip().decode("latin-1")
    name = fields.get(b"content-id", f"part-{number}").strip("<> ")
    encoding = fields.get(b"content-transfer-encoding", "").lower()
    return name, _Part(fields.get(b"content-type", "text/plain"), encoding, content)
