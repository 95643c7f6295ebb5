"""What libxml2 says of a document, in the filer's language and with what to change.

It speaks English only, and its codes are coarser than its sentences; so the sentences are read. One
that is not known here is told without its words, never in English.
"""

from __future__ import annotations

import re

_LONG = 1000
"""Characters: a value may be a whole document; its sentence stands around it."""
_XML = (
    (r"Opening and ending tag mismatch: ([^\s,]+) line (\d+) and ([^\s,]+)",
     r"het element \1 van regel \2 wordt afgesloten als \3"),
    (r"Premature end of data in tag ([^\s,]+) line (\d+)",
     r"het document eindigt terwijl het element \1 van regel \2 nog open is"),
    (r"EndTag: '</' not found", "het document eindigt terwijl er nog een element open is"),
    (r"Extra content at the end", "na het einde van het hoofdelement staat nog iets"),
    (r"Start tag expected|Document is empty", "er staat geen hoofdelement"),
    (r"Namespace prefix ([^\s,]+) for ([^\s,]+) on ([^\s,]+) is not defined",
     r"de prefix \1 van het attribuut \2 op \3 heeft geen declaratie xmlns:\1"),
    (r"Namespace prefix ([^\s,]+) on ([^\s,]+) is not defined",
     r"de prefix \1 van het element \2 heeft geen declaratie xmlns:\1"),
    (r"(?i)xmlns|xml namespace", "een declaratie van een namespace is niet toegestaan"),
    (r"Entity '(.*?)' not defined", r"de entiteit &\1; bestaat niet"),
    (r"EntityRef|no name", "een & is niet geschreven als &amp;"),
    (r"Attribute ([^\s,]+)(?: in .*)? redefined",
     r"het attribuut \1 staat twee keer op een element"),
    (r"Specification mandates value for attribute ([^\s,]+)",
     r"het attribuut \1 heeft geen waarde"),
    (r"Unescaped '<'", "een < in een attribuut is niet geschreven als &lt;"),
    (r"AttValue", "de waarde van een attribuut staat niet tussen aanhalingstekens"),
    (r"attributes construct error|Couldn't find end of Start Tag",
     "een begintag of een attribuut daarin is niet goed geschreven"),
    (r"expected '>'|invalid element name|QName", "een tag of een naam is niet goed geschreven"),
    (r"Char(Ref)?\b|xmlParseCharRef|[Ii]nvalid (xml)?[Cc]har|out of allowed range|bytes in char",
     "er staat een teken dat in XML niet mag"),
    (r"XML declaration allowed only|reserved for XML|XML or text declaration",
     "de XML-declaratie staat niet helemaal vooraan"),
    (r"[Dd]ouble hyphen|[Hh]yphen|[Cc]omment", "een commentaar is niet goed geschreven"),
    (r"CData|CDATA|\]\]>", "een CDATA-sectie is niet goed geschreven"),
    (r"PI |ParsePI", "een verwerkingsinstructie is niet goed geschreven"),
    (r"ID ([^\s,]+) already defined", r"het id \1 komt vaker voor"),
)  # fmt: skip
_WHERE = re.compile(
    r"Element '(?:\{(.*?)\})?([^']*)'(?:, attribute '(?:\{.*?\})?([^']*)')?: ", re.S
)
_SCHEMA = (
    (r"This element is not expected\. Expected is (?:one of )?\( (.*) \)",
     "{0} mag hier niet staan. Hier hoort: {1}."),
    (r"This element is not expected", "{0} mag hier niet staan. Verwijder het."),
    (r"Missing child element\(s\)\. Expected is (?:one of )?\( (.*) \)",
     "{0} is niet volledig. Voeg toe: {1}."),
    (r"Missing child element", "{0} is niet volledig. Vul het aan."),
    (r"No matching global", "{0}{ns} is hier niet bekend. Gebruik een van deze berichtsoort."),
    (r"The attribute '(?:\{.*?\})?(.*)' is not allowed",
     "{0} mag daar niet staan. Verwijder het."),
    (r"The attribute '(?:\{.*?\})?(.*)' is required", "{0} mist het attribuut {1}. Voeg het toe."),
    (r"\[facet 'pattern'\] The value '(.*)' is not accepted by the pattern '(.*)'\.",
     "de waarde '{1}' van {0} past niet in het patroon {2}. Verbeter haar."),
    (r"\[facet 'enumeration'\] The value '(.*)' is not an element of the set \{(.*)\}",
     "de waarde '{1}' van {0} is er geen van {2}. Kies een daarvan."),
    (r"\[facet '(?:minL|maxL|l)ength'\].* length of '(\d+)'; this exceeds .* of '(\d+)'",
     "de waarde van {0} is {1} lang; toegestaan is ten hoogste {2}. Maak haar korter."),
    (r"\[facet '(?:minL|maxL|l)ength'\].* length of '(\d+)'; this underruns .* of '(\d+)'",
     "de waarde van {0} is {1} lang; nodig is ten minste {2}. Vul haar aan."),
    (r"\[facet 'length'\].* length of '(\d+)'; this differs .* of '(\d+)'",
     "de waarde van {0} is {1} lang; dat moet {2} zijn. Verbeter haar."),
    (r"\[facet 'minInclusive'\] The value '(.*)' is less .*\('(.*)'\)",
     "de waarde '{1}' van {0} is kleiner dan {2}. Verbeter haar."),
    (r"\[facet 'maxInclusive'\] The value '(.*)' is greater .*\('(.*)'\)",
     "de waarde '{1}' van {0} is groter dan {2}. Verbeter haar."),
    (r"\[facet 'minExclusive'\] The value '(.*)' must be greater than '(.*)'",
     "de waarde '{1}' van {0} moet groter zijn dan {2}. Verbeter haar."),
    (r"\[facet 'maxExclusive'\] The value '(.*)' must be less than '(.*)'",
     "de waarde '{1}' van {0} moet kleiner zijn dan {2}. Verbeter haar."),
    (r"\[facet 'totalDigits'\] The value '(.*)' has more .*\('(.*)'\)",
     "de waarde '{1}' van {0} heeft meer dan {2} cijfers. Verbeter haar."),
    (r"\[facet 'fractionDigits'\] The value '(.*)' has more .*\('(.*)'\)",
     "de waarde '{1}' van {0} heeft meer dan {2} decimalen. Verbeter haar."),
    (r"'(.*)' is not a valid value of .* type '(?:\{.*?\})?(.*)'",
     "de waarde '{1}' van {0} is niet van het type {2}. Verbeter haar."),
    (r"\[facet|'", "de waarde van {0} is ongeldig. Verbeter haar."),  # no name, or cut off
    (r"Element content is not allowed", "in {0} mogen geen elementen staan. Verwijder ze."),
    (r"Character content", "in {0} mag geen tekst staan. Verwijder haar."),
    (r"The element is not 'nillable'", "{0} mag geen xsi:nil hebben. Verwijder het."),
    (r"Duplicate key-sequence", "de sleutel van {0} komt vaker voor. Maak hem anders."),
)  # fmt: skip
_KNOWN = [(re.compile(found, re.S), said) for found, said in _XML]
_JUDGED = [(re.compile(found, re.S), said) for found, said in _SCHEMA]


def malformed(message: str) -> str:
    """Why a document is no XML: part of a sentence."""
    for pattern, said in _KNOWN:
        if found := pattern.search(message):
            return found.expand(said)[:200]
    return "hier zijn de regels van XML 1.0 niet gevolgd"


def invalid(message: str) -> str:
    """Why a document is not as its schema has it: a sentence, with what to change."""
    text = " ".join(_short(message).split())
    place = _WHERE.match(text)
    if place is None:
        return "hier is het schema niet gevolgd. Vergelijk het document met het schema."
    namespace, element, attribute = place.groups()
    named = f"het element {element[:80]}"
    if attribute is not None:
        named = f"het attribuut {attribute[:80]} van {named}"
    for pattern, said in _JUDGED:
        if found := pattern.match(text, place.end()):
            values = [_named(value) for value in found.groups()]
            return said.format(named, *values, ns=f" (namespace '{(namespace or '')[:200]}')")
    return f"{named} is niet zoals het schema het heeft. Vergelijk het met het schema."


def follows(message: str) -> bool:
    """Whether it only repeats what another message of the same element says: a value that breaks a
    facet has no type either, and is then of no use to a key."""
    return "is not a valid value of" in message[-300:] or "No precomputed value" in message


def _named(value: str) -> str:
    """Names without their namespace, alternatives with "of" between."""
    plain = re.sub(r"\{[^{}]*[:/][^{}]*\}", "", value)
    shown = (
        plain.replace("', '", "' of '") if plain.startswith("'") else plain.replace(", ", " of ")
    )
    return shown if len(shown) <= 200 else shown[:200] + "…"


def _short(message: str) -> str:
    return message if len(message) <= 2 * _LONG else f"{message[:_LONG]}…{message[-_LONG:]}"
