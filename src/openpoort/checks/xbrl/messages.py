"""What the reference processor says, as findings: Dutch sentence, severity by configuration.

Codes stay as they are, so that anybody can compare. Messages of assertions come from the
taxonomy itself, in Dutch where it has them. What only follows from another finding is left out,
and what is said of many facts alike is one finding with a count (decision 67).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lxml import etree

from openpoort.checks.document import line_of
from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.text import content
from openpoort.checks.xbrl.limits import Message
from openpoort.checks.xbrl.places import Places, members, prefixed
from openpoort.checks.xbrl.sentences import SENTENCES, sentence, why
from openpoort.domain.finding import Finding, Severity

ASSERTION = "message:"
_UNMESSAGED = "formula:assertionUnsatisfied"
_MOST = 200
_NAMED = 5
"""Facts and contexts that a sentence names; the rest it counts."""
_FACTS = "\0"
"""Stands in a sentence for {facts} until all are known; no document can hold it."""
_INVALID = "xbrldie:PrimaryItemDimensionallyInvalidError"
_SAID_BY = {
    "unitRef": "xbrl.4.6.2:numericUnit",
    "contextRef": "xbrl.4.6.1:itemContextRef",
}
"""Attributes whose absence the round over facts tells as well."""
_ATTRIBUTES = {code: name for name, code in _SAID_BY.items()}
FOLLOWING = (
    *("xmlSchema:attributesRequired", "xmlSchema:elementUnexpected", _INVALID),
    *("err:", ASSERTION, _UNMESSAGED),
)
"""Starts of codes that can follow from another finding."""
_UNCOUNTED = ("xmlSchema:", "xbrl.4.6", "xbrl.4.7", "xbrl.4.8")
"""Codes of facts that formulas cannot count with."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A message with what it points at. `context`: its id, empty for none; `contexts`: those of
    all that a formula bound."""

    message: Message
    element: etree._Element | None
    fact: str
    context: str
    dimensions: str
    contexts: frozenset[str] = frozenset()

    @property
    def code(self) -> str:
        return self.message.code


def findings(
    messages: Iterable[Message], taxonomy: Installed, entry: str, root: etree._Element
) -> tuple[Finding, ...]:
    """Errors and unsatisfied assertions, at most 200; what is switched off is left out."""
    places = Places(root)
    said = [_located(m, places) for m in messages if m.level != "info"]
    found = list(_findings(_causes(said), taxonomy, entry))
    if len(found) > _MOST:
        text = f"Er zijn nog {len(found) - _MOST} bevindingen die hier niet staan."
        rest = Finding("OP-5.02", Severity.INFO, text, "xbrl")
        return (*found[:_MOST], rest)
    return tuple(found)


def _located(message: Message, places: Places) -> _Said:
    element = places.first(message.places)
    if element is None:
        args = message.args
        return _Said(message, None, args.get("fact", ""), args.get("contextID", ""), "")
    context, fact = places.context(element), places.fact(element)
    bound = message.places if _assertion(message) is not None else ()
    others = [places.context(e) for e in map(places.find, bound) if e is not None]
    return _Said(
        message,
        element,
        prefixed(element if fact is None else fact),
        _id(context),
        "" if context is None else members(context),
        frozenset(map(_id, others)) - {""},
    )


def _id(context: etree._Element | None) -> str:
    return "" if context is None else context.get("id", "")[:100]


def _causes(said: list[_Said]) -> Iterator[_Said]:
    """Those that do not follow from another one."""
    errors = {(s.code, s.element) for s in said if s.message.level == "error"}
    members = {s.context for s in said if s.code.startswith("xbrldie:") and s.code != _INVALID}
    uncounted = {s.context for s in said if _uncounted(s)}
    unknown = {n for s in said if s.code == "xbrl:schemaImportMissing" for n in _names(s)}
    lost = any(s.code == _SAID_BY["contextRef"] for s in said)
    for one in said:
        told = _SAID_BY.get(one.message.args.get("attributes", ""))
        if one.code == "xmlSchema:attributesRequired" and (told, one.element) in errors:
            continue  # told in the round over facts
        if one.code == "xmlSchema:elementUnexpected" and _name(one) in unknown:
            continue  # told once for all names that do not exist
        if one.code == _INVALID and one.context in members:
            continue  # its context has a member that cannot be
        if uncounted and one.code.startswith("err:"):
            continue  # a formula over a fact that is no number
        if one.contexts & (uncounted | members):
            continue  # a sum in which a fact is missing
        if lost and not one.contexts and _assertion(one.message) is not None:
            continue  # a fact that must be there, and may be the one without a context
        yield one


def _uncounted(one: _Said) -> bool:
    """A fact that is wrong in itself."""
    return (
        one.element is not None
        and one.element.get("contextRef") is not None
        and one.code.startswith(_UNCOUNTED)
    )


def _name(one: _Said) -> str:
    return "" if one.element is None else prefixed(one.element)


def _names(one: _Said) -> list[str]:
    return one.message.args.get("elements", "").split(", ")


def _findings(said: Iterable[_Said], taxonomy: Installed, entry: str) -> Iterator[Finding]:
    """Equal ones together, at the place of the first."""
    groups: dict[tuple[str, Severity, str], list[_Said]] = {}
    for one in said:
        name = _assertion(one.message)
        if name is None:
            severity = Severity.ERROR if one.message.level == "error" else Severity.WARNING
            groups.setdefault((one.code, severity, _text(one)), []).append(one)
        elif not taxonomy.disabled(name, entry):
            message = one.message
            text = " ".join(message.text.split()) or f"Aan de regel {name} is niet voldaan."
            key = (one.code, taxonomy.severity_of(name, entry), text)
            groups.setdefault(key, []).append(one)
    for (code, severity, text), group in groups.items():
        finding = _finding(code, severity, text, group[0])
        if _assertion(group[0].message) is None:
            text = text.replace(_FACTS, _listed([s.fact for s in group])) + _where(group)
        yield replace(finding, message=text[:2000], count=len(group))


def _finding(code: str, severity: Severity, text: str, one: _Said) -> Finding:
    element, line, path = one.element, one.message.line, None
    if element is not None:
        line, path = line_of(element), element.getroottree().getpath(element)
    return Finding(code, severity, text, "xbrl", line, path, context=one.context or None)


def _text(one: _Said) -> str:
    """The sentence, but for {facts}, which may be many."""
    args, element = one.message.args, one.element
    template, attribute = sentence(one.code), _ATTRIBUTES.get(one.code)
    absent = attribute is not None and not _reference(element, attribute)
    if absent or (one.code == "xmlSchema:valueError" and "attribute" in args):
        template = SENTENCES[f"{one.code}@"]
    name = "?" if element is None else prefixed(element)
    parent = None if element is None else element.getparent()
    slots = {
        "facts": _FACTS,
        "element": name if args.get("element", "(none)") == "(none)" else args["element"],
        "parent": "het document" if parent is None else prefixed(parent),
        "value": args.get("value") or ("" if element is None else content(element)[:60]),
        "why": why(args.get("error", "")),
        "unit": _reference(element, "unitRef"),
        "contextRef": _reference(element, "contextRef"),
        "dimension": args.get("dimension", "?"),
        "member": args.get("value", "?"),
        "dimensions": one.dimensions or "geen",
        "attributes": args.get("attributes", "?").replace(",", ", "),
        "attribute": args.get("attribute", "?"),
        "elements": args.get("elements", "?"),
    }
    return template.format_map(slots)


def _reference(element: etree._Element | None, name: str) -> str:
    return "" if element is None else element.get(name, "")[:100]


def _where(group: list[_Said]) -> str:
    """Context and dimensions of what the sentence is about."""
    contexts = list(dict.fromkeys(s.context for s in group if s.context))
    if not contexts:
        return ""
    word = "context" if len(contexts) == 1 else "contexten"
    names = _listed([f"'{name}'" for name in contexts])
    dimensions = {s.dimensions for s in group}
    shown = f": {dimensions.pop()}" if len(dimensions) == 1 and group[0].dimensions else ""
    if group[0].code == _INVALID:
        shown = ""  # the sentence has them
    return f" ({word} {names}{shown})"


def _listed(names: list[str]) -> str:
    """A few by name, the others by number."""
    known = list(dict.fromkeys(name or "?" for name in names))
    rest = len(known) - _NAMED
    if rest > 0:
        return f"{', '.join(known[:_NAMED])} en {rest} andere"
    return " en ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)


def _assertion(message: Message) -> str | None:
    """The id of the assertion that was not satisfied; None for any other message."""
    if message.code.startswith(ASSERTION):
        return message.code.removeprefix(ASSERTION)
    if message.code == _UNMESSAGED:
        return message.text.split()[0] if message.text else ""
    return None
