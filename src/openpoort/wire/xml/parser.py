"""The one hardened parser: bytes to a tree under limits, or a refusal.

An attack (DTD, entities, nesting without end) gets a bare Refusal; a mistake (not well-formed,
not UTF-8) a Fault that says where. Nothing here touches files or the network.

Order matters. libxml2 expands entities inside attribute values whatever its options say, so a
DTD must be seen before the parser runs; and a tree costs ten to a hundred times its text, so
elements and attributes are counted as bytes before a tree exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from openpoort.domain.fault import Fault, Refusal

MIB = 1024 * 1024
BOM = b"\xef\xbb\xbf"
_OTHER_UNICODE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<", b"\x00\x00")
_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([^"']*)["']""")
_PROLOG_MAX = 4096
_OVER_LIMIT = (etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NAME_TOO_LONG)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost. `max_bytes` counts octets; `max_elements`, `max_attributes`
    `max_namespaces` (declarations) and `max_remarks` (comments and processing instructions) the
    whole document; `max_width` attributes of one element; `max_name` characters of one name,
    judged in documents that are long enough for it to matter."""

    max_bytes: int = 64 * MIB
    max_depth: int = 32
    max_elements: int = 8_000
    max_attributes: int = 8_000
    max_namespaces: int = 500
    max_remarks: int = 1_000
    max_width: int = 32
    max_name: int = 128


DEFAULT = Limits()


def _parser() -> etree.XMLParser:
    # huge_tree lifts libxml2's own limits (10 MB per text, 256 deep): ours stand in their place.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=True,
    )


_SHORT = 16 * 1024


def parse(data: bytes, limits: Limits = DEFAULT) -> etree._Element:
    """The root element. Fault if not well-formed or not UTF-8; Refusal if over a limit."""
    if len(data) > limits.max_bytes:
        raise Fault(
            f"Het bericht is {len(data)} octetten groot; ten hoogste {limits.max_bytes} "
            "is toegestaan."
        )
    _prolog(data)
    # Every element costs one '<' at least, every attribute one '='.
    if data.count(b"<") > 2 * limits.max_elements:
        raise Refusal("too many elements")
    if data.count(b"=") > limits.max_attributes:
        raise Refusal("too many attributes")
    # Canonical form looks at every declaration in scope, for every part: their number squares.
    if data.count(b"xmlns") > limits.max_namespaces:
        raise Refusal("too many namespace declarations")
    if data.count(b"<!--") + data.count(b"<?") > limits.max_remarks:
        raise Refusal("too many comments or processing instructions")
    parser = _parser()  # one each: its log is of this document, and it serves one thread at a time
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", 0) in _OVER_LIMIT:
            raise Refusal("over a limit of the parser") from None
        raise _malformed(*error.position, error.msg) from None
    # lxml judges by what libxml2 said last: a warning after an undeclared prefix hides it.
    for said in parser.error_log:
        if said.level >= etree.ErrorLevels.ERROR:
            raise _malformed(said.line, said.column, said.message)
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refusal("document type declaration")
    wrong = _excess(limits, len(data) > _SHORT)(root)
    if wrong:
        raise Refusal(str(wrong).removesuffix("; "))
    return root


def _malformed(line: int, column: int, why: str) -> Fault:
    return Fault(
        f"Het bericht is geen welgevormde XML: regel {line}, positie {column}.",
        log=f"not well-formed: {why}",
    )


def _prolog(data: bytes) -> None:
    """Walk to the root element: no DTD, and no encoding but UTF-8."""
    if data.startswith(_OTHER_UNICODE):
        raise Fault("Het bericht is niet in UTF-8 gecodeerd.")
    at = len(BOM) if data.startswith(BOM) else 0
    while at < _PROLOG_MAX:
        rest = data[at:_PROLOG_MAX]
        at += len(rest) - len(rest.lstrip(b" \t\r\n"))
        if at >= _PROLOG_MAX:
            break
        if data.startswith(b"<?", at):
            close, begin = b"?>", at + 2
        elif data.startswith(b"<!--", at):
            close, begin = b"-->", at + 4
        elif data.startswith(b"<!", at):
            raise Refusal("document type declaration")
        else:
            return
        end = data.find(close, begin, _PROLOG_MAX)
        if end < 0 and len(data) < _PROLOG_MAX:
            return  # never closed: the parser says so
        if end < 0:
            break
        _encoding(data[at:end])
        at = end + len(close)
    raise Refusal("endless prolog")


def _encoding(declaration: bytes) -> None:
    found = _ENCODING.search(declaration) if declaration.startswith(b"<?xml") else None
    if found and found[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        name = found[1].decode("ascii", "replace")[:40]
        raise Fault(f"Het bericht is gecodeerd als {name}; alleen UTF-8 is toegestaan.")


@lru_cache(maxsize=16)
def _excess(limits: Limits, names: bool) -> etree.XPath:
    """What is wrong with the size of a tree, or nothing: one question, answered in C.

    The form is what libxml2 answers fastest: paths and positions, no predicate that counts, and
    no union, which compares each node with all others.
    """
    wrong = {
        "nested too deep": "/*" * (limits.max_depth + 1),
        "too many attributes on one element": f"//*/@*[{limits.max_width + 1}]",
    }
    if names:
        wrong["name too long"] = f"//*[string-length(name()) > {limits.max_name}]"
    said = [f"substring('{what}; ', 1, 99 * boolean({path}))" for what, path in wrong.items()]
    return etree.XPath(f"concat({', '.join(said)})")
