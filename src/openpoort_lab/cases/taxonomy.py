"""The taxonomy of the cases: types with facets, tuples, all kinds of hypercubes, assertions.

Small enough to read; `package()` gives the same bytes each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from openpoort_lab.cases.bundle import BASE, abstract, bundle

TYPES: Mapping[str, tuple[str, str]] = {
    "bedrag": ("xbrli:monetaryItemType", r"pattern=(\-)?\d{1,10}"),
    "bereik": (
        "xbrli:monetaryItemType",
        "totalDigits=6 fractionDigits=2 minInclusive=-10 maxExclusive=5000",
    ),
    "code": ("xbrli:stringItemType", "enumeration=A enumeration=B"),
    "kort": ("xbrli:stringItemType", "minLength=2 maxLength=5"),
    "vast": ("xbrli:tokenItemType", "length=4"),
    "patroon": ("xbrli:stringItemType", r"pattern=[A-Z]{2}\d{2,4}"),
    "keuze": ("xbrli:stringItemType", "pattern=AB|CD"),
    "traag": ("xbrli:stringItemType", "pattern=(a+)+b"),
    "lijst": ("xbrli:tokenItemType", " ".join(f"enumeration=land{n:03}" for n in range(60))),
    "telling": ("xbrli:nonNegativeIntegerItemType", "maxInclusive=100"),
}
"""Own types: base and facets."""

ITEMS: Mapping[str, str] = {
    **{name.capitalize(): f"t:{name}" for name in TYPES},
    "Tekst": "xbrli:stringItemType",
    "Datum": "xbrli:dateItemType",
    "Moment": "xbrli:dateTimeItemType",
    "JaNee": "xbrli:booleanItemType",
    "Adres": "xbrli:anyURIItemType",
    "Getal": "xbrli:decimalItemType",
    "Aandelen": "xbrli:sharesItemType",
    "Puur": "xbrli:pureItemType",
    "Breuk": "xbrli:fractionItemType",
    "Stand": "xbrli:monetaryItemType@instant",
    "Jaar": "xbrli:gYearItemType",
    "Klein": "xbrli:byteItemType",
    "Naam": "xbrli:stringItemType",
    "Post": "t:bedrag",
    "Diep": "xbrli:stringItemType",
    "Hoog": "t:bedrag",
    "Laag": "t:bedrag",
    "Totaal": "t:bedrag",
    "Centen": "t:centen",
    "Vraag": "xbrli:stringItemType",
    "Antwoord": "xbrli:stringItemType",
    "Maten": "xbrli:stringItemType",
    **dict.fromkeys(
        ("Gesloten", "Open", "Niet", "Segment", "Twee", "Standaard", "Doel"), "t:bedrag"
    ),
}
"""Name and type; nillable all; duration unless `@instant`."""

_ABSTRACT = ("Kop", "LandDomein", "NL", "DE", "BY", "StdDomein", "Alles", "Deel")
_CUBES = (
    "KubusG",
    "KubusO",
    "KubusN",
    "KubusX",
    "KubusS",
    "KubusA",
    "KubusB",
    "KubusD",
    "KubusT",
    "KubusM",
)
_AXES = {"Land": "", "Std": "", "Nummer": "NummerWaarde", "Maat": "MaatWaarde"}
_MEMBERS = (
    *(("dimension-domain", "Land", "LandDomein", ' xbrldt:usable="false"'),),
    *(("domain-member", "LandDomein", "NL", ""), ("domain-member", "LandDomein", "DE", "")),
    *(("domain-member", "DE", "BY", ""),),
)
_CLOSED, _OPEN = ' xbrldt:closed="true"', ""
_IN = ' xbrldt:contextElement="{}"'


def _has(item: str, cube: str, place: str, closed: str, kind: str = "all") -> tuple[str, ...]:
    return (kind, item, cube, closed + _IN.format(place))


_TARGET = f' xbrldt:targetRole="{BASE}/role/leden"'
ROLES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "gesloten": (
        _has("Gesloten", "KubusG", "scenario", _CLOSED),
        ("hypercube-dimension", "KubusG", "Land", ""),
        ("hypercube-dimension", "KubusG", "Nummer", ""),
        *_MEMBERS,
    ),
    "open": (
        _has("Open", "KubusO", "scenario", _OPEN),
        ("hypercube-dimension", "KubusO", "Land", ""),
        *_MEMBERS,
    ),
    "niet": (
        _has("Niet", "KubusN", "scenario", _CLOSED),
        _has("Niet", "KubusX", "scenario", _OPEN, "notAll"),
        ("hypercube-dimension", "KubusN", "Land", _TARGET),
        ("hypercube-dimension", "KubusX", "Land", ""),
        ("dimension-domain", "Land", "DE", ""),
    ),
    "segment": (
        _has("Segment", "KubusS", "segment", _CLOSED),
        ("hypercube-dimension", "KubusS", "Land", _TARGET),
    ),
    "twee-a": (
        _has("Twee", "KubusA", "scenario", _CLOSED),
        ("hypercube-dimension", "KubusA", "Land", _TARGET),
    ),
    "twee-b": (
        _has("Twee", "KubusB", "scenario", _CLOSED),
        ("hypercube-dimension", "KubusB", "Nummer", ""),
    ),
    "standaard": (
        _has("Standaard", "KubusD", "scenario", _CLOSED),
        ("hypercube-dimension", "KubusD", "Std", ""),
        ("dimension-domain", "Std", "StdDomein", ""),
        ("dimension-default", "Std", "Alles", ""),
        ("domain-member", "StdDomein", "Alles", ""),
        ("domain-member", "StdDomein", "Deel", ""),
    ),
    "doel": (
        _has("Kop", "KubusT", "scenario", _CLOSED),
        ("domain-member", "Kop", "Doel", ""),
        ("hypercube-dimension", "KubusT", "Land", _TARGET),
    ),
    "maat": (
        _has("Maten", "KubusM", "scenario", _CLOSED),
        ("hypercube-dimension", "KubusM", "Maat", ""),
    ),
    "vereist": (("requires-element", "Vraag", "Antwoord", ""),),
    "leden": _MEMBERS,
}
"""Definition links: arcrole, from, to, more attributes."""

ASSERTIONS = (
    (
        "proef-som",
        "$totaal = $hoog + $laag",
        {"totaal": "Totaal", "hoog": "Hoog?", "laag": "Laag?"},
    ),
    ("proef-grens", "abs($hoog - $laag) le 100 and $hoog ge 0", {"hoog": "Hoog", "laag": "Laag"}),
    ("proef-naam", "", {"feit": "Tekst"}),
    ("proef-twee", ". le 2", {"feit": "Post"}),
)
"""Id, test, variables with their concepts; `?` falls back to 0; existence without or with `.`"""


def package() -> bytes:
    """The taxonomy of the cases as a standard taxonomy package."""
    return bundle(_declarations(), ROLES, [*ITEMS, "Regel", "Sub", "Keuze2", "Merk"], ASSERTIONS)


def _declarations() -> str:
    body = "".join(_type(name, *given) for name, given in TYPES.items())
    body += "".join(_item(name, kind) for name, kind in ITEMS.items())
    for names, group in ((_ABSTRACT, "xbrli:item"), (_CUBES, "xbrldt:hypercubeItem")):
        body += "".join(abstract(name, group) for name in names)
    for name, element in _AXES.items():
        typed = f' xbrldt:typedDomainRef="#p_{element}"' if element else ""
        body += abstract(name, "xbrldt:dimensionItem", typed)
    body += (
        '<xs:element id="p_NummerWaarde" name="NummerWaarde"><xs:simpleType><xs:restriction'
        ' base="xs:string"><xs:maxLength value="6"/></xs:restriction></xs:simpleType></xs:element>'
        '<xs:element id="p_MaatWaarde" name="MaatWaarde" type="xs:decimal" default="1"/>'
    )
    body += _tuple("Regel", (("Naam", 1, "1"), ("Post", 0, "2"), ("Sub", 0, "unbounded")))
    body += _tuple("Sub", (("Diep", 1, "1"),))
    body += _tuple("Merk", (("Naam", 1, "1"),), required=True)
    body += _CENTEN
    return body + _tuple("Keuze2", (("Naam", 1, "1"), ("Diep", 1, "1")), "choice")


_CENTEN = (
    '<xs:complexType name="centen"><xs:simpleContent><xs:restriction base="xbrli:monetaryItemType">'
    '<xs:attribute name="decimals" type="xbrli:decimalsType" default="2"/></xs:restriction>'
    "</xs:simpleContent></xs:complexType>"
)


def _type(name: str, base: str, facets: str) -> str:
    limits = "".join(
        f"<xs:{key} value={quoteattr(value)}/>"
        for key, _, value in (facet.partition("=") for facet in facets.split(" "))
    )
    return (
        f'<xs:complexType name="{name}"><xs:simpleContent><xs:restriction base="{base}">{limits}'
        "</xs:restriction></xs:simpleContent></xs:complexType>"
    )


def _item(name: str, kind: str) -> str:
    kind, _, period = kind.partition("@")
    return (
        f'<xs:element id="p_{name}" name="{name}" type="{kind}" substitutionGroup="xbrli:item"'
        f' nillable="{"false" if name == "Kort" else "true"}"'
        f' xbrli:periodType="{period or "duration"}"/>'
    )


def _tuple(
    name: str,
    children: tuple[tuple[str, int, str], ...],
    kind: str = "sequence",
    *,
    required: bool = False,
) -> str:
    inner = "".join(
        f'<xs:element ref="t:{child}" minOccurs="{least}" maxOccurs="{most}"/>'
        for child, least, most in children
    )
    use = ' use="required"' if required else ""
    return (
        f'<xs:element id="p_{name}" name="{name}" substitutionGroup="xbrli:tuple" nillable="true">'
        f'<xs:complexType><xs:complexContent><xs:restriction base="xs:anyType"><xs:{kind}>{inner}'
        f'</xs:{kind}><xs:attribute name="id" type="xs:ID"{use}/></xs:restriction>'
        "</xs:complexContent></xs:complexType></xs:element>"
    )
