"""Why a digest or signature does not match: the known mistakes, tried one by one.

Each mistake of section 5.7 and 5.8 of the wire reference, and the classics of XML signing, is
something that can be computed: when it gives the digest that was sent, that is what happened.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from openpoort.client.diagnose.subject import elements, local
from openpoort.wire.names import DS, EXC_C14N, WSU

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - the interface prescribes it; a diagnosis must know it
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_HASHES = tuple(HASHES)
_CHANGED = (
    "the part was changed after signing: pretty-printing, another serialiser, a proxy; "
    "sign last, and send exactly the bytes that were signed"
)


def canonical(element: etree._Element, algorithm: str, prefixes: tuple[str, ...] = ()) -> bytes:
    """Canonical form; anything that is not the exclusive one counts as inclusive C14N 1.0."""
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=algorithm.startswith(EXC_C14N),
            with_comments=algorithm.endswith("WithComments"),
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    except etree.C14NError:
        return b""


def of_digest(element: etree._Element, prefixes: tuple[str, ...], found: str, source: bytes) -> str:
    """One sentence that names the mistake, or what usually causes it."""
    for advice, form in _forms(element, prefixes, source):
        for name in _HASHES:
            if _matches(hashlib.new(name, form).digest(), found):
                return advice
    for name in _HASHES:
        form = canonical(element, EXC_C14N, prefixes)
        digest = hashlib.new(name, form).digest()
        if _matches(digest, found):
            return f"the digest is {name}, DigestMethod says otherwise"
        if found.lower() == digest.hex() or _matches(digest.hex().encode(), found):
            return "the digest is written in hexadecimal; write the bytes themselves in base64"
    sizes = {hashlib.new(name).digest_size: name for name in _HASHES}
    try:
        size = len(base64.b64decode(found))
    except ValueError:
        return "the digest is no base64"
    if size not in sizes:
        return f"a digest of {size} bytes fits no known algorithm"
    return _CHANGED


def _matches(digest: bytes, found: str) -> bool:
    return base64.b64encode(digest).decode() == found


def _forms(
    element: etree._Element, prefixes: tuple[str, ...], source: bytes
) -> Iterator[tuple[str, bytes]]:
    inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    yield (
        "made with inclusive canonicalisation (C14N 1.0) while the transform says exclusive",
        canonical(element, inclusive),
    )
    yield (
        "made with comments in the canonical form; leave them out",
        canonical(element, EXC_C14N + "WithComments", prefixes),
    )
    if prefixes:
        yield (
            "made without the InclusiveNamespaces PrefixList that stands in the transform",
            canonical(element, EXC_C14N),
        )
    for advice, change in _CHANGES:
        changed = copy.deepcopy(element)
        change(changed)
        yield advice, canonical(changed, EXC_C14N, prefixes)
    yield (
        "the children were created without a namespace (createElement under a default namespace) "
        "and are in one after serialising; create them with createElementNS, or parse the "
        "serialised message again before signing",
        _without_namespace(element, prefixes),
    )
    inner = b"".join(canonical(child, EXC_C14N, prefixes) for child in elements(element))
    yield "made over the content of the element, without its own start and end tag", inner
    yield "made over the text of the element only", (element.text or "").encode()
    for raw in _raw(element, source):
        yield "made over the bytes as written, without canonicalisation", raw


def _without_white_space(element: etree._Element) -> None:
    for node in element.iter("*"):
        if len(node) and node.text and not node.text.strip():
            node.text = None
        if node is not element and node.tail and not node.tail.strip():
            node.tail = None


def _without_id(element: etree._Element) -> None:
    for name in (f"{{{WSU}}}Id", "Id"):
        if name in element.attrib:
            del element.attrib[name]


_MARK = "openpoort-no-namespace"


def _without_namespace(element: etree._Element, prefixes: tuple[str, ...]) -> bytes:
    """The form of a DOM whose payload has children that were created without a namespace.

    libxml2 forgets the xmlns="" that all other libraries write there, so it is put in by hand.
    """
    changed = copy.deepcopy(element)
    for child in elements(changed)[:1] and elements(elements(changed)[0]):
        child.set(_MARK, "")
    form = canonical(changed, EXC_C14N, prefixes)
    return form.replace(f' {_MARK}=""'.encode(), b' xmlns=""')


def _unix_lines(element: etree._Element) -> None:
    for node in element.iter("*"):
        node.text = node.text.replace("\n", "\r\n") if node.text else node.text
        node.tail = node.tail.replace("\n", "\r\n") if node.tail else node.tail


def _empty(element: etree._Element) -> None:
    for child in list(element):
        element.remove(child)


_CHANGES: tuple[tuple[str, Callable[[etree._Element], None]], ...] = (
    (
        "white space between the elements was added after signing (pretty-printing)",
        _without_white_space,
    ),
    ("the wsu:Id was added after the digest was made", _without_id),
    ("the lines ended in CR LF when the digest was made", _unix_lines),
    ("the digest was made before the content was put in", _empty),
)


def _raw(element: etree._Element, source: bytes) -> Iterator[bytes]:
    """The element's own bytes in the message, if its tag can be found there."""
    name = local(element)
    tag = (f"{element.prefix}:{name}" if element.prefix else name).encode()
    start, end = source.find(b"<" + tag), source.rfind(b"</" + tag + b">")
    if 0 <= start < end:
        yield source[start : end + len(tag) + 3]


def of_value(key: RSAPublicKey, value: bytes, info: etree._Element, hash_name: str) -> str:
    """Why a signature value does not verify."""
    if len(value) * 8 != key.key_size:
        return (
            f"the value has {len(value)} bytes, the key {key.key_size // 8}: signed with another "
            "key than the one in the token"
        )
    forms = [("", canonical(info, EXC_C14N)), *_info_forms(info)]
    for advice, form in forms:
        for name in _HASHES:
            if (advice or name != hash_name) and verifies(key, value, form, name):
                return advice or f"signed with {name}, SignatureMethod says {hash_name}"
    if _recovers(key, value):
        return (
            "signed with this key, over other bytes: SignedInfo was changed after signing, "
            "or canonicalised in another way"
        )
    return "signed with another key than that of the certificate in the message"


def _info_forms(info: etree._Element) -> Iterator[tuple[str, bytes]]:
    yield (
        "SignedInfo was canonicalised inclusively (C14N 1.0)",
        canonical(info, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
    )
    bare = copy.deepcopy(info)
    _without_white_space(bare)
    yield (
        "white space in SignedInfo was added after signing (pretty-printing)",
        canonical(bare, EXC_C14N),
    )
    without = copy.deepcopy(info)
    for node in without.iter("*"):
        # A recovered tree may hold names that cannot be set again; then this was not the mistake.
        with contextlib.suppress(ValueError):
            node.tag = local(node)
    yield (
        f"SignedInfo was built without the namespace {DS} and got it by serialising",
        canonical(without, EXC_C14N),
    )


def verifies(key: RSAPublicKey, value: bytes, data: bytes, hash_name: str) -> bool:
    """RSA PKCS#1 v1.5, as the interface has it."""
    try:
        key.verify(value, data, padding.PKCS1v15(), HASHES[hash_name])
    except InvalidSignature:
        return False
    return True


def _recovers(key: RSAPublicKey, value: bytes) -> bool:
    """Whether the value is some PKCS#1 v1.5 signature of this key, over whatever bytes."""
    try:
        key.recover_data_from_signature(value, padding.PKCS1v15(), None)
    except InvalidSignature:
        return False
    return True
