"""What the reference processor says, as findings: Dutch sentence, severity by configuration.

Codes stay as they are, so that anybody can compare. Messages of assertions come from the
taxonomy itself, in Dutch where it has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.xbrl.limits import Message
from openpoort.domain.finding import Finding, Severity

ASSERTION = "message:"
_UNMESSAGED = "formula:assertionUnsatisfied"
_MOST = 200

_DUTCH: Mapping[str, str] = {
    "xmlSchema:valueError": "De waarde '{value}' van {element} is niet toegestaan ({error}).",
    "xmlSchema:elementUnexpected": "Het element {element} mag hier niet staan.",
    "xmlSchema:attributesRequired": "Aan {element} ontbreken verplichte attributen: {attributes}.",
    "xmlSchema:attributesExtraneous": "Aan {element} mogen deze niet staan: {attributes}.",
    "xmlSchema:missingElement": "Er ontbreekt een element in {element}.",
    "xbrl:schemaImportMissing": "Deze gegevens bestaan niet in de taxonomie: {elements}.",
    "xbrl.4.6.1:itemContextRef": "Het gegeven {fact} verwijst niet naar een bestaande context.",
    "xbrl.4.6.2:numericUnit": "Het gegeven {fact} is een getal: geef een eenheid op (unitRef).",
    "xbrl.4.6.3:missingPrecisionDecimals": "Geef bij {fact} het attribuut decimals op.",
    "xbrl.4.7.2:contextPeriodType": "De periode van context '{contextID}' past niet bij {fact}.",
    "xbrl.4.7.2:periodStartBeforeEnd": "Context '{contextID}' eindigt vóór het begin.",
    "xbrl.4.8.2:monetaryFactUnit-notSingleMeasure": "Het bedrag {fact} moet één valuta hebben.",
    "xbrl.4.8.2:monetaryFactUnit-notMonetaryMeasure": "De eenheid van {fact} is geen valuta.",
    "xbrldie:PrimaryItemDimensionallyInvalidError": (
        "Het gegeven {fact} mag niet met de dimensies van context '{contextID}' voorkomen."
    ),
    "IOerror": "Het document verwijst naar een bestand dat er niet is.",
    "FileNotLoadable": "Het document verwijst naar een bestand dat niet mag worden gelezen.",
}


def findings(messages: Iterable[Message], taxonomy: Installed, entry: str) -> tuple[Finding, ...]:
    """Errors and unsatisfied assertions, at most 200; what is switched off is left out."""
    found = list(_findings(messages, taxonomy, entry))
    if len(found) > _MOST:
        text = f"Er zijn nog {len(found) - _MOST} bevindingen die hier niet staan."
        rest = Finding("OP-5.02", Severity.INFO, text, "xbrl")
        return (*found[:_MOST], rest)
    return tuple(found)


def _findings(messages: Iterable[Message], taxonomy: Installed, entry: str) -> Iterator[Finding]:
    for message in messages:
        if message.level == "info":
            continue
        name = _assertion(message)
        if name is None:
            severity = Severity.ERROR if message.level == "error" else Severity.WARNING
            yield Finding(message.code, severity, dutch(message), "xbrl", message.line)
        elif not taxonomy.disabled(name, entry):
            severity = taxonomy.severity_of(name, entry)
            text = " ".join(message.text.split()) or f"Aan de regel {name} is niet voldaan."
            yield Finding(message.code, severity, text[:2000], "xbrl", message.line)


def _assertion(message: Message) -> str | None:
    """The id of the assertion that was not satisfied; None for any other message."""
    if message.code.startswith(ASSERTION):
        return message.code.removeprefix(ASSERTION)
    if message.code == _UNMESSAGED:
        return message.text.split()[0] if message.text else ""
    return None


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def dutch(message: Message) -> str:
    """The sentence for a code we know; else the processor's own text after a Dutch start."""
    template = _DUTCH.get(message.code)
    if template is not None:
        return template.format_map(_Known(message.args))[:2000]
    if message.code.startswith("exception:"):
        return "Het document bevat een waarde of verwijzing die niet te verwerken is. Herstel haar."
    text = " ".join(message.text.split())
    return f"Het document voldoet niet aan de XBRL-standaard ({message.code}): {text}"[:2000]
