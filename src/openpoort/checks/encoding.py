"""Bytes before they are XML: byte order mark, encoding, DOCTYPE (XML 1.0 §2.8, §4.3.3, app. F)."""

from __future__ import annotations

import codecs
import re

from openpoort.domain.octets import Octets, in_pieces, view

MARKS = (
    codecs.BOM_UTF8,
    codecs.BOM_UTF32_LE,
    codecs.BOM_UTF32_BE,
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
)
_UTF8 = codecs.getincrementaldecoder("utf-8")
_DECLARATION = re.compile(rb"<\?xml[ \t\r\n]")
_DECLARED = re.compile(rb"""[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)["']""")
_LONGEST = 1024
"""Octets of an XML declaration; one with its three parts has about sixty."""


def mark(data: Octets) -> bytes:
    """The byte order mark at the start; empty when there is none."""
    return next((m for m in MARKS if data.startswith(m)), b"")


def encoding(data: Octets) -> tuple[int, str] | None:
    """Why this is not UTF-8: line and sentence. A mark at the start is passed over."""
    start = data[: _LONGEST + 3].removeprefix(codecs.BOM_UTF8)
    if _DECLARATION.match(start):
        declaration, end, _ = start.partition(b"?>")
        declared = _DECLARED.search(declaration)
        if not end:
            return (
                1,
                f"De XML-declaratie eindigt niet op ?> binnen {_LONGEST} octetten. Verbeter haar.",
            )
        if declared and declared[1].upper() != b"UTF-8":
            name = declared[1][:40].decode("ascii", "replace")
            return 1, f"De XML-declaratie noemt de tekencodering {name}. Gebruik UTF-8."
    # The octet 0 is no character of XML: it is half of one in UTF-16 or UTF-32, marked or not.
    if (place := data.find(b"\0")) >= 0:
        text = "Het bestand bevat octetten met de waarde 0, zoals in UTF-16. Bewaar als UTF-8."
        return line_at(data, place), text
    at, decoder = 0, _UTF8()
    try:
        for piece in in_pieces(data):
            at += len(piece)
            decoder.decode(piece, final=at == len(data))
    except UnicodeDecodeError as wrong:
        # It looked at this piece, and at what the one before it left of a character.
        line = line_at(data, at - len(wrong.object) + wrong.start)
        sentence = f"De tekens op regel {line} zijn geen geldige UTF-8. Bewaar als UTF-8."
        return line, sentence
    return None


def line_at(data: Octets, place: int) -> int:
    """The line of an octet, from 1."""
    return 1 + sum(piece.count(b"\n") for piece in in_pieces(view(data, 0, place)))


def doctype(data: Octets) -> int | None:
    """The line of a DOCTYPE; it can only stand before the first element."""
    place = 0
    while (place := data.find(b"<", place)) >= 0:
        if data.startswith(b"<?", place):
            place = data.find(b"?>", place)
        elif data.startswith(b"<!--", place):
            place = data.find(b"-->", place)
        elif data[place : place + 9].upper() == b"<!DOCTYPE":
            return line_at(data, place)
        else:
            return None
        if place < 0:
            return None
    return None
