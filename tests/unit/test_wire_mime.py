"""MIME around messages: MTOM parts go back in place before a digest is taken."""

from __future__ import annotations

from base64 import b64encode

import pytest
from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire import mime
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.soap import open_signed
from openpoort.wire.xml.parser import Limits
from tests.wire_kit import aanlevering, request

INCLUDE = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'
TYPE = 'multipart/related; type="application/xop+xml"; start="<root@x>"; boundary="grens 1"'
CONTENT = bytes(range(256)) * 40


def mtom(raw: bytes, *contents: tuple[str, bytes], encoding: str = "binary") -> bytes:
    """The message as a MTOM stack sends it: contents in parts, includes in their place."""
    parts = [
        b"--grens 1\r\nContent-Type: application/xop+xml; charset=UTF-8;\r\n"
        b' type="text/xml"\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <root@x>\r\n\r\n'
    ]
    for name, content in contents:
        text = b64encode(content)
        assert text in raw
        raw = raw.replace(text, INCLUDE.format(name.replace("@", "%40")).encode(), 1)
    parts.append(raw)
    for name, content in contents:
        head = f"\r\n--grens 1\r\nContent-ID: <{name}>\r\nContent-Transfer-Encoding: {encoding}"
        data = content if encoding == "binary" else b64encode(content)
        parts += [head.encode(), b"\r\nContent-Type: application/xml\r\n\r\n", data]
    return b"".join(parts) + b"\r\n--grens 1--\r\n"


@pytest.mark.conformance("WUS-2.4-1")
@pytest.mark.parametrize("encoding", ["binary", "base64"])
@pytest.mark.parametrize("size", [100, 10_000, 200_000])
def test_mtom_message_verifies_with_its_parts_inlined(encoding: str, size: int) -> None:
    content = (CONTENT * 20)[:size]
    raw = request(koppelvlak.write(aanlevering(content)))
    message = open_signed(mtom(raw, ("inhoud@x", content), encoding=encoding), TYPE)
    assert koppelvlak.read(message) == aanlevering(content)


@pytest.mark.conformance("WUS-2.4-1")
def test_several_parts_each_find_their_place() -> None:
    file = aanlevering(CONTENT).inhoud
    other = type(file)("text/plain", "bijlage.txt", CONTENT[::-1])
    value = aanlevering(CONTENT, bijlagen=(other,))
    raw = request(koppelvlak.write(value))
    packed = mtom(raw, ("a@x", CONTENT), ("b@x", other.inhoud))
    assert koppelvlak.read(open_signed(packed, TYPE)) == value


@pytest.mark.conformance("WUS-2.4-1")
def test_changed_part_breaks_the_digest() -> None:
    raw = mtom(request(koppelvlak.write(aanlevering(CONTENT))), ("a@x", CONTENT))
    with pytest.raises(Fault, match="digest van soapenv:Body"):
        open_signed(raw.replace(CONTENT[:8], b"\x01" * 8), TYPE)


@pytest.mark.conformance("WUS-2.4-1")
def test_one_part_may_not_fill_two_places() -> None:
    value = aanlevering(CONTENT, bijlagen=(aanlevering(CONTENT).inhoud,))
    raw = request(koppelvlak.write(value)).replace(
        b64encode(CONTENT), INCLUDE.format("a@x").encode()
    )
    packed = mtom(raw) + b""
    part = b"\r\n--grens 1\r\nContent-ID: <a@x>\r\n\r\n" + CONTENT + b"\r\n--grens 1--\r\n"
    with pytest.raises(Refusal, match="twice"):
        open_signed(packed.replace(b"\r\n--grens 1--\r\n", part), TYPE)


def test_multipart_without_includes_is_just_its_root() -> None:
    raw = request()
    assert open_signed(mtom(raw), TYPE).operation == "aanleverRequest"


def test_preamble_before_the_first_part_is_skipped() -> None:
    packed = b"Dit is een bericht in delen.\r\n" + mtom(request())
    assert open_signed(packed, TYPE).operation == "aanleverRequest"


def test_inlined_message_stays_under_the_limit() -> None:
    packed = mtom(request(koppelvlak.write(aanlevering(CONTENT))), ("a@x", CONTENT))
    with pytest.raises(Fault, match="groter dan"):
        mime.unpack(packed, TYPE, Limits(max_bytes=len(packed)))


@pytest.mark.parametrize(
    ("content_type", "complaint"),
    [
        ("image/png", "image/png wordt niet ondersteund"),
        ("text/xml; charset=windows-1252", "charset windows-1252"),
        ("application/soap+xml", "SOAP 1.2"),
        ("multipart/related", "boundary"),
        ('multipart/related; boundary="nergens"', "boundary niet"),
        ("multipart/related; boundary=" + "x" * 80, "boundary"),
        ("rommel", "rommel wordt niet"),
    ],
)
def test_other_content_types_get_a_fault_that_says_so(content_type: str, complaint: str) -> None:
    with pytest.raises(Fault, match=complaint):
        mime.unpack(request(), content_type)


@pytest.mark.parametrize("cut", [10, 60, 400, -20, -60])
def test_mime_cut_off_anywhere_is_a_fault(cut: int) -> None:
    packed = mtom(request(koppelvlak.write(aanlevering(CONTENT))), ("a@x", CONTENT))
    with pytest.raises(Fault):
        open_signed(packed[:cut], TYPE)


def test_include_must_be_alone_in_its_element() -> None:
    raw = mtom(request(koppelvlak.write(aanlevering(CONTENT))), ("a@x", CONTENT))
    for spoiled in (b"<inhoud>x<xop", b"<inhoud><y/><xop"):
        with pytest.raises(Fault, match="enige inhoud"):
            mime.unpack(raw.replace(b"<inhoud><xop", spoiled), TYPE)


@pytest.mark.parametrize("text", ["kenmerk\u2060", "<inhoud>", "inhoud></inhoud"])
def test_no_text_of_a_message_says_where_a_part_goes(text: str) -> None:
    value = aanlevering(CONTENT, aanleverkenmerk=text)
    packed = mtom(request(koppelvlak.write(value)), ("a@x", CONTENT))
    assert koppelvlak.read(open_signed(packed, TYPE)) == value


def test_unpacked_mtom_is_well_formed() -> None:
    raw = mtom(request(koppelvlak.write(aanlevering(CONTENT))), ("a@x", CONTENT))
    etree.fromstring(mime.unpack(raw, TYPE))


@pytest.mark.parametrize(
    "content_type",
    ["text/xml" + ";" * 20, "text/xml" + "; a=b" * 17, 'text/xml; charset="' + "x" * 1024 + '"'],
)
def test_a_content_type_is_bounded_before_it_is_read(content_type: str) -> None:
    """The library's time grows with the square of the semicolons."""
    with pytest.raises(Fault, match="meer dan 16 parameters"):
        mime.unpack(request(), content_type)
    part = b"--b\r\ncontent-type: " + content_type.encode() + b"\r\n\r\n<a/>\r\n--b--\r\n"
    with pytest.raises(Fault, match="meer dan 16 parameters"):
        mime.unpack(part, "multipart/related; boundary=b")


def test_a_content_type_of_some_length_is_read() -> None:
    assert mime.unpack(request(), "text/xml; charset=utf-8" + "; a=b" * 15) == request()
