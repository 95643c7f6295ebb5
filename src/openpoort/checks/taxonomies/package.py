"""A taxonomy package as it lies in a zip: names, addresses and bytes, under limits.

Taxonomy Packages 1.0. A package comes from outside: it may be a zip bomb, hold a hundred
thousand files, point out of itself or at the network. All reasons to refuse it are collected,
so that its maker hears them at once.
"""

from __future__ import annotations

import posixpath
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lxml import etree

from openpoort.checks import encoding
from openpoort.checks.text import content

MAX_FILES = 50_000
MAX_UNPACKED = 3 * 1024**3
MAX_FILE = 128 * 1024**2
MAX_RATIO = 250
_META = "{http://xbrl.org/2016/taxonomy-package}"
_CATALOG = "{urn:oasis:names:tc:entity:xmlns:xml:catalog}"


class PackageRefused(Exception):
    """This file is no usable package; `reasons` are sentences, all that were found."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(slots=True)
class Package:
    """`rewrites`: (start of address, start of path in the zip), longest address first.

    `entries` are the entry points the package names itself, possibly none.
    """

    path: Path
    name: str
    version: str
    rewrites: tuple[tuple[str, str], ...]
    entries: tuple[str, ...]
    archive: zipfile.ZipFile
    names: frozenset[str] = field(repr=False)

    def place(self, url: str) -> str | None:
        """The path in the zip for an address; None when the package does not map it."""
        for start, prefix in self.rewrites:
            if url.startswith(start):
                return posixpath.normpath(prefix + url[len(start) :])
        return None

    def address(self, path: str) -> str | None:
        """The address of a file in the zip; None when no rewrite leads to it."""
        for start, prefix in self.rewrites:
            if path.startswith(prefix):
                return start + path[len(prefix) :]
        return None

    def read(self, path: str) -> bytes:
        """KeyError when the package lacks the file."""
        return self.archive.read(path)

    def hints(self) -> bytes:
        """`META-INF/openpoort.json`, what the package says about itself; empty when absent."""
        found = [n for n in self.names if n.endswith("META-INF/openpoort.json")]
        return self.archive.read(found[0]) if found else b"{}"

    def close(self) -> None:
        self.archive.close()


def open_package(path: Path) -> Package:
    """Raises PackageRefused with every reason."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as wrong:
        raise PackageRefused([f"not a readable zip file: {wrong}"]) from None
    try:
        reasons = _contents(archive)
        if reasons:
            raise PackageRefused(reasons)
        return _described(path, archive)
    except BaseException:
        archive.close()
        raise


def _contents(archive: zipfile.ZipFile) -> list[str]:
    """Judged from the directory of the zip, before a byte is unpacked."""
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        return [f"{len(infos)} files; at most {MAX_FILES} are allowed"]
    reasons = []
    total = sum(i.file_size for i in infos)
    if total > MAX_UNPACKED:
        reasons.append(f"{total} bytes unpacked; at most {MAX_UNPACKED} are allowed")
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        if name in seen:
            reasons.append(f"two files with the name {name!r}")
        seen.add(name)
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            reasons.append(f"a file name that points out of the package: {name!r}")
        if stat.S_ISLNK(info.external_attr >> 16):
            reasons.append(f"a link instead of a file: {name!r}")
        if info.flag_bits & 1:
            reasons.append(f"an encrypted file: {name!r}")
        if info.file_size > MAX_FILE:
            reasons.append(f"{name!r} is {info.file_size} bytes; at most {MAX_FILE} are allowed")
        if info.file_size > 1_000_000 and info.file_size > MAX_RATIO * info.compress_size:
            reasons.append(f"{name!r} is packed more than {MAX_RATIO} to one: a zip bomb")
        if len(reasons) > 20:
            break
    return reasons


def _described(path: Path, archive: zipfile.ZipFile) -> Package:
    names = frozenset(archive.namelist())
    tops = {n.split("/")[0] for n in names}
    metadata = [
        n for n in names if n.count("/") == 2 and n.endswith("META-INF/taxonomyPackage.xml")
    ]
    if len(metadata) != 1 or len(tops) != 1:
        raise PackageRefused(
            ["not a taxonomy package: one top folder with META-INF/taxonomyPackage.xml is needed"]
        )
    top = metadata[0].split("/")[0]
    root = _xml(archive, metadata[0])
    catalog = f"{top}/META-INF/catalog.xml"
    rewrites = _rewrites(archive, catalog, top) if catalog in names else []
    if not rewrites:
        raise PackageRefused(["META-INF/catalog.xml maps no address to a folder of the package"])
    entries = [e.get("href", "") for e in root.iter(f"{_META}entryPointDocument")]
    return Package(
        path,
        (_text(root, "name") or path.stem).strip(),
        _text(root, "version").strip(),
        tuple(sorted(rewrites, key=lambda r: -len(r[0]))),
        tuple(dict.fromkeys(e for e in entries if e)),
        archive,
        names,
    )


def _text(root: etree._Element, name: str) -> str:
    found = root.find(f"{_META}{name}")
    return "" if found is None else content(found)


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    try:
        return parse(archive.read(name))
    except (etree.XMLSyntaxError, ValueError, zipfile.BadZipFile) as wrong:
        raise PackageRefused([f"{name} is not well-formed XML: {wrong}"]) from None


def parse(data: bytes) -> etree._Element:
    """A file of a taxonomy, without DTD, entities or network. ValueError when it has a DTD."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(data, parser)
    if encoding.doctype(data) is not None:
        raise ValueError("a DOCTYPE is not allowed in a taxonomy")
    return root


def _rewrites(archive: zipfile.ZipFile, catalog: str, top: str) -> list[tuple[str, str]]:
    found, reasons = [], []
    for element in _xml(archive, catalog).iter(f"{_CATALOG}rewriteURI", f"{_CATALOG}rewriteSystem"):
        start = element.get("uriStartString") or element.get("systemIdStartString") or ""
        prefix = element.get("rewritePrefix") or ""
        target = posixpath.normpath(f"{top}/META-INF/{prefix}")
        if urlsplit(prefix).scheme or prefix.startswith("/") or not f"{target}/".startswith(top):
            reasons.append(f"catalog.xml sends {start!r} out of the package: {prefix!r}")
        elif urlsplit(start).scheme not in {"http", "https"}:
            reasons.append(f"catalog.xml maps an address that is none: {start!r}")
        else:
            found.append((start, target + "/" if prefix.endswith("/") else target))
    if reasons:
        raise PackageRefused(reasons)
    return found
