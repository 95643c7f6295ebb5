"""The measurement form: a small JSON file in which a running system publishes what it measured.

`{"format": "weeg-measures/1", "publisher": "...", "measures": [{"name", "value", "unit", "time",
"source", "window"}]}`; `low` and `high` may stand beside `value`. docs/weeg/measurements.md.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from weeg.figure import Range, canonical
from weeg.problem import Place, printable, refuse
from weeg.table import text

FORMAT = "weeg-measures/1"
_NEEDED = ("name", "value", "unit", "time", "source", "window")
_WINDOW = re.compile(
    r"P(?=.)(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)"
)
_MOST = 10_000
_MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured value; `time` is the end of the window it was measured over."""

    name: str
    value: Range
    unit: str
    time: dt.datetime
    source: str
    window: str
    publisher: str
    place: Place


def read(data: bytes, file: str) -> dict[str, Measure]:
    """By name; of several with one name the newest counts, two of one moment are refused."""
    document = _document(data, file)
    publisher = str(document.get("publisher") or "")
    entries = document.get("measures")
    if document.get("format") != FORMAT or not isinstance(entries, list):
        raise refuse("measures.format", Place(file), format=FORMAT)
    if len(entries) > _MOST:
        raise refuse("table.rows", Place(file), most=_MOST)
    found: dict[str, Measure] = {}
    for index, entry in enumerate(entries):
        measure = _measure(entry, publisher, Place(file, label=f"measures[{index}]"))
        earlier = found.get(measure.name)
        if earlier and earlier.time == measure.time:
            raise refuse("measures.double", measure.place, name=measure.name)
        if not earlier or earlier.time < measure.time:
            found[measure.name] = measure
    return found


def _document(data: bytes, file: str) -> dict[str, Any]:
    def constant(word: str) -> Any:
        raise refuse("number.nan", Place(file), value=word)

    def digits(word: str) -> str:
        return word

    try:
        document = json.loads(
            text(data, file), parse_constant=constant, parse_float=digits, parse_int=digits
        )
    except json.JSONDecodeError as error:
        at = Place(file, error.lineno, error.colno)
        raise refuse("measures.syntax", at, detail=error.msg) from None
    except RecursionError:
        raise refuse("yaml.deep", Place(file)) from None
    if not isinstance(document, dict):
        raise refuse("measures.format", Place(file), format=FORMAT)
    return document


def _measure(entry: Any, publisher: str, place: Place) -> Measure:
    if not isinstance(entry, dict):
        raise refuse("measures.format", place, format=FORMAT)
    for name in _NEEDED:
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise refuse("measures.needed", place, name=name)
    at = Place(place.file, label=f"{place.label} {printable(entry['name'], 40)}")
    value = _value(entry["value"], at)
    low, high = (_value(entry.get(k, entry["value"]), at) for k in ("low", "high"))
    if not low <= value <= high:
        raise refuse("range.order", at, value=f"{low}|{value}|{high}")
    if not _WINDOW.fullmatch(entry["window"]):
        raise refuse("measures.window", at, value=entry["window"])
    return Measure(printable(entry["name"]), Range(low, value, high), canonical(entry["unit"]),
                   _time(entry["time"], at), printable(entry["source"]), entry["window"],
                   printable(publisher), at)  # fmt: skip


def _value(word: Any, place: Place) -> Decimal:
    """JSON writes points; exponents are what programs print for small numbers."""
    try:
        value = Decimal(word) if isinstance(word, str) and len(word) <= 60 else None
    except InvalidOperation:
        value = None
    if value is None:
        raise refuse("number.text", place, value=word)
    if not value.is_finite():
        raise refuse("number.nan", place, value=word)
    if value and abs(value.adjusted()) > _MOST_DIGITS:
        raise refuse("number.long", place, most=_MOST_DIGITS)
    return value


def _time(word: str, place: Place) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(word)
    except ValueError:
        raise refuse("measures.time", place, value=word) from None
    if moment.tzinfo is None:
        raise refuse("measures.time", place, value=word)
    return moment.astimezone(dt.UTC)
