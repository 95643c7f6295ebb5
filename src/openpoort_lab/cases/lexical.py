"""Texts for a type: every built-in type in every lexical form, and around the bounds of facets.

XML Schema Part 2. Texts are not escaped. None of them says whether it is right: the reference
processor decides.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from decimal import Decimal

from openpoort.checks.index.values import INTEGERS

Facets = tuple[tuple[str, str], ...]
"""Name and value, in the order of the schema."""

_DECIMAL = (
    *("0", "1", "-1", "12", "1.5", "-0.01", "0.10", "+3", ".5", "5.", "007", "-0", "00.00", "-.0"),
    *("1e3", "1E-2", "INF", "-INF", "NaN", "0x1f", "1,5", "- 1", "--1", "1 2", "+", ".", "", "abc"),
    *(
        "9" * 18,
        "1" + "0" * 28,
        "0." + "0" * 27 + "1",
        "1_000",
        "\u0661\u0662",
        "\uff11",
        "Infinity",
    ),
    *("12345678901234567890.12345678901234567890", "+0.0", "1.", "1..2", "2147483648", "nan"),
)
_WHOLE = (
    *("0", "1", "-1", "007", "-0", "+5", "99", "100", "127", "128", "-128", "-129", "255", "256"),
    *("32767", "32768", "65535", "65536", "2147483647", "2147483648", "4294967295", "4294967296"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616"),
    *("1.0", "1.", "1e3", "", "x", "1_000", "\u0663", "+-1", "- 1", "0b1", "9" * 40),
)
_ZONES = ("", "Z", "+01:00", "-05:00", "+14:00", "-14:00", "+14:01", "+00:00", "+1:00", "z", " Z")


def _zoned(*texts: str) -> tuple[str, ...]:
    return tuple(text + zone for text in texts for zone in _ZONES)


_DAYS = (
    *("2026-01-01", "2024-02-29", "2026-02-29", "2026-02-30", "2026-12-31", "0001-01-01"),
    *("0000-01-01", "9998-12-31", "9999-12-31", "10000-01-01", "-0044-03-15", "2026-13-01"),
    *("26-01-01", "2026-1-1", "20260101", "", "morgen", "2026-00-10", "2026-06-31", "2026-01-01 "),
)
_TIMES = (
    *("10:00:00", "00:00:00", "23:59:59", "24:00:00", "24:00:01", "25:00:00", "10:60:00"),
    *("10:00:60", "10:00:00.5", "10:00:00.123456789", "10:00", "1:00:00", "10:00:00."),
)
_ADDRESSES = (
    *(
        "http://voorbeeld.example/",
        "http://voorbeeld.example:80/a?b=c#d",
        "urn:a:b",
        "urn:",
        "URN:a",
    ),
    *(
        "URN:a:b",
        "x:A",
        "nl:kvk:nummer",
        "nl:kvk",
        "a",
        "a/b:c",
        "a:b/c:d",
        "//a:b/c",
        "mailto:a@b",
    ),
    *("http:a", "http:", ":", "::", "#a", "a#b#c", "?a:b", "a b", "a%20b", "a%2", "%", "\u00e9"),
    *("http://[::1]/", "ab:", "1a:b", "a1:b", "+a:b", "a.b:c", "/a:b", "./a:b", "../a", "", "a\\b"),
    *("http://voorbeeld.example/a:b", "http://a:b:c/", "ab:/c:d", "ab:c:d", "<>", "{}", "a~b", "_"),
    *("ab://", "ab:///c", "a-b:c", "a_b:c", "http://voorbeeld.example/\u20ac", "x-y.z+1:w"),
)
_TEXTS = (
    *("a", "A", "ab", "AB", "abc", "AB12", "ab cd", "a  b", " a", "a ", "a\tb", "a\nb", "", " "),
    *(
        "\u20ac",
        "\U0001d11e",
        "e\u0301",
        "\u00a0a\u00a0",
        "\u2003a",
        "x" * 40,
        "a" * 300,
        "<b>",
        "a&b",
    ),
    *(
        "1234",
        "12",
        "0",
        "\u0661\u0662",
        "\U00011f51",
        "a-b",
        "a_b",
        "A.B",
        "\u0085",
        "a\rb",
        "]]>",
    ),
)
_NAMES = (
    *(
        "a",
        "_a",
        "a1",
        "a-b",
        "a.b",
        "1a",
        "-a",
        "a:b",
        ":a",
        "a b",
        "",
        "\u00e9",
        "xml",
        "a\u00b7",
        "A",
    ),
)
FORMS: Mapping[str, tuple[str, ...]] = {
    "string": _TEXTS,
    "normalizedString": _TEXTS,
    "token": _TEXTS,
    "language": ("nl", "nl-NL", "en-US-x", "nl_NL", "nederlandse", "n1", "", "-nl", "NL "),
    "Name": _NAMES,
    "NCName": _NAMES,
    "QName": ("p:I0", "iso4217:EUR", "Tekst", "weg:a", "p:", ":a", "p:1", "", " p:a ", "a:b:c"),
    "boolean": ("true", "false", "1", "0", " true ", "TRUE", "True", "ja", "", "2", "01", "yes"),
    "anyURI": _ADDRESSES,
    "decimal": _DECIMAL,
    "float": _DECIMAL,
    "double": _DECIMAL,
    **dict.fromkeys(INTEGERS, _WHOLE),
    "date": _zoned(*_DAYS),
    "dateTime": (
        *(f"{d}T10:00:00{z}" for d in _DAYS for z in _ZONES[:4]),
        *(f"2026-01-01T{t}{z}" for t in _TIMES for z in _ZONES[:4]),
        *("2026-01-01", "2026-01-01 10:00:00", "2026-01-01t10:00:00", "9999-12-31T24:00:00"),
    ),
    "time": _zoned(*_TIMES),
    "gYear": _zoned("2026", "0001", "0000", "-0044", "12026", "26", "02026"),
    "gYearMonth": _zoned("2026-01", "2026-13", "0000-01", "2026-1"),
    "gMonthDay": _zoned("--02-29", "--02-30", "--12-31", "--13-01", "02-01"),
    "gMonth": _zoned("--01", "--13", "--1", "--02--", "01"),
    "gDay": _zoned("---01", "---31", "---32", "--01", "---1"),
    "duration": (
        *("P1Y", "PT1H", "P1Y2M3DT4H5M6.7S", "-P1D", "P", "PT", "P1", "1Y", "", "P-1Y", "P1M1Y"),
    ),
    "hexBinary": ("", "0a", "0A", "0", "0g", "0a 0b", "ff" * 4, " 0a "),
    "base64Binary": ("", "YQ==", "YWI=", "YWJj", "YQ=", "Y", "YQ ==", "YR==", "YW\nJj", "Y-_j"),
    "fraction": ("1",),
}  # fmt: skip
"""By built-in type; likely and unlikely."""
_KAWI = "\U00011f51\U00011f52"
"""Digits since Unicode 15, which not every library knows."""
PATTERNS: Mapping[str, tuple[str, ...]] = {
    r"[A-Z]{2}\d{2,4}": ("AB12", "AB1234", "AB12345", "ab12", "AB1", "AB\u0661", "AB" + _KAWI),
    r"\d{4}": ("1234", "123", "12345", "\u0661\u0662\u0663\u0664", _KAWI * 2, "1234\n"),
    r"AB|CD": ("AB", "CD", "ABsomething", "CDx", "ACD"),
    r"(\-)?\d{1,10}": ("-12", "12", "--12", "12345678901", "-", "1 2"),
    r"[^ ]+": ("ab", "a b", "", "a\u00a0b"),
    r".{2}": ("ab", "a\n", "a\r", "\U0001d11e\U0001d11e", "a", "abc"),
    r"[\-+]?[0-9]+([.,][0-9]{2})?": ("+1", "1.25", "1,25", "1.2", "-"),
    r"\i\c*": ("a1", "1a", "a:b"),
    r"(a+)+b": ("aab", "aaaa"),
    r"[a-z]*": ("", "abc", "aBc", "a\n"),
    r"\w+@\w+": ("a@b", "@", "a b@c"),
    r"\p{Lu}+": ("AB", "\u00c9", "ab"),
}  # fmt: skip
"""Patterns with texts on both sides of them."""


def texts(base: str, facets: Facets, chance: random.Random) -> str:
    """One text for this type: near one of its facets, or one of its forms."""
    near = [text for name, value in facets for text in _near(base, name, value)]
    text = chance.choice(near if near and chance.random() < 0.7 else FORMS[base])
    if chance.random() < 0.12:
        text = chance.choice(
            (" {}", "{} ", "\n\t{}\n", "{}\u00a0", "{}\r", "{}\n", "+{}", "0{}")
        ).format(text)
    return text


def likely(base: str, facets: Facets, chance: random.Random) -> str:
    """A text that has a fair chance of being right."""
    if listed := [value for name, value in facets if name == "enumeration"]:
        return chance.choice(listed)
    bounds = dict(facets)
    if "pattern" in bounds and bounds["pattern"] in PATTERNS:
        return PATTERNS[bounds["pattern"]][0]
    length = bounds.get("length") or bounds.get("minLength") or bounds.get("maxLength")
    if length is not None and base in _LONG:
        return "abcdefghij"[: int(length)]
    if base in _DIGITS:
        low = bounds.get("minInclusive") or bounds.get("minExclusive")
        if low is None:
            low = "-10" if base in _BELOW else "0"
        return str(int(Decimal(low)) + chance.randrange(1, 4))
    return FORMS[base][0]


_LONG = frozenset(("string", "normalizedString", "token", "anyURI", "Name", "NCName"))
_BELOW = frozenset(("nonPositiveInteger", "negativeInteger"))
_DIGITS = frozenset(("decimal", "float", "double", *INTEGERS))


def _near(base: str, name: str, value: str) -> Iterator[str]:
    """Texts at, just inside and just outside of one facet."""
    if name == "enumeration":
        yield from (value, f" {value} ", value.swapcase(), value + "x", value.replace(" ", "  "))
    elif name == "pattern":
        yield from PATTERNS.get(value, ())
    elif name in {"length", "minLength", "maxLength"}:
        for size in range(max(0, int(value) - 1), int(value) + 2):
            yield from ("a" * size, "\U0001d11e" * size, "1" * size)
            yield " " * (size - 1) + "a" if size else ""
    elif name in {"totalDigits", "fractionDigits"}:
        for size in (int(value), int(value) + 1):
            yield from ("9" * max(size, 1), "0." + "9" * size, "1." + "0" * size, "0" * size + "1")
            yield "9" * max(size - 1, 1) + ".50"
    elif base in _DIGITS:
        yield from _numbers(value)
    else:
        yield from (value, value + "Z", value + "+01:00", value.replace("1", "2"), value[:-1])


def _numbers(value: str) -> Iterator[str]:
    try:
        bound = Decimal(value)
    except ArithmeticError:
        return
    for step in ("0", "1", "-1", "0.01", "-0.01"):
        yield f"{bound + Decimal(step):f}"
    yield from (f"{value}.0", f"{value}.", f"+{value}", f"00{value}", f"{value}e0")


def facets(base: str, chance: random.Random) -> Facets:
    """A few facets that the type may have, in an order that any processor reads."""
    found: list[tuple[str, str]] = []
    if base in _DIGITS and chance.random() < 0.6:
        whole = base in INTEGERS
        low = chance.choice(("-10", "-1", "0", "1", "5")) if base not in _BELOW else "-10"
        high = chance.choice(("9", "100", "120")) if base not in _BELOW else "-1"
        if not whole and chance.random() < 0.3:
            low, high = f"{low}.5" if low != "0" else "0", f"{high}.25"
        if base.startswith(("non", "unsigned", "positive")) and base not in _BELOW:
            low = "1"
        found.append((chance.choice(("minInclusive", "minExclusive")), low))
        found.append((chance.choice(("maxInclusive", "maxExclusive")), high))
    if base in INTEGERS or base == "decimal":
        if chance.random() < 0.4:
            found.append(("totalDigits", str(chance.randrange(3, 7))))
        if base == "decimal" and chance.random() < 0.4:
            found.append(("fractionDigits", str(chance.randrange(3))))
    if base in _LONG and chance.random() < 0.6:
        size = chance.randrange(1, 5)
        if chance.random() < 0.4:
            found.append(("length", str(size)))
        else:
            found += [("minLength", str(size)), ("maxLength", str(size + chance.randrange(4)))]
    if base in RANGED and chance.random() < 0.5:
        found.append((chance.choice(("minInclusive", "maxExclusive")), FORMS[base][0]))
    return tuple(found) or _by_text(base, chance)


RANGED = frozenset(("date", "dateTime", "time", "gYear", "gYearMonth", "gMonthDay", "gDay"))


def _by_text(base: str, chance: random.Random) -> Facets:
    """Patterns, lists and white space."""
    kind = chance.choice(("pattern", "enumeration", "whiteSpace", ""))
    if kind == "pattern":
        several = chance.sample(sorted(PATTERNS), chance.choice((1, 1, 1, 2)))
        return tuple(("pattern", pattern) for pattern in several)
    if kind == "enumeration" and base != "boolean":
        forms = [f for f in FORMS[base][:12] if f.strip() or base == "string"]
        return tuple(("enumeration", f) for f in chance.sample(forms, min(3, len(forms))))
    if kind == "whiteSpace" and base in {"string", "normalizedString"}:
        return (("whiteSpace", chance.choice(("replace", "collapse"))),)
    return ()
