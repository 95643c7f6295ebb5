"""Markup as a weapon: entities, floods, encodings, comments, MIME."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from lxml import etree

from openpoort.wire.names import KOPPELVLAK, SOAP, WSU, XML
from openpoort_lab.hostile.kit import BARE, FAULT, SCHEMA, Made, Setting, case

XOP = "http://www.w3.org/2004/08/xop/include"


def _doctype(s: Setting, inside: str, entity: str = "") -> bytes:
    raw = s.signed().raw()
    if entity:
        raw = raw.replace(b"wus/2.0", b"wus/2.0" + entity.encode(), 1)
    return f"<!DOCTYPE x [{inside}]>".encode() + raw


@case("dtd/empty", BARE)
def _dtd(s: Setting) -> bytes:
    return b"<!DOCTYPE x>" + s.signed().raw()


@case("dtd/after-declaration-and-comment", BARE)
def _dtd_later(s: Setting) -> bytes:
    return b'<?xml version="1.0"?><!-- x -->\n<!DOCTYPE x []>' + s.signed().raw()


@case("dtd/after-a-page-of-white-space", BARE)
def _dtd_far(s: Setting) -> bytes:
    return b" " * 4096 + b"<!DOCTYPE x []>" + s.signed().raw()


@case("dtd/after-a-long-comment", BARE)
def _dtd_comment(s: Setting) -> bytes:
    return b"<!--" + b"x" * 5000 + b"--><!DOCTYPE x []>" + s.signed().raw()


@case("dtd/external-file", BARE)
def _xxe(s: Setting) -> bytes:
    return _doctype(s, '<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;")


@case("dtd/external-address", BARE)
def _ssrf(s: Setting) -> bytes:
    return _doctype(s, '<!ENTITY x SYSTEM "http://127.0.0.1:9/x">', "&x;")


@case("dtd/external-subset", BARE)
def _subset(s: Setting) -> bytes:
    return b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + s.signed().raw()


@case("dtd/parameter-entity", BARE)
def _parameter(s: Setting) -> bytes:
    return _doctype(s, '<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;')


@case("dtd/billion-laughs", BARE)
def _laughs(s: Setting) -> bytes:
    rows = ['<!ENTITY a0 "ha">']
    rows += [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)]
    return _doctype(s, "".join(rows), "&a9;")


@case("dtd/laughs-in-attribute", BARE)
def _laughs_attribute(s: Setting) -> bytes:
    rows = ['<!ENTITY a0 "ha">']
    rows += [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)]
    raw = s.signed().raw().replace(b"<soapenv:Header", b'<soapenv:Header x="&a9;"', 1)
    return f"<!DOCTYPE x [{''.join(rows)}]>".encode() + raw


@case("dtd/quadratic", BARE)
def _quadratic(s: Setting) -> bytes:
    return _doctype(s, f'<!ENTITY x "{"x" * 50_000}">', "&x;" * 1000)


@case("dtd/default-attribute", BARE)
def _default(s: Setting) -> bytes:
    return _doctype(s, '<!ATTLIST x wsu:Id ID "id-body">')


@case("entity/undeclared", FAULT)
def _undeclared(s: Setting) -> bytes:
    return s.signed().raw().replace(b"wus/2.0", b"wus/2.0&x;", 1)


@case("entity/character-nul", FAULT)
def _nul_reference(s: Setting) -> bytes:
    return s.signed().raw().replace(b"wus/2.0", b"wus/2.0&#0;", 1)


@case("flood/depth-100", BARE)
def _deep(s: Setting) -> bytes:
    return _nested(s, 100)


@case("flood/depth-50000", BARE)
def _deepest(s: Setting) -> bytes:
    return _nested(s, 50_000)


def _nested(s: Setting, depth: int) -> bytes:
    made = s.signed().raw()
    return made.replace(b"<soapenv:Body", b"<x>" * depth + b"</x>" * depth + b"<soapenv:Body", 1)


@case("flood/attributes-on-one-element", BARE)
def _wide(s: Setting) -> bytes:
    return _attributes(s, 1_000)


@case("flood/attributes-150000", BARE)
def _widest(s: Setting) -> bytes:
    return _attributes(s, 150_000)


def _attributes(s: Setting, count: int) -> bytes:
    flood = b" ".join(b'a%d=""' % i for i in range(count))
    return s.signed().raw().replace(b"<soapenv:Header", b"<soapenv:Header " + flood, 1)


@case("flood/namespaces", BARE)
def _namespaces(s: Setting) -> bytes:
    flood = b" ".join(b'xmlns:n%d="urn:%d"' % (i, i) for i in range(20_000))
    return s.signed().raw().replace(b"<soapenv:Header", b"<soapenv:Header " + flood, 1)


@case("flood/namespaces-on-the-envelope", BARE)
def _namespaces_above(s: Setting) -> bytes:
    flood = b" ".join(b'xmlns:n%d="urn:%d"' % (i, i) for i in range(20_000))
    return s.signed().raw().replace(b"<soapenv:Envelope ", b"<soapenv:Envelope " + flood + b" ", 1)


@case("flood/elements", BARE)
def _elements(s: Setting) -> bytes:
    flood = b"<x/>" * 300_000
    return s.signed().raw().replace(b"<soapenv:Body", flood + b"<soapenv:Body", 1)


@case("flood/element-name", BARE)
def _name(s: Setting) -> bytes:
    name = b"n" * 100_000
    return s.signed().raw().replace(b"<soapenv:Body", b"<" + name + b"/><soapenv:Body", 1)


@case("flood/prolog", BARE)
def _prolog(s: Setting) -> bytes:
    return b"<!-- x -->" * 10_000 + s.signed().raw()


@case("flood/whitespace-before", BARE)
def _white(s: Setting) -> bytes:
    return b" " * 100_000 + s.signed().raw()


@case("flood/prefix-list-of-one-prefix", BARE)
def _prefix_over_and_over(s: Setting) -> bytes:
    raw = s.forge().sign(info_prefixes=["wsa"]).raw()
    return raw.replace(b'PrefixList="wsa"', b'PrefixList="' + b"wsa " * 40_000 + b'"')


@case("flood/prefixes-in-a-list", BARE)
def _prefixes(s: Setting) -> bytes:
    return s.forge().sign(prefixes=[f"p{i}" for i in range(33)]).raw()


@case("flood/prefixes-for-each-element", BARE)
def _prefixes_for_elements(s: Setting) -> bytes:
    made = s.forge()
    for _ in range(1_000):
        etree.SubElement(made.payload, "x")
    return made.sign(prefixes=[f"p{i}" for i in range(32)]).raw()


@case("flood/ids-under-two-names", BARE)
def _two_names(s: Setting) -> bytes:
    made = s.signed()
    for number in range(3_000):
        child = etree.SubElement(made.payload, "x")
        child.set(f"{{{WSU}}}Id", f"a{number}")
        child.set(f"{{{XML}}}id", f"b{number}")
    return made.raw()


@case("flood/children-of-the-signature", FAULT)
def _children(s: Setting) -> bytes:
    made = s.signed()
    for number in range(5_000):
        etree.SubElement(made.security[-1], "x").set(f"{{{WSU}}}Id", f"a{number}")
    return made.raw()


@case("comment/in-value", FAULT)
def _comment_value(s: Setting) -> bytes:
    return _after_signing(s, b"<!---->")


@case("comment/instruction-in-value", FAULT)
def _instruction(s: Setting) -> bytes:
    return _after_signing(s, b"<?x y?>")


def _after_signing(s: Setting, what: bytes) -> bytes:
    """Something in the middle of the To, which canonical form forgets or keeps."""
    raw, to = s.signed().raw(), s.to.encode()
    return raw.replace(to, to[:9] + what + to[9:])


@case("comment/in-payload", FAULT, SCHEMA)
def _comment_payload(s: Setting) -> bytes:
    made = s.signed()
    leaf = next(e for e in made.payload.iter() if e.text)
    comment = etree.Comment(" x ")
    comment.tail = (leaf.text or "")[3:]
    leaf.text = (leaf.text or "")[:3]
    leaf.append(comment)
    return made.raw()


def _inside(local: str, what: bytes) -> Callable[[Setting], bytes]:
    """In the middle of the text of an element that no digest of ours protects from it."""

    def make(s: Setting) -> bytes:
        raw = s.signed().raw()
        at = raw.index(b">", raw.index(local.encode())) + 5
        return raw[:at] + what + raw[at:]

    return make


for _where in ("DigestValue", "SignatureValue", "BinarySecurityToken", "Created", "Address"):
    for _kind, _what in (("comment", b"<!-- x -->"), ("instruction", b"<?x y?>")):
        case(f"comment/{_kind}-in-{_where}", FAULT)(_inside(_where, _what))


@case("comment/instruction-added-between-payload-elements", FAULT)
def _instruction_added(s: Setting) -> bytes:
    made = s.signed()
    made.payload.insert(0, etree.ProcessingInstruction("x", "y"))
    return made.raw()


@case("comment/flood", BARE)
def _comment_flood(s: Setting) -> bytes:
    return s.signed().raw().replace(b"<wsa:To", b"<!---->" * 20_000 + b"<wsa:To", 1)


@case("comment/flood-of-instructions", BARE)
def _instruction_flood(s: Setting) -> bytes:
    return s.signed().raw().replace(b"<wsa:To", b"<?x?>" * 20_000 + b"<wsa:To", 1)


@case("encoding/utf-16", FAULT)
def _utf16(s: Setting) -> bytes:
    return s.signed().raw().decode().split("?>", 1)[-1].encode("utf-16")


@case("encoding/utf-16-without-mark", FAULT)
def _utf16_le(s: Setting) -> bytes:
    return s.signed().raw().decode().split("?>", 1)[-1].encode("utf-16-le")


@case("encoding/utf-32", FAULT)
def _utf32(s: Setting) -> bytes:
    return s.signed().raw().decode().split("?>", 1)[-1].encode("utf-32")


def _declared(s: Setting, name: str, codec: str) -> bytes:
    text = s.signed().raw().decode().split("?>", 1)[-1]
    return f'<?xml version="1.0" encoding="{name}"?>'.encode(codec) + text.encode(codec)


@case("encoding/utf-7", FAULT)
def _utf7(s: Setting) -> bytes:
    return _declared(s, "UTF-7", "ascii")


@case("encoding/latin-1", FAULT)
def _latin1(s: Setting) -> bytes:
    return _declared(s, "ISO-8859-1", "latin-1")


@case("encoding/ebcdic", FAULT)
def _ebcdic(s: Setting) -> bytes:
    return _declared(s, "cp500", "cp500")


@case("encoding/broken-utf-8", FAULT)
def _broken(s: Setting) -> bytes:
    return s.signed().raw().replace(b"wus/2.0", b"wus/2.0\xc0\xaf", 1)


@case("encoding/nul-byte", FAULT)
def _nul(s: Setting) -> bytes:
    return s.signed().raw().replace(b"wus/2.0", b"wus/2.0\x00", 1)


@case("encoding/charset-in-header", FAULT)
def _charset(s: Setting) -> Made:
    return s.signed().raw(), "text/xml; charset=iso-8859-1"


@case("shape/nothing", FAULT)
def _nothing(s: Setting) -> bytes:
    return b""


@case("shape/not-xml", FAULT)
def _not_xml(s: Setting) -> bytes:
    return b'{"berichtsoort": "Omzetbelasting"}'


@case("shape/half-a-message", FAULT)
def _half(s: Setting) -> bytes:
    raw = s.signed().raw()
    return raw[: len(raw) // 2]


@case("shape/two-messages", FAULT)
def _two(s: Setting) -> bytes:
    return s.signed().raw() * 2


@case("shape/compressed", FAULT)
def _compressed(s: Setting) -> bytes:
    return gzip.compress(s.signed().raw())


@case("shape/other-root", FAULT)
def _root(s: Setting) -> bytes:
    return b'<html xmlns="http://www.w3.org/1999/xhtml"/>'


@case("shape/soap-1.2", FAULT)
def _soap12(s: Setting) -> bytes:
    return s.signed().raw().replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope")


@case("shape/empty-envelope", FAULT)
def _empty(s: Setting) -> bytes:
    return f'<e:Envelope xmlns:e="{SOAP}"/>'.encode()


@case("shape/empty-body", FAULT)
def _empty_body(s: Setting) -> bytes:
    made = s.forge()
    made.body[:] = []
    return made.sign().raw()


@case("shape/text-in-body", FAULT)
def _text(s: Setting) -> bytes:
    made = s.forge()
    made.body.text = "Aan de Belastingdienst"
    return made.sign().raw()


@case("shape/duplicate-attribute", FAULT)
def _attribute_twice(s: Setting) -> bytes:
    return s.signed().raw().replace(b'URI="', b'URI="#x" URI="', 1)


@case("namespace/unbound-prefix", FAULT)
def _unbound(s: Setting) -> bytes:
    return s.signed().raw().replace(b"<wsa:To ", b"<wsb:To ").replace(b"</wsa:To>", b"</wsb:To>")


def _warned(raw: bytes) -> bytes:
    """With a declaration in the body that a parser only warns of and canonical form leaves out."""
    return raw.replace(b"<soapenv:Body ", b'<soapenv:Body xmlns="no-address" ', 1)


@case("namespace/unbound-prefix-before-a-warning", FAULT)
def _unbound_warned(s: Setting) -> bytes:
    return _warned(s.signed().raw().replace(b"<wsse:Security ", b'<wsse:Security x:soort="" ', 1))


@case("namespace/one-attribute-twice-before-a-warning", FAULT)
def _twice_warned(s: Setting) -> bytes:
    twice = b'<wsse:Security xmlns:p="urn:x" xmlns:q="urn:x" p:soort="1" q:soort="2" '
    return _warned(s.signed().raw().replace(b"<wsse:Security ", twice, 1))


@case("namespace/prefix-means-something-else", FAULT)
def _rebound(s: Setting) -> bytes:
    raw = s.signed().raw()
    return raw.replace(b"<soapenv:Body ", b'<soapenv:Body xmlns:soapenv="urn:x" ', 1)


@case("namespace/payload-moved-out", FAULT)
def _moved(s: Setting) -> bytes:
    return s.signed().raw().replace(KOPPELVLAK.encode(), b"urn:koppelvlak", 1)


@case("namespace/relative", FAULT)
def _relative(s: Setting) -> bytes:
    return s.signed().raw().replace(b"<soapenv:Envelope ", b'<soapenv:Envelope xmlns:r="../x" ', 1)


def _related(*parts: tuple[str, bytes], kind: str = "multipart/related", extra: str = "") -> Made:
    body = b"".join(b"--grens\r\n" + h.encode() + b"\r\n\r\n" + c + b"\r\n" for h, c in parts)
    option = f'{kind}; boundary="grens"; type="application/xop+xml"{extra}'
    return body + b"--grens--\r\n", option


_ROOT = "Content-Type: application/xop+xml; charset=UTF-8\r\nContent-ID: <root>"


def _include(s: Setting, href: str, times: int = 1) -> bytes:
    made = s.signed()
    leaves = [e for e in made.payload.iter() if len(e) == 0 and e.text]
    for leaf in leaves[:times]:
        leaf.text = None
        etree.SubElement(leaf, f"{{{XOP}}}Include").set("href", href)
    return made.raw()


@case("mime/include-of-a-file", FAULT)
def _include_file(s: Setting) -> Made:
    return _related((_ROOT, _include(s, "file:///etc/passwd")))


@case("mime/include-of-itself", FAULT)
def _include_self(s: Setting) -> Made:
    return _related((_ROOT, _include(s, "cid:root")))


@case("mime/include-of-nothing", FAULT)
def _include_nothing(s: Setting) -> Made:
    return _related((_ROOT, _include(s, "cid:nergens")))


@case("mime/two-parts-one-id", BARE)
def _one_id(s: Setting) -> Made:
    return _related(
        (_ROOT, _include(s, "cid:a")), ("Content-ID: <a>", b"x"), ("Content-ID: <a>", b"y")
    )


@case("mime/root-twice", BARE)
def _two_roots(s: Setting) -> Made:
    raw = s.signed().raw()
    return _related((_ROOT, raw), (_ROOT, raw))


@case("mime/no-boundary", FAULT)
def _no_boundary(s: Setting) -> Made:
    return s.signed().raw(), "multipart/related"


@case("mime/boundary-not-there", FAULT)
def _lost_boundary(s: Setting) -> Made:
    return s.signed().raw(), 'multipart/related; boundary="elders"'


@case("mime/cut-off", FAULT)
def _cut(s: Setting) -> Made:
    body, kind = _related((_ROOT, s.signed().raw()))
    assert isinstance(body, bytes) and isinstance(kind, str)  # noqa: PT018
    return body[:-40], kind


@case("mime/start-elsewhere", FAULT)
def _start(s: Setting) -> Made:
    return _related((_ROOT, s.signed().raw()), extra='; start="<elders>"')


@case("mime/odd-transfer-encoding", FAULT)
def _encoding(s: Setting) -> Made:
    return _related((_ROOT + "\r\nContent-Transfer-Encoding: x-gzip", s.signed().raw()))


@case("mime/parts-flood", FAULT)
def _parts(s: Setting) -> Made:
    return _related((_ROOT, s.signed().raw()), *(("Content-Type: x/y", b"") for _ in range(1000)))


@case("mime/dtd-in-root-part", BARE)
def _mime_dtd(s: Setting) -> Made:
    return _related((_ROOT, b"<!DOCTYPE x>" + s.signed().raw()))


@case("mime/image", FAULT)
def _image(s: Setting) -> Made:
    return s.signed().raw(), "image/png"


@case("mime/soap-1.2-type", FAULT)
def _soap12_type(s: Setting) -> Made:
    return s.signed().raw(), "application/soap+xml; charset=utf-8"
