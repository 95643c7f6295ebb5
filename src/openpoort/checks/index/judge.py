"""One instance against one index: the same messages as the reference processor, or `Undecided`.

The shape that is judged here: one schemaRef first, then contexts, units and facts in any order,
nothing else, in UTF-8: of other encodings the parser finds more than the processor does, and does
not tell. Links, footnotes, schema locations and everything rare go to the processor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from openpoort.checks.document import XBRLI, line_of
from openpoort.checks.index import formulas
from openpoort.checks.index.compiled import Index
from openpoort.checks.index.contexts import NCNAME, Context, Unit, read_context, read_unit
from openpoort.checks.index.facts import Facts
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.instance import HREF, LANG, LINK
from openpoort.checks.text import between, elements
from openpoort.checks.xbrl.limits import SHOWN, Message
from openpoort.checks.xbrl.places import pointer, prefixed
from openpoort.domain.octets import Octets

MOST = 1024 * 1024
"""Octets: what is longer goes to a process with limits of its own."""
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_TYPE = "{http://www.w3.org/1999/xlink}type"
_SCHEMA_REF = f"{{{LINK}}}schemaRef"
_CONTEXT, _UNIT = f"{{{XBRLI}}}context", f"{{{XBRLI}}}unit"
_NOT_FACTS = (f"{{{XBRLI}}}", f"{{{LINK}}}")


def judge(index: Index, root: etree._Element, data: Octets) -> list[Message]:
    """`data` is the document that this tree was read from."""
    if len(data) > MOST:
        raise Undecided("size")
    if root.getroottree().docinfo.encoding != "UTF-8" or data.find(b"\0") >= 0:
        raise Undecided("encoding")
    if index.undecided:
        raise Undecided(index.undecided)
    children = _children(root, index.entry)
    contexts: dict[str, Context] = {}
    units: dict[str, Unit] = {}
    elements = []
    for child in children:
        if child.tag == _CONTEXT:
            context = read_context(child, index)
            contexts[context.id] = context
        elif child.tag == _UNIT:
            unit = read_unit(child)
            units[unit.id] = unit
        elif str(child.tag).startswith(_NOT_FACTS):
            raise Undecided("element")
        else:
            elements.append(child)
    _unique_ids(root)
    used = frozenset(v.concept for a in index.assertions for v in a.variables)
    facts = Facts(index, contexts, units, used)
    for element in elements:
        facts.judge(element)
    return list(_messages(facts, contexts))


def _messages(facts: Facts, contexts: dict[str, Context]) -> Iterator[Message]:
    """In the order of the processor's rounds."""
    yield from facts.schema
    if facts.unknown:
        names = ", ".join(sorted({prefixed(element) for element in facts.unknown}))
        first, args = facts.unknown[0], {"elements": names[:SHOWN]}
        places = (pointer(first),)
        yield Message("xbrl:schemaImportMissing", "error", "", line_of(first), args, places)
    yield from facts.round
    for context in contexts.values():
        if context.backwards:
            args = {"contextID": context.id[:SHOWN]}
            line, places = line_of(context.element), (pointer(context.element),)
            yield Message("xbrl.4.7.2:periodStartBeforeEnd", "error", "", line, args, places)
    yield from facts.dimensional
    yield from formulas.judge(facts.index.assertions, facts.bound)


def _children(root: etree._Element, entry: str) -> list[etree._Element]:
    """Of the instance, without its one schemaRef; comments between them are nothing."""
    if not set(root.attrib) <= {LANG} or not _LANGUAGE.fullmatch(root.get(LANG, "nl")):
        raise Undecided("attribute")
    children = elements(root)
    if any(text.strip(" \t\r\n") for text in between(root)):
        raise Undecided("text between elements")
    if not children or children[0].tag != _SCHEMA_REF or len(children[0]):
        raise Undecided("element")
    if dict(children[0].items()) != {_TYPE: "simple", HREF: entry}:
        raise Undecided("schema reference")
    return children[1:]


def _unique_ids(root: etree._Element) -> None:
    found = [element.get("id", "") for element in root.iter() if "id" in element.attrib]
    if len(found) != len(set(found)) or not all(map(NCNAME.fullmatch, found)):
        raise Undecided("id")
