"""Long contents set aside: only whole texts of an inhoud, and only plain base64."""

from __future__ import annotations

from base64 import b64encode

import pytest
from lxml import etree

from openpoort.domain import octets
from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.wus import fields, koppelvlak
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import open_signed
from openpoort.wire.xml import detached_content
from openpoort.wire.xml.parser import parse
from openpoort.wire.xmldsig.canonical import canonical
from openpoort_lab.bench.wire import memory
from openpoort_lab.forge import Forge
from tests.wire_kit import NOW, TO, aanlevering, key, request

LONG = b"QUFB" * 2000


@pytest.mark.parametrize(
    "data",
    [
        b"<a><inhoud>" + LONG + b"</inhoud></a>",
        b"<p:a xmlns:p='urn:p'><p:inhoud>" + LONG + b"</p:inhoud></p:a>",
        b"<a><inhoud>\r\n" + LONG + b"\r\n" + LONG + b"</inhoud></a>",
        b"<a><inhoud>" + LONG + b"\n" + LONG + b"</inhoud><inhoud>" + LONG + b"</inhoud></a>",
    ],
)
def test_long_texts_leave_the_tree_and_come_back(data: bytes) -> None:
    short, cuts = detached_content.lift(data)
    assert isinstance(short, bytes)
    assert len(short) < 200
    root = parse(short)
    contents = detached_content.settle(short, root, cuts)
    assert contents is not None
    assert [element for element in root.iter("{*}inhoud") if element in contents] == list(contents)
    for element, content in contents.items():
        element.text = bytes(content).replace(b"\r", b"").decode()
    assert canonical(root) == canonical(parse(data))


@pytest.mark.parametrize(
    "data",
    [
        b"<a><inhoud>" + LONG + b"&amp;</inhoud></a>",
        b"<a><inhoud>" + LONG + b"\r" + LONG + b"</inhoud></a>",
        b"<a><inhoud>" + LONG + b"\r\n" + LONG + b"\r</inhoud></a>",
        b"<a><inhoud>" + LONG + b"></inhoud></a>",
        b"<a><inhoud >" + LONG + b"</inhoud></a>",
        b"<a><inhoud>QUFB</inhoud></a>" + b" " * 5000,
    ],
)
def test_what_canonical_form_would_change_stays_in_the_tree(data: bytes) -> None:
    assert detached_content.lift(data) == (data, {})


@pytest.mark.parametrize(
    "data",
    [
        b"<a><![CDATA[<inhoud>" + LONG + b"</inhoud>]]></a>",
        b"<a><inhoud>" + LONG + b"<b/></inhoud></a>",
        b"<a><geeninhoud>" + LONG + b"</geeninhoud></a>",
        b"<a><!--<inhoud>" + LONG + b"</inhoud>--><inhoud></inhoud></a>",
        b"<a><?x <inhoud>" + LONG + b"</inhoud>?><inhoud></inhoud></a>",
        b"<a>inhoud>" + LONG + b"<inhoud></inhoud></a>",
        b"<a><inhoud><![CDATA[<inhoud>" + LONG + b"</inhoud>]]></inhoud></a>",
        b"<a><inhoud>" + LONG + b"<!-- x --></inhoud></a>",
        b"<a><inhoud>" + LONG + b"</inhoud><!--<inhoud>" + LONG + b"</inhoud>--></a>",
        b"<a><inhoud>" + LONG + b"<![CDATA[QUFB]]></inhoud></a>",
        b"<a><inhoud><x/>inhoud>" + LONG + b"</inhoud></a>",
    ],
)
def test_what_is_not_the_whole_text_of_an_inhoud_does_not_settle(data: bytes) -> None:
    short, cuts = detached_content.lift(data)
    assert isinstance(short, bytes)
    assert cuts
    try:
        root = parse(short)
    except (Fault, Refusal):
        return
    assert detached_content.settle(short, root, cuts) is None


@pytest.mark.conformance("WUS-5.9-3")
@pytest.mark.parametrize("field", ["aanleverkenmerk", "bestandsnaam"])
@pytest.mark.parametrize(
    "spell", ["openpoort&#47;aside&#47;0000000&#47;", "<![CDATA[{}]]>", "{}", "SPLIT"]
)
@pytest.mark.parametrize("text", ["openpoort/aside/0000000/", "openpoort/aside/r000000/", "", "A"])
def test_no_text_of_a_sender_chooses_what_is_digested(field: str, spell: str, text: str) -> None:
    """Signed: the long content in `field` and `text` in inhoud. Sent: the other way round."""
    body = koppelvlak.write(aanlevering(b"", aanleverkenmerk="k", bijlagen=()))
    other = b"<bestandsnaam>Omzetbelasting.xbrl" if field == "bestandsnaam" else b"k"
    place = b"<" + field.encode() + b">"
    body = body.replace(other, b"<bestandsnaam>") if field == "bestandsnaam" else body
    body = body.replace(place + b"k", place)
    signed = body.replace(place, place + LONG).replace(b"<inhoud>", b"<inhoud>" + text.encode())
    forge = Forge(key(), NOW, AANLEVER, "sha256", TO, body=signed).sign()
    split = "/<![CDATA[".join(text.split("/", 1)) + "]]>" if "/" in text else text
    written = (split if spell == "SPLIT" else spell.format(text)).encode()
    sent = forge.raw().replace(place + LONG, place + written)
    sent = sent.replace(b"<inhoud>" + text.encode() + b"<", b"<inhoud>" + LONG + b"<")
    sent = sent.replace(b"<inhoud/>", b"<inhoud>" + LONG + b"</inhoud>")
    assert sent.count(LONG) == 1
    with pytest.raises(Fault, match=r"De digest van soapenv:Body \(#id-body\) klopt niet"):
        open_signed(sent)


def test_long_content_that_no_digest_covers_is_refused() -> None:
    forge = Forge(key(), NOW, AANLEVER, "sha256", TO)
    holder = forge.wsa("From", "id-from", None)
    etree.SubElement(holder, "inhoud").text = LONG.decode()
    with pytest.raises(Refusal):
        open_signed(forge.sign().raw())


def test_request_that_does_not_settle_is_read_as_it_stands() -> None:
    value = aanlevering(bytes(9000), aanleverkenmerk="<inhoud>" + "A" * 20)
    raw = request(koppelvlak.write(value))
    spoiled = raw.replace(b"<inhoud>", b"<inhoud><![CDATA[").replace(b"</inhoud>", b"]]></inhoud>")
    message = open_signed(spoiled)
    assert message.aside == {}
    assert koppelvlak.read(message) == value


@pytest.mark.conformance("WUS-1.4-3")
@pytest.mark.parametrize(
    ("octets", "good"), [(20 * 1024 * 1024, True), (20 * 1024 * 1024 + 1, False)]
)
def test_document_holds_twenty_mebibytes_and_no_more(octets: int, good: bool) -> None:
    message = open_signed(request(koppelvlak.write(aanlevering(bytes(octets)))))
    if good:
        assert koppelvlak.read(message) == aanlevering(bytes(octets))
    else:
        with pytest.raises(Fault, match=r"20971521 octetten groot; ten hoogste 20971520"):
            koppelvlak.read(message)


@pytest.mark.conformance("WUS-1.4-3")
@pytest.mark.parametrize("spoil", [b"*", b"QR==", b"QQ=", b"\x01", b"\xff", b"Q===", b"-_"])
def test_long_content_that_is_no_base64_is_a_fault(spoil: bytes) -> None:
    body = koppelvlak.write(aanlevering(bytes(9000)))
    body = body.replace(b"</inhoud>", spoil + b"</inhoud>")
    message = open_signed(request(body))
    with pytest.raises(Fault) as caught:
        koppelvlak.read(message)
    assert "base64Binary" in caught.value.text


def test_large_request_costs_less_than_its_own_size_in_memory() -> None:
    assert memory(15_000_000) < 1.0


@pytest.mark.parametrize("size", [1_500_001, 776_150, 776_149, 776_148])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b" ", b"\t\n"])
def test_content_in_lines_verifies_and_reads_the_same(line_end: bytes, size: int) -> None:
    """Some sizes end just where a piece of a mebibyte does."""
    content = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000) + bytes(size % 1000)
    text = b64encode(content)
    lines = line_end.join(text[i : i + 76] for i in range(0, len(text), 76)) + line_end
    body = koppelvlak.write(aanlevering(content))
    # A parser turns CR LF into LF: that is what the sender signed.
    signed = request(body.replace(text, lines.replace(b"\r\n", b"\n")))
    message = open_signed(signed.replace(lines.replace(b"\r\n", b"\n"), lines))
    assert message.aside
    assert koppelvlak.read(message) == aanlevering(content)


def test_base64_in_lines_is_as_strict_as_without() -> None:
    long = b"QUFB" * 5000
    for good in (b"QQ==", b"QUE=", b"Q Q\n=\n=\n"):
        assert fields.decode(memoryview(long + b"\n" + good))
    for bad in (b"Q===", b"QQ==QQ==", b"QR==", b"QQ=", b"*", b"Q", b"=QQ="):
        with pytest.raises(Fault):
            fields.decode(memoryview(long + b"\n" + bad))
    # A piece that ends between two `=`, and one that begins with a line break only.
    for head in (octets.PIECE - 1, octets.PIECE - 2, octets.PIECE - 3):
        text = b"\n" * (head % 4 + 2) + b"A" * (head - head % 4 - 4) + b"AA==\n"
        assert set(fields.decode(memoryview(text))) == {0}


@pytest.mark.parametrize(("elements", "aside_too"), [(1_000, True), (5_000, False)])
def test_content_in_a_flood_of_elements_stays_in_the_tree(elements: int, aside_too: bool) -> None:
    """To find an element by its number costs more than the element does."""
    body = koppelvlak.write(aanlevering(bytes(9000)))
    body = body.replace(b"</aanleverRequest>", b"<a/>" * elements + b"</aanleverRequest>")
    raw = Forge(key(), NOW, AANLEVER, "sha256", TO, body=body).sign().raw()
    assert bool(open_signed(raw).aside) == aside_too


def test_many_contents_are_set_aside_all() -> None:
    inhoud = aanlevering(bytes(9000)).inhoud
    value = aanlevering(bytes(9000), bijlagen=(inhoud,) * 1000)
    message = open_signed(request(koppelvlak.write(value)))
    assert len(message.aside) == 1001
    assert koppelvlak.read(message) == value
