"""Contexts and units of a drawn filing: twice, in rare forms, with members that are none."""

from __future__ import annotations

import random
from typing import TypeVar
from xml.sax.saxutils import escape, quoteattr

from openpoort_lab.cases.drawn import Axis, Drawn
from openpoort_lab.cases.instance import explicit
from openpoort_lab.cases.lexical import FORMS, likely, texts

_T = TypeVar("_T")
_MEASURES = (
    *("iso4217:EUR", "iso4217:EUR", "iso4217:EUR", " iso4217:EUR\n", "iso4217:USD", "xbrli:pure"),
    *("xbrli:shares", "iso4217:eur", "iso4217:EURO", "p:stuk", "xbrli:zuiver", "weg:EUR", "EUR"),
    *("", "iso4217:EUR<!-- x -->", "iso4217:<!-- x -->EUR"),
)
_DAYS = ("2026-01-01", "2026-06-30", "2026-12-31", "2025-12-31")
_SCENARIOS: tuple[str, ...] = (
    "<xbrli:scenario/>",
    "<xbrli:scenario><!-- x --></xbrli:scenario>",
    "<xbrli:scenario><p:I0>x</p:I0></xbrli:scenario>",
    "<xbrli:scenario><xbrli:measure>p:x</xbrli:measure></xbrli:scenario>",
    "<xbrli:scenario>x</xbrli:scenario>",
)
KINDS = (
    *("text", "text", "text", "formula", "formula", "formula", "formula", "axis", "axis", "typed"),
    *("scheme", "period", "unit", "nil", "attribute", "accuracy", "reference", "tuple", "tuple"),
    *("encoding", "head", "mutant", "mutant", "between", "rare", "rare", "rare", "", "", "all"),
)
"""What a filing is odd in; nothing, or a little of all of it."""


_DIMENSIONAL = {"axis": 0.8, "typed": 0.8, "formula": 0.5}
"""Share of contexts with axes."""


class Around:
    """What is drawn for one filing, and what stands around its facts."""

    def __init__(self, drawn: Drawn, chance: random.Random) -> None:
        self.drawn, self.chance = drawn, chance
        self.kind = chance.choice(KINDS)
        self.items = self._choose([(i.name, i.rare) for i in drawn.items.values()])
        self.axes = self._choose([(axis, axis.rare) for axis in drawn.axes])
        self.tuples = self._choose([(name, name in drawn.rare) for name in drawn.tuples])

    def _choose(self, all_of_them: list[tuple[_T, bool]]) -> list[_T]:
        """What is not rare, and one thing that is where this filing is odd in that."""
        found = [one for one, rare in all_of_them if not rare]
        rare = [one for one, rare in all_of_them if rare]
        if self.kind == "rare" and rare:
            found += [self.chance.choice(rare)] * max(1, len(found))
        return found

    def likes(self, share: float) -> bool:
        return self.chance.random() < share

    def odd(self, kind: str, share: float = 0.3) -> bool:
        """True for a `share` of the places in a filing that is odd in this kind of thing."""
        if self.kind == "all":
            return self.likes(0.03)
        return self.kind == kind and self.likes(share)

    def unit(self, name: str, usual: str) -> str:
        chance = self.chance
        measures = [chance.choice(_MEASURES) if self.odd("unit") else usual]
        if self.odd("unit", 0.1):
            measures.append(chance.choice(_MEASURES))
        inside = "".join(f"<xbrli:measure>{m}</xbrli:measure>" for m in measures)
        if self.odd("unit", 0.05):
            inside = (
                f"<xbrli:divide><xbrli:unitNumerator>{inside}</xbrli:unitNumerator>"
                f"<xbrli:unitDenominator>{inside}</xbrli:unitDenominator></xbrli:divide>"
            )
        return f'<xbrli:unit id="{name}">{inside}</xbrli:unit>'

    def context(self, name: str) -> tuple[str, str]:
        chance = self.chance
        scheme, who = "urn:proef:a", "1"
        if self.odd("scheme"):
            scheme = chance.choice(FORMS["anyURI"])
        if self.odd("scheme", 0.05):
            who = chance.choice(("", " 1 ", "1 2", "1<!-- x -->2", "\u20ac", "x" * 300, "<x/>"))
        periods = (_DAYS[::2], _DAYS[:2], _DAYS[1:3])
        start, end = chance.choice(periods) if self.likes(0.3) else periods[0]
        if self.kind == "formula":  # two facts of one item in contexts that are alike go undecided
            start, end = periods[int(name[1:]) % 3]
        if self.odd("period", 0.15):
            start = chance.choice(FORMS["date"] + FORMS["dateTime"] + (" 2026-01-01 ",))
        if self.odd("period", 0.15):
            end = chance.choice(FORMS["date"] + FORMS["dateTime"] + ("2025-01-01<!-- x -->",))
        period = f"<xbrli:startDate>{start}</xbrli:startDate><xbrli:endDate>{end}</xbrli:endDate>"
        if name == "c3":
            period = f"<xbrli:instant>{end}</xbrli:instant>"
        if self.odd("period", 0.03):
            period = "<xbrli:forever/>"
        segment = scenario = ""
        if self.axes and self.likes(_DIMENSIONAL.get(self.kind, 0.25)):
            several = min(len(self.axes), chance.choice((1, 1, 2)))
            axes = list(dict.fromkeys(chance.sample(self.axes, several)))
            if self.odd("axis", 0.05):
                axes.append(axes[0])
            inside = "".join(map(self._member, axes))
            if self.likes(0.2):
                segment = f"<xbrli:segment>{inside}</xbrli:segment>"
            else:
                scenario = f"<xbrli:scenario>{inside}</xbrli:scenario>"
        if self.odd("axis", 0.03):
            scenario = chance.choice(_SCENARIOS)
        return name, (
            f"<xbrli:context id={quoteattr(name)}><xbrli:entity><xbrli:identifier"
            f" scheme={quoteattr(scheme)}>{who}</xbrli:identifier>{segment}</xbrli:entity>"
            f"<xbrli:period>{period}</xbrli:period>{scenario}</xbrli:context>"
        )

    def _member(self, axis: Axis) -> str:
        chance = self.chance
        if axis.members:
            names = axis.members[:4]
            if self.odd("axis", 0.15):
                names = ("Std", "Kop", "I0", "T0", "VN", "A", "Nergens", *self.drawn.local * 3)
            found = explicit(axis.name, chance.choice(names))
        else:
            text = likely(axis.base, axis.facets, chance)
            if self.odd("typed"):
                text = texts(axis.base, axis.facets, chance)
            text = escape(text).replace("\r", "&#13;")
            inside = f"<p:{axis.element}>{text}</p:{axis.element}>"
            if self.odd("typed", 0.1):
                inside = chance.choice(
                    (f'<p:{axis.element} xsi:nil="true"/>', inside * 2, "", f"<p:I0>{text}</p:I0>")
                )
            found = f"<xbrldi:typedMember dimension='p:{axis.name}'>{inside}</xbrldi:typedMember>"
        if self.odd("axis", 0.05):
            old, new = chance.choice(
                (
                    ("'p:", "' p:"),
                    (">p:", "> p:"),
                    ("p:", "weg:"),
                    ("p:", ""),
                    ("</xbrldi", "<!-- x --></xbrldi"),
                )
            )
            found = found.replace(old, new, 1)
        return found
