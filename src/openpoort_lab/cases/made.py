"""Made-up instances of any installed entry point: many items with likely and unlikely values.

Mutants change a filing that was right; these reach the types and items that no sample uses. The
same seed gives the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from openpoort.checks.index.compiled import Index, Item
from openpoort.checks.index.values import INTEGERS

_ITEMS = 150
_TEXTS = (
    *("1", "-1", "0", "12", "1.5", "12.34", "-0.01", "100.01", "123456789", "12345678901", "1e3"),
    *("2020-01-31", "20200101", "2019", "J", "A", "BPL", "", " 7 ", "abc", "x" * 90, "9" * 30),
    *("a@b", "1234AB", "0.001", "99", "000", "19", "INF", "+5", "1.", ".5", "M123456789", "true"),
)
_BY_TYPE = {
    "date": ("2020-01-31", " 2024-02-29 "),
    "dateTime": ("2020-01-31T10:00:00",),
    "XBRLI_DATEUNION": ("2020-01-31",),
    "boolean": ("true", "false", "1", "0"),
    "anyURI": ("http://voorbeeld.example/",),
}
_WHOLE = ("0", "1", "-1", "007", "123", "99999", "123456789012")
_ENTITY = "<xbrli:entity><xbrli:identifier scheme='urn:x'>1</xbrli:identifier></xbrli:entity>"
_HEAD = (
    f"<xbrli:context id='instant'>{_ENTITY}<xbrli:period><xbrli:instant>2020-12-31</xbrli:instant>"
    f"</xbrli:period></xbrli:context><xbrli:context id='duration'>{_ENTITY}<xbrli:period>"
    "<xbrli:startDate>2020-01-01</xbrli:startDate><xbrli:endDate>2020-12-31</xbrli:endDate>"
    "</xbrli:period></xbrli:context><xbrli:unit id='u'><xbrli:measure>iso4217:EUR"
    "</xbrli:measure></xbrli:unit>\n"
)


def made(index: Index, count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` instances with at most 150 items each, one in thirty of them in a wrong period."""
    for number in range(count):
        chance = random.Random(f"{seed}:{index.entry}:{number}")  # noqa: S311  # to repeat
        names = sorted(index.items)
        chance.shuffle(names)
        spaces: dict[str, str] = {}
        facts = [_fact(name, index.items[name], spaces, chance) for name in names[:_ITEMS]]
        named = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for uri, prefix in spaces.items())
        yield (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<xbrli:xbrl xmlns:xbrli="http://www.xbrl.org/2003/instance"'
            ' xmlns:link="http://www.xbrl.org/2003/linkbase"'
            ' xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' xmlns:iso4217="http://www.xbrl.org/2003/iso4217"{named}>\n<link:schemaRef'
            f' xlink:type="simple" xlink:href={quoteattr(index.entry)}/>\n{_HEAD}'
            + "\n".join(facts)
            + "\n</xbrli:xbrl>\n"
        ).encode()


def _fact(name: str, item: Item, spaces: dict[str, str], chance: random.Random) -> str:
    namespace, _, local = name[1:].partition("}")
    tag = f"{spaces.setdefault(namespace, f'n{len(spaces)}')}:{local}"
    period = item.period
    if chance.random() < 1 / 30:
        period = {"instant": "duration", "duration": "instant"}[period]
    number = ' unitRef="u"' if item.unit else ""
    if item.unit and chance.random() > 1 / 30:
        number += ' decimals="0"'
    value = escape(chance.choice(_values(item, chance)))
    return f'<{tag} contextRef="{period}"{number}>{value}</{tag}>'


def _values(item: Item, chance: random.Random) -> tuple[str, ...]:
    listed = item.type.facets.get("enumeration")
    if listed and chance.random() < 0.5:
        return tuple(listed)
    if item.type.base in INTEGERS:
        return _WHOLE
    return _BY_TYPE.get(item.type.base, _TEXTS)
