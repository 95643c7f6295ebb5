"""Bytes before they are XML: byte order mark, encoding, DOCTYPE (XML 1.0 §2.8, §4.3.3, app. F)."""

from __future__ import annotations

import codecs
import re

MARKS = (
    codecs.BOM_UTF8,
    codecs.BOM_UTF32_LE,
    codecs.BOM_UTF32_BE,
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def mark(data: bytes) -> bytes:
    """The byte order mark at the start; empty when there is none."""
    return next((m for m in MARKS if data.startswith(m)), b"")


def encoding(data: bytes) -> tuple[int, str] | None:
    """Why this is not UTF-8: line and sentence. A mark at the start is passed over."""
    data = data[len(mark(data)) :] if mark(data) == codecs.BOM_UTF8 else data
    declared = _DECLARED.match(data[:400].lstrip())
    if declared and declared[1].upper() != b"UTF-8":
        name = declared[1].decode()
        return 1, f"De XML-declaratie noemt de tekencodering {name}. Gebruik UTF-8."
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        sentence = f"De tekens op regel {line} zijn geen geldige UTF-8. Bewaar als UTF-8."
        return line, sentence
    return None


def doctype(data: bytes) -> int | None:
    """The line of a DOCTYPE; it can only stand before the first element."""
    place = 0
    while (place := data.find(b"<", place)) >= 0:
        if data.startswith(b"<?", place):
            place = data.find(b"?>", place)
        elif data.startswith(b"<!--", place):
            place = data.find(b"-->", place)
        elif data[place : place + 9].upper() == b"<!DOCTYPE":
            return data.count(b"\n", 0, place) + 1
        else:
            return None
        if place < 0:
            return None
    return None
