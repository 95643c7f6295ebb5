"""Point 6: plain XML against an XML Schema, compiled once.

A schema may say where the number of the belanghebbende stands, in
`xs:appinfo[@source='urn:openpoort:identiteit']`: an XPath with the prefixes of the schema.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path

from lxml import etree

from openpoort.checks import libxml
from openpoort.checks.document import read
from openpoort.checks.identity import judge_number, no_number, normal, other_number, same
from openpoort.checks.text import content
from openpoort.domain.finding import Finding, Severity
from openpoort.process.ports import CheckUnavailable, Filing

_XS = "{http://www.w3.org/2001/XMLSchema}"
_MOST = 50


@dataclass(frozen=True, slots=True)
class _Compiled:
    schema: etree.XMLSchema
    identity: etree.XPath | None
    lock: threading.Lock


class Plain:
    """Check `plain`: the kind names a schema file, shipped here or under HOME/schemas."""

    name = "plain"

    def __init__(self, home: Path | None = None) -> None:
        self.folder = home / "schemas" if home is not None else None
        self._compiled: dict[str, _Compiled] = {}
        self._lock = threading.Lock()

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        reading = read(filing.inhoud.inhoud)
        if reading.root is None:
            return reading.findings
        if filing.kind.schema is None:
            return ()
        compiled = self._schema(filing.kind.schema)
        found = tuple(_invalid(compiled, reading.root))
        if not found and filing.belanghebbende.nummer:
            found = tuple(judge_number(filing.belanghebbende))
            found += tuple(_other_number(compiled, reading.root, filing))
        return found

    def _schema(self, name: str) -> _Compiled:
        with self._lock:
            if name not in self._compiled:
                self._compiled[name] = _compile(name, self.folder)
            return self._compiled[name]


def unusable(name: str, home: Path | None) -> str:
    """Why the schema of this name cannot be used; empty when it can."""
    try:
        _compile(name, home / "schemas" if home is not None else None)
    except CheckUnavailable as wrong:
        return str(wrong)
    return ""


def _compile(name: str, folder: Path | None) -> _Compiled:
    if "/" in name or "\\" in name:
        raise CheckUnavailable(f"schema {name}: a file name without folders is needed")
    shipped = files("openpoort.checks").joinpath("schemas", name)
    try:
        if folder is not None and (folder / name).is_file():
            return _read(folder / name)
        with as_file(shipped) as path:
            return _read(path)
    except (OSError, etree.LxmlError) as wrong:
        raise CheckUnavailable(f"schema {name}: {wrong}") from None


def _read(path: Path) -> _Compiled:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    tree = etree.parse(path, parser)
    schema = etree.XMLSchema(tree)
    for info in tree.iter(f"{_XS}appinfo"):
        if info.get("source") == "urn:openpoort:identiteit" and content(info).strip():
            prefixes = {p: ns for p, ns in info.nsmap.items() if p}
            where = etree.XPath(content(info).strip(), namespaces=prefixes)
            return _Compiled(schema, where, threading.Lock())
    return _Compiled(schema, None, threading.Lock())


def _invalid(compiled: _Compiled, root: etree._Element) -> Iterator[Finding]:
    with compiled.lock:  # the error log belongs to the schema object
        if compiled.schema.validate(root):
            return
        errors = list(islice(compiled.schema.error_log, _MOST))  # type: ignore[call-overload]  # iterable
    tree = root.getroottree()
    told: set[tuple[int, str | None]] = set()
    for error in errors:
        if (error.line, error.path) in told and libxml.follows(error.message):
            continue
        told.add((error.line, error.path))
        text = f"Het document voldoet niet aan het schema: {libxml.invalid(error.message)}"
        place = error.path or tree.getpath(root)
        yield Finding("OP-6.01", Severity.ERROR, text, "plain", error.line, place)


def _other_number(compiled: _Compiled, root: etree._Element, filing: Filing) -> Iterator[Finding]:
    """The number where the schema says that it stands: there, and that of the request."""
    if compiled.identity is None:
        return
    kind = filing.belanghebbende.type.lower()
    wanted = normal(filing.belanghebbende.nummer, kind)
    found = compiled.identity(root)
    places = [e for e in found if isinstance(e, etree._Element)] if isinstance(found, list) else []
    if not places:
        yield no_number("plain", root)
    for element in places:
        if not same(normal(content(element), kind), wanted):
            yield other_number("plain", element)
