"""Fields of messages: how one child element becomes a value and how it is written again.

Readers trust that the schema was checked; what it cannot say (strict base64 set aside from the
tree) they check themselves. Writers give exclusive canonical form.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from inspect import signature
from typing import Any

from lxml import etree
from pybase64 import b64decode, b64encode

from openpoort.domain.fault import Fault, Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import MAX_DOCUMENT, Constatering, Document, Element
from openpoort.domain.octets import Octets, View, in_pieces
from openpoort.wire.names import BLANKS
from openpoort.wire.xml import instant
from openpoort.wire.xml.detached_content import Aside
from openpoort.wire.xml.elements import text_of
from openpoort.wire.xml.streamed_body import Base64, Part

Pieces = list[Part]
_SPACE = BLANKS.encode()
_SPACES = (b" ", b"\t", b"\r", b"\n")
_HELD = 1024 * 1024  # characters of a content that are decoded in memory wherever they stand
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
        self._optional = frozenset(
            name for name, p in signature(make).parameters.items() if p.default is not p.empty
        )

    def read(self, element: etree._Element, aside: Aside) -> Any:
        """What may be absent and is empty is absent: many clients write every element."""
        values: dict[str, Any] = {}
        for child in element.iterchildren("*"):
            field = self._by_element[child.tag.rpartition("}")[2]]
            value = field.codec.read(child, aside)
            if value != "" or field.attribute not in self._optional:
                values[field.attribute] = value
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


def optional(codec: Codec) -> Codec:
    """`codec` for an element that may be there without a word in it; the value is then None."""

    def read(element: etree._Element, aside: Aside) -> Any:
        words = any(str(text).strip(BLANKS) for text in element.itertext())
        return codec.read(element, aside) if words else None

    return Codec(read, codec.write)


def many(name: str, codec: Codec) -> Codec:
    """An element that holds any number of `name`; the value is a tuple."""

    def read(element: etree._Element, aside: Aside) -> tuple[Any, ...]:
        return tuple(codec.read(child, aside) for child in element.iterchildren("*"))

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


def decode(content: str | View) -> Octets:
    """The octets of an `inhoud`: large ones stand where the content stands.

    Fault if it is not strict base64 or over 20 MiB.
    """
    octets: Octets
    if isinstance(content, str):
        octets = _held(content.encode("ascii", "replace"))
    elif isinstance(content, memoryview):
        octets = _held(content)
    elif len(content) <= _HELD:
        octets = _held(bytes(content))
    else:
        octets = content.keep(_quads(content))
    if len(octets) > MAX_DOCUMENT:
        raise Fault(
            f"Element inhoud is {len(octets)} octetten groot; "
            f"ten hoogste {MAX_DOCUMENT} is toegestaan."
        )
    return octets


def _held(data: bytes | memoryview) -> bytes:
    """Mostly there is no white space, and it is decoded in one go."""
    try:
        return _strict(data)
    except Fault:
        octets = io.BytesIO()
        octets.writelines(_quads(data))
        return octets.getvalue()


def _quads(content: bytes | View) -> Iterator[bytes]:
    """The octets of base64, in pieces; white space does not count."""
    rest, ended = b"", False
    for piece in in_pieces(content):
        text = rest + (piece.translate(None, _SPACE) if any(s in piece for s in _SPACES) else piece)
        whole = len(text) // 4 * 4
        text, rest = text[:whole], text[whole:]
        if ended and (text or rest):
            raise Fault(_NO_BASE64)
        if text:
            yield _strict(text)
            ended = text.endswith(b"=")
    if rest:
        raise Fault(_NO_BASE64)


def _strict(text: bytes | memoryview) -> bytes:
    """One content, one spelling: no `=` too many, unused bits of the last character zero."""
    try:
        octets = b64decode(text, validate=True)
    except ValueError:
        raise Fault(_NO_BASE64) from None
    rest = len(octets) % 3
    end = b64encode(octets[-rest:]) if rest else b""
    if len(text) != (len(octets) + 2) // 3 * 4 or (rest and end != bytes(text[-4:])):
        raise Fault(_NO_BASE64)
    return octets


def _read_text(element: etree._Element, aside: Aside) -> str:
    return _RUNS.sub(" ", text_of(element).strip(BLANKS))


def _read_long(element: etree._Element, aside: Aside) -> str:
    return text_of(element).strip(BLANKS)


def _read_time(element: etree._Element, aside: Aside) -> datetime:
    try:
        return instant.parse(text_of(element))
    except ValueError:
        name = etree.QName(element).localname
        raise Fault(f"Element {name} valt buiten de jaren 1 tot en met 9999.") from None


def _read_bound(element: etree._Element, aside: Aside) -> datetime | None:
    moment = _read_time(element, aside)
    return None if moment == instant.UNSET else moment


def _read_content(element: etree._Element, aside: Aside) -> Octets:
    if element in aside:
        return decode(aside[element])
    return decode(text_of(element).strip(BLANKS))


def _write_text(value: str, pieces: Pieces) -> None:
    pieces.append(escape(value))


def _write_time(value: datetime, pieces: Pieces) -> None:
    pieces.append(instant.form(value).encode())


def _write_content(value: Octets, pieces: Pieces) -> None:
    pieces.append(b64encode(value) if isinstance(value, bytes) else Base64(value))


TEXT = Codec(_read_text, _write_text)
LONG = Codec(_read_long, _write_text)
TIME = Codec(_read_time, _write_time)
BOUND = Codec(_read_bound, _write_time)
"""A time up to or from which is asked; None, no bound, where it was not filled in."""
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
