"""Reading one number as people type it: comma or point decimals, euro signs, units, bandwidths.

Exact: a number is a Decimal from the first character on. What could be read in two ways (`1.234`)
is refused rather than guessed, and so is what a spreadsheet left behind (`=B2*3`, `#REF!`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from weeg.problem import Place, refuse

_UNITS = {
    "points": ("punten", "punt", "point", "0-100", "score"),
    "%": ("procent", "percent", "pct"),
    "EUR": ("€", "euro", "euros"),
    "EUR/message": ("€/bericht", "eur/bericht", "euro/bericht", "€/message", "euro/message"),
    "count": ("aantal", "stuks", "number"),
    "minutes": ("minuten", "minuut", "min", "minute"),
    "months": ("maanden", "maand", "mnd", "month"),
    "days": ("dagen", "dag", "d", "day"),
    "years": ("jaar", "jaren", "year"),
    "bytes": ("byte",),
    "messages": ("berichten", "bericht", "message"),
}
_CANONICAL = {alias: unit for unit, aliases in _UNITS.items() for alias in (unit.lower(), *aliases)}
_DUTCH = {"points": "punten", "EUR/message": "€/bericht", "count": "aantal", "minutes": "minuten",
          "months": "maanden", "days": "dagen", "years": "jaar", "messages": "berichten",
          "EUR": "€", "bytes": "bytes", "%": "%"}  # fmt: skip

_NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?(?:\d[\d.,' \u00a0\u202f\u2009]*|[.,]\d+)")
_GROUPS = (
    re.compile(r"\d{1,3}(?:[ \u00a0\u202f\u2009']\d{3})+(?:[.,]\d+)?"),
    re.compile(r"\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:,\d{3}){2,}"),
    re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:,\d{3})+\.\d+"),
)
_PLAIN = re.compile(r"\d*[.,]?\d+|\d+[.,]")
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_SHEET_ERRORS = re.compile(
    r"#(?:REF|N/?A|NAME|VALUE|DIV/0|NUM|NULL|VERW|WAARDE|NAAM|N/B|DEEL/0)\b.*", re.I
)
_CALLS = re.compile(r"[-+@]?[A-Za-z.]+\(.*")
_EXPONENT = re.compile(r"[-+]?\d+(?:[.,]\d+)?[eE][-+]?\d+")
_NOT_NUMBERS = {
    "nan",
    "inf",
    "-inf",
    "+inf",
    "infinity",
    "-infinity",
    ".nan",
    ".inf",
    "-.inf",
    "+.inf",
}
_MOST_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Range:
    """A number with its bandwidth; `low <= mode <= high`, all three equal when it is certain."""

    low: Decimal
    mode: Decimal
    high: Decimal

    @property
    def certain(self) -> bool:
        return self.low == self.high


def exactly(value: Decimal) -> Range:
    return Range(value, value, value)


def canonical(unit: str) -> str:
    """The one spelling of a unit: `punten` -> `points`; an unknown unit is its own spelling."""
    stripped = " ".join(unit.split())
    return _CANONICAL.get(stripped.lower(), stripped)


def dutch(unit: str) -> str:
    return _DUTCH.get(unit, unit)


def number(text: str, place: Place, unit: str = "") -> Decimal:
    """One number; `unit` is the canonical unit expected, written behind it or left out."""
    stripped = text.strip()
    _refuse_leftovers(stripped, place)
    body, written = _split_unit(stripped, place)
    if (
        written
        and unit
        and canonical(written) != unit
        and not (written == "€" and unit.startswith("EUR"))
    ):
        raise refuse("unit.wrong", place, value=stripped, found=written, expected=unit)
    return _digits(body, stripped, place)


def spread(text: str, place: Place, unit: str = "") -> Range:
    """`value`, or `low|mode|high`."""
    parts = text.split("|")
    if len(parts) == 1:
        return exactly(number(text, place, unit))
    if len(parts) != 3:
        raise refuse("range.parts", place, value=text)
    low, mode, high = (number(part, place, unit) for part in parts)
    if not low <= mode <= high:
        raise refuse("range.order", place, value=text)
    return Range(low, mode, high)


def _refuse_leftovers(text: str, place: Place) -> None:
    if not text:
        raise refuse("number.empty", place)
    if len(text) > _MOST_CHARACTERS:
        raise refuse("number.long", place, most=_MOST_CHARACTERS)
    if text.startswith("=") or _SHEET_ERRORS.fullmatch(text) or _CALLS.fullmatch(text):
        raise refuse("number.formula", place, value=text)
    if text.lower() in _NOT_NUMBERS:
        raise refuse("number.nan", place, value=text)
    if _EXPONENT.fullmatch(text):
        raise refuse("number.exponent", place, value=text)


def _split_unit(text: str, place: Place) -> tuple[str, str]:
    before = ""
    if text.startswith(("€", "EUR ")):
        before, text = "€", text.removeprefix("€").removeprefix("EUR").strip()
    found = _NUMBER.match(text)
    if not found:
        raise refuse("number.text", place, value=text)
    rest = text[found.end() :].strip()
    if rest.lower() in ("mln", "miljoen", "million", "m", "k", "mld", "miljard", "billion", "keur"):
        raise refuse("number.multiple", place, value=text, word=rest)
    if rest and not (rest[0].isalpha() or rest[0] in "%€"):
        raise refuse("number.text", place, value=text)
    if rest and canonical(rest) == rest and rest not in _UNITS:
        raise refuse("number.text", place, value=text)
    return found.group().strip(), rest or before


def _digits(body: str, text: str, place: Place) -> Decimal:
    negative = body[0] in "-\N{MINUS SIGN}"
    digits = body.lstrip("-+\N{MINUS SIGN}").strip()
    if _AMBIGUOUS.fullmatch(digits):
        whole, fraction = re.split(r"[.,]", digits)
        raise refuse(
            "number.ambiguous",
            place,
            value=text,
            whole=whole + fraction,
            broken=f"{whole},{fraction}0",
        )
    if any(pattern.fullmatch(digits) for pattern in _GROUPS):
        last = max(digits.rfind("."), digits.rfind(","))
        repeated = last >= 0 and digits.count(digits[last]) > 1
        marks = " '\u00a0\u202f\u2009.,"
        if last < 0 or repeated:
            plain = "".join(c for c in digits if c not in marks)
        else:
            head = "".join(c for c in digits[:last] if c not in marks)
            plain = f"{head}.{digits[last + 1 :]}"
    elif _PLAIN.fullmatch(digits):
        plain = digits.replace(",", ".")
    else:
        raise refuse("number.text", place, value=text)
    value = Decimal(plain)  # constructed, never computed: arithmetic would round at 28 digits
    return value.copy_negate() if negative else value
