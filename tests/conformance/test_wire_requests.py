"""Clauses on requests, judged by the codec alone."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from itertools import permutations

import pytest
from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.wire.names import (
    ANONYMOUS,
    DS,
    EXC_C14N,
    NONE,
    SOAP,
    SOAP12,
    WSA,
    WSSE,
    WSU,
    XENC,
)
from openpoort.wire.wus import addressing, koppelvlak
from openpoort.wire.wus.services import (
    AANLEVER,
    AANSLUIT_SUITE,
    OPHAAL,
    SERVICES,
    STATUSINFORMATIE,
    Service,
)
from openpoort.wire.wus.soap import SignedMessage, open_signed
from openpoort_lab.forge import Forge, canonical
from tests.wire_kit import HOST, NOW, key


def forge(service: Service = AANLEVER, hash_name: str = "sha1", **options: str) -> Forge:
    return Forge(key(), NOW, service, hash_name, options.pop("to", HOST + service.path), **options)  # type: ignore[arg-type]


def judge(raw: bytes, service: Service = AANLEVER, at: timedelta = timedelta()) -> SignedMessage:
    message = open_signed(raw)
    addressing.check(message, service, addressing.endpoints([HOST], service), NOW + at)
    return message


def replaced(element: etree._Element, text: str | None) -> None:
    element.text = text


def test_the_forge_itself_makes_right_messages() -> None:
    for service in SERVICES.values():
        koppelvlak.read(judge(forge(service).sign().raw(), service))


@pytest.mark.conformance("WUS-1.2-1")
@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda s: s.name)
def test_both_spellings_of_the_action_are_taken(service: Service) -> None:
    for operation in service.operations:
        assert "_V1_2/" in operation.action_wcf
        assert operation.action_wcf.replace("_V1_2/", "/") == operation.action
    first = forge(service)
    wcf = service.operation(str(first.payload.tag))
    assert wcf is not None
    for action in (wcf.action, wcf.action_wcf):
        judge(forge(service, action=action).sign().raw(), service)


@pytest.mark.conformance("WUS-1.2-2")
def test_action_of_another_operation_does_not_steer_the_request() -> None:
    other = STATUSINFORMATIE.operations[0].action
    raw = forge(STATUSINFORMATIE, action=other).sign().raw()
    with pytest.raises(Fault, match=r"wsa:Action .* verwacht is .*getStatussenProcesRequest"):
        judge(raw, STATUSINFORMATIE)


@pytest.mark.conformance("WUS-2.1-1")
def test_own_header_is_refused_by_name() -> None:
    made = forge()
    etree.SubElement(made.header, "{urn:eigen}Afdeling", nsmap={"x": "urn:eigen"}).text = "7"
    with pytest.raises(Fault, match="x:Afdeling is niet toegestaan"):
        open_signed(made.sign().raw())


_WSA04 = "http://schemas.xmlsoap.org/ws/2004/08/addressing"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (WSA, _WSA04),
        (WSA, "http://schemas.xmlsoap.org/ws/2003/03/addressing"),
        (WSSE, "http://schemas.xmlsoap.org/ws/2002/07/secext"),
        (WSSE, "http://schemas.xmlsoap.org/ws/2003/06/secext"),
        (WSU, "http://schemas.xmlsoap.org/ws/2003/06/utility"),
        (SOAP, SOAP12),
        (SOAP, "http://www.w3.org/2001/12/soap-envelope"),
        (DS, "http://www.w3.org/2007/05/xmldsig#"),
    ],
)
def test_another_version_of_a_standard_is_told_both_namespaces(ours: str, theirs: str) -> None:
    raw = forge().sign().raw().replace(f'"{ours}"'.encode(), f'"{theirs}"'.encode())
    with pytest.raises(Fault) as told:
        open_signed(raw)
    assert theirs in told.value.text
    assert ours in told.value.text


def test_an_address_of_2004_inside_a_header_of_today_is_told_so() -> None:
    made = forge()
    made.reply_to[0].tag = f"{{{_WSA04}}}Address"
    with pytest.raises(Fault, match=f"Address staat in namespace {_WSA04}; verwacht .*{WSA}"):
        open_signed(made.sign().raw())


@pytest.mark.conformance("WUS-2.1-2")
def test_timestamp_without_expires_is_good_and_without_created_is_not() -> None:
    made = forge()
    made.timestamp.remove(made.timestamp[1])
    assert judge(made.sign().raw()).expires is None
    made = forge()
    made.timestamp.remove(made.timestamp[0])
    with pytest.raises(Fault, match="ontbreekt wsu:Created"):
        open_signed(made.sign().raw())


@pytest.mark.conformance("WUS-2.1-3", "WUS-5.9-4")
@pytest.mark.parametrize(
    "to",
    [
        HOST + OPHAAL.path,
        "https://elders.example/wus/2.0/aanleverservice/1.2",
        HOST + AANLEVER.path + "//",
        HOST + AANLEVER.path.upper(),
        HOST + AANLEVER.path + "?x",
        "http" + HOST.removeprefix("https") + AANLEVER.path,
        OPHAAL.path,
        "ophaalservice/1.2",
        "2.0/aanleverservice/1.2",
        "wus/2.0/aanleverservice/1.2",
        "//localhost:8443" + AANLEVER.path,
        "/",
        "aanleverservice",
        ANONYMOUS,
    ],
)
def test_other_address_gets_a_fault_that_names_both_and_no_host(to: str) -> None:
    sent = forge(to=to).sign().raw()
    with pytest.raises(Fault) as no:
        judge(sent)
    assert no.value.text == (
        f"wsa:To is {to}; verwacht is het adres waar het verzoek heen gaat: "
        f"https://HOST{AANLEVER.path}, met de HOST die u aanroept."
    )


@pytest.mark.conformance("WUS-2.1-3")
@pytest.mark.parametrize(
    "to",
    [
        "aanleverservice/1.2",  # relative to https://HOST/wus/2.0/
        "/wus/2.0/aanleverservice/1.2",  # to the host
        "aanleverservice/1.2/",
        "/wus/2.0/aanleverservice/1.2/",
        HOST + AANLEVER.path + "/",
        "HTTPS" + HOST.removeprefix("https").upper() + AANLEVER.path,
    ],
)
def test_a_reference_means_the_address_of_the_request(to: str) -> None:
    judge(forge(to=to).sign().raw())
    with pytest.raises(Fault, match="wsa:To is"):
        judge(forge(OPHAAL, to=to).sign().raw(), OPHAAL)


@pytest.mark.parametrize("service", AANSLUIT_SUITE.values(), ids=lambda s: s.path)
def test_the_paths_of_the_aansluit_suite_are_addresses_of_their_own(service: Service) -> None:
    usual = next(s for s in SERVICES.values() if s.name == service.name)
    for to in (HOST + service.path, service.path, service.path + "/", service.path[5:]):
        made = forge(usual, to=to).sign().raw()
        judge(made, service)
    for other, to in ((usual, HOST + service.path), (service, HOST + usual.path)):
        with pytest.raises(Fault, match=f"https://HOST{other.path},"):
            judge(forge(usual, to=to).sign().raw(), other)


@pytest.mark.conformance("WUS-2.1-3")
def test_host_name_has_no_case() -> None:
    judge(forge(to="https://LocalHost:8443" + AANLEVER.path).sign().raw())


@pytest.mark.conformance("WUS-2.1-4", "WUS-5.9-4")
@pytest.mark.parametrize("value", ["nummer 7", "12345", "urn:uuid:" + "a" * 260])
def test_message_id_that_is_no_iri_gets_a_fault(value: str) -> None:
    with pytest.raises(Fault, match="wsa:MessageID"):
        judge(forge(message_id=value).sign().raw())


@pytest.mark.conformance("WUS-2.1-4", "WUS-5.9-4")
@pytest.mark.parametrize("local", ["To", "Action", "MessageID"])
def test_missing_header_gets_a_fault_that_names_it(local: str) -> None:
    made = forge()
    for element in list(made.header.findall(f"{{{WSA}}}{local}")):
        made.header.remove(element)
    with pytest.raises(Fault, match=f"wsa:{local} ontbreekt"):
        judge(made.sign().raw())


@pytest.mark.conformance("WUS-2.1-5", "WUS-5.9-4")
def test_reply_to_may_be_absent_or_anonymous_only() -> None:
    made = forge()
    made.header.remove(made.reply_to)
    assert judge(made.sign().raw()).addressing.reply_to is None
    for value in ("https://elders.example/", NONE):
        made = forge()
        made.reply_to[0].text = value
        with pytest.raises(Fault, match="wsa:ReplyTo"):
            judge(made.sign().raw())


@pytest.mark.conformance("WUS-2.1-6")
@pytest.mark.parametrize("local", ["FaultTo", "From"])
def test_other_addressing_headers_hold_anonymous_or_none(local: str) -> None:
    for value, good in ((ANONYMOUS, True), (NONE, True), ("https://elders.example/", False)):
        made = forge()
        header = made.wsa(local, "id-more", None)
        etree.SubElement(header, f"{{{WSA}}}Address").text = value
        raw = made.sign().raw()
        if good:
            judge(raw)
        else:
            with pytest.raises(Fault, match=f"wsa:{local}"):
                judge(raw)


@pytest.mark.conformance("WUS-2.1-7")
@pytest.mark.parametrize(
    "uri",
    [
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        DS + "enveloped-signature",
    ],
)
def test_other_transforms_are_refused_by_name(uri: str) -> None:
    def change(info: etree._Element) -> None:
        info.find(f".//{{{DS}}}Transform").set("Algorithm", uri)  # type: ignore[union-attr]

    with pytest.raises(Fault, match=r"gebruikt .*; alleen .*xml-exc-c14n# is toegestaan"):
        open_signed(forge().sign(change=change).raw())


@pytest.mark.conformance("WUS-2.1-7", "WUS-5.9-3")
def test_inclusive_namespaces_lists_are_honoured() -> None:
    made = forge().sign(prefixes=["wsa", "wsse"], info_prefixes=["soapenv"])
    judge(made.raw())
    raw = made.raw().replace(b'PrefixList="wsa wsse"', b'PrefixList="wsa wsu"', 1)
    with pytest.raises(Fault, match="SignatureValue"):
        open_signed(raw)


@pytest.mark.conformance("WUS-2.1-7")
def test_default_namespace_in_a_prefix_list_is_honoured() -> None:
    made = forge()
    shell = etree.fromstring(
        made.raw().replace(b"<soapenv:Envelope ", b'<soapenv:Envelope xmlns="urn:d" ')
    )
    made.root, made.header, made.body = shell, shell[0], shell[1]
    made.security = shell[0][0]
    made.timestamp, made.token = made.security
    signed = made.sign(prefixes=["#default"])
    assert canonical(made.timestamp, ["#default"]).startswith(b'<wsu:Timestamp xmlns="urn:d"')
    open_signed(signed.raw())


@pytest.mark.conformance("WUS-2.1-8")
@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("service", [AANLEVER, STATUSINFORMATIE, OPHAAL], ids=lambda s: s.name)
def test_rsa_with_sha_1_and_sha_2_is_taken(hash_name: str, service: Service) -> None:
    message = judge(forge(service, hash_name).sign().raw(), service)
    assert message.algorithms.hash_name == hash_name
    assert message.algorithms.key_bits == 2048


@pytest.mark.conformance("WUS-2.1-8")
@pytest.mark.parametrize(
    ("local", "uri"),
    [
        ("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
        ("SignatureMethod", DS + "dsa-sha1"),
        ("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"),
    ],
)
def test_other_algorithms_get_a_fault_that_names_them(local: str, uri: str) -> None:
    def change(info: etree._Element) -> None:
        info.find(f".//{{{DS}}}{local}").set("Algorithm", uri)  # type: ignore[union-attr]

    with pytest.raises(Fault, match=f"{uri} wordt niet ondersteund"):
        open_signed(forge().sign(change=change).raw())


@pytest.mark.conformance("WUS-2.1-9", "WUS-5.9-3")
@pytest.mark.parametrize("left_out", range(6))
def test_each_unsigned_part_gets_a_fault_that_names_it(left_out: int) -> None:
    made = forge()
    parts = made.parts
    unsigned = parts.pop(left_out)
    with pytest.raises(Fault, match=f"Niet ondertekend: .*:{etree.QName(unsigned).localname}"):
        open_signed(made.sign(parts).raw())


@pytest.mark.conformance("WUS-2.1-9")
def test_unsigned_message_gets_a_fault() -> None:
    made = forge()
    made.header.remove(made.security)
    with pytest.raises(Fault, match=r"wsse:Security ontbreekt"):
        open_signed(made.raw())
    with pytest.raises(Fault, match="handtekening"):
        open_signed(forge().raw())


@pytest.mark.conformance("WUS-2.1-10", "WUS-5.9-3")
def test_token_by_direct_reference_or_certificate_in_key_info() -> None:
    judge(forge().sign().raw())
    made = forge()
    made.security.remove(made.token)
    assert judge(made.sign(key_info=made.x509_data()).raw()).token == key().certificate


@pytest.mark.conformance("WUS-2.1-10")
def test_other_references_to_the_key_get_a_fault() -> None:
    made = forge()
    key_info = made.direct()
    key_info[0][0].tag = f"{{{WSSE}}}KeyIdentifier"
    with pytest.raises(Fault, match=r"directe wsse:Reference"):
        open_signed(made.sign(key_info=key_info).raw())
    made = forge()
    made.token.set("ValueType", WSSE + "#PKCS7")
    with pytest.raises(Fault, match="X509v3"):
        open_signed(made.sign().raw())


@pytest.mark.conformance("WUS-2.1-11")
def test_encrypted_parts_get_a_fault() -> None:
    made = forge()
    made.payload.tag = f"{{{XENC}}}EncryptedData"
    with pytest.raises(Fault, match="versleuteld"):
        open_signed(made.sign().raw())
    made = forge()
    etree.SubElement(made.security, f"{{{XENC}}}EncryptedKey", nsmap={"xenc": XENC})
    with pytest.raises(Fault, match="xenc:EncryptedKey"):
        open_signed(made.sign().raw())


@pytest.mark.conformance("WUS-5.9-3")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_security_may_stand_anywhere_with_its_children_in_any_order(
    order: tuple[int, ...], place: int
) -> None:
    made = forge().sign()
    children = list(made.security)
    made.security[:] = [children[i] for i in order]
    made.header.insert(place, made.security)
    judge(made.raw())


@pytest.mark.conformance("WUS-5.9-3")
def test_white_space_between_parts_changes_nothing() -> None:
    made = forge().sign()
    for element in (made.root, made.header, made.security):
        element.text = "\n  "
        for child in element:
            child.tail = "\r\n\t"
    judge(made.raw())


@pytest.mark.conformance("WUS-5.9-2", "WUS-2.4-1")
@pytest.mark.parametrize(
    ("before", "content_type"),
    [
        (b"", None),
        (b"", "text/xml"),
        (b"", 'text/xml; charset="UTF-8"'),
        (b"\xef\xbb\xbf", "text/xml; charset=utf-8"),
        (b'<?xml version="1.0" encoding="utf-8"?>\r\n', "text/xml;charset=utf-8"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>', "application/xml"),
    ],
)
def test_bom_declaration_and_missing_charset_are_fine(
    before: bytes, content_type: str | None
) -> None:
    assert open_signed(before + forge().sign().raw(), content_type).operation == "aanleverRequest"


def stamped(made: Forge, created: str, expires: str | None) -> bytes:
    made.timestamp[0].text = created
    if expires is None:
        made.timestamp.remove(made.timestamp[1])
    else:
        made.timestamp[1].text = expires
    return made.sign().raw()


@pytest.mark.conformance("WUS-5.9-5")
@pytest.mark.parametrize("digits", range(8))
def test_any_number_of_fraction_digits(digits: int) -> None:
    fraction = "." + "1234567"[:digits] if digits else ""
    message = judge(stamped(forge(), f"2026-11-23T13:00:00{fraction}Z", "2026-11-23T13:05:00Z"))
    assert message.created.microsecond == int(("1234567"[:digits] + "0" * 7)[:6])


@pytest.mark.conformance("WUS-5.9-5")
@pytest.mark.parametrize(
    ("created", "expires", "minutes", "complaint"),
    [
        ("2026-11-23T13:04:59Z", None, 0, None),
        ("2026-11-23T13:05:01Z", None, 0, "toekomst"),
        ("2026-11-23T13:00:00Z", "2026-11-23T13:05:00Z", 9, None),
        ("2026-11-23T13:00:00Z", "2026-11-23T13:05:00Z", 11, "verlopen"),
        ("2026-11-23T13:00:00Z", None, 9, None),
        ("2026-11-23T13:00:00Z", None, 11, "verlopen"),
        ("2026-11-23T13:00:00Z", "2036-11-23T13:05:00Z", 120, "verlopen"),
        ("2026-11-23T14:00:00+01:00", "2026-11-23T14:05:00+01:00", 0, None),
    ],
)
def test_stale_and_future_timestamps_get_a_fault(
    created: str, expires: str | None, minutes: int, complaint: str | None
) -> None:
    raw = stamped(forge(), created, expires)
    if complaint is None:
        judge(raw, at=timedelta(minutes=minutes))
    else:
        with pytest.raises(Fault, match=complaint):
            judge(raw, at=timedelta(minutes=minutes))


@pytest.mark.conformance("WUS-5.9-6")
@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda p: p.remove(p[0]), "aanleverkenmerk wordt hier niet verwacht. Verwacht: .*bericht"),
        (lambda p: replaced(p[0], "x" * 81), "berichtsoort is 81 lang; ten hoogste 80"),
        (lambda p: replaced(p[4][2], "geen base64!"), "inhoud heeft een ongeldige waarde"),
        (lambda p: p.remove(p[-1]), "aanleverRequest is niet volledig. Verwacht: .*berichtInhoud"),
        (lambda p: p[0].set("soort", "1"), "attribuut soort op element berichtsoort"),
        (lambda p: p.append(p[0]), "aanleverkenmerk wordt hier niet verwacht"),
    ],
)
def test_body_not_per_schema_gets_a_fault_that_names_the_element(
    spoil: Callable[[etree._Element], None], complaint: str
) -> None:
    made = forge()
    spoil(made.payload)
    with pytest.raises(Fault) as caught:
        koppelvlak.read(judge(made.sign().raw()))
    assert re.search(complaint, caught.value.text)
    assert caught.value.text.startswith("Regel 1: ")


@pytest.mark.conformance("WUS-5.9-6")
def test_unknown_body_gets_a_fault_that_names_it() -> None:
    made = forge()
    made.payload.tag = "{urn:x}iets"
    with pytest.raises(Fault, match=r"geen verzoek iets in namespace urn:x"):
        judge(made.sign().raw())
    made.body.text = " tekst"
    with pytest.raises(Fault, match="soapenv:Body staat tekst"):
        open_signed(made.raw())


def test_part_referenced_again_is_taken_when_each_digest_holds() -> None:
    """CXF writes two equal references to the Timestamp under the published policy."""
    made = forge()
    message = open_signed(made.sign([*made.parts, made.timestamp]).raw())
    assert message.created == NOW

    def otherwise(info: etree._Element) -> None:
        again = deepcopy(info[2])
        inner = etree.SubElement(again[0][0], f"{{{EXC_C14N}}}InclusiveNamespaces")
        inner.set("PrefixList", "niet-gebonden")
        info.append(again)

    assert open_signed(forge().sign(change=otherwise).raw()).created == NOW


def test_part_referenced_again_is_refused_when_one_digest_does_not_hold() -> None:
    def wrong(info: etree._Element) -> None:
        again = deepcopy(info[3])
        again[-1].text = b64encode(bytes(32)).decode()
        info.append(again)

    with pytest.raises(Fault, match=r"De digest van wsu:Timestamp \(#id-timestamp\) klopt niet"):
        open_signed(forge().sign(change=wrong).raw())
