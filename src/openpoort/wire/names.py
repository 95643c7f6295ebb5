"""The names of the wire: namespaces, algorithm URIs and fixed values of contract 1.2.

Sources: WS-Security 1.0, XML Signature 1.0, WS-Addressing 1.0, Digipoort koppelvlak 1.2.
"""

from __future__ import annotations

from typing import Final

BLANKS: Final = " \t\r\n"
"""White space of XML. Python strips and splits by far more (no-break spaces, for instance), which
to every other reader are characters of the value."""

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
WSA: Final = "http://www.w3.org/2005/08/addressing"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XML: Final = "http://www.w3.org/XML/1998/namespace"
KOPPELVLAK: Final = "http://logius.nl/digipoort/koppelvlakservices/1.2/"
WUS: Final = "http://logius.nl/digipoort/wus/2.0/"

ANONYMOUS: Final = WSA + "/anonymous"
NONE: Final = WSA + "/none"

BASE64_BINARY: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)
X509V3: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
)

SIGNATURES: Final = {
    DS + "rsa-sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": "sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": "sha512",
}
"""Signature algorithm URI to hash name; anything else is refused."""

DIGESTS: Final = {
    DS + "sha1": "sha1",
    XENC + "sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    XENC + "sha512": "sha512",
}
"""Digest algorithm URI to hash name; anything else is refused."""

SIGNATURE_URI: Final = {name: uri for uri, name in SIGNATURES.items()}
DIGEST_URI: Final = {name: uri for uri, name in DIGESTS.items()}
