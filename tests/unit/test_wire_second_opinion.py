"""signxml and xmlsec agree with our arithmetic, in both directions.

They are general libraries; the product uses neither. A message of ours must verify under both,
and a message signed by xmlsec must open here.
"""

from __future__ import annotations

from base64 import b64encode

import pytest
import xmlsec
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_der_x509_certificate
from lxml import etree
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLVerifier

from openpoort.domain.message import ZetStatusBevestiging
from openpoort.wire.names import DIGEST_URI, DS, EXC_C14N, SIGNATURE_URI, WSU
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import seal_answer
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import open_signed
from openpoort_lab.forge import Forge
from tests.wire_kit import HOST, MESSAGE_ID, NOW, key, request

HASHES = ["sha1", "sha256", "sha384", "sha512"]


def ours(hash_name: str) -> list[bytes]:
    answer = seal_answer(
        koppelvlak.write(ZetStatusBevestiging("één <kenmerk> & meer", "500")),
        action="urn:antwoord",
        message_id=MESSAGE_ID,
        relates_to=MESSAGE_ID,
        created=NOW,
        signer=key(),
        hash_name=hash_name,
    )
    forged = Forge(key(), NOW, AANLEVER, hash_name, HOST + AANLEVER.path)
    lists = forged.sign(prefixes=["wsa"], info_prefixes=["wsse"]).raw()
    return [answer, request(hash_name=hash_name), lists]


def public_pem() -> bytes:
    return load_der_x509_certificate(key().certificate).public_bytes(serialization.Encoding.PEM)


def xmlsec_verify(root: etree._Element) -> None:
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(public_pem(), xmlsec.constants.KeyDataFormatCertPem)
    for element in root.iter():
        if element.get(f"{{{WSU}}}Id"):
            context.register_id(element, "Id", WSU)
    context.verify(root.find(f".//{{{DS}}}Signature"))


@pytest.mark.parametrize("hash_name", HASHES)
def test_xmlsec_verifies_ours(hash_name: str) -> None:
    for raw in ours(hash_name):
        root = etree.fromstring(raw)
        xmlsec_verify(root)
        root.find(f".//{{{WSU}}}Created").text = "2026-11-23T13:00:01Z"  # type: ignore[union-attr]
        with pytest.raises(xmlsec.Error):
            xmlsec_verify(root)


@pytest.mark.parametrize("hash_name", HASHES)
def test_signxml_verifies_ours(hash_name: str) -> None:
    for raw in ours(hash_name)[:2]:  # its schema does not know InclusiveNamespaces
        root = etree.fromstring(raw)
        count = len(root.findall(f".//{{{DS}}}Reference"))
        config = SignatureConfiguration(
            require_x509=True,
            expect_references=count,
            location=".//",
            signature_methods=frozenset(SignatureMethod),
            digest_algorithms=frozenset(DigestAlgorithm),
        )
        found = XMLVerifier().verify(
            raw,
            x509_cert=load_der_x509_certificate(key().certificate),
            id_attribute="Id",
            expect_config=config,
        )
        assert len(found) == count


@pytest.mark.parametrize("hash_name", HASHES)
def test_we_open_what_xmlsec_signs(hash_name: str) -> None:
    forge = Forge(key(), NOW, AANLEVER, hash_name, HOST + AANLEVER.path)
    algorithms = xmlsec.Transform
    by_uri = {
        SIGNATURE_URI[name]: getattr(algorithms, f"RSA_{name.upper()}") for name in HASHES
    } | {DIGEST_URI[name]: getattr(algorithms, name.upper()) for name in HASHES}
    signature = xmlsec.template.create(
        forge.root, algorithms.EXCL_C14N, by_uri[SIGNATURE_URI[hash_name]]
    )
    for part in forge.parts:
        reference = xmlsec.template.add_reference(
            signature, by_uri[DIGEST_URI[hash_name]], uri=f"#{part.get(f'{{{WSU}}}Id')}"
        )
        xmlsec.template.add_transform(reference, algorithms.EXCL_C14N)
    signature.append(forge.direct())
    forge.security.append(signature)
    context = xmlsec.SignatureContext()
    private = key().private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context.key = xmlsec.Key.from_memory(private, xmlsec.constants.KeyDataFormatPem)
    for part in forge.parts:
        context.register_id(part, "Id", WSU)
    context.sign(signature)
    message = open_signed(etree.tostring(forge.root))
    assert message.algorithms.hash_name == hash_name
    assert EXC_C14N.encode() in etree.tostring(signature)
    assert b64encode(message.token).decode() == forge.token.text
