"""The outcome as tables on a terminal; every text goes in as text, never as markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from weeg import compare
from weeg.additive import Standing, levels
from weeg.asjson import plain
from weeg.figure import Range, dutch
from weeg.problem import Problem
from weeg.shown import amount, counted, names, percent, points, together
from weeg.texts import Language, say
from weeg.weigh import Outcome, View


def problems(console: Console, found: Iterable[Problem], language: Language) -> None:
    for problem in found:
        word = say(f"severity.{problem.severity.name}", language)
        console.print(Text(f"{word}: {problem.show(language)}"), soft_wrap=True)


def show(console: Console, outcome: Outcome, language: Language) -> None:
    """Ranking first, then what it rests on; what is uncertain stands as large as the rest."""
    decision = outcome.decision
    head = decision.head
    console.print(Text(head.title.get(language), style="bold"))
    if head.invented:
        console.print(Text(say("report.invented", language), style="bold"))
    console.print(Text(head.question.get(language)))
    console.print()
    console.print(_ranking(outcome, language))
    for line in _ties(outcome, language):
        console.print(Text(line), soft_wrap=True)
    if chosen := compare.standing(outcome):
        console.print(Text(compare.leads(chosen, language)), soft_wrap=True)
    console.print(_counted(outcome, language))
    console.print(_views(outcome, language))
    console.print(_acceptability(outcome, language))
    console.print(_flips(outcome, language))
    if decision.money:
        console.print(_money(outcome, language))
    if outcome.crosscheck:
        console.print(_crosscheck(outcome, language))
    problems(console, outcome.findings, language)
    console.print()
    console.print(
        Text(
            say("report.repeat", language, hash=decision.digest, seed=head.seed,
                draws=head.draws, as_of=head.as_of)
        ),
        soft_wrap=True,
    )  # fmt: skip


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if index == 0 else "right")
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*(Text(cell) for cell in cells))


def _ranking(outcome: Outcome, language: Language) -> Table:
    named = names(outcome, language)
    table = _table(say("report.ranking", language), say("word.option", language),
                   say("word.rank", language), say("word.value", language),
                   f"{say('word.first', language)} ({say('word.per_group', language)})",
                   f"{say('word.first', language)} ({say('word.per_criterion', language)})",
                   say("word.veto", language))  # fmt: skip
    for s in outcome.joint.ranking:
        by = outcome.acceptability
        _row(table, named[s.option], str(s.rank), points(s.value, language),
             percent(by["group"].ranks[s.option][0], language),
             percent(by["criterion"].ranks[s.option][0], language),
             ", ".join(s.vetoed_by) or "-")  # fmt: skip
    return table


def _ties(outcome: Outcome, language: Language) -> Iterator[str]:
    named = names(outcome, language)
    for same in levels(outcome.joint.ranking):
        if len(same) > 1:
            which = together((named[s.option] for s in same), language)
            yield say("tie.some", language, rank=same[0].rank, names=which)


def _counted(outcome: Outcome, language: Language) -> Table:
    table = _table(say("people.counted", language), say("word.stakeholder", language),
                   say("people.counts", language), say("people.share", language))  # fmt: skip
    for name, how, share in counted(outcome, language):
        _row(table, name, how, "–" if share is None else percent(share, language))
    return table


def order(ranking: tuple[Standing, ...]) -> str:
    return " > ".join(
        " = ".join(s.option + ("*" if s.vetoed else "") for s in same) for same in levels(ranking)
    )


def _views(outcome: Outcome, language: Language) -> Table:
    table = _table(say("report.views", language), say("word.stakeholder", language),
                   say("word.per_group", language),
                   say("word.per_criterion", language))  # fmt: skip
    for view in (outcome.joint, *outcome.views, outcome.equal):
        marked = [
            order(ranking) + (" <" if view.per == per else "")
            for per, ranking in view.readings.items()
        ]
        _row(table, view_name(outcome, view, language), *marked)
    return table


def view_name(outcome: Outcome, view: View, language: Language) -> str:
    if view.name in ("joint", "equal") and view.name not in outcome.decision.head.stakeholders:
        return say(f"word.{view.name}", language)
    return outcome.decision.head.stakeholders[view.name].name.get(language)


def _acceptability(outcome: Outcome, language: Language) -> Table:
    found = outcome.acceptability["group"]
    named = names(outcome, language)
    places = [str(i + 1) for i in range(len(found.ranks))][:10]
    table = _table(say("report.acceptability", language), say("word.option", language), *places)
    for s in outcome.joint.ranking:
        shares = found.ranks[s.option][:10]
        _row(table, named[s.option], *(percent(x, language) for x in shares))
    return table


def _flips(outcome: Outcome, language: Language) -> Table:
    named = names(outcome, language)
    table = _table(say("report.flips", language), "", say("word.now", language),
                   say("word.needed", language), say("word.new_first", language))  # fmt: skip
    for flip in [f for f in outcome.weight_flips if f.needed is not None][:5]:
        kind = say("word.group" if flip.is_group else "word.criterion", language)
        assert flip.needed is not None
        _row(table, f"{say('word.weight', language)} {kind} {flip.name}",
             percent(flip.now, language), percent(flip.needed, language),
             named[flip.challenger])  # fmt: skip
    for move in outcome.score_flips[:5]:
        unit = outcome.decision.model.criterion(move.criterion).unit
        shown = dutch(unit) if language == "nl" else unit
        past = f" ({say(f'word.veto_{move.veto}', language)})" if move.veto else ""
        _row(table, f"{named[move.option]}, {move.criterion}",
             f"{amount(move.now, language)} {shown}",
             f"{amount(move.needed, language)} {shown}{past}", named[move.challenger])  # fmt: skip
    return table


def _money(outcome: Outcome, language: Language) -> Table:
    named = names(outcome, language)
    table = _table(say("report.money", language), say("word.option", language),
                   *(say(f"money.{name}", language) for name in SHOWN))  # fmt: skip
    for name, money in outcome.decision.money.items():
        _row(table, named[name], *(band(money.of(k), k, language) for k in SHOWN))
    return table


SHOWN = ("npv", "tco", "unit_price", "unlawful", "double_running")


def band(value: Range, name: str, language: Language) -> str:
    """`low - mode - high`; millions, or euros per message."""
    scale, digits = (1, 3) if name == "unit_price" else (1_000_000, 1)
    parts = [f"{float(part) / scale:.{digits}f}" for part in (value.low, value.mode, value.high)]
    if value.certain:
        parts = parts[:1]
    shown = " – ".join(parts)
    return shown.replace(".", ",") if language == "nl" else shown


def _crosscheck(outcome: Outcome, language: Language) -> Table:
    assert outcome.crosscheck is not None
    table = _table(say("report.crosscheck", language), "", say("word.order", language))
    _row(table, say("cross.additive", language), order(outcome.joint.ranking))
    for method, found in outcome.crosscheck.levels.items():
        shown = " > ".join(" = ".join(same) for same in found)
        _row(table, say(f"cross.{method}", language), shown)
    return table


__all__ = ["band", "order", "plain", "problems", "show", "view_name"]
