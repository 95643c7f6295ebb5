"""The schemas of a demo taxonomy: types, concepts, link roles and entry points (XBRL 2.1 §5.1)."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

_XBRLI = "http://www.xbrl.org/2003/xbrl-instance-2003-12-31.xsd"
_XBRLDT = "http://www.xbrl.org/2005/xbrldt-2005.xsd"
_LINK = "http://www.xbrl.org/2003/role"
_FACETS = (
    *("pattern", "minLength", "maxLength", "totalDigits", "fractionDigits"),
    *("minInclusive", "maxInclusive"),
)


def _schema(taxonomy: dict[str, Any], name: str, body: str) -> str:
    base, party = taxonomy["base"], taxonomy["party"]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xbrli="http://www.xbrl.org/2003/instance"'
        ' xmlns:link="http://www.xbrl.org/2003/linkbase"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xbrldt="http://xbrl.org/2005/xbrldt"'
        f' xmlns:t="{base}/dictionary/{party}-types"'
        f' xmlns:{taxonomy["prefix"]}="{base}/dictionary/{party}-data"'
        f' targetNamespace="{base}/{name}" elementFormDefault="qualified">\n{body}</xs:schema>\n'
    )


def _import(namespace: str, location: str) -> str:
    return f'  <xs:import namespace="{namespace}" schemaLocation="{location}"/>\n'


def _facets(kind: dict[str, Any]) -> str:
    lines = [f"<xs:{f} value={quoteattr(str(kind[f]))}/>" for f in _FACETS if f in kind]
    lines += [f"<xs:enumeration value={quoteattr(v)}/>" for v in kind.get("enumeration", [])]
    return "".join(lines)


def type_name(name: str, kind: dict[str, Any]) -> str:
    return name if kind.get("exact") else f"{name}ItemType"


def types(taxonomy: dict[str, Any]) -> str:
    body = _import("http://www.xbrl.org/2003/instance", _XBRLI)
    for name, kind in taxonomy["types"].items():
        body += (
            f'  <xs:complexType name="{type_name(name, kind)}"><xs:simpleContent>'
            f'<xs:restriction base="xbrli:{kind["base"]}ItemType">{_facets(kind)}'
            "</xs:restriction></xs:simpleContent></xs:complexType>\n"
        )
    return _schema(taxonomy, f"dictionary/{taxonomy['party']}-types", body)


def data(taxonomy: dict[str, Any]) -> str:
    party = taxonomy["party"]
    body = _import("http://www.xbrl.org/2003/instance", _XBRLI)
    body += _import("http://xbrl.org/2005/xbrldt", _XBRLDT)
    body += _import(f"{taxonomy['base']}/dictionary/{party}-types", f"{party}-types.xsd")
    for name, concept in taxonomy["concepts"].items():
        body += _item(taxonomy, name, concept)
    for name, value in taxonomy["tuples"].items():
        body += _tuple(taxonomy, name, value["children"])
    for name in abstracts(taxonomy):
        body += _abstract(taxonomy, name, "xbrli:item")
    body += _abstract(taxonomy, "Table", "xbrldt:hypercubeItem")
    for name, axis in taxonomy["typed"].items():
        domain = f' xbrldt:typedDomainRef="#{taxonomy["prefix"]}_{axis["element"]}"'
        body += _abstract(taxonomy, name, "xbrldt:dimensionItem", domain)
        facets = _facets(taxonomy["types"][axis["type"]])
        body += (
            f'  <xs:element id="{taxonomy["prefix"]}_{axis["element"]}" name="{axis["element"]}">'
            f'<xs:simpleType><xs:restriction base="xs:string">{facets}'
            "</xs:restriction></xs:simpleType></xs:element>\n"
        )
    for name in taxonomy["explicit"]:
        body += _abstract(taxonomy, name, "xbrldt:dimensionItem")
    return _schema(taxonomy, f"dictionary/{party}-data", body)


def abstracts(taxonomy: dict[str, Any]) -> list[str]:
    """Headings, line items, domains and members: items that never stand in an instance."""
    found: dict[str, None] = {}
    for report in taxonomy["report"]:
        for place in report["presents"]:
            section = place.split(":")[0]
            found[f"{section}Title"] = found[f"{section}LineItems"] = None
    found["TableLineItems"] = None
    for name, axis in taxonomy["explicit"].items():
        found[f"{name}Domain"] = None
        found |= dict.fromkeys(axis["members"])
    return list(found)


def _item(taxonomy: dict[str, Any], name: str, concept: dict[str, Any]) -> str:
    kind = type_name(concept["type"], taxonomy["types"][concept["type"]])
    balance = f' xbrli:balance="{concept["balance"]}"' if "balance" in concept else ""
    return (
        f'  <xs:element id="{taxonomy["prefix"]}_{name}" name="{name}" type="t:{kind}"'
        f' substitutionGroup="xbrli:item" nillable="false"'
        f' xbrli:periodType="{concept.get("period", "duration")}"{balance}/>\n'
    )


def _abstract(taxonomy: dict[str, Any], name: str, group: str, more: str = "") -> str:
    return (
        f'  <xs:element id="{taxonomy["prefix"]}_{name}" name="{name}" abstract="true"'
        f' type="xbrli:stringItemType" substitutionGroup="{group}" nillable="false"'
        f' xbrli:periodType="duration"{more}/>\n'
    )


def _tuple(taxonomy: dict[str, Any], name: str, children: list[str]) -> str:
    refs = "".join(f'<xs:element ref="{taxonomy["prefix"]}:{c}" minOccurs="0"/>' for c in children)
    return (
        f'  <xs:element id="{taxonomy["prefix"]}_{name}" name="{name}" nillable="false"'
        ' substitutionGroup="xbrli:tuple"><xs:complexType><xs:complexContent>'
        f'<xs:restriction base="xs:anyType"><xs:sequence>{refs}</xs:sequence>'
        '<xs:attribute name="id" type="xs:ID" use="optional"/></xs:restriction>'
        "</xs:complexContent></xs:complexType></xs:element>\n"
    )


def role(taxonomy: dict[str, Any], report: dict[str, Any], section: str) -> str:
    return f"urn:openpoort:{taxonomy['party']}:linkrole:{report['entry']}:{section}"


def sections(report: dict[str, Any]) -> dict[str, list[str]]:
    """Section -> the concepts presented in it, in order."""
    found: dict[str, list[str]] = {}
    for place in report["presents"]:
        section, concept = place.split(":")
        found.setdefault(section, []).append(concept)
    return found


def linkroles(taxonomy: dict[str, Any]) -> str:
    body = _import("http://www.xbrl.org/2003/instance", _XBRLI)
    body += "  <xs:annotation><xs:appinfo>\n"
    number = 0
    for report in taxonomy["report"]:
        for section in [*sections(report), "Table"]:
            number += 1
            body += (
                f'    <link:roleType id="r{number}" roleURI="{role(taxonomy, report, section)}">'
                f"<link:definition>{escape(section)}</link:definition>"
                "<link:usedOn>link:presentationLink</link:usedOn>"
                "<link:usedOn>link:definitionLink</link:usedOn></link:roleType>\n"
            )
    body += "  </xs:appinfo></xs:annotation>\n"
    return _schema(taxonomy, f"dictionary/{taxonomy['party']}-linkroles", body)


def role_id(taxonomy: dict[str, Any], wanted: str) -> str:
    """The id of a link role in the schema of link roles."""
    number = 0
    for report in taxonomy["report"]:
        for section in [*sections(report), "Table"]:
            number += 1
            if role(taxonomy, report, section) == wanted:
                return f"r{number}"
    raise KeyError(wanted)


def entrypoint(taxonomy: dict[str, Any], report: dict[str, Any]) -> str:
    party, entry = taxonomy["party"], report["entry"]
    refs = (
        (f"../dictionary/{party}-data-lab-nl.xml", f' xlink:role="{_LINK}/labelLinkbaseRef"'),
        (
            f"../presentation/{entry}-pre.xml",
            f' xlink:role="{_LINK}/presentationLinkbaseRef"',
        ),
        (f"../validation/{entry}-def.xml", f' xlink:role="{_LINK}/definitionLinkbaseRef"'),
        (f"../validation/{entry}-for.xml", ""),
    )
    body = "  <xs:annotation><xs:appinfo>\n"
    for href, kind in refs:
        body += (
            f'    <link:linkbaseRef xlink:type="simple" xlink:href="{href}"{kind}'
            ' xlink:arcrole="http://www.w3.org/1999/xlink/properties/linkbase"/>\n'
        )
    body += "  </xs:appinfo></xs:annotation>\n"
    body += _import(
        f"{taxonomy['base']}/dictionary/{party}-data", f"../dictionary/{party}-data.xsd"
    )
    return _schema(taxonomy, f"entrypoints/{entry}", body)
