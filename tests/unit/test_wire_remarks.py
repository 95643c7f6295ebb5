"""Comments and processing instructions: nothing between elements, a fault inside a text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openpoort import wire
from openpoort.domain.fault import Fault
from openpoort.domain.message import Aanlevering, Operatie, Vraag, ZetStatus
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER, STATUSINFORMATIE, ZETSTATUS, Service
from openpoort.wire.wus.signed_message import SignedMessage
from openpoort.wire.wus.soap import glimpse, open_signed
from openpoort_lab.forge import Forge
from tests.wire_kit import HOST, NOW, aanlevering, key

FULL: list[tuple[Service, koppelvlak.Value]] = [
    (AANLEVER, aanlevering(b"<xbrl/>", bijlagen=(aanlevering(bytes(5000)).inhoud,))),
    (STATUSINFORMATIE, Vraag(Operatie.STATUSSEN_PROCES, kenmerk="k", vanaf=NOW)),
    (ZETSTATUS, ZetStatus("k", "500", NOW, statusdetails="alles in orde")),
]


def forge(service: Service, value: koppelvlak.Value, body: bytes | None = None) -> Forge:
    content = body or koppelvlak.write(value)
    return Forge(key(), NOW, service, "sha256", HOST + service.path, body=content)


def said(message: SignedMessage) -> object:
    return message.addressing, message.created, message.token, koppelvlak.read(message)


@pytest.mark.parametrize(("service", "value"), FULL, ids=lambda x: getattr(x, "name", ""))
def test_comment_between_any_two_elements_is_as_if_it_were_not_there(
    service: Service, value: koppelvlak.Value
) -> None:
    plain = forge(service, value).sign().raw()
    between = [found.start() for found in re.finditer(rb"(?<=>)(?=<)", plain)]
    assert len(between) > 40
    wanted = said(open_signed(plain))
    for at in between:
        commented = plain[:at] + b"<!-- Optional: -->" + plain[at:]
        assert said(open_signed(commented)) == wanted


@pytest.mark.parametrize(("service", "value"), FULL, ids=lambda x: getattr(x, "name", ""))
def test_signed_instruction_between_elements_is_as_if_it_were_not_there(
    service: Service, value: koppelvlak.Value
) -> None:
    plain = koppelvlak.write(value)
    body = re.sub(rb"(?<=>)(?=<\w)", b"<?soort waarde?><!-- x -->", plain)
    assert body.count(b"<?soort") >= 2
    assert koppelvlak.read(open_signed(forge(service, value, body).sign().raw())) == value


@pytest.mark.parametrize("what", [b"<!---->", b"<!-- x -->", b"<?x y?>"])
@pytest.mark.parametrize("place", ["begin", "middle", "end"])
@pytest.mark.parametrize(("service", "value"), FULL, ids=lambda x: getattr(x, "name", ""))
def test_comment_or_instruction_in_any_text_is_a_fault_that_names_the_element(
    service: Service, value: koppelvlak.Value, place: str, what: bytes
) -> None:
    plain, body = forge(service, value).sign().raw(), koppelvlak.write(value)
    names = set()
    for leaf in re.finditer(rb"<([\w:]+)[^<>]*>([^<>]+)</\1>", plain):
        local = leaf[1].rpartition(b":")[2].decode()
        begin, end = leaf.start(2), leaf.end(2)
        at = {"begin": begin, "middle": (begin + end) // 2, "end": end}[place]
        spoiled = plain[leaf.start() : at] + what + plain[at : leaf.end()]
        if leaf[0] in body:  # signed with it: the signature is not what is wrong
            raw = forge(service, value, body.replace(leaf[0], spoiled)).sign().raw()
        else:
            raw = plain.replace(leaf[0], spoiled)
        with pytest.raises(Fault) as caught:
            koppelvlak.read(open_signed(raw))
        assert local in caught.value.text or (local == "Address" and "ReplyTo" in caught.value.text)
        names.add(local)
    assert names >= {"To", "MessageID", "Address", "Created", "DigestValue", "SignatureValue"}
    assert names >= {"BinarySecurityToken", "kenmerk"} or "inhoud" in names


def test_text_with_a_comment_is_named_before_its_value_is() -> None:
    body = koppelvlak.write(aanlevering()).replace(b"kenmerk-1", b"kenmerk<!-- x -->-1")
    message = open_signed(forge(AANLEVER, aanlevering(), body).sign().raw())
    with pytest.raises(Fault, match="aanleverkenmerk staat commentaar of een processing instr"):
        koppelvlak.read(message)


def test_long_content_with_a_comment_in_it_is_a_fault() -> None:
    value = aanlevering(bytes(50_000))
    body = koppelvlak.write(value).replace(b"</inhoud>", b"<!-- x --></inhoud>")
    message = open_signed(forge(AANLEVER, value, body).sign().raw())
    with pytest.raises(Fault, match="inhoud staat commentaar"):
        koppelvlak.read(message)


def test_no_message_id_is_seen_in_a_text_with_a_comment() -> None:
    raw = forge(AANLEVER, aanlevering()).sign().raw()
    assert glimpse(raw)[1] is not None
    assert glimpse(re.sub(rb"(urn:uuid:6f)", rb"\1<!-- x -->", raw)) == (glimpse(raw)[0], None)


def test_template_of_a_common_tool_is_read(shared: Path) -> None:
    raw = (shared / "cases/wire/soapui-comment.xml").read_bytes()
    assert b"<!--" in raw
    value = koppelvlak.read(open_signed(raw))
    assert isinstance(value, Aanlevering)
    assert value.berichtsoort == "Omzetbelasting"


def test_texts_of_messages_are_read_in_one_place() -> None:
    """`.text` ends at the first comment. Who writes a tree, or looks for stray text, is excused."""
    found = {
        f"{file.name}: {line.strip()}"
        for file in Path(wire.__file__).parent.rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if re.search(r"\.(text|tail)\b(?! = )|findtext|itertext|\bstring\(", line)
        and "fault.text" not in line
    }
    assert found == {
        "detached_content.py: element.text is None and not len(element) and "
        'etree.QName(element).localname == "inhoud"',
        "elements.py: if element.text and element.text.strip(BLANKS):",
        "elements.py: if child.tail and child.tail.strip(BLANKS):",
        "elements.py: forgets the second half. So nobody reads `.text` of an element but here.",
        'elements.py: return element.text or ""',
        "fields.py: words = any(str(text).strip(BLANKS) for text in element.itertext())",
        "mime.py: alone = parent is not None and len(parent) == 1 and not "
        '(parent.text or "").strip(BLANKS)',
        'mime.py: if parent is None or not alone or (include.tail or "").strip(BLANKS) or '
        "len(include):",
        'soap.py: message_id = (found.text or "").strip(BLANKS) if found is not None and '
        'not len(found) else ""',
    }
