"""Checks on wsse:Security: order, algorithms, token, digest per part, signature value.

Each part is judged by itself: one wrong digest does not hide another. For a digest that does not
match, `causes` looks for the mistake that gives exactly the digest that was sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from openpoort.client.diagnose import causes
from openpoort.client.diagnose.subject import Subject, elements, local, shown, space, text
from openpoort.client.diagnose.transport import certificate, oin
from openpoort.trust.anchors import Purpose
from openpoort.wire.names import DIGESTS, DS, EXC_C14N, SIGNATURES, WSA, WSSE, WSU, X509V3
from openpoort.wire.xmldsig.certificate import read_certificate

_ENVELOPED = f"{DS}enveloped-signature"
_INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_MANY = 50
_PARTS = ("Timestamp", "BinarySecurityToken", "Signature")


def security(subject: Subject) -> None:
    """Everything about the signature; nothing if there is no envelope at all."""
    report = subject.report
    if subject.root is None:
        return
    if subject.security is None:
        report.wrong(
            "wsse:Security",
            "missing: the message is not signed",
            "sign Body, Timestamp and all WS-Addressing headers (WS-Security 1.0, X.509 token)",
        )
        return
    found = [local(e) for e in elements(subject.security)]
    report.ok("order in wsse:Security", ", ".join(found) + " (any order is accepted)")
    for name in _PARTS:
        if found.count(name) > 1:
            report.wrong("wsse:Security", f"{name} stands {found.count(name)} times")
    strange = [shown(e) for e in elements(subject.security) if local(e) not in _PARTS]
    if strange:
        report.wrong("wsse:Security", f"not allowed: {', '.join(strange)}", "leave it out")
    signature = subject.security.find(f"{{{DS}}}Signature")
    if signature is None:
        _no_signature(subject)
        return
    _token(subject, signature)
    info = signature.find(f"{{{DS}}}SignedInfo")
    if info is None:
        report.wrong("signature", "ds:SignedInfo is missing")
        return
    _references(subject, info)
    _value(subject, signature, info)


def _no_signature(subject: Subject) -> None:
    assert subject.security is not None
    other = next((e for e in subject.security.iter() if local(e) == "Signature"), None)
    advice = "sign Body, Timestamp and all WS-Addressing headers"
    if other is not None:
        advice = f"Signature must be in {DS}, not in {space(other)}"
    subject.report.wrong("signature", "there is no ds:Signature in wsse:Security", advice)


def _token(subject: Subject, signature: etree._Element) -> None:
    """The certificate that signed, by direct reference or as X509Data."""
    report, security = subject.report, subject.security
    assert security is not None
    bst = security.find(f"{{{WSSE}}}BinarySecurityToken")
    in_key = signature.find(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    reference = signature.find(
        f"{{{DS}}}KeyInfo/{{{WSSE}}}SecurityTokenReference/{{{WSSE}}}Reference"
    )
    if reference is not None and bst is not None:
        target, own = reference.get("URI"), bst.get(f"{{{WSU}}}Id")
        report.judge(
            "token reference",
            target == f"#{own}",
            f"KeyInfo points to {target}, the token has wsu:Id {own}",
            "both must name the same",
        )
        for holder in (reference, bst):
            kind = holder.get("ValueType", X509V3)
            if kind != X509V3:
                report.wrong("token type", f"{shown(holder)} says {kind}", f"use {X509V3}")
    elif in_key is not None:
        report.ok("token reference", "the certificate stands in KeyInfo as X509Data")
    else:
        report.wrong(
            "token reference",
            "KeyInfo holds no direct reference to a BinarySecurityToken",
            "use a direct reference; key identifier and issuer/serial are not accepted",
        )
    source = bst if bst is not None else in_key
    if source is None:
        report.wrong("token", "no certificate in the message", "add a wsse:BinarySecurityToken")
        return
    try:
        der = base64.b64decode("".join(text(source).split()), validate=True)
        subject.certificate = read_certificate(der)
    except (binascii.Error, ValueError) as error:
        report.wrong("token", f"the certificate cannot be read: {error}", "base64 of the DER form")
        return
    certificate(report, "token", der, subject, Purpose.SIGNATURE)
    _same_sender(subject, der)


def _same_sender(subject: Subject, token: bytes) -> None:
    """Whether the owner of the token is that of the TLS certificate, or may come by it."""
    leaf, report = subject.request.tls_leaf, subject.report
    if leaf is None or leaf == token:
        return
    signer, caller = oin(token), oin(leaf)
    if signer is None or caller is None:
        return  # said of the certificate itself
    directory = subject.around.directory
    party = directory.party(signer) if directory is not None else None
    said = f"signed by OIN {signer}, TLS with the certificate of OIN {caller}"
    if signer == caller:
        report.ok("token and TLS", "two certificates of one OIN")
    elif party is not None and caller in party.tls_oins:
        report.ok("token and TLS", f"{said}, which may carry its messages (tls_oins)")
    else:
        report.wrong(
            "token and TLS",
            said,
            "sign with a certificate of the OIN that opens the connection; another may carry the "
            "messages only where the gateway's directory says so (tls_oins)",
        )


def _references(subject: Subject, info: etree._Element) -> None:
    """Digest per part, and which parts that must be signed are not."""
    assert subject.root is not None
    report = subject.report
    signed: list[etree._Element] = []
    found = info.findall(f"{{{DS}}}Reference")
    if len(found) > _MANY:
        report.attention("references", f"{len(found)}; the first {_MANY} are looked at")
    for reference in found[:_MANY]:
        uri = reference.get("URI") or ""
        targets = _targets(subject.root, uri)
        if not targets:
            report.wrong(
                f"reference {uri or '(empty)'}",
                "no element has this wsu:Id",
                f"give the part a wsu:Id ({WSU}) and refer to it as #id",
            )
            continue
        if len(targets) > 1:
            report.wrong(f"reference {uri}", "more than one element has this id", "make it unique")
        signed.append(targets[0])
        _digest(subject, reference, targets[0])
    required = _required(subject)
    missing = [shown(e) for e in required if not any(e is s for s in signed)]
    report.judge(
        "signed parts",
        not missing,
        "signed: " + (", ".join(shown(e) for e in signed) or "nothing"),
        "not signed: " + ", ".join(missing),
    )


def _targets(root: etree._Element, uri: str) -> list[etree._Element]:
    wanted = uri.removeprefix("#")
    names = (f"{{{WSU}}}Id", "Id", "ID", "id")
    return [e for e in root.iter("*") if wanted and wanted in [e.get(n) for n in names]]


def _required(subject: Subject) -> list[etree._Element]:
    parts: list[etree._Element] = []
    if subject.body is not None:
        parts.append(subject.body)
    if subject.security is not None:
        stamp = subject.security.find(f"{{{WSU}}}Timestamp")
        parts += [stamp] if stamp is not None else []
    if subject.header is not None:
        parts += [e for e in elements(subject.header) if space(e) == WSA]
    return parts


def _digest(subject: Subject, reference: etree._Element, target: etree._Element) -> None:
    name = f"digest of {shown(target)}"
    report = subject.report
    transforms = reference.findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")
    used = [t.get("Algorithm", "") for t in transforms]
    if used != [EXC_C14N]:
        report.wrong(
            f"transforms of {shown(target)}", ", ".join(used) or "none", _transforms_advice(used)
        )
    canonical = [t for t in transforms if t.get("Algorithm") != _ENVELOPED]
    method = reference.find(f"{{{DS}}}DigestMethod")
    uri = method.get("Algorithm", "") if method is not None else ""
    hash_name = DIGESTS.get(uri)
    if hash_name is None:
        report.wrong(name, f"digest algorithm {uri or 'missing'}", "use SHA-1 or SHA-256")
        return
    prefixes = _prefixes(canonical[-1]) if canonical else ()
    # Without one that canonicalises it is the inclusive form (XML Signature 1.0, 4.3.3.2).
    form = causes.canonical(
        target, canonical[-1].get("Algorithm", "") if canonical else _INCLUSIVE, prefixes
    )
    computed = base64.b64encode(hashlib.new(hash_name, form).digest()).decode()
    found = "".join(text(reference.find(f"{{{DS}}}DigestValue")).split())
    facts = {"algorithm": hash_name, "computed": computed, "found": found}
    if computed == found:
        report.ok(name, "matches", **facts)
        return
    reason = causes.of_digest(target, prefixes, found, subject.xml)
    report.wrong(name, "does not match the part as it was received", reason, **facts)


def _transforms_advice(used: list[str]) -> str:
    advice = f"exactly one: {EXC_C14N}"
    if _ENVELOPED in used and EXC_C14N in used:
        return (
            f"{advice}; leave out enveloped-signature: it takes the signature out of the part that "
            "holds it, and no part that is signed here does (xml-crypto and node-soap: give "
            "addReference its transforms)"
        )
    if used.count(EXC_C14N) > 1:
        return f"{advice}; it stands there {used.count(EXC_C14N)} times"
    return advice


def _prefixes(transform: etree._Element) -> tuple[str, ...]:
    listed = transform.find(f"{{{EXC_C14N}}}InclusiveNamespaces")
    return tuple((listed.get("PrefixList") or "").split()) if listed is not None else ()


def _value(subject: Subject, signature: etree._Element, info: etree._Element) -> None:
    report = subject.report
    method = info.find(f"{{{DS}}}SignatureMethod")
    uri = method.get("Algorithm", "") if method is not None else ""
    hash_name = SIGNATURES.get(uri)
    report.judge(
        "signature algorithm", hash_name is not None, uri or "missing", "use rsa-sha1 or rsa-sha256"
    )
    how = info.find(f"{{{DS}}}CanonicalizationMethod")
    canon = how.get("Algorithm", "") if how is not None else ""
    report.judge("canonicalisation", canon == EXC_C14N, canon or "missing", f"use {EXC_C14N}")
    if subject.certificate is None or hash_name is None:
        report.unknown("signature value", "cannot be checked without certificate and algorithm")
        return
    key = subject.certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        report.unknown("signature value", "the certificate has no RSA key")
        return
    try:
        raw = base64.b64decode(
            "".join(text(signature.find(f"{{{DS}}}SignatureValue")).split()), validate=True
        )
    except ValueError:
        report.wrong("signature value", "is no base64")
        return
    prefixes = _prefixes(how) if how is not None else ()
    form = causes.canonical(info, canon or EXC_C14N, prefixes)
    if causes.verifies(key, raw, form, hash_name):
        report.ok("signature value", "belongs to ds:SignedInfo and the certificate")
        return
    report.wrong(
        "signature value",
        "does not belong to ds:SignedInfo and the certificate",
        causes.of_value(key, raw, info, hash_name),
    )
