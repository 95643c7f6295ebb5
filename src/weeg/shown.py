"""Numbers and names as a reader of each language expects them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from weeg.texts import Language, say
from weeg.weigh import Outcome

DASH = "\N{NO-BREAK SPACE}\N{EN DASH}\N{NO-BREAK SPACE}"
"""Between the ends of a bandwidth, so that it does not break over two lines."""


def local(text: str, language: Language) -> str:
    """Swap decimal point and thousands comma for Dutch."""
    if language == "en":
        return text
    return text.translate(str.maketrans(".,", ",."))


def percent(share: float, language: Language) -> str:
    """Whole percents would hide a one in two hundred: one decimal."""
    return local(f"{share * 100:.1f}", language) + " %"


def points(value: float, language: Language) -> str:
    """A total on the scale of 0 to 100."""
    return local(f"{value * 100:.1f}", language)


def amount(value: float, language: Language) -> str:
    """A value in its own unit: whole when large, up to three decimals when small."""
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 1 else 3
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return local(text, language)


def together(found: Iterable[str], language: Language) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *rest, last = found
    return ", ".join(rest) + say("word.and", language) + last if rest else last


def counted(outcome: Outcome, language: Language) -> Iterator[tuple[str, str, float | None]]:
    """Stakeholder, as what it counts, and its share of the joint weight; None for who advises."""
    share = {
        p.stakeholder: 1 / len(outcome.decision.voices) / len(voice.members)
        for voice in outcome.decision.voices
        for p in voice.members
    }
    for name, one in outcome.decision.head.stakeholders.items():
        how = say("people.in", language, group=one.group) if one.group else ""
        how = say("people.advises", language) if one.advises else how
        yield one.name.get(language), how or say("people.alone", language), share.get(name)


def names(outcome: Outcome, language: Language) -> dict[str, str]:
    return {o.id: o.name.get(language) for o in outcome.decision.options}
