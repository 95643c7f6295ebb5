"""The part of the report about money: bandwidths, cost per year, unit price, split, every line."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from weeg import charts
from weeg.charts import Series
from weeg.figure import Range
from weeg.markup import Html, paragraph, table, tag, text
from weeg.money import Flow
from weeg.shown import DASH, amount, local, names, percent
from weeg.sources import Source
from weeg.texts import Language, say
from weeg.weigh import Outcome

_MILLION = 1_000_000
_MEASURES = ("npv", "tco", "investment", "unlawful", "double_running")
_PARTS = ("fixed", "platform", "licence", "variable", "depreciation")


def money(outcome: Outcome, language: Language) -> list[Html]:
    costs = outcome.decision.costs
    assert costs is not None
    rate = local(f"{costs.rate * 100:f}".rstrip("0").rstrip("."), language)
    return [
        paragraph(say("money.help", language, first=costs.first, last=costs.last, rate=rate,
                      base=costs.base)),
        _summary(outcome, language),
        *_per_year(outcome, language),
        _unit_price(outcome, language),
        *_reference(outcome, language),
        *_split(outcome, language),
    ]  # fmt: skip


def millions(value: Range, language: Language) -> str:
    parts = [f"{part / _MILLION:,.1f}" for part in (value.low, value.mode, value.high)]
    return local(DASH.join(parts[:1] if value.certain else parts), language)


def euros(value: Decimal, language: Language) -> str:
    return local(f"{value:,.2f}", language)


def cents(value: Range, language: Language) -> str:
    """Euros per message, four decimals."""
    parts = [f"{part:.4f}" for part in (value.low, value.mode, value.high)]
    return local(DASH.join(parts[:1] if value.certain else parts), language)


def _summary(outcome: Outcome, language: Language) -> Html:
    named = names(outcome, language)
    header = [say("word.option", language), *(say(f"money.{k}", language) for k in _MEASURES)]
    rows = [
        [named[name], *(millions(found.of(k), language) for k in _MEASURES)]
        for name, found in outcome.decision.money.items()
    ]
    return table(say("report.money", language), header, rows)


def _per_year(outcome: Outcome, language: Language) -> list[Html]:
    costs, named = outcome.decision.costs, names(outcome, language)
    assert costs is not None
    found = outcome.decision.money
    series = [
        Series(named[n], tuple(float(m.per_year[y].mode) / _MILLION for y in costs.years))
        for n, m in found.items()
    ]
    spans = [
        [(float(m.per_year[y].low) / _MILLION, float(m.per_year[y].high) / _MILLION)
         for y in costs.years]
        for m in found.values()
    ]  # fmt: skip
    title = say("chart.per_year", language)
    about = "; ".join(f"{named[n]}: {millions(m.tco, language)}" for n, m in found.items())
    chart = charts.lines("peryear", title, say("chart.per_year_about", language, totals=about),
                         list(costs.years), series, spans,
                         say("chart.millions", language))  # fmt: skip
    header = [say("money.year", language), *(named[n] for n in found)]
    rows = [
        [str(y), *(millions(m.per_year[y], language) for m in found.values())] for y in costs.years
    ]
    return [
        tag("figure", tag("figcaption", text(title)), chart),
        table(f"{title} ({say('chart.millions', language)})", header, rows),
    ]


def _unit_price(outcome: Outcome, language: Language) -> Html:
    named = names(outcome, language)
    found = outcome.decision.money
    header = [say("word.option", language), *(say(f"part.{p}", language) for p in _PARTS),
              say("money.unit_price", language)]  # fmt: skip
    rows = [
        [named[n], *(cents(m.price_parts[p], language) for p in _PARTS),
         cents(m.unit_price, language)]
        for n, m in found.items()
    ]  # fmt: skip
    return table(say("money.parts", language), header, rows)


def _reference(outcome: Outcome, language: Language) -> list[Html]:
    costs = outcome.decision.costs
    assert costs is not None
    if costs.reference is None:
        return []
    yearly, _ = costs.volume[costs.first]
    price = costs.reference.amount / yearly.mode
    return [
        paragraph(
            say("money.reference", language, what=costs.reference.words.get(language),
                amount=euros(costs.reference.amount, language), year=costs.first,
                volume=amount(float(yearly.mode), language),
                price=local(f"{price:.4f}", language), at=costs.reference.place.short)
        )
    ]  # fmt: skip


def _split(outcome: Outcome, language: Language) -> list[Html]:
    costs, named = outcome.decision.costs, names(outcome, language)
    assert costs is not None
    found = outcome.decision.money
    parts = []
    if costs.splits:
        shares = costs.splits.shares()
        people = sorted(shares)
        header = [say("word.option", language),
                  *(f"{costs.agencies[a].words.get(language)} "
                    f"({percent(float(shares[a]), language)})" for a in people),
                  say("split.total", language)]  # fmt: skip
        rows = [
            [named[n], *(euros(m.split[a], language) for a in people),
             euros(sum(m.split.values(), Decimal(0)), language)]
            for n, m in found.items()
        ]  # fmt: skip
        caption = say("split.table", language, first=costs.first, last=costs.last)
        parts = [paragraph(say("split.help", language)), table(caption, header, rows)]
    first = next(iter(found.values()))
    if first.keys:
        name = next(iter(found))
        people = sorted(costs.agencies)
        header = [say("split.key", language),
                  *(costs.agencies[a].words.get(language) for a in people)]  # fmt: skip
        rows = [
            [say(f"key.{key}", language), *(euros(amounts[a], language) for a in people)]
            for key, amounts in first.keys.items()
        ]
        parts.append(
            table(
                say("split.keys", language, name=named[name], first=costs.first, last=costs.last),
                header,
                rows,
            )
        )
    return parts


def cost_lines(outcome: Outcome, language: Language) -> list[Html]:
    """Every line with its row and its source: nothing in the totals comes from elsewhere."""
    costs, named = outcome.decision.costs, names(outcome, language)
    assert costs is not None
    rows = []
    for option, money_of in outcome.decision.money.items():
        words = {line.id: line.words.get(language) for line in costs.options[option].lines}
        for stretch in _stretches(money_of.flows):
            flow, last = stretch[0], stretch[-1]
            about = _source(outcome, f"costs/{option}/{flow.line}", language)
            years = str(flow.year) if flow is last else f"{flow.year}–{last.year}"
            name = words.get(flow.line, say("money.double_running", language))
            kind = say(f"part.{flow.kind}", language)
            amount_each = millions(flow.amount.rounded(), language)
            row = [f"{named[option]}: {name}", kind, years, amount_each, flow.place.short]
            rows.append([*row, about])
        for contract in costs.options[option].unlawful:
            exposure = contract.stretch
            name = f"{named[option]}: {say('money.unlawful', language)}"
            name += f" {contract.name}, {contract.since}".rstrip(", ") if contract.name else ""
            months = DASH.join(f"{part:f}" for part in _ends(exposure.count))
            count = say("lines.months", language, months=local(months, language))
            price = millions(exposure.price, language)
            kind = say("part.unlawful", language)
            source = outcome.decision.sources.of_contract(option, contract.name)
            about = _told(source, language)
            rows.append([name, kind, count, price, exposure.place.short, about])
    columns = ("line", "kind", "year", "amount", "row", "source")
    header = [say(f"lines.{k}", language) for k in columns]
    return [
        paragraph(say("lines.help", language)),
        table(say("lines.table", language), header, rows, numbers_from=99, class_="small"),
    ]


def _source(outcome: Outcome, cell: str, language: Language) -> str:
    return _told(outcome.decision.sources.of(cell), language)


def _told(source: Source | None, language: Language) -> str:
    if source is None:
        return say("lines.none", language)
    confidence = say(f"confidence.{source.confidence}", language)
    return f"{source.source}; {source.who}, {source.date}; {confidence}"


def _ends(value: Range) -> tuple[Decimal, ...]:
    return (value.mode,) if value.certain else (value.low, value.mode, value.high)


def _stretches(flows: tuple[Flow, ...]) -> list[list[Flow]]:
    """Years in a row with the same amount from the same row stand together."""
    found: list[list[Flow]] = []
    for flow in flows:
        before = found[-1][-1] if found else None
        if before and replace(before, year=flow.year) == flow and before.year + 1 == flow.year:
            found[-1].append(flow)
        else:
            found.append([flow])
    return found
