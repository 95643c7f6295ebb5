"""Fields of messages: how one child element becomes a value and how it is written again.

Readers trust that the schema was checked; what it cannot say (strict base64 set aside from the
tree) they check themselves. Writers give exclusive canonical form.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from openpoort.domain.fault import Fault, Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import MAX_DOCUMENT, Constatering, Document, Element
from openpoort.wire import instant
from openpoort.wire.aside import Aside

Pieces = list[bytes]
_SPACE = b" \t\r\n"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_PIECE = 1024 * 1024
_NO_BASE64 = "Element inhoud heeft een ongeldige waarde; verwacht: base64Binary."
_RUNS = re.compile("[ \t\n\r]+")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Codec:
    """How a value is read from the children or text of its element, and written inside it."""

    read: Callable[[etree._Element, Aside], Any]
    write: Callable[[Any, Pieces], None]


@dataclass(frozen=True, slots=True)
class Field:
    """One child element: its name, the attribute of the value (`a` or `a.b`), and the codec."""

    element: str
    attribute: str
    codec: Codec


class Row:
    """The fields of one element in schema order, and the class of its value."""

    def __init__(self, make: Callable[..., Any], *fields: Field) -> None:
        self._make = make
        self._fields = fields
        self._by_element: Mapping[str, Field] = {f.element: f for f in fields}

    def read(self, element: etree._Element, aside: Aside) -> Any:
        values: dict[str, Any] = {}
        for child in element:
            field = self._by_element[child.tag.rpartition("}")[2]]
            values[field.attribute] = field.codec.read(child, aside)
        return self._make(**values)

    def write(self, value: Any, pieces: Pieces) -> None:
        for field in self._fields:
            content = _get(value, field.attribute)
            if content is not None and content != ():
                wrap(field.element, content, field.codec, pieces)


def _get(value: Any, path: str) -> Any:
    """The attribute; of a dotted path the second part, or None when the first is None."""
    for name in path.split("."):
        value = getattr(value, name) if value is not None else None
    return value


def wrap(name: str, value: Any, codec: Codec, pieces: Pieces) -> None:
    """Write `value` inside an element; the default namespace is already the koppelvlak's."""
    pieces.append(f"<{name}>".encode())
    codec.write(value, pieces)
    pieces.append(f"</{name}>".encode())


def nested(row: Row) -> Codec:
    """An element whose children are the fields of a row."""
    return Codec(row.read, row.write)


def many(name: str, codec: Codec) -> Codec:
    """An element that holds any number of `name`; the value is a tuple."""

    def read(element: etree._Element, aside: Aside) -> tuple[Any, ...]:
        return tuple(codec.read(child, aside) for child in element)

    def write(values: tuple[Any, ...], pieces: Pieces) -> None:
        for value in values:
            wrap(name, value, codec, pieces)

    return Codec(read, write)


def escape(text: str) -> bytes:
    """Character data in canonical form. ValueError if XML cannot hold it."""
    if not text.isprintable() and _ILLEGAL.search(text):
        raise ValueError("a character that XML cannot hold")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#xD;").encode()


def decode(content: str | memoryview) -> bytes:
    """The octets of an `inhoud`. Fault if it is not strict base64 or over 20 MiB."""
    data = content.encode("ascii", "replace") if isinstance(content, str) else content
    try:
        octets = a2b_base64(data, strict_mode=True)
        size, tail = len(data), bytes(data[-4:])
    except ValueError:
        octets, size, tail = _spaced(data)
    # One content, one spelling: no `=` too many, and unused bits of the last character zero.
    rest = len(octets) % 3
    end = b2a_base64(octets[-rest:], newline=False) if rest else b""
    if size != (len(octets) + 2) // 3 * 4 or (rest and end != tail):
        raise Fault(_NO_BASE64)
    if len(octets) > MAX_DOCUMENT:
        raise Fault(
            f"Element inhoud is {len(octets)} octetten groot; "
            f"ten hoogste {MAX_DOCUMENT} is toegestaan."
        )
    return octets


def _spaced(data: bytes | memoryview) -> tuple[bytes, int, bytes]:
    """Octets of base64 with white space, its size without, and its last four characters.

    Looked at in pieces: a copy without line breaks would cost the size of the document.
    """
    size, tail = 0, b""
    for at in range(0, len(data), _PIECE):
        piece = bytes(data[at : at + _PIECE]).translate(None, _SPACE)
        if piece.translate(None, _BASE64) or (b"=" in tail and piece.strip(b"=")):
            raise Fault(_NO_BASE64)
        size, tail = size + len(piece), (tail + piece)[-4:]
        if b"=" in piece.rstrip(b"="):
            raise Fault(_NO_BASE64)
    try:
        return a2b_base64(data), size, tail
    except ValueError:
        raise Fault(_NO_BASE64) from None


def _read_text(element: etree._Element, aside: Aside) -> str:
    return _RUNS.sub(" ", (element.text or "").strip(" \t\n\r"))


def _read_long(element: etree._Element, aside: Aside) -> str:
    return (element.text or "").strip(" \t\n\r")


def _read_time(element: etree._Element, aside: Aside) -> datetime:
    try:
        return instant.parse(element.text or "")
    except ValueError:
        name = etree.QName(element).localname
        raise Fault(f"Element {name} valt buiten de jaren 1 tot en met 9999.") from None


def _read_content(element: etree._Element, aside: Aside) -> bytes:
    text = (element.text or "").strip(" \t\n\r")
    if text in aside:
        return decode(aside[text])
    return decode(text)


def _write_text(value: str, pieces: Pieces) -> None:
    pieces.append(escape(value))


def _write_time(value: datetime, pieces: Pieces) -> None:
    pieces.append(instant.form(value).encode())


def _write_content(value: bytes, pieces: Pieces) -> None:
    pieces.append(b2a_base64(value, newline=False))


TEXT = Codec(_read_text, _write_text)
LONG = Codec(_read_long, _write_text)
TIME = Codec(_read_time, _write_time)
CONTENT = Codec(_read_content, _write_content)
IDENTITEIT = nested(Row(Identiteit, Field("nummer", "nummer", TEXT), Field("type", "type", TEXT)))
FOUT = nested(
    Row(
        Fout,
        Field("foutcode", "foutcode", TEXT),
        Field("foutbeschrijving", "foutbeschrijving", LONG),
    )
)
DOCUMENT = nested(
    Row(
        Document,
        Field("mimeType", "mime_type", TEXT),
        Field("bestandsnaam", "bestandsnaam", TEXT),
        Field("inhoud", "inhoud", CONTENT),
    )
)
BIJLAGEN = many("bijlage", DOCUMENT)
CONSTATERINGEN = many(
    "constatering",
    nested(
        Row(Constatering, Field("code", "code", TEXT), Field("beschrijving", "beschrijving", LONG))
    ),
)
ELEMENTEN = many(
    "element",
    nested(Row(Element, Field("naam", "naam", TEXT), Field("waarde", "waarde", TEXT))),
)
