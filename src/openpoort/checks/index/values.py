"""Lexical values and facets (XML Schema Part 2, as the reference processor applies it).

`Wrong` carries the processor's own words for what is not right, since the finding shows them. A
type or a value whose verdict is not plain raises `Undecided`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from openpoort.checks.index.patterns import Bound, bound
from openpoort.checks.index.undecided import Undecided

LEXICAL = frozenset(("string", "normalizedString", "token"))
INTEGERS: Mapping[str, tuple[int | None, int | None]] = {
    "integer": (None, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 255),
}
NUMBERS = frozenset(("decimal", *INTEGERS))
DATES = frozenset(("date", "dateTime", "XBRLI_DATEUNION"))
BASES = LEXICAL | NUMBERS | DATES | {"boolean", "anyURI"}
LENGTHS = frozenset(("length", "minLength", "maxLength"))
RANGES = frozenset(("minInclusive", "maxInclusive", "minExclusive", "maxExclusive"))
DIGITS = frozenset(("totalDigits", "fractionDigits"))
STEPS = 200_000
"""Ways times length that a pattern may cost on one value: some milliseconds."""
_LONGEST = 200
"""Digits of a number that is judged here: far above any amount, far below what costs time."""
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_ADDRESS = re.compile(
    r"urn:[A-Za-z0-9/._~:-]+"
    r"|([A-Za-z][A-Za-z0-9+.-]+:)?(//[A-Za-z0-9._~:-]+)?[A-Za-z0-9/._~-]+"
)
"""No colon but after a scheme of two letters or more, in a host, or in a `urn:`: the processor
reads others by a rule of its own."""
_DIGIT = re.compile(r"\\[dD]")
"""What is a digit beyond ASCII differs from one version of Unicode to the next."""
_SPACE = re.compile(r"[ \t\r\n]+")
_REPLACED = str.maketrans("\t\r\n", "   ")


class Wrong(Exception):
    """The value is not of its type; the text says why, as the processor does."""


@dataclass
class Type:
    """A simple type: the built-in type it comes from, and facets by name."""

    base: str
    facets: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def _pattern(self) -> tuple[re.Pattern[str], Bound] | None:
        """As the processor compiles it: `$` also matches before a last line feed, and binds to the
        last alternative alone. None when there is none, Undecided when it may cost too much."""
        text = self.facets.get("pattern")
        if text is None:
            return None
        ways = bound(text)
        if ways is None:
            raise Undecided("pattern")
        try:
            return re.compile(text + "$"), ways
        except (re.error, OverflowError):
            raise Undecided("pattern") from None

    @cached_property
    def _members(self) -> frozenset[str] | None:
        listed = self.facets.get("enumeration")
        return None if listed is None else frozenset(listed)

    def judge(self, raw: str) -> None:
        """Raises Wrong or Undecided."""
        value = self._spaced(raw)
        self._match(value)
        self._measure(value)
        if self.base == "decimal":
            self._decimal(value)
        elif self.base in INTEGERS:
            self._integer(value)
        elif self.base not in LEXICAL:
            _PLAIN[self.base](value)
        if self._members is not None and value not in self._members:
            raise Wrong(f"{value} is not in dict_keys({self.facets['enumeration']!r})")

    def _spaced(self, raw: str) -> str:
        space = self.facets.get("whiteSpace")
        if space is None:
            space = {"string": "preserve", "normalizedString": "replace"}.get(self.base, "collapse")
        if space == "preserve":
            return raw
        if space == "replace":
            return raw.translate(_REPLACED)
        return _SPACE.sub(" ", raw).strip(" ")

    def _match(self, value: str) -> None:
        if self._pattern is None:
            return
        pattern, ways = self._pattern
        if not value.isascii() and _DIGIT.search(self.facets["pattern"]):
            raise Undecided("pattern")
        if ways(len(value)) * (len(value) + 1) > STEPS:
            raise Undecided("pattern")
        if pattern.match(value) is None:
            raise Wrong(f"pattern facet {self.facets['pattern']}")

    def _measure(self, value: str) -> None:
        size = len(value)
        if "length" in self.facets and size != self.facets["length"]:
            raise Wrong(f"length {size}, expected {self.facets['length']}")
        if "minLength" in self.facets and size < self.facets["minLength"]:
            raise Wrong(f"length {size}, minLength {self.facets['minLength']}")
        if "maxLength" in self.facets and size > self.facets["maxLength"]:
            raise Wrong(f"length {size}, maxLength {self.facets['maxLength']}")

    def _decimal(self, value: str) -> None:
        if len(value) > _LONGEST:
            raise Undecided("number")
        if _DECIMAL.fullmatch(value) is None:
            raise Wrong("lexical pattern mismatch")
        number = Decimal(value)
        if "totalDigits" in self.facets:
            _, digits, exponent = number.normalize().as_tuple()
            if len(digits) + max(0, int(exponent)) > self.facets["totalDigits"]:
                raise Wrong(f"totalDigits facet {self.facets['totalDigits']}")
        self._range(value, number, Decimal)

    def _integer(self, value: str) -> None:
        if len(value) > _LONGEST or _INTEGER.fullmatch(value) is None:
            raise Undecided("number")
        number = int(value)
        low, high = INTEGERS[self.base]
        if (low is not None and number < low) or (high is not None and number > high):
            raise Wrong(f"{value} is not {self.base}")
        if "totalDigits" in self.facets and len(str(abs(number))) > self.facets["totalDigits"]:
            raise Wrong(f"totalDigits facet {self.facets['totalDigits']}")
        self._range(value, number, int)

    def _range(self, value: str, number: Any, read: Callable[[str], Any]) -> None:
        facets = self.facets
        digits = len(value.partition(".")[2])
        if "fractionDigits" in facets and digits > facets["fractionDigits"]:
            raise Wrong(f"fraction digits facet {facets['fractionDigits']}")
        if "maxInclusive" in facets and number > read(facets["maxInclusive"]):
            raise Wrong(f" > maxInclusive {facets['maxInclusive']}")
        if "maxExclusive" in facets and number >= read(facets["maxExclusive"]):
            raise Wrong(f" >= maxExclusive {facets['maxExclusive']}")
        if "minInclusive" in facets and number < read(facets["minInclusive"]):
            raise Wrong(f" < minInclusive {facets['minInclusive']}")
        if "minExclusive" in facets and number <= read(facets["minExclusive"]):
            raise Wrong(f" <= minExclusive {facets['minExclusive']}")


def day(text: str) -> date:
    """A plain calendar day. Undecided for time zones, years before 1 and after 9998, and for
    what is no date: the processor has many words for that."""
    if _DATE.fullmatch(text) is None or text[:4] in {"0000", "9999"}:
        raise Undecided("date")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Undecided("date") from None


def address(text: str) -> None:
    """Plainly an address, whole or relative; Undecided for anything else."""
    if _ADDRESS.fullmatch(text) is None:
        raise Undecided("address")


def _moment(text: str) -> None:
    day(text[:10])
    if _TIME.fullmatch(text[10:]) is None:
        raise Undecided("date")


def _day_or_moment(text: str) -> None:
    _moment(text) if "T" in text else day(text)


def _boolean(text: str) -> None:
    if text not in {"true", "false", "1", "0"}:
        raise Undecided("boolean")


def _day(text: str) -> None:
    day(text)


_PLAIN: Mapping[str, Callable[[str], None]] = {
    "date": _day,
    "dateTime": _moment,
    "XBRLI_DATEUNION": _day_or_moment,
    "boolean": _boolean,
    "anyURI": address,
}
