"""A taxonomy package of one entry point, from declarations, definition arcs and assertions."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import quoteattr

BASE = "http://taxonomie.openpoort.example/proef/20260101"
ENTRY = f"{BASE}/entrypoints/proef-rpt-alles.xsd"
_X = "http://www.xbrl.org"
_DIM = "http://xbrl.org/int/dim/arcrole/"
_TOP = '<?xml version="1.0" encoding="UTF-8"?>\n'

Assertion = tuple[str, str, Mapping[str, str]]
Roles = Mapping[str, tuple[tuple[str, ...], ...]]


def bundle(
    declarations: str, roles: Roles, presented: Iterable[str], assertions: Iterable[Assertion]
) -> bytes:
    """A package of one entry point. `declarations` stand in the schema (prefixes `xs`, `xbrli`,
    `xbrldt`, and `t` for its own names) and declare `Kop`; the rest as in `ROLES` and
    `ASSERTIONS` of `taxonomy.py`."""
    content = {
        "META-INF/taxonomyPackage.xml": _metadata(),
        "META-INF/catalog.xml": _TOP
        + '<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">'
        f'<rewriteURI uriStartString="{BASE}/" rewritePrefix="../taxonomie/"/></catalog>',
        "taxonomie/proef.xsd": _schema(declarations, roles),
        "taxonomie/proef-def.xml": _definition(roles),
        "taxonomie/proef-pre.xml": _presentation(presented),
        "taxonomie/proef-for.xml": _formulas(assertions),
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


def _schema(body: str, names: Iterable[str]) -> str:
    roles = "".join(
        f'<link:roleType roleURI="{BASE}/role/{name}" id="r_{name}"><link:usedOn>'
        "link:definitionLink</link:usedOn></link:roleType>"
        for name in names
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


def abstract(name: str, group: str, more: str = "") -> str:
    return (
        f'<xs:element id="p_{name}" name="{name}" abstract="true" type="xbrli:stringItemType"'
        f' substitutionGroup="{group}" nillable="true" xbrli:periodType="duration"{more}/>'
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


def _definition(roles: Roles) -> str:
    head = "".join(
        f'<link:roleRef roleURI="{BASE}/role/{name}" xlink:type="simple"'
        f' xlink:href="proef.xsd#r_{name}"/>'
        for name in roles
    )
    kinds = {arc[0] for arcs in roles.values() for arc in arcs}
    head += "".join(
        f'<link:arcroleRef arcroleURI="{_DIM}{kind}" xlink:type="simple"'
        f' xlink:href="{_X}/2005/xbrldt-2005.xsd#{kind}"/>'
        for kind in sorted(kinds - _STANDARD)
    )
    body = ""
    for name, arcs in roles.items():
        places = sorted({end for arc in arcs for end in arc[1:3]})
        body += f'<link:definitionLink xlink:type="extended" xlink:role="{BASE}/role/{name}">'
        body += "".join(map(_loc, places))
        body += "".join(
            f'<link:definitionArc xlink:type="arc" xlink:arcrole="{_arcrole(kind)}"'
            f' xlink:from="{start}" xlink:to="{end}" order="{order}"{more}/>'
            for order, (kind, start, end, more) in enumerate(arcs, 1)
        )
        body += "</link:definitionLink>"
    return _linkbase(head + body)


_STANDARD = frozenset(("requires-element",))
"""Arcroles of XBRL 2.1 itself: these are not declared."""


def _arcrole(kind: str) -> str:
    return f"{_X}/2003/arcrole/{kind}" if kind in _STANDARD else _DIM + kind


def _loc(name: str) -> str:
    return f'<link:loc xlink:type="locator" xlink:href="proef.xsd#p_{name}" xlink:label="{name}"/>'


def _presentation(names: Iterable[str]) -> str:
    children = list(names)
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


def _formulas(assertions: Iterable[Assertion]) -> str:
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
    body = "".join(_assertion(*given) for given in assertions)
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
