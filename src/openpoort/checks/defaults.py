"""Which kind a document is when nobody says: its entry point decides, or its namespace."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib.resources import files

from lxml import etree

from openpoort.checks.document import is_xbrl, read
from openpoort.checks.instance import HREF, LINK
from openpoort.checks.taxonomies.registry import Registry
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.kind import Attachments, Kind

UNKNOWN = Kind(
    berichtsoort="",
    title="Onbekende berichtsoort",
    direction="aanleveren",
    identity_types=(),
    rollen=(),
    steps=(),
    attachments=Attachments.OPTIONAL,
)
"""The default checks and no demands of its own."""


def kind_for(name: str, data: bytes, kinds: Mapping[str, Kind], registry: Registry) -> Kind:
    """The first kind that takes this document; UNKNOWN when none does."""
    root = read(data).root
    if root is None:
        return UNKNOWN
    if is_xbrl(root):
        entries = [r.get(HREF, "") for r in root.iterchildren(f"{{{LINK}}}schemaRef")]
        return _by_entry(entries[0], kinds, registry) if entries else UNKNOWN
    return _by_namespace(name, str(root.tag), kinds)


def nobody_takes(data: bytes, registry: Registry) -> tuple[Finding, ...]:
    """Of a document of UNKNOWN kind whose entry point is installed: a warning, for no door takes
    it. What is not installed the checks refuse."""
    root = read(data).root
    if root is None or not is_xbrl(root):
        return ()
    entry = next((r.get(HREF, "") for r in root.iterchildren(f"{{{LINK}}}schemaRef")), "")
    if registry.find(entry) is None:
        return ()
    text = (
        f"Geen berichtsoort neemt het entrypoint '{entry[:300]}' aan; aangeleverd wordt het "
        "geweigerd. De beheerder koppelt het met: openpoort taxonomy add --kind "
        f"BERICHTSOORT={entry[:300]}"
    )
    return (Finding("OP-4.08", Severity.WARNING, text, "filing"),)


def _by_entry(entry: str, kinds: Mapping[str, Kind], registry: Registry) -> Kind:
    taxonomy = registry.find(entry)
    for kind in kinds.values():
        if any(fnmatchcase(entry, pattern) for pattern in kind.entrypoints):
            return kind
    named = [k for k, es in taxonomy.kinds.items() if entry in es] if taxonomy else []
    return next((kinds[k] for k in named if k in kinds), UNKNOWN)


def _by_namespace(name: str, tag: str, kinds: Mapping[str, Kind]) -> Kind:
    """A kind whose schema has the namespace of the root; of several the one the file names."""
    namespace = etree.QName(tag).namespace
    fitting = [k for k in kinds.values() if k.schema and _target(k.schema) == namespace]
    named = [k for k in fitting if name.startswith(k.berichtsoort)]
    return (named or fitting or [UNKNOWN])[0]


def _target(schema: str) -> str | None:
    shipped = files("openpoort.checks").joinpath("schemas", schema)
    if "/" in schema or not shipped.is_file():
        return None
    return etree.fromstring(shipped.read_bytes()).get("targetNamespace")
