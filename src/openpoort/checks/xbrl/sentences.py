"""What each code of the reference processor says to a filer: what is wrong, and what to change.

`SENTENCES` has the codes that an instance can bring about, `FAMILIES` the rest by their
specification. Slots are filled by `messages.py`: {facts} (joined over equal findings), {element},
{value}, {why}, {unit}, {context}, {attributes}, {dimension}, {member}, {dimensions}, {elements}.
`tests/checks/test_sentences.py` holds the table against the source of the processor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_DECIMALS = "Geef het attribuut decimals op, en geen precision, bij {facts}."
_NO_ACCURACY = "Verwijder de attributen decimals en precision bij {facts}."
_SEGMENT = "Zet in {element} alleen dimensies."
_SET = "De waarde van {facts} is een lijst die niet mag: {why}."
_LINK = "Verwijder het element {element}: een bericht brengt geen eigen koppelingen of rollen mee."

SENTENCES: Mapping[str, str] = {
    "xmlSchema:valueError": "De waarde '{value}' van {facts} is niet toegestaan: {why}.",
    "xmlSchema:valueError@": (
        "De waarde '{value}' van het attribuut {attribute} van {facts} is niet toegestaan: {why}."
    ),
    "xmlSchema:elementUnexpected": "Het element {element} mag hier niet staan. Verwijder het.",
    "xmlSchema:elementOccurrencesError": (
        "In {parent} komt {element} te vaak of te weinig voor. Houd de volgorde en het aantal van "
        "het schema aan."
    ),
    "xmlSchema:missingParticlesError": "In {parent} ontbreekt een element. Voeg het toe.",
    "xmlSchema:uniqueParticleAttribution": "Het schema van {element} is niet eenduidig.",
    "xmlSchema:abstractElement": "{element} is een kop en geen gegeven. Laat het weg.",
    "xmlSchema:attributesRequired": "Geef bij {facts} deze attributen op: {attributes}.",
    "xmlSchema:attributesExtraneous": "Verwijder bij {facts} deze attributen: {attributes}.",
    "xmlSchema:nilNonNillableElement": "Leeg (xsi:nil) mag niet bij {facts}. Vul een waarde in.",
    "xmlSchema:nilElementHasContent": (
        "Leeg (xsi:nil) en toch met inhoud: {facts}. Kies een van beide."
    ),
    "xmlSchema:syntax": "Een bestand waarnaar het document verwijst, is geen welgevormde XML.",
    "xmlSchema:requiredAttribute": "Geef bij {element} een adres op (xlink:href).",
    "xmlSchema1.4.2.3:refSchemaNamespace": (
        "Een verwijzing naar een schema noemt een andere namespace dan het schema heeft. Herstel "
        "xsi:schemaLocation of laat het weg."
    ),
    "xbrl:schemaImportMissing": (
        "Deze gegevens bestaan niet in de taxonomie: {elements}. Herstel hun naam of namespace, of "
        "laat ze weg."
    ),
    "xml.3.3.1:idMustBeUnique": (
        "Het id van {element} komt vaker voor. Geef elk element een eigen id."
    ),
    "xbrl.4.6:notItemOrTuple": "Geen gegeven van de taxonomie: {facts}. Laat dit weg.",
    "xbrl.4.6.1:itemContextRef": (
        "De context '{contextRef}' bestaat niet. Voeg hem toe, of herstel contextRef van {facts}."
    ),
    "xbrl.4.6.1:itemContextRef@": "Geef een context op (contextRef) bij {facts}.",
    "xbrl.4.6.1:tupleContextRef": "Verwijder contextRef bij {facts}: een groep heeft geen context.",
    "xbrl.4.6.2:numericUnit": (
        "De eenheid '{unit}' bestaat niet. Voeg haar toe, of herstel unitRef van {facts}."
    ),
    "xbrl.4.6.2:numericUnit@": "Geef een eenheid op (unitRef) bij {facts}.",
    "xbrl.4.6.3:bothPrecisionAndDecimals": _DECIMALS,
    "xbrl.4.6.3:extraneousPrecisionDecimals": _NO_ACCURACY,
    "xbrl.4.6.3:fractionPrecisionDecimals": _NO_ACCURACY,
    "xbrl.4.6.3:missingPrecisionDecimals": _DECIMALS,
    "xbrl.4.6.3:nilPrecisionDecimals": _NO_ACCURACY,
    "xbrl.4.6.3:tuplePrecisionDecimals": _NO_ACCURACY,
    "xbrl.4.6.4:precision": "Vervang bij {facts} het attribuut precision door decimals.",
    "xbrl.4.6.5:decimals": (
        "Het attribuut decimals van {facts} is geen geheel getal en niet INF. Herstel het."
    ),
    "xbrl.4.7:instanceElementOrder": "Het element {element} staat niet op zijn plaats. Verplaats.",
    "xbrl.4:xbrlRootElement": "Het element {element} mag niet binnen een ander bericht staan.",
    "xbrl.4.7.2:contextDateError": (
        "De periode van deze context is geen geldige datum. Geef JJJJ-MM-DD op."
    ),
    "xbrl.4.7.2:contextPeriodType": (
        "De soort periode (moment of tijdvak) van de context past niet bij {facts}. Gebruik een "
        "andere context."
    ),
    "xbrl.4.7.2:periodStartBeforeEnd": "De periode eindigt vóór het begin. Herstel de datums.",
    "xbrl.4.7.3.2:segmentEmpty": "{element} is leeg. Laat het weg.",
    "xbrl.4.7.3.2:segmentItemOrTuple": _SEGMENT,
    "xbrl.4.7.3.2:segmentXbrliElement": _SEGMENT,
    "xbrl.4.7.4:scenarioEmpty": "{element} is leeg. Laat het weg.",
    "xbrl.4.7.4:scenarioItemOrTuple": _SEGMENT,
    "xbrl.4.7.4:scenarioXbrliElement": _SEGMENT,
    "xbrl.4.8.2:measureElement": "De maat in {element} bestaat niet. Gebruik een bestaande.",
    "xbrl.4.8.2:monetaryFactUnit-notSingleMeasure": (
        "De eenheid '{unit}' van {facts} moet uit één valuta bestaan."
    ),
    "xbrl.4.8.2:monetaryFactUnit-notMonetaryMeasure": (
        "De eenheid '{unit}' is geen valuta. Gebruik bijvoorbeeld iso4217:EUR voor {facts}."
    ),
    "xbrl.4.8.2:sharesFactUnit-notSingleMeasure": (
        "De eenheid '{unit}' van {facts} moet uit één maat bestaan: xbrli:shares."
    ),
    "xbrl.4.8.2:sharesFactUnit-notSharesMeasure": (
        "De eenheid '{unit}' van {facts} moet xbrli:shares zijn."
    ),
    "xbrl.4.8.4:measureBothNumDenom": (
        "In de eenheid staat dezelfde maat in de teller en de noemer. Streep haar weg."
    ),
    "xbrl.4.9:tupleAttribute": "Verwijder de attributen van XBRL bij de groep {facts}.",
    "xbrl.5.1.1:fractionPrecisionDecimals": "De teller of noemer van {facts} is geen geldig getal.",
    "xbrl.5.1.1:itemMixedContent": "Binnen {facts} mogen geen elementen staan. Geef een waarde.",
    "xbrldie:PrimaryItemDimensionallyInvalidError": (
        "Deze dimensies zijn hier niet toegestaan: {dimensions}. Kies andere leden of een andere "
        "context voor {facts}."
    ),
    "xbrldie:ExplicitMemberUndefinedQNameError": (
        "Het lid '{member}' van dimensie {dimension} bestaat niet in de taxonomie. Kies een "
        "bestaand lid."
    ),
    "xbrldie:ExplicitMemberNotExplicitDimensionError": (
        "{dimension} is geen dimensie met vaste leden. Verwijder haar of gebruik een bestaande."
    ),
    "xbrldie:TypedMemberNotTypedDimensionError": (
        "{dimension} is geen dimensie met vrije waarden. Verwijder haar of gebruik een bestaande."
    ),
    "xbrldie:IllegalTypedDimensionContentError": (
        "De inhoud van dimensie {dimension} is niet die van haar type. Herstel de waarde."
    ),
    "xbrldie:DefaultValueUsedInInstanceError": (
        "Het lid '{member}' van dimensie {dimension} is haar standaardwaarde. Laat de dimensie weg."
    ),
    "xbrldie:RepeatedDimensionInInstanceError": (
        "De dimensie {dimension} staat twee keer in de context. Laat er één staan."
    ),
    "enum2ie:InvalidEnumerationSetOrder": _SET.replace("{why}", "zet de keuzen op alfabet"),
    "enum2ie:InvalidEnumerationSetValue": _SET.replace("{why}", "kies alleen uit de keuzelijst"),
    "enum2ie:InvalidEnumerationValue": (
        "De waarde '{value}' van {facts} staat niet in de keuzelijst. Kies daaruit."
    ),
    "enumie:InvalidFactValue": (
        "De waarde '{value}' van {facts} staat niet in de keuzelijst. Kies daaruit."
    ),
    "enumie:InvalidListFactValue": (
        "De waarde '{value}' van {facts} staat niet in de keuzelijst. Kies daaruit."
    ),
    "enum2ie:RepeatedEnumerationSetValue": _SET.replace("{why}", "noem elke keuze één keer"),
    "enumie:RepeatedEnumerationSetValue": _SET.replace("{why}", "noem elke keuze één keer"),
    "enum2ie:InvalidDimensionSetOrder": (
        "De waarde van een dimensie is een lijst die niet op alfabet staat. Zet haar op alfabet."
    ),
    "enum2ie:InvalidDimensionSetValue": (
        "De waarde van een dimensie staat niet in de keuzelijst. Kies daaruit."
    ),
    "enum2ie:RepeatedDimensionSetValue": (
        "De waarde van een dimensie noemt een keuze twee keer. Noem elke keuze één keer."
    ),
    "dtre:noDecimalsItemType": "Geef een geheel getal met decimals 0 bij {facts}.",
    "dtre:SQNameItemType": "De naam '{value}' in {facts} heeft een prefix dat niet bestaat.",
    "dtre:SQNamesItemType": "De namen '{value}' in {facts} hebben een prefix dat niet bestaat.",
    "dtre:SQNameType": "De naam '{value}' in een dimensie heeft een prefix dat niet bestaat.",
    "dtre:SQNamesType": "De namen '{value}' in een dimensie hebben een prefix dat niet bestaat.",
    "dtre:prefixedContentItemType": "De soort inhoud van {facts} is niet bekend. Laat het weg.",
    "dtre:prefixedContentType": "De soort inhoud van een dimensie is niet bekend. Laat haar weg.",
    "arelle:duplicateFacts": "Dubbel: {facts}. Laat er één staan.",
    "arelle:langError": "De taal in xml:lang van {element} bestaat niet. Gebruik bijvoorbeeld nl.",
    "IOerror": "Het document verwijst naar een bestand dat er niet is. Verwijder de verwijzing.",
    "FileNotLoadable": (
        "Het document verwijst naar een bestand dat niet mag worden gelezen. Verwijder de "
        "verwijzing."
    ),
}  # fmt: skip

FAMILIES: tuple[tuple[str, str], ...] = (
    (r"xbrl\.4\.11\.|xbrl\.4\.[23]\.|xlink:|xbrl\.3\.5\.|xbrlgene:|lrr:|xbrl:href|ix", _LINK),
    (r"xbrl[lr]e\.|xbrl\.5\.2|xbrl\.5\.1\.[34]|xbrl:schemaDefinitionMissing|arelle:href", _LINK),
    (
        r"err:|xfie:|xffe:|xbrlfe:|xbrlve:|xbrlcfie:|xbrlacfe:|xbrlvarinste:|xbrlmsge:|cfcn:|seve:"
        r"|xbrl[ce]ae:|xbrlvarscopee:|xbrlte:|formula:|parser:|arelle:|table:",
        "Een formule van de taxonomie kan met deze gegevens niet worden berekend. Controleer of "
        "hun waarden, eenheden en contexten volledig zijn.",
    ),
    (
        r"exception:",
        "Het document bevat een waarde of verwijzing die niet te verwerken is. Herstel haar.",
    ),
    (r"xmlSchema|xmlschema|xmlSyntax", "Het element {element} voldoet niet aan zijn schema."),
    (
        r"xbrldte:|enum2?te:|xbrl|schema\.|html:|utr|utre:|calc11|info:|EFM|GFM|EBA|EIOPA|SBR|oim",
        "Een bestand waarnaar het document verwijst, is geen juiste taxonomie. Verwijder eigen "
        "verwijzingen en gebruik alleen het entrypoint.",
    ),
)
_FAMILIES = tuple((re.compile(pattern), text) for pattern, text in FAMILIES)
_OTHER = "Het element {element} voldoet niet aan de XBRL-standaard. Herstel of verwijder het."


def sentence(code: str) -> str:
    """The template for this code; never a word of the processor."""
    if (found := SENTENCES.get(code)) is not None:
        return found
    return next((text for pattern, text in _FAMILIES if pattern.match(code)), _OTHER)


_WHY: tuple[tuple[str, str], ...] = (
    (r"pattern facet (?P<a>.*)", "zij past niet in het patroon {a}"),
    (r"length (\d+), expected (?P<a>\d+)", "zij moet {a} tekens lang zijn"),
    (r"length (\d+), minLength (?P<a>\d+)", "zij moet ten minste {a} tekens lang zijn"),
    (r"length (\d+), maxLength (?P<a>\d+)", "zij mag ten hoogste {a} tekens lang zijn"),
    (r"totalDigits facet (?P<a>\d+)", "zij mag ten hoogste {a} cijfers hebben"),
    (r"fraction digits facet (?P<a>\d+)", "zij mag ten hoogste {a} cijfers na de punt hebben"),
    (r" ?> maxInclusive (?P<a>.*)", "zij mag ten hoogste {a} zijn"),
    (r" ?>= maxExclusive (?P<a>.*)", "zij moet kleiner dan {a} zijn"),
    (r" ?< minInclusive (?P<a>.*)", "zij moet ten minste {a} zijn"),
    (r" ?<= minExclusive (?P<a>.*)", "zij moet groter dan {a} zijn"),
    (r"IETF RFC 2396.*", "zij is geen geldig adres (URI)"),
    (r"zero is not allowed", "zij mag geen 0 zijn"),
    (r"invalid day .*|.*day is out of range.*|.*month must be.*", "die dag bestaat niet"),
    (r"year zero .*", "het jaar 0 bestaat niet"),
    (r"value content not permitted", "hier hoort niets te staan"),
    (r"element is abstract", "dit is een kop en geen gegeven"),
    (r"prefix .* is not defined.*|.*[Pp]refix.*", "haar prefix is niet gedeclareerd"),
    (
        r"(?s).* is not (?P<a>\w*[iI]nteger|long|int|short|byte|unsigned\w+)",
        "zij is geen geheel getal van het soort {a}",
    ),
    (
        r"(?s).*(?:ConversionSyntax|invalid literal|could not convert).*",
        "zij is geen getal",
    ),
)
_REASONS = tuple((re.compile(pattern), text) for pattern, text in _WHY)
_LISTED = re.compile(r"(?s).* is not in dict_keys\(\[(.*)")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_MOST = 12


def why(error: str) -> str:
    """What the processor says is wrong with a value, in Dutch."""
    listed = _LISTED.fullmatch(error)
    if listed is not None:
        allowed = [a or b for a, b in _QUOTED.findall(listed[1])]
        more = " …" if len(allowed) > _MOST or not listed[1].endswith("])") else ""
        return f"kies uit {', '.join(allowed[:_MOST])}{more}"
    for pattern, text in _REASONS:
        found = pattern.fullmatch(error)
        if found is not None:
            return text.format_map({"a": "", **found.groupdict(default="")})
    return "zij heeft niet de vorm die haar type voorschrijft"
