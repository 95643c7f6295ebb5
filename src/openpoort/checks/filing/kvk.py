"""FR-KVK and BR-KVK: the rules for annual accounts. They apply to KvK entry points only.

Concepts are found by local name: their namespace changes with every release.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from lxml import etree

from openpoort.checks.filing.rule import Hit, Rule
from openpoort.checks.instance import ISO4217, LANG, Instance, measures, period, to_date
from openpoort.checks.text import content

_LANGUAGES = ("nl", "en", "de", "fr")
_DECIMALS = ("INF", "-9", "-6", "-3", "0", "2")
_START, _END = "FinancialReportingPeriodCurrentStartDate", "FinancialReportingPeriodCurrentEndDate"
_PREVIOUS_START = "FinancialReportingPeriodPreviousStartDate"
_PREVIOUS_END = "FinancialReportingPeriodPreviousEndDate"
_CORRECTED = "DocumentResubmissionDueToUnsurmountableInaccuracies"


def known_language(instance: Instance) -> Iterator[Hit]:
    if instance.root.get(LANG) not in _LANGUAGES:
        yield Hit("Zet xml:lang op xbrli:xbrl met de waarde nl, en, de of fr.", instance.root)


def one_language(instance: Instance) -> Iterator[Hit]:
    language = instance.root.get(LANG)
    for fact in instance.facts:
        if fact.get(LANG) and fact.get(LANG) != language:
            text = f"xml:lang moet overal '{language}' zijn, hier staat '{fact.get(LANG)}'."
            yield Hit(text, fact)


def known_entry(instance: Instance) -> Iterator[Hit]:
    """An entry point of an installed taxonomy is a known one."""
    if instance.outline is None or instance.entries[:1] != [instance.outline.entry]:
        address = instance.entries[0] if instance.entries else ""
        text = f"schemaRef verwijst niet naar een bekend entrypoint: '{address[:200]}'."
        yield Hit(text, instance.root)


def _is(instance: Instance, fact: etree._Element, monetary: bool) -> bool:
    """By type when the taxonomy is known; by the currency of its unit when it is not."""
    concept = instance.concept(fact)
    if concept is not None:
        return concept.kind == ("monetary" if monetary else "numeric")
    unit = instance.unit_keys.get(fact.get("unitRef", "").strip())
    return unit is not None and monetary == (f"{{{ISO4217}}}" in str(unit))


def decimals_of_amounts(instance: Instance) -> Iterator[Hit]:
    for fact in instance.facts:
        if _is(instance, fact, True) and fact.get("decimals") not in _DECIMALS:
            text = (
                f"Het attribuut decimals van een bedrag moet een van {', '.join(_DECIMALS)} zijn."
            )
            yield Hit(text, fact)


def decimals_of_numbers(instance: Instance) -> Iterator[Hit]:
    for fact in instance.facts:
        if _is(instance, fact, False) and fact.get("decimals") != "INF":
            text = "Het attribuut decimals van een getal dat geen bedrag is, moet INF zijn."
            yield Hit(text, fact)


def periods_match(instance: Instance) -> Iterator[Hit]:
    names = (_START, _END, _PREVIOUS_START, _PREVIOUS_END)
    days = [instance.day(name) for name in names]
    if None in days:
        return
    start, end, before, until = [d for d in days if d is not None]
    durations = {(start, end), (before, until)}
    instants = {end, start - timedelta(1), before - timedelta(1)}
    for context in instance.contexts:
        dates = period(context)
        span = (_start(dates), _end(dates, "endDate"))
        if span in durations or _end(dates, "instant") in instants:
            continue
        text = "De periode van deze context is niet die van het huidige of het vorige boekjaar."
        yield Hit(text, context)


def _start(dates: dict[str, str]) -> date | None:
    return to_date(dates.get("startDate", ""))


def _end(dates: dict[str, str], part: str) -> date | None:
    """A date with midnight at its start means the end of the day before."""
    day = to_date(dates.get(part, ""))
    midnight = dates.get(part, "").strip().endswith("T00:00:00")
    return day - timedelta(1) if day is not None and midnight else day


def one_currency(instance: Instance) -> Iterator[Hit]:
    found = [
        unit
        for unit in instance.units
        for _, name in measures(unit)
        if name.startswith(f"{{{ISO4217}}}")
    ]
    if len(found) != 1:
        text = f"Er moet precies één valuta (iso4217) zijn; gevonden: {len(found)}."
        yield Hit(text, found[-1] if found else instance.root)


def ended(instance: Instance) -> Iterator[Hit]:
    end = instance.day(_END)
    if end is not None and end >= instance.today:
        yield Hit(f"Het boekjaar eindigt op {end}; dat moet vóór de datum van aanlevering zijn.")


def adopted_before(instance: Instance) -> Iterator[Hit]:
    adopted = instance.day("DocumentAdoptionDate")
    if adopted is not None and adopted > instance.today:
        yield Hit(f"De datum van vaststelling ({adopted}) ligt na de datum van aanlevering.")


def correction_of_adopted(instance: Instance) -> Iterator[Hit]:
    if "Ja" in instance.values(_CORRECTED) and "Ja" not in instance.values(
        "DocumentAdoptionStatus"
    ):
        yield Hit("Een gecorrigeerde jaarrekening hoort bij een vastgestelde: zet de status op Ja.")


def correction_complete(instance: Instance) -> Iterator[Hit]:
    if "Ja" in instance.values(_CORRECTED):
        for needed in ("DocumentAdoptionDate", "DocumentAdoptionStatus"):
            if not any(instance.values(needed)):
                yield Hit(f"Een gecorrigeerde jaarrekening moet {needed} bevatten. Vul het in.")


def two_years(instance: Instance) -> Iterator[Hit]:
    start, end = instance.day(_PREVIOUS_START), instance.day(_END)
    if start is None or end is None:
        return
    try:
        limit = start.replace(year=start.year + 2)
    except ValueError:  # 29 February, or the end of time
        limit = date(start.year + 2, 3, 1) if start.year < 9997 else date.max
    if end > limit:
        yield Hit("Het huidige en vorige boekjaar zijn samen langer dan twee jaar.")


def real_dates(instance: Instance) -> Iterator[Hit]:
    for context in instance.contexts:
        for part, text in period(context).items():
            if part != "forever" and not _real(text):
                yield Hit(f"'{text[:40]}' is geen geldige datum (JJJJ-MM-DD).", context)
    for fact in instance.facts:
        concept = instance.concept(fact)
        if concept is not None and concept.kind == "date" and not _real(content(fact)):
            yield Hit(f"'{content(fact)[:40]}' is geen geldige datum (JJJJ-MM-DD).", fact)


def _real(text: str) -> bool:
    text = text.strip()
    return len(text) == 10 and to_date(text) is not None


RULES = (
    Rule("FR-KVK-2.01", "taal is nl, en, de of fr", known_language, kvk=True),
    Rule("FR-KVK-2.02", "overal dezelfde taal", one_language, kvk=True),
    Rule("FR-KVK-2.03", "bekend entrypoint", known_entry, kvk=True),
    Rule("FR-KVK-5.01", "decimals van bedragen", decimals_of_amounts, kvk=True),
    Rule("FR-KVK-5.02", "decimals van andere getallen", decimals_of_numbers, kvk=True),
    Rule("BR-KVK-2.04", "periode van de context", periods_match, kvk=True),
    Rule("BR-KVK-3.01", "één valuta", one_currency, kvk=True),
    Rule("BR-KVK-4.07", "boekjaar voorbij", ended, kvk=True),
    Rule("BR-KVK-4.10", "vaststelling niet in de toekomst", adopted_before, kvk=True),
    Rule("BR-KVK-4.12", "correctie van een vastgestelde", correction_of_adopted, kvk=True),
    Rule("BR-KVK-4.16", "correctie is volledig", correction_complete, kvk=True),
    Rule("BR-KVK-4.17", "samen korter dan twee jaar", two_years, kvk=True),
    Rule("BR-KVK-4.20", "echte datums", real_dates, kvk=True),
)
