"""Points 1 and 2: size, name, MIME type against content, attachments; strict XML.

Attachments are looked at, never touched: they pass byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from openpoort.checks.document import flaws
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.kind import Attachments
from openpoort.domain.message import MAX_DOCUMENT, Document
from openpoort.process.ports import Filing

_NAME = re.compile(r"[^\x00-\x1f/\\:*?\"<>|]{1,200}")
_SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
}
_XML_TYPES = ("application/xml", "text/xml", "application/xbrl+xml", "application/xhtml+xml")


class Structure:
    """Check `structure`: everything that can be said without knowing what is reported."""

    name = "structure"

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        return tuple(_judge(filing))


def _judge(filing: Filing) -> Iterator[Finding]:
    kind, inhoud = filing.kind, filing.inhoud
    yield from _size(inhoud, kind.max_bytes)
    yield from _name(inhoud)
    extension = PurePosixPath(inhoud.bestandsnaam).suffix.lower()
    if kind.extensions and extension not in kind.extensions:
        allowed = ", ".join(kind.extensions)
        text = f"De bestandsnaam eindigt op '{extension}'; toegestaan is: {allowed}."
        yield _no("OP-1.04", text, inhoud)
    yield from _mime(inhoud, kind.mime_types)
    yield from _attachments(filing)
    if inhoud.inhoud and len(inhoud.inhoud) <= kind.max_bytes and _claims_xml(inhoud):
        yield from flaws(inhoud.inhoud)


def _no(code: str, text: str, document: Document) -> Finding:
    return Finding(code, Severity.ERROR, text, "structure", document=document.bestandsnaam[:200])


def _size(document: Document, most: int) -> Iterator[Finding]:
    size = len(document.inhoud)
    if size == 0:
        yield _no("OP-1.01", "Het bestand is leeg. Lever het bericht met inhoud aan.", document)
    if size > most:
        text = f"Het bestand is {size} bytes groot; toegestaan is ten hoogste {most} bytes."
        yield _no("OP-1.02", text, document)


def _name(document: Document) -> Iterator[Finding]:
    name = document.bestandsnaam
    if not _NAME.fullmatch(name) or name in {".", ".."} or name != name.strip():
        text = (
            "De bestandsnaam is leeg, te lang of bevat tekens die niet mogen. Gebruik letters, "
            "cijfers, '-', '_' en een extensie."
        )
        yield _no("OP-1.03", text, document)


def _base(mime: str) -> str:
    return mime.split(";")[0].strip().lower()


def _claims_xml(document: Document) -> bool:
    base = _base(document.mime_type)
    return base in _XML_TYPES or base.endswith("+xml")


def _mime(document: Document, allowed: tuple[str, ...]) -> Iterator[Finding]:
    base = _base(document.mime_type)
    if allowed and base not in allowed:
        text = f"Het MIME-type '{base[:80]}' is niet toegestaan; gebruik: {', '.join(allowed)}."
        yield _no("OP-1.05", text, document)
    yield from _content(document)


def _content(document: Document) -> Iterator[Finding]:
    """The first bytes must be what the MIME type says they are."""
    base, start = _base(document.mime_type), document.inhoud[:64]
    if not start:
        return
    marks = _SIGNATURES.get(base)
    wrong = marks is not None and not start.startswith(marks)
    if base == "application/pdf":  # readers look this far (ISO 32000-1, annex H, note 13)
        wrong = document.inhoud.find(b"%PDF-", 0, 1024) < 0
    if _claims_xml(document):
        bare = start.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        wrong = not bare.startswith(b"<")
    if wrong:
        text = f"De inhoud van het bestand is niet van het opgegeven MIME-type '{base[:80]}'."
        yield _no("OP-1.06", text, document)


def _attachments(filing: Filing) -> Iterator[Finding]:
    allowed, bijlagen = filing.kind.attachments, filing.bijlagen
    if allowed is Attachments.NONE and bijlagen:
        text = f"Bij een {filing.kind.berichtsoort} horen geen bijlagen. Verwijder de bijlagen."
        yield _no("OP-1.07", text, bijlagen[0])
    if allowed is Attachments.REQUIRED and not bijlagen:
        text = f"Bij een {filing.kind.berichtsoort} hoort ten minste één bijlage. Voeg die toe."
        yield _no("OP-1.08", text, filing.inhoud)
    names = [filing.inhoud.bestandsnaam]
    for bijlage in bijlagen:
        yield from _size(bijlage, MAX_DOCUMENT)
        yield from _name(bijlage)
        yield from _content(bijlage)
        if bijlage.bestandsnaam in names:
            text = "Twee bestanden hebben dezelfde naam. Geef elk bestand een eigen naam."
            yield _no("OP-1.09", text, bijlage)
        names.append(bijlage.bestandsnaam)
