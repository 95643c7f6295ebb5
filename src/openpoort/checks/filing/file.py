"""FR-NL-1.01 to 1.06 and 2.06, FR-KVK-1.01: the file and its characters.

Source: SBR Filing Rules NT16 to NT20, as far as known (docs: findings).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from openpoort.checks import encoding
from openpoort.checks.filing.rule import File, FileRule, Hit

_OUTSIDE = re.compile("[^\t\n\r\u0020-\u007f\u00a0-\u00ff\u20a0-\u20cf]")
_REFERENCE = re.compile(rb"&(?:#([0-9]{1,12})|#[xX]([0-9A-Fa-f]{1,12})|([0-9A-Za-z]{1,40}));")
_NAMED = {b"lt", b"gt", b"amp", b"apos", b"quot"}
_STEM = re.compile(r"[0-9A-Za-z_-]*")
_MOST = 20


def _allowed(point: int) -> bool:
    return (
        point in {9, 10, 13}
        or 0x20 <= point <= 0x7F
        or 0xA0 <= point <= 0xFF
        or 0x20A0 <= point <= 0x20CF
    )


def no_mark(file: File) -> Iterator[Hit]:
    if encoding.mark(file.data):
        text = "Het bestand begint met een byte order mark (BOM). Bewaar het als UTF-8 zonder BOM."
        yield Hit(text, line=1)


def allowed_characters(file: File) -> Iterator[Hit]:
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return  # FR-NL-1.05 tells
    lines: dict[int, set[str]] = {}
    line, last = 1, 0
    for found in _OUTSIDE.finditer(text):
        line += text.count("\n", last, found.start())
        last = found.start()
        if line not in lines and len(lines) == _MOST:
            return
        lines.setdefault(line, set()).add(f"U+{ord(found[0]):04X}")
        if len(lines[line]) == 1:
            text_hit = (
                f"Het teken U+{ord(found[0]):04X} is niet toegestaan. Gebruik alleen Basic Latin, "
                "Latin-1 Supplement en valutatekens."
            )
            yield Hit(text_hit, line=line)


def no_doctype(file: File) -> Iterator[Hit]:
    if (line := encoding.doctype(file.data)) is not None:
        text = "Het document bevat een DOCTYPE-declaratie. Verwijder de DOCTYPE en alle entiteiten."
        yield Hit(text, line=line)


def allowed_references(file: File) -> Iterator[Hit]:
    count = 0
    for found in _REFERENCE.finditer(file.data):
        decimal, hexadecimal, named = found.groups()
        if named is not None:
            fine = named in _NAMED
        else:
            fine = _allowed(int(decimal) if decimal else int(hexadecimal, 16))
        if not fine:
            count += 1
            if count > _MOST:
                return
            reference = found[0].decode("ascii")
            text = f"De tekenverwijzing {reference} is niet toegestaan. Vervang of verwijder haar."
            yield Hit(text, line=file.data.count(b"\n", 0, found.start()) + 1)


def utf8(file: File) -> Iterator[Hit]:
    if (wrong := encoding.encoding(file.data)) is not None:
        yield Hit(wrong[1], line=wrong[0])


def plain_name(file: File) -> Iterator[Hit]:
    if not _STEM.fullmatch(PurePosixPath(file.name).stem):
        yield Hit("De bestandsnaam mag alleen letters A-Z, cijfers, '-' en '_' bevatten.")


def no_cdata_end(file: File) -> Iterator[Hit]:
    place = -1
    for _ in range(_MOST):
        place = file.data.find(b"]]>", place + 1)
        if place < 0:
            return
        line = file.data.count(b"\n", 0, place) + 1
        yield Hit("De tekens ']]>' mogen niet voorkomen. Schrijf de tekst zonder CDATA.", line=line)


def extension(file: File) -> Iterator[Hit]:
    if not file.name.endswith(".xbrl"):
        yield Hit("De bestandsnaam moet eindigen op '.xbrl'.")


RULES = (
    FileRule("FR-NL-1.01", "geen byte order mark", no_mark),
    FileRule("FR-NL-1.02", "alleen toegestane tekens", allowed_characters),
    FileRule("FR-NL-1.03", "geen DOCTYPE", no_doctype),
    FileRule("FR-NL-1.04", "alleen toegestane tekenverwijzingen", allowed_references),
    FileRule("FR-NL-1.05", "tekencodering UTF-8", utf8),
    FileRule("FR-NL-1.06", "tekens in de bestandsnaam", plain_name),
    FileRule("FR-NL-2.06", "geen einde van een CDATA-sectie", no_cdata_end),
    FileRule("FR-KVK-1.01", "extensie .xbrl", extension, kvk=True),
)
