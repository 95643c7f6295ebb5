"""The part of the report about what stands beside the criteria: choice, responsibility, risks,
external advice, and the reuse of code."""

from __future__ import annotations

from collections.abc import Sequence

from weeg import compare
from weeg.inventory import kept
from weeg.markup import Html, paragraph, table
from weeg.problem import Place
from weeg.shown import amount, local, names
from weeg.texts import Language, say
from weeg.weigh import Outcome


def beside(outcome: Outcome, language: Language) -> list[Html]:
    parts = [
        *_chosen(outcome, language),
        *_duties(outcome, language),
        *_risks(outcome, language),
        *_advice(outcome, language),
        *_inventory(outcome, language),
    ]
    if not parts:
        return [paragraph(say("beside.nothing", language))]
    return [paragraph(say("beside.help", language)), *parts]


def _chosen(outcome: Outcome, language: Language) -> list[Html]:
    chosen = outcome.decision.head.chosen
    if chosen is None:
        return []
    name = names(outcome, language).get(chosen.option) or "–"
    lines = [say("beside.chosen", language, name=name, day=chosen.day or "–",
                 by=chosen.by or "–", dissent=chosen.dissent or "–")]  # fmt: skip
    if found := compare.standing(outcome):
        line = compare.leads(found, language, names(outcome, language))
        lines.append(line[0].upper() + line[1:] + ".")
    return [paragraph(line) for line in lines]


def _duties(outcome: Outcome, language: Language) -> list[Html]:
    named = names(outcome, language)
    rows = [
        [named[o.id], d.part, d.who, d.start, _word(d.until, language)]
        for o in outcome.decision.options
        for d in o.duties
    ]
    return _listed("duties", ("part", "who", "from", "until"), rows, language, by_option=True)


def _risks(outcome: Outcome, language: Language) -> list[Html]:
    named = names(outcome, language)
    rows = [
        [named[o.id], r.what, _word(r.chance, language), _word(r.effect, language), r.owner,
         r.control]
        for o in outcome.decision.options
        for r in o.risks
    ]  # fmt: skip
    columns = ("what", "chance", "effect", "owner", "control")
    return _listed("risks", columns, rows, language, by_option=True)


def _advice(outcome: Outcome, language: Language) -> list[Html]:
    rows = [
        [a.who, a.what, _word(a.followed, language), a.why, a.where]
        for a in outcome.decision.advice or ()
    ]
    return _listed("advice", ("who", "what", "followed", "why", "where"), rows, language)


def _inventory(outcome: Outcome, language: Language) -> list[Html]:
    found = outcome.decision.inventory or ()
    rows = [
        [p.part, amount(p.lines, language), p.rating, _word(p.verdict, language), p.why,
         p.licence, p.who]
        for p in found
    ]  # fmt: skip
    columns = ("part", "lines", "rating", "verdict", "why", "licence", "who")
    shown = _listed("inventory", columns, rows, language)
    if lines := sum(p.lines for p in found):
        share = local(f"{kept(found, Place('')).mode:f}", language)
        shown.append(paragraph(say("beside.kept", language, lines=amount(lines, language),
                                   share=share)))  # fmt: skip
    return shown


def _listed(
    what: str, columns: Sequence[str], rows: list[list[str]], language: Language,
    by_option: bool = False,
) -> list[Html]:  # fmt: skip
    if not rows:
        return []
    header = [say("word.option", language)] if by_option else []
    header += [say(f"beside.{c}", language) for c in columns]
    filled = [[cell or "–" for cell in row] for row in rows]
    return [table(say(f"beside.{what}", language), header, filled, numbers_from=99, class_="small")]


def _word(word: str, language: Language) -> str:
    """A level or verdict in the reader's language; days stand as they are."""
    known = ("open", "yes", "partly", "no", "keep", "rebuild", "low", "medium", "high")
    return say(f"level.{word}", language) if word in known else word
