"""Instances of the case taxonomy, put together from a few words."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from openpoort_lab.cases.bundle import BASE, ENTRY

_ENTITY = "<xbrli:identifier scheme='urn:proef'>1</xbrli:identifier>"
_YEAR = "<xbrli:startDate>2026-01-01</xbrli:startDate><xbrli:endDate>2026-12-31</xbrli:endDate>"
_END = "<xbrli:instant>2026-12-31</xbrli:instant>"
NUMBERS = frozenset(
    (
        *("Bedrag", "Bereik", "Telling", "Getal", "Aandelen", "Puur", "Stand", "Klein", "Post"),
        *("Hoog", "Laag", "Totaal", "Gesloten", "Open", "Niet", "Segment", "Twee", "Standaard"),
        "Doel",
        "Centen",
    )
)


def explicit(axis: str, member: str) -> str:
    return f"<xbrldi:explicitMember dimension='p:{axis}'>p:{member}</xbrldi:explicitMember>"


def typed(value: str, axis: str = "Nummer", element: str = "NummerWaarde") -> str:
    inner = f"<p:{element}>{value}</p:{element}>"
    return f"<xbrldi:typedMember dimension='p:{axis}'>{inner}</xbrldi:typedMember>"


def context(name: str, scenario: str = "", *, segment: str = "", period: str = _YEAR) -> str:
    inside = f"<xbrli:segment>{segment}</xbrli:segment>" if segment else ""
    after = f"<xbrli:scenario>{scenario}</xbrli:scenario>" if scenario else ""
    return (
        f"<xbrli:context id='{name}'><xbrli:entity>{_ENTITY}{inside}</xbrli:entity>"
        f"<xbrli:period>{period}</xbrli:period>{after}</xbrli:context>"
    )


CONTEXTS = {
    "D": context("D"),
    "D2": context("D2"),
    "I": context("I", period=_END),
    "vorig": context("vorig", period=_YEAR.replace("2026", "2025")),
    "NL": context("NL", explicit("Land", "NL")),
    "DE": context("DE", explicit("Land", "DE")),
    "BY": context("BY", explicit("Land", "BY")),
    "domein": context("domein", explicit("Land", "LandDomein")),
    "een": context("een", typed("1")),
    "NL1": context("NL1", explicit("Land", "NL") + typed("1")),
    "BY2": context("BY2", typed("2") + explicit("Land", "BY")),
    "segNL": context("segNL", segment=explicit("Land", "NL")),
    "deel": context("deel", explicit("Std", "Deel")),
    "alles": context("alles", explicit("Std", "Alles")),
    "deelNL": context("deelNL", explicit("Std", "Deel") + explicit("Land", "NL")),
    "NLboth": context("NLboth", explicit("Land", "NL"), segment=explicit("Land", "NL")),
    "NLNL": context("NLNL", explicit("Land", "NL") + explicit("Land", "NL")),
    "vreemd": context("vreemd", explicit("Land", "Deel")),
    "geenlid": context("geenlid", explicit("Land", "Nergens")),
    "geenas": context("geenas", explicit("Nergens", "NL")),
    "itemas": context("itemas", explicit("Tekst", "NL")),
    "verkeerd": context("verkeerd", explicit("Nummer", "NL")),
    "typedland": context("typedland", typed("1", axis="Land")),
    "lang": context("lang", typed("1234567")),
    "maat": context("maat", typed("2", "Maat", "MaatWaarde")),
    "leegtyped": context("leegtyped", typed("")),
    "ander": context("ander", typed("1", element="Naam")),
    "achterom": context(
        "achterom",
        period=_YEAR.replace("2026-01-01", "2027-01-01"),
    ),
    "eendag": context("eendag", period=_YEAR.replace("2026-01-01", "2026-12-31")),
    "tijd": context("tijd", period=_END.replace("12-31", "12-31T12:00:00")),
    "zone": context("zone", period=_END.replace("12-31", "12-31Z")),
    "geendag": context("geendag", period=_END.replace("12-31", "02-30")),
    "eeuwig": context("eeuwig", period="<xbrli:forever/>"),
    "leeg": context("leeg", " "),
    "vrij": context("vrij", "<x xmlns='urn:x'>1</x>"),
    "dubbel": context("dubbel") + context("dubbel"),
}
_UNITS = {
    "EUR": "<xbrli:measure>iso4217:EUR</xbrli:measure>",
    "laag": "<xbrli:measure>iso4217:eur</xbrli:measure>",
    "twee": "<xbrli:measure>iso4217:EUR</xbrli:measure><xbrli:measure>p:x</xbrli:measure>",
    "puur": "<xbrli:measure>xbrli:pure</xbrli:measure>",
    "aandeel": "<xbrli:measure>xbrli:shares</xbrli:measure>",
    "raar": "<xbrli:measure>xbrli:euro</xbrli:measure>",
    "los": "<xbrli:measure>weg:EUR</xbrli:measure>",
    "per": "<xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:EUR</xbrli:measure>"
    "</xbrli:unitNumerator><xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure>"
    "</xbrli:unitDenominator></xbrli:divide>",
}


def fact(item: str, value: str, context: str = "D", **attributes: str | None) -> str:
    """An attribute of None is left out; numbers get a unit and decimals unless told otherwise."""
    given: dict[str, str | None] = {"contextRef": context}
    if item in NUMBERS:
        unit = {"Aandelen": "aandeel", "Telling": "puur", "Getal": "puur", "Klein": "puur"}
        given |= {"unitRef": unit.get(item, "puur" if item == "Puur" else "EUR"), "decimals": "0"}
    given |= {name.replace("_", ":"): text for name, text in attributes.items()}
    written = "".join(f' {n}="{escape(t)}"' for n, t in given.items() if t is not None)
    return f"<p:{item}{written}>{value}</p:{item}>"


def instance(*facts: str, head: str = "", tail: str = "", named: bool = True) -> bytes:
    """The facts with the contexts and units they refer to. `named`: with the one item that an
    existence assertion asks for."""
    body = "".join(facts) + (fact("Tekst", "tekst") if named else "")
    contexts = [c for c in dict.fromkeys(re.findall(r'contextRef="(\w+)"', body)) if c in CONTEXTS]
    units = [u for u in dict.fromkeys(re.findall(r'unitRef="(\w+)"', body)) if u in _UNITS]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xbrli:xbrl xml:lang="nl" xmlns:xbrli="http://www.xbrl.org/2003/instance"'
        ' xmlns:link="http://www.xbrl.org/2003/linkbase" xmlns:xlink="http://www.w3.org/1999/xlink"'
        ' xmlns:iso4217="http://www.xbrl.org/2003/iso4217"'
        ' xmlns:xbrldi="http://xbrl.org/2006/xbrldi"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:p="{BASE}">\n'
        f'<link:schemaRef xlink:type="simple" xlink:href="{ENTRY}"/>{head}\n'
        + "".join(f"{CONTEXTS[name]}\n" for name in contexts)
        + "".join(f'<xbrli:unit id="{name}">{_UNITS[name]}</xbrli:unit>\n' for name in units)
        + f"{body}\n{tail}</xbrli:xbrl>\n"
    ).encode()
