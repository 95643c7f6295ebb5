"""The taxonomy of the cases: types with facets, tuples, all kinds of hypercubes, assertions.

Small enough to read; `package()` gives the same bytes each time.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

BASE = "http://taxonomie.openpoort.example/proef/20260101"
ENTRY = f"{BASE}/entrypoints/proef-rpt-alles.xsd"
_X = "http://www.xbrl.org"
_DIM = "http://xbrl.org/int/dim/arcrole/"
_TOP = '<?xml version="1.0" encoding="UTF-8"?>\n'

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
    **dict.fromkeys(
        ("Gesloten", "Open", "Niet", "Segment", "Twee", "Standaard", "Doel"), "t:bedrag"
    ),
}
"""Name and type; nillable all; duration unless `@instant`."""

_ABSTRACT = ("Kop", "LandDomein", "NL", "DE", "BY", "StdDomein", "Alles", "Deel")
_CUBES = ("KubusG", "KubusO", "KubusN", "KubusX", "KubusS", "KubusA", "KubusB", "KubusD", "KubusT")
_AXES = {"Land": "", "Std": "", "Nummer": "NummerWaarde"}
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
    """A standard taxonomy package."""
    content = {
        "META-INF/taxonomyPackage.xml": _metadata(),
        "META-INF/catalog.xml": _TOP
        + '<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">'
        f'<rewriteURI uriStartString="{BASE}/" rewritePrefix="../taxonomie/"/></catalog>',
        "taxonomie/proef.xsd": _schema(),
        "taxonomie/proef-def.xml": _definition(),
        "taxonomie/proef-pre.xml": _presentation(),
        "taxonomie/proef-for.xml": _formulas(),
        "taxonomie/entrypoints/proef-rpt-alles.xsd": _entrypoint(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in sorted(content.items()):
            info = zipfile.ZipInfo(f"proef/{path}", (2026, 1, 1, 0, 0, 0))
            archive.writestr(info, text)
    return out.getvalue()


def _metadata() -> str:
    return (
        f'{_TOP}<tp:taxonomyPackage xmlns:tp="http://xbrl.org/2016/taxonomy-package" xml:lang="nl">'
        f"<tp:identifier>{BASE}</tp:identifier><tp:name>proef</tp:name>"
        "<tp:version>20260101</tp:version><tp:entryPoints><tp:entryPoint><tp:name>alles</tp:name>"
        f'<tp:entryPointDocument href="{ENTRY}"/></tp:entryPoint></tp:entryPoints>'
        "</tp:taxonomyPackage>"
    )


def _schema() -> str:
    body = "".join(_type(name, *given) for name, given in TYPES.items())
    body += "".join(_item(name, kind) for name, kind in ITEMS.items())
    for names, group in ((_ABSTRACT, "xbrli:item"), (_CUBES, "xbrldt:hypercubeItem")):
        body += "".join(_abstract(name, group) for name in names)
    for name, element in _AXES.items():
        typed = f' xbrldt:typedDomainRef="#p_{element}"' if element else ""
        body += _abstract(name, "xbrldt:dimensionItem", typed)
    body += (
        '<xs:element id="p_NummerWaarde" name="NummerWaarde"><xs:simpleType><xs:restriction'
        ' base="xs:string"><xs:maxLength value="6"/></xs:restriction></xs:simpleType></xs:element>'
    )
    body += _tuple("Regel", (("Naam", 1, "1"), ("Post", 0, "2"), ("Sub", 0, "unbounded")))
    body += _tuple("Sub", (("Diep", 1, "1"),))
    body += _tuple("Keuze2", (("Naam", 1, "1"), ("Diep", 1, "1")), "choice")
    roles = "".join(
        f'<link:roleType roleURI="{BASE}/role/{name}" id="r_{name}"><link:usedOn>'
        "link:definitionLink</link:usedOn></link:roleType>"
        for name in ROLES
    )
    return (
        f'{_TOP}<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{BASE}"'
        f' xmlns:t="{BASE}" xmlns:xbrli="{_X}/2003/instance" xmlns:link="{_X}/2003/linkbase"'
        ' xmlns:xbrldt="http://xbrl.org/2005/xbrldt" elementFormDefault="qualified">'
        f"<xs:annotation><xs:appinfo>{roles}</xs:appinfo></xs:annotation>"
        f'<xs:import namespace="{_X}/2003/instance"'
        f' schemaLocation="{_X}/2003/xbrl-instance-2003-12-31.xsd"/>'
        '<xs:import namespace="http://xbrl.org/2005/xbrldt"'
        f' schemaLocation="{_X}/2005/xbrldt-2005.xsd"/>{body}</xs:schema>'
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


def _abstract(name: str, group: str, more: str = "") -> str:
    return (
        f'<xs:element id="p_{name}" name="{name}" abstract="true" type="xbrli:stringItemType"'
        f' substitutionGroup="{group}" nillable="true" xbrli:periodType="duration"{more}/>'
    )


def _tuple(name: str, children: tuple[tuple[str, int, str], ...], kind: str = "sequence") -> str:
    inner = "".join(
        f'<xs:element ref="t:{child}" minOccurs="{least}" maxOccurs="{most}"/>'
        for child, least, most in children
    )
    return (
        f'<xs:element id="p_{name}" name="{name}" substitutionGroup="xbrli:tuple" nillable="true">'
        f'<xs:complexType><xs:complexContent><xs:restriction base="xs:anyType"><xs:{kind}>{inner}'
        f'</xs:{kind}><xs:attribute name="id" type="xs:ID"/></xs:restriction></xs:complexContent>'
        "</xs:complexType></xs:element>"
    )


def _linkbase(body: str) -> str:
    named = {
        "link": f"{_X}/2003/linkbase",
        "xlink": "http://www.w3.org/1999/xlink",
        "gen": "http://xbrl.org/2008/generic",
        "xbrldt": "http://xbrl.org/2005/xbrldt",
        "variable": "http://xbrl.org/2008/variable",
        "va": "http://xbrl.org/2008/assertion/value",
        "ea": "http://xbrl.org/2008/assertion/existence",
        "cf": "http://xbrl.org/2008/filter/concept",
        "msg": "http://xbrl.org/2010/message",
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "p": BASE,
    }
    files = {
        "gen": "2008/generic-link",
        "variable": "2008/variable",
        "va": "2008/value-assertion",
        "ea": "2008/existence-assertion",
        "cf": "2008/concept-filter",
        "msg": "2010/generic-message",
    }
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in named.items())
    places = " ".join(f"{named[prefix]} {_X}/{path}.xsd" for prefix, path in files.items())
    return f'{_TOP}<link:linkbase{spaces} xsi:schemaLocation="{places}">{body}</link:linkbase>'


def _definition() -> str:
    head = "".join(
        f'<link:roleRef roleURI="{BASE}/role/{name}" xlink:type="simple"'
        f' xlink:href="proef.xsd#r_{name}"/>'
        for name in ROLES
    )
    kinds = {arc[0] for arcs in ROLES.values() for arc in arcs}
    head += "".join(
        f'<link:arcroleRef arcroleURI="{_DIM}{kind}" xlink:type="simple"'
        f' xlink:href="{_X}/2005/xbrldt-2005.xsd#{kind}"/>'
        for kind in sorted(kinds)
    )
    body = ""
    for name, arcs in ROLES.items():
        places = sorted({end for arc in arcs for end in arc[1:3]})
        body += f'<link:definitionLink xlink:type="extended" xlink:role="{BASE}/role/{name}">'
        body += "".join(map(_loc, places))
        body += "".join(
            f'<link:definitionArc xlink:type="arc" xlink:arcrole="{_DIM}{kind}"'
            f' xlink:from="{start}" xlink:to="{end}" order="{order}"{more}/>'
            for order, (kind, start, end, more) in enumerate(arcs, 1)
        )
        body += "</link:definitionLink>"
    return _linkbase(head + body)


def _loc(name: str) -> str:
    return f'<link:loc xlink:type="locator" xlink:href="proef.xsd#p_{name}" xlink:label="{name}"/>'


def _presentation() -> str:
    children = [*ITEMS, "Regel", "Sub", "Keuze2"]
    arcs = "".join(
        f'<link:presentationArc xlink:type="arc" xlink:arcrole="{_X}/2003/arcrole/parent-child"'
        f' xlink:from="Kop" xlink:to="{name}" order="{order}"/>'
        for order, name in enumerate(children, 1)
    )
    places = "".join(map(_loc, ["Kop", *children]))
    return _linkbase(
        f'<link:presentationLink xlink:type="extended" xlink:role="{_X}/2003/role/link">'
        f"{places}{arcs}</link:presentationLink>"
    )


def _formulas() -> str:
    head = "".join(
        f'<link:{kind}Ref {kind}URI="{uri}" xlink:type="simple" xlink:href="{_X}/{href}"/>'
        for kind, uri, href in (
            ("role", f"{_X}/2008/role/link", "2008/generic-link.xsd#standard-link-role"),
            ("role", f"{_X}/2010/role/message", "2010/generic-message.xsd#standard-message"),
            ("arcrole", _SET, "2008/variable.xsd#variable-set"),
            ("arcrole", _FILTER, "2008/variable.xsd#variable-filter"),
            ("arcrole", _TOLD, "2010/validation-message.xsd#assertion-unsatisfied-message"),
        )
    )
    body = "".join(_assertion(*given) for given in ASSERTIONS)
    return _linkbase(
        f'{head}<gen:link xlink:type="extended" xlink:role="{_X}/2008/role/link">{body}</gen:link>'
    )


_SET = "http://xbrl.org/arcrole/2008/variable-set"
_FILTER = "http://xbrl.org/arcrole/2008/variable-filter"
_TOLD = "http://xbrl.org/arcrole/2010/assertion-unsatisfied-message"


def _assertion(name: str, test: str, variables: Mapping[str, str]) -> str:
    existence = not test or test.startswith(".")
    kind = "ea:existenceAssertion" if existence else "va:valueAssertion"
    asked = f" test={quoteattr(test)}" if test else ""
    shown = "" if existence else " ".join(f"{{${variable}}}" for variable in variables)
    return (
        f'<{kind} xlink:type="resource" xlink:label="{name}" id="{name}" aspectModel="dimensional"'
        f' implicitFiltering="true"{asked}/>'
        + "".join(_variable(name, variable, concept) for variable, concept in variables.items())
        + f'<msg:message xlink:type="resource" xlink:label="{name}_m" xml:lang="nl"'
        f' xlink:role="{_X}/2010/role/message">Regel {name}: {shown}.</msg:message>'
        f'<gen:arc xlink:type="arc" xlink:from="{name}" xlink:to="{name}_m"'
        f' xlink:arcrole="{_TOLD}"/>'
    )


def _variable(owner: str, name: str, concept: str) -> str:
    fallback = ' fallbackValue="0"' if concept.endswith("?") else ""
    label = f"{owner}_{name}"
    return (
        f'<variable:factVariable xlink:type="resource" xlink:label="{label}"'
        f' bindAsSequence="false"{fallback}/><variable:variableArc xlink:type="arc"'
        f' xlink:from="{owner}" xlink:to="{label}" name="{name}" xlink:arcrole="{_SET}"/>'
        f'<cf:conceptName xlink:type="resource" xlink:label="{label}_f"><cf:concept>'
        f"<cf:qname>p:{concept.rstrip('?')}</cf:qname></cf:concept></cf:conceptName>"
        f'<variable:variableFilterArc xlink:type="arc" xlink:from="{label}" xlink:to="{label}_f"'
        f' complement="false" cover="true" xlink:arcrole="{_FILTER}"/>'
    )


def _entrypoint() -> str:
    refs = "".join(
        f'<link:linkbaseRef xlink:type="simple" xlink:href="../proef-{kind}.xml"'
        ' xlink:arcrole="http://www.w3.org/1999/xlink/properties/linkbase"/>'
        for kind in ("def", "pre", "for")
    )
    return (
        f'{_TOP}<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' targetNamespace="{BASE}/entrypoints/alles" xmlns:link="{_X}/2003/linkbase"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink"><xs:annotation><xs:appinfo>'
        f'{refs}</xs:appinfo></xs:annotation><xs:import namespace="{BASE}"'
        ' schemaLocation="../proef.xsd"/></xs:schema>'
    )
