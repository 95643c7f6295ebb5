"""What the same verification costs in the general libraries: python -m tests.wire_libraries."""

from __future__ import annotations

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier

from openpoort.wire.names import DS, WSU
from openpoort.wire.wus.soap import open_signed
from openpoort_lab.bench.wire import rate, request


def by_xmlsec(raw: bytes, pem: bytes) -> None:
    root = etree.fromstring(raw)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)
    for element in root.iter():
        if element.get(f"{{{WSU}}}Id"):
            context.register_id(element, "Id", WSU)
    context.verify(root.find(f".//{{{DS}}}Signature"))


def by_signxml(raw: bytes, pem: bytes) -> None:
    config = SignatureConfiguration(expect_references=6, location=".//")
    XMLVerifier().verify(raw, x509_cert=pem, id_attribute="Id", expect_config=config)


def main(seconds: float = 1.0) -> None:
    for octets in (10_000, 50_000, 1_000_000):
        raw = request(octets)
        der = open_signed(raw).token
        pem = load_der_x509_certificate(der).public_bytes(Encoding.PEM)
        rates = {
            "openpoort": rate(lambda raw=raw: open_signed(raw), seconds),  # type: ignore[misc]
            "xmlsec": rate(lambda raw=raw, pem=pem: by_xmlsec(raw, pem), seconds),  # type: ignore[misc]
            "signxml": rate(lambda raw=raw, pem=pem: by_signxml(raw, pem), seconds),  # type: ignore[misc]
        }
        print(f"{len(raw):>10,}  " + "  ".join(f"{n} {r:,.0f}/s" for n, r in rates.items()))


if __name__ == "__main__":
    main()
