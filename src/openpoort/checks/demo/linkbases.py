"""The linkbases of a demo taxonomy: labels, presentation, dimensions and formulas.

XBRL 2.1 §5.2, Dimensions 1.0, Formula 1.0 (value and existence assertions, the two the Dutch
architecture allows; each carries a message).
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from openpoort.checks.demo.schemas import role, role_id, sections

_ARC = "http://www.xbrl.org/2003/arcrole/"
_DIM = "http://xbrl.org/int/dim/arcrole/"
_VARIABLE = "http://www.xbrl.org/2008/variable.xsd"
_ARCROLES = (
    ("http://xbrl.org/arcrole/2008/variable-set", f"{_VARIABLE}#variable-set"),
    ("http://xbrl.org/arcrole/2008/variable-filter", f"{_VARIABLE}#variable-filter"),
    (
        "http://xbrl.org/arcrole/2010/assertion-unsatisfied-message",
        "http://www.xbrl.org/2010/validation-message.xsd#assertion-unsatisfied-message",
    ),
)
_DIM_ARCROLES = (
    "all",
    "hypercube-dimension",
    "dimension-domain",
    "domain-member",
)


def _linkbase(taxonomy: dict[str, Any], body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<link:linkbase xmlns:link="http://www.xbrl.org/2003/linkbase"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:gen="http://xbrl.org/2008/generic"'
        ' xmlns:xbrldt="http://xbrl.org/2005/xbrldt"'
        ' xmlns:variable="http://xbrl.org/2008/variable"'
        ' xmlns:va="http://xbrl.org/2008/assertion/value"'
        ' xmlns:ea="http://xbrl.org/2008/assertion/existence"'
        ' xmlns:cf="http://xbrl.org/2008/filter/concept" xmlns:msg="http://xbrl.org/2010/message"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:{taxonomy["prefix"]}="{taxonomy["base"]}/dictionary/{taxonomy["party"]}-data"'
        ' xsi:schemaLocation="http://xbrl.org/2008/generic'
        " http://www.xbrl.org/2008/generic-link.xsd http://xbrl.org/2008/variable"
        f" {_VARIABLE} http://xbrl.org/2008/assertion/value"
        " http://www.xbrl.org/2008/value-assertion.xsd http://xbrl.org/2008/assertion/existence"
        " http://www.xbrl.org/2008/existence-assertion.xsd http://xbrl.org/2008/filter/concept"
        " http://www.xbrl.org/2008/concept-filter.xsd http://xbrl.org/2010/message"
        f' http://www.xbrl.org/2010/generic-message.xsd">\n{body}</link:linkbase>\n'
    )


def _loc(taxonomy: dict[str, Any], name: str, folder: str = "../dictionary/") -> str:
    href = f"{folder}{taxonomy['party']}-data.xsd#{taxonomy['prefix']}_{name}"
    return f'    <link:loc xlink:type="locator" xlink:href="{href}" xlink:label="{name}"/>\n'


def _role_ref(taxonomy: dict[str, Any], uri: str) -> str:
    href = f"../dictionary/{taxonomy['party']}-linkroles.xsd#{role_id(taxonomy, uri)}"
    return f'  <link:roleRef roleURI="{uri}" xlink:type="simple" xlink:href="{href}"/>\n'


def _arcrole_ref(uri: str, href: str) -> str:
    return f'  <link:arcroleRef arcroleURI="{uri}" xlink:type="simple" xlink:href="{href}"/>\n'


def labels(taxonomy: dict[str, Any]) -> str:
    named = taxonomy["concepts"] | taxonomy["tuples"] | taxonomy["typed"] | taxonomy["explicit"]
    body = (
        '  <link:labelLink xlink:type="extended" xlink:role="http://www.xbrl.org/2003/role/link">\n'
    )
    for name, concept in named.items():
        body += _loc(taxonomy, name, "")
        body += (
            f'    <link:label xlink:type="resource" xlink:label="{name}_l" xml:lang="nl"'
            f' xlink:role="http://www.xbrl.org/2003/role/label">{escape(concept["label"])}'
            f'</link:label>\n    <link:labelArc xlink:type="arc" xlink:from="{name}"'
            f' xlink:to="{name}_l" xlink:arcrole="{_ARC}concept-label"/>\n'
        )
    return _linkbase(taxonomy, body + "  </link:labelLink>\n")


def presentation(taxonomy: dict[str, Any], report: dict[str, Any]) -> str:
    roles, body = "", ""
    for section, concepts in sections(report).items():
        uri = role(taxonomy, report, section)
        roles += _role_ref(taxonomy, uri)
        body += f'  <link:presentationLink xlink:type="extended" xlink:role="{uri}">\n'
        body += _loc(taxonomy, f"{section}Title")
        for order, name in enumerate(concepts, 1):
            body += _loc(taxonomy, name)
            body += _arc("presentation", f"{_ARC}parent-child", f"{section}Title", name, order)
            children = taxonomy["tuples"].get(name, {}).get("children", [])
            for place, child in enumerate(children, 1):
                body += _loc(taxonomy, child)
                body += _arc("presentation", f"{_ARC}parent-child", name, child, place)
        body += "  </link:presentationLink>\n"
    return _linkbase(taxonomy, roles + body)


def _arc(kind: str, arcrole: str, start: str, end: str, order: int, more: str = "") -> str:
    return (
        f'    <link:{kind}Arc xlink:type="arc" xlink:arcrole="{arcrole}" xlink:from="{start}"'
        f' xlink:to="{end}" order="{order}"{more}/>\n'
    )


def definition(taxonomy: dict[str, Any], report: dict[str, Any]) -> str:
    """One closed table per section, and one for the items with axes of their own."""
    own = report.get("dimensional", [])
    roles, body = "", ""
    tables = {
        section: ([c for c in concepts if c not in own and c not in taxonomy["tuples"]], axes)
        for section, concepts in sections(report).items()
        for axes in [report.get("plain_axes", {}).get(section, [])]
    }
    if own:
        tables["Table"] = (own, report["axes"])
    for section, (items, axes) in tables.items():
        if not items:
            continue
        uri = role(taxonomy, report, section)
        roles += _role_ref(taxonomy, uri)
        body += f'  <link:definitionLink xlink:type="extended" xlink:role="{uri}">\n'
        body += _table(taxonomy, f"{section}LineItems", items, axes)
        body += "  </link:definitionLink>\n"
    refs = "".join(
        _arcrole_ref(_DIM + name, f"http://www.xbrl.org/2005/xbrldt-2005.xsd#{name}")
        for name in _DIM_ARCROLES
    )
    return _linkbase(taxonomy, roles + refs + body)


def _table(taxonomy: dict[str, Any], head: str, items: list[str], axes: list[str]) -> str:
    body = _loc(taxonomy, head) + _loc(taxonomy, "Table")
    closed = ' xbrldt:closed="true" xbrldt:contextElement="scenario"'
    body += _arc("definition", f"{_DIM}all", head, "Table", 1, closed)
    for order, name in enumerate(items, 1):
        body += _loc(taxonomy, name)
        body += _arc("definition", f"{_DIM}domain-member", head, name, order)
    for order, axis in enumerate(axes, 1):
        body += _loc(taxonomy, axis)
        body += _arc("definition", f"{_DIM}hypercube-dimension", "Table", axis, order)
        if axis in taxonomy["explicit"]:
            body += _loc(taxonomy, f"{axis}Domain")
            usable = ' xbrldt:usable="false"'
            body += _arc("definition", f"{_DIM}dimension-domain", axis, f"{axis}Domain", 1, usable)
            for place, member in enumerate(taxonomy["explicit"][axis]["members"], 1):
                body += _loc(taxonomy, member)
                body += _arc("definition", f"{_DIM}domain-member", f"{axis}Domain", member, place)
    return body


def formulas(taxonomy: dict[str, Any], report: dict[str, Any]) -> str:
    head = (
        '  <link:roleRef roleURI="http://www.xbrl.org/2008/role/link" xlink:type="simple"'
        ' xlink:href="http://www.xbrl.org/2008/generic-link.xsd#standard-link-role"/>\n'
        '  <link:roleRef roleURI="http://www.xbrl.org/2010/role/message" xlink:type="simple"'
        ' xlink:href="http://www.xbrl.org/2010/generic-message.xsd#standard-message"/>\n'
    )
    head += "".join(_arcrole_ref(uri, href) for uri, href in _ARCROLES)
    body = '  <gen:link xlink:type="extended" xlink:role="http://www.xbrl.org/2008/role/link">\n'
    short = report["entry"].split("-rpt-")[1]
    for concept in report["required"]:
        body += _exists(taxonomy, f"{short}-{concept}", concept)
    for assertion in report.get("assertion", []):
        body += _value(taxonomy, assertion)
    return _linkbase(taxonomy, head + body + "  </gen:link>\n")


def _exists(taxonomy: dict[str, Any], name: str, concept: str) -> str:
    label = (taxonomy["concepts"] | taxonomy["tuples"])[concept]["label"]
    return (
        f'    <ea:existenceAssertion xlink:type="resource" xlink:label="{name}" id="{name}"'
        ' aspectModel="dimensional" implicitFiltering="true"/>\n'
        + _variable(taxonomy, name, "feit", concept)
        + _message(name, f"Het gegeven '{label}' ({concept}) ontbreekt; neem het op.")
    )


def _value(taxonomy: dict[str, Any], assertion: dict[str, Any]) -> str:
    name = assertion["id"]
    body = (
        f'    <va:valueAssertion xlink:type="resource" xlink:label="{name}" id="{name}"'
        f' aspectModel="dimensional" implicitFiltering="true" test={quoteattr(assertion["test"])}'
        "/>\n"
    )
    for variable, concept in assertion["variables"].items():
        body += _variable(taxonomy, name, variable, concept)
    return body + _message(name, assertion["message"])


def _variable(taxonomy: dict[str, Any], owner: str, name: str, concept: str) -> str:
    """A trailing `?` makes the fact optional: zero when it is absent."""
    fallback = ' fallbackValue="0"' if concept.endswith("?") else ""
    label = f"{owner}_{name}"
    return (
        f'    <variable:factVariable xlink:type="resource" xlink:label="{label}"'
        f' bindAsSequence="false"{fallback}/>\n'
        f'    <variable:variableArc xlink:type="arc" xlink:from="{owner}" xlink:to="{label}"'
        f' name="{name}" xlink:arcrole="http://xbrl.org/arcrole/2008/variable-set"/>\n'
        f'    <cf:conceptName xlink:type="resource" xlink:label="{label}_f"><cf:concept>'
        f"<cf:qname>{taxonomy['prefix']}:{concept.rstrip('?')}</cf:qname></cf:concept>"
        f'</cf:conceptName>\n    <variable:variableFilterArc xlink:type="arc"'
        f' xlink:from="{label}" xlink:to="{label}_f" complement="false" cover="true"'
        ' xlink:arcrole="http://xbrl.org/arcrole/2008/variable-filter"/>\n'
    )


def _message(owner: str, text: str) -> str:
    return (
        f'    <msg:message xlink:type="resource" xlink:label="{owner}_m" xml:lang="nl"'
        f' xlink:role="http://www.xbrl.org/2010/role/message">{escape(text)}</msg:message>\n'
        f'    <gen:arc xlink:type="arc" xlink:from="{owner}" xlink:to="{owner}_m"'
        ' xlink:arcrole="http://xbrl.org/arcrole/2010/assertion-unsatisfied-message"/>\n'
    )
