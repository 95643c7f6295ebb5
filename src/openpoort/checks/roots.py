"""Which documents a kind takes, by their root element: one owner for each refusal.

`filing` and `xbrl` take XBRL instances and refuse any other root; `plain` takes what its schema
knows, and the schema refuses the rest. A document that no kind takes is refused as well.
"""

from __future__ import annotations

from lxml import etree

from openpoort.checks.document import XBRLI, is_xbrl, line_of
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.kind import Kind

_XS = "http://www.w3.org/2001/XMLSchema"
_INSTANCE = ("filing", "xbrl")


def takes_instances(kind: Kind) -> bool:
    """Whether a step of this kind judges XBRL; then nothing else may pass."""
    return any(name in _INSTANCE for step in kind.steps for name in step.checks)


def judge_root(root: etree._Element, kind: Kind, source: str) -> tuple[Finding, ...]:
    """No finding for an instance, nor for a root that another check of this kind judges."""
    if is_xbrl(root):
        return ()
    name = etree.QName(root)
    there = f"{name.localname[:80]} (namespace '{(name.namespace or '')[:200]}')"
    if takes_instances(kind):
        text = (
            f"Het hoofdelement is {there}. Lever een XBRL-instance aan: het hoofdelement is dan "
            f"xbrl (namespace '{XBRLI}')."
        )
    elif not kind.berichtsoort:
        text = (
            f"Het hoofdelement is {there}: dat is geen XBRL-instance, en geen berichtsoort neemt "
            "zo'n document aan. Lever een document van een bekende berichtsoort aan."
        )
    else:
        return ()
    return (_at("OP-2.06", text, source, root),)


def judge_language(root: etree._Element) -> tuple[Finding, ...]:
    """Elements of XML Schema belong in a taxonomy. In an instance the reference processor takes
    them for definitions, and stumbles."""
    found = next(root.iter(f"{{{_XS}}}*"), None)
    if found is None:
        return ()
    name = etree.QName(found).localname
    text = f"Het element {name[:80]} van XML Schema hoort niet in een bericht. Verwijder het."
    return (_at("OP-4.07", text, "xbrl", found),)


def _at(code: str, text: str, source: str, where: etree._Element) -> Finding:
    path = where.getroottree().getpath(where)
    return Finding(code, Severity.ERROR, text, source, line_of(where), path)
