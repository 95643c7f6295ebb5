"""The part of the report about what went in: scores, end points, sources, living numbers."""

from __future__ import annotations

from weeg.feeds import Used
from weeg.figure import Range, dutch
from weeg.markup import Html, paragraph, table
from weeg.measured import names as measured
from weeg.model import Criterion
from weeg.shown import DASH, amount, names
from weeg.texts import Language, say
from weeg.weigh import Outcome


def living(outcome: Outcome, language: Language) -> list[Html]:
    """Each measured cell with age and origin; stale ones are named as such."""
    named, model = names(outcome, language), outcome.decision.model
    rows = []
    for option, cells in outcome.decision.used.items():
        for c in model.criteria:
            used = cells[c.id]
            if used.state in ("typed", "costs", "inventory"):
                continue
            feed = outcome.decision.feeds[used.feed]
            m = used.measure
            rows.append([
                f"{named[option]}: {c.id}. {c.name.get(language)}",
                say(f"state.{used.state}", language),
                f"{feed.measure} ({feed.file})",
                f"{amount(float(m.value.mode), language)} {_unit(m.unit, language)}" if m else "–",
                f"{band(used.value, language)} {_unit(c.unit, language)}",
                f"{m.time.date()}, {m.window}" if m else "–",
                say("living.age", language, age=used.age, most=feed.fresh_for)
                if used.age is not None else "–",
                used.origin,
            ])  # fmt: skip
    if not rows:
        return [paragraph(say("living.none", language)), _names(outcome, language)]
    columns = ("cell", "state", "measure", "value", "used", "time", "fresh", "origin")
    header = [say(f"living.{k}", language) for k in columns]
    return [
        paragraph(say("living.help", language)),
        table(say("living.table", language), header, rows, numbers_from=99, class_="small"),
        _names(outcome, language),
    ]


def _names(outcome: Outcome, language: Language) -> Html:
    """Which measurement can feed which criterion, and what publishes it."""
    ids = {name: c.id for c in outcome.decision.model.criteria for name in c.measures}
    rows = [
        [n.name, ids[n.name], _unit(n.unit, language), n.about.get(language),
         n.by or say("living.nobody", language), n.since or "–"]
        for n in measured()
        if n.name in ids
    ]  # fmt: skip
    header = [say("living.name", language), say("word.criterion", language),
              say("living.unit", language), say("beside.what", language),
              say("living.by", language), say("living.since", language)]  # fmt: skip
    return table(say("living.names", language), header, rows, numbers_from=99, class_="small")


def scores(outcome: Outcome, language: Language) -> list[Html]:
    decision, named = outcome.decision, names(outcome, language)
    header = [say("word.criterion", language), *(named[o.id] for o in decision.options)]
    rows = []
    for c in decision.model.criteria:
        values = [
            band(decision.used[o.id][c.id].value, language)
            + _mark(decision.used[o.id][c.id], language)
            for o in decision.options
        ]
        unit = _unit(c.unit, language)
        rows.append([f"{c.id}. {c.name.get(language)} ({unit})", *values])
    ends = [
        [f"{c.id}. {c.name.get(language)}", dict(decision.model.groups)[c.group].get(language),
         f"{amount(float(c.worst.value), language)}: {c.worst.words.get(language)}",
         f"{amount(float(c.best.value), language)}: {c.best.words.get(language)}",
         amount(float(c.veto), language) if c.veto is not None else "–"]
        for c in decision.model.criteria
    ]  # fmt: skip
    sources = [
        [s.cell, s.source, s.who, s.date.isoformat(), say(f"confidence.{s.confidence}", language),
         s.note, s.place.short]
        for s in decision.sources.rows
    ]  # fmt: skip
    parts = [
        paragraph(say("scores.help", language)),
        table(say("scores.table", language), header, rows),
        table(say("scores.ends", language),
              [say("word.criterion", language), say("word.group", language),
               say("scores.worst", language), say("scores.best", language),
               say("word.veto", language)], ends, numbers_from=9),
    ]  # fmt: skip
    parts += [_parts(c, language) for c in decision.model.criteria if c.parts]
    if sources:
        columns = ("cell", "source", "who", "date", "confidence", "note", "row")
        titles = [say(f"source.{k}", language) for k in columns]
        parts.append(table(say("scores.sources", language), titles, sources, numbers_from=99,
                           class_="small"))  # fmt: skip
    return parts


def _parts(c: Criterion, language: Language) -> Html:
    """What a share or count is taken of, and what shows each."""
    rows = [
        [p.words.get(language), p.proof or say("living.nobody", language), p.sentence or "–"]
        for p in c.parts
    ]
    header = [say(f"scores.{k}", language) for k in ("part", "proof", "sentence")]
    title = say("scores.parts", language, id=c.id)
    if any(p.reconstructed for p in c.parts):
        title += f" ({say('scores.reconstructed', language)})"
    return table(title, header, rows, numbers_from=99, class_="small")


def band(value: Range, language: Language) -> str:
    parts = [amount(float(part), language) for part in (value.low, value.mode, value.high)]
    return parts[0] if value.certain else DASH.join(parts)


def _mark(used: Used, language: Language) -> str:
    return "" if used.state == "typed" else f" [{say(f'state.{used.state}', language)}]"


def _unit(unit: str, language: Language) -> str:
    return dutch(unit) if language == "nl" else unit
