"""The part of the report about the outcome: who is first, how sure, what would change it."""

from __future__ import annotations

from collections.abc import Mapping

from weeg import charts, weights
from weeg.additive import Standing, levels
from weeg.charts import Series
from weeg.figure import dutch
from weeg.flips import contest
from weeg.markup import Html, bullets, paragraph, table, tag, text
from weeg.model import Criterion
from weeg.shown import amount, counted, names, percent, points, together
from weeg.terminal import view_name
from weeg.texts import Language, say
from weeg.weigh import Outcome, View

_ROWS_OF_FLIPS = 12
_ROWS_OF_TORNADO = 10


def short(outcome: Outcome, language: Language) -> list[Html]:
    """What a reader with one minute should know, doubts included."""
    named = names(outcome, language)
    top = levels(outcome.joint.ranking)[0]
    first = top[0]
    leaders = together((named[s.option] for s in top), language)
    value = points(first.value, language)
    if first.vetoed:
        found = [say("short.vetoed", language, name=leaders, value=value)]
    elif len(top) > 1:
        found = [say("short.tied", language, names=leaders, value=value)]
    else:
        found = [say("short.first", language, name=leaders, value=value)]
    if len(top) == 1:  # what follows is about one first option
        found += [*_short_lead(outcome, language), *_short_flips(outcome, language)]
    firsts = {
        v.name: tuple(s.option for s in levels(v.ranking)[0])
        for v in outcome.views
        if not outcome.decision.head.stakeholders[v.name].advises
    }
    if len(set(firsts.values())) == 1:
        same = together((named[o] for o in next(iter(firsts.values()))), language)
        found.append(say("short.agree", language, name=same))
    else:
        parts = [
            f"{view_name(outcome, v, language)}: "
            + together((named[o] for o in firsts[v.name]), language)
            for v in outcome.views
            if v.name in firsts
        ]
        found.append(say("short.disagree", language, who="; ".join(parts)))
    turning = [view_name(outcome, v, language) for v in (outcome.joint, *outcome.views) if v.turns]
    key = "short.reading_turns" if turning else "short.reading_holds"
    found.append(say(key, language, who=", ".join(turning)))
    warned = sum(p.severity.name == "WARNING" for p in outcome.findings)
    found.append(say("short.warnings", language, count=warned))
    return [bullets(found), paragraph(say("short.help", language))]


def _short_lead(outcome: Outcome, language: Language) -> list[str]:
    """How often the first is first, and by how much it leads."""
    named = names(outcome, language)
    first, others = contest(outcome.joint.ranking)
    share = {k: a.ranks[first.option][0] for k, a in outcome.acceptability.items()}
    found = [
        say("short.share", language, group=percent(share["group"], language),
            criterion=percent(share["criterion"], language)),
    ]  # fmt: skip
    if others:
        second = others[0]
        lead = points(first.value - second.value, language)
        found.append(say("short.second", language, name=named[second.option], lead=lead))
    return found


def _short_flips(outcome: Outcome, language: Language) -> list[str]:
    named = names(outcome, language)
    found = []
    flip = next((f for f in outcome.weight_flips if f.needed is not None), None)
    if flip and flip.needed is not None:
        found.append(
            say(
                "short.flip",
                language,
                what=_in_sentence(outcome, flip.name, flip.is_group, language),
                now=percent(flip.now, language),
                needed=percent(flip.needed, language),
                name=named[flip.challenger],
            )
        )
    else:
        found.append(say("short.no_flip", language))
    return found


def ranking(outcome: Outcome, language: Language) -> list[Html]:
    named, model = names(outcome, language), outcome.decision.model
    zero = outcome.decision.head.zero_option
    order = outcome.joint.ranking
    shown = {s.option: _option_name(outcome, s.option, language) for s in order}
    parts = [
        Series(
            words.get(language),
            tuple(100 * sum(s.parts[c.id] for c in model.members(group)) for s in order),
        )
        for group, words in model.groups
    ]
    about = "; ".join(f"{named[s.option]} {points(s.value, language)}" for s in order)
    chart = charts.stacked("groups", say("chart.groups", language), about,
                           [shown[s.option] for s in order], parts,
                           [points(s.value, language) for s in order],
                           say("chart.points", language))  # fmt: skip
    header = [say("word.option", language), say("word.rank", language),
              *(words.get(language) for _, words in model.groups),
              say("word.value", language), say("word.veto", language)]  # fmt: skip
    rows = [
        [shown[s.option], str(s.rank),
         *(points(part.values[i] / 100, language) for part in parts),
         points(s.value, language), ", ".join(s.vetoed_by) or say("word.none", language)]
        for i, s in enumerate(order)
    ]  # fmt: skip
    listed = [
        tag("dt", text(named[o.id] + (f" ({say('word.zero', language)})" if o.id == zero else "")))
        + tag("dd", text(o.about.get(language)))
        for o in outcome.decision.options
        if o.about
    ]
    return [
        paragraph(say("ranking.help", language)),
        *([tag("dl", *(Html(item) for item in listed))] if listed else []),
        _figure(chart, say("chart.groups", language)),
        table(say("report.ranking", language), header, rows),
    ]


def sure(outcome: Outcome, language: Language) -> list[Html]:
    order = [s.option for s in outcome.joint.ranking]
    places = [str(i + 1) for i in range(len(order))]
    group, criterion = (outcome.acceptability[per] for per in ("group", "criterion"))
    shares = [group.ranks[o][:10] for o in order]
    printed = [[percent(x, language) for x in row] for row in shares]
    named = [_option_name(outcome, o, language) for o in order]
    about = "; ".join(f"{n}: {row[0]}" for n, row in zip(named, printed, strict=True))
    chart = charts.heat("heat", say("chart.heat", language), about, named, places[:10], shares,
                        printed, say("chart.place", language))  # fmt: skip
    first = say("word.first", language)
    compare = [
        [n, percent(group.ranks[o][0], language), percent(criterion.ranks[o][0], language),
         percent(outcome.weights_only.ranks[o][0], language),
         percent(group.vetoed[o], language)]
        for n, o in zip(named, order, strict=True)
    ]  # fmt: skip
    columns = [say("word.option", language), f"{first} ({say('word.per_group', language)})",
               f"{first} ({say('word.per_criterion', language)})",
               f"{first} ({say('sure.weights_only', language)})",
               say("sure.vetoed", language)]  # fmt: skip
    option = say("word.option", language)
    return [
        paragraph(say("sure.help", language)),
        _figure(chart, say("chart.heat", language)),
        table(say("report.acceptability", language), [option, *places[:10]],
              [[n, *row] for n, row in zip(named, printed, strict=True)]),
        table(say("sure.compare", language), columns, compare),
        _central(outcome, language, order),
    ]  # fmt: skip


def _central(outcome: Outcome, language: Language, order: list[str]) -> Html:
    """Which weights make an option first: the mean over the draws that it won."""
    central = outcome.acceptability["group"].central
    winning = [o for o in order if o in central]
    named = names(outcome, language)
    header = [say("word.criterion", language), *(named[o] for o in winning)]
    rows = [
        [_criterion_name(c, language), *(percent(central[o][c.id], language) for o in winning)]
        for c in outcome.decision.model.criteria
    ]
    return table(say("sure.central", language), header, rows)


def change(outcome: Outcome, language: Language) -> list[Html]:
    named = names(outcome, language)
    parts = [paragraph(say("change.help", language))]
    bars = outcome.bars[:_ROWS_OF_TORNADO]
    if bars:
        first, others = contest(outcome.joint.ranking)
        lead = first.value - others[0].value
        model = outcome.decision.model
        rows = [_criterion_name(model.criterion(b.criterion), language) for b in bars]
        labels = tuple(say(f"tornado.{k}", language) for k in ("weight", "score", "tie"))
        title = say("chart.tornado", language, first=named[first.option],
                    second=named[others[0].option])  # fmt: skip
        about = say("tornado.about", language, lead=points(lead, language), widest=rows[0])
        chart = charts.tornado(
            "tornado", title, about, rows,
            [(100 * b.weight_low, 100 * b.weight_high) for b in bars],
            [(100 * b.score_low, 100 * b.score_high) for b in bars],
            100 * lead, (labels[0], labels[1], labels[2]), say("tornado.axis", language),
        )  # fmt: skip
        header = [say("word.criterion", language), say("tornado.zero", language),
                  say("tornado.double", language), say("tornado.worst", language),
                  say("tornado.best", language)]  # fmt: skip
        cells = [
            [name, *(points(x, language) for x in
                     (b.weight_low, b.weight_high, b.score_low, b.score_high))]
            for name, b in zip(rows, bars, strict=True)
        ]  # fmt: skip
        parts += [_figure(chart, title), table(title, header, cells)]
    return [*parts, _weight_flips(outcome, language), _score_flips(outcome, language)]


def _weight_flips(outcome: Outcome, language: Language) -> Html:
    named = names(outcome, language)
    rows = []
    for flip in outcome.weight_flips:
        needed = say("word.never", language)
        if flip.needed is not None:
            needed = percent(flip.needed, language)
        rows.append([
            _flip_name(outcome, flip.name, flip.is_group, language), percent(flip.now, language),
            needed, named.get(flip.challenger, "–"),
        ])  # fmt: skip
    header = [say("word.weight", language), say("word.now", language),
              say("word.needed", language), say("word.new_first", language)]  # fmt: skip
    return table(say("change.weights", language), header, rows)


def _score_flips(outcome: Outcome, language: Language) -> Html:
    named, model = names(outcome, language), outcome.decision.model
    if not outcome.score_flips:
        return paragraph(say("change.no_scores", language))
    rows = []
    for flip in outcome.score_flips[:_ROWS_OF_FLIPS]:
        c = model.criterion(flip.criterion)
        unit = _unit(c.unit, language)
        past = f" ({say(f'word.veto_{flip.veto}', language)})" if flip.veto else ""
        rows.append([
            f"{named[flip.option]}: {_criterion_name(c, language)}",
            f"{amount(flip.now, language)} {unit}",
            f"{amount(flip.needed, language)} {unit}{past}",
            percent(flip.step, language), named[flip.challenger],
        ])  # fmt: skip
    header = [say("change.score", language), say("word.now", language),
              say("word.needed", language), say("change.step", language),
              say("word.new_first", language)]  # fmt: skip
    return table(say("change.scores", language), header, rows)


def people(outcome: Outcome, language: Language) -> list[Html]:
    d = outcome.dispute
    named, model = names(outcome, language), outcome.decision.model
    who = {v.name: view_name(outcome, v, language) for v in outcome.views}
    views = (outcome.joint, *outcome.views, outcome.equal)
    readings = [
        [view_name(outcome, v, language), say(f"word.per_{v.per}", language),
         _order(outcome, v, "group", language), _order(outcome, v, "criterion", language)]
        for v in views
    ]  # fmt: skip
    header = [say("word.stakeholder", language), say("people.chosen", language),
              say("people.by_group", language), say("people.by_criterion", language)]  # fmt: skip
    gaps = [
        [_criterion_name(model.criterion(g.criterion), language),
         f"{percent(g.low, language)} ({who[g.low_by]})",
         f"{percent(g.high, language)} ({who[g.high_by]})", percent(g.width, language)]
        for g in d.gaps[:8]
    ]  # fmt: skip
    regret = [
        [named[o.id], *(points(d.regret[p][o.id], language) for p in who)]
        for o in outcome.decision.options
    ]
    agreement = [
        [f"{who[a]} – {who[b]}", amount(round(tau, 2), language)]
        for (a, b), tau in d.agreement.items()
    ]
    return [
        paragraph(say("people.help", language)),
        _counted(outcome, language),
        table(say("people.readings", language), header, readings, numbers_from=9),
        _shares(outcome, language, views),
        table(say("people.gaps", language),
              [say("word.criterion", language), say("people.lowest", language),
               say("people.highest", language), say("people.width", language)], gaps),
        table(say("people.regret", language),
              [say("word.option", language), *who.values()], regret),
        paragraph(say("people.compromise", language, name=together(
            (named[o] for o in d.compromises), language))),
        table(say("people.agreement", language),
              [say("people.pair", language), "τ"], agreement) if agreement else Html(""),
    ]  # fmt: skip


def _counted(outcome: Outcome, language: Language) -> Html:
    """Who counted, as what, and for how much of the joint weight."""
    rows = [
        [name, how, percent(share, language) if share is not None else "–"]
        for name, how, share in counted(outcome, language)
    ]
    header = [say("word.stakeholder", language), say("people.counts", language),
              say("people.share", language)]  # fmt: skip
    return table(say("people.counted", language), header, rows, numbers_from=2)


def _shares(outcome: Outcome, language: Language, views: tuple[View, ...]) -> Html:
    model = outcome.decision.model
    rows = []
    for view in views:
        for per in ("group", "criterion"):
            found = weights.shares(view.reading_weights[per], model)
            label = f"{view_name(outcome, view, language)}, {say(f'word.per_{per}', language)}"
            chosen = f" ({say('people.chosen', language).lower()})" if view.per == per else ""
            rows.append(
                [label + chosen, *(percent(found[group], language) for group, _ in model.groups)]
            )
    header = [say("word.stakeholder", language), *(w.get(language) for _, w in model.groups)]
    return table(say("people.shares", language), header, rows)


def vetoes_and_overlaps(outcome: Outcome, language: Language) -> list[Html]:
    named = names(outcome, language)
    lines = []
    for c in outcome.decision.model.criteria:
        if c.veto is None:
            continue
        unit = _unit(c.unit, language)
        key = "veto.below" if c.higher_is_better else "veto.above"
        lines.append(say(key, language, name=_criterion_name(c, language),
                         line=f"{amount(float(c.veto), language)} {unit}"))  # fmt: skip
    found = [p.show(language) for p in outcome.findings if p.code in ("veto.passed", "veto.near")]
    parts = [
        paragraph(say("vetoes.help", language)),
        bullets(lines) if lines else paragraph(say("vetoes.no_lines", language)),
        bullets(found) if found else paragraph(say("vetoes.none", language)),
    ]
    rows = [
        [w.left_out, w.kept, together((named[o] for o in w.tied), language)]
        for w in outcome.without
    ]
    if rows:
        why = [
            f"{o.first} – {o.second}: {o.why.get(language)}"
            for o in outcome.decision.model.overlaps
        ]
        header = [say("overlap.left_out", language), say("overlap.kept", language),
                  say("overlap.first", language)]  # fmt: skip
        parts += [paragraph(say("overlap.help", language)), bullets(why),
                  table(say("overlap.table", language), header, rows)]  # fmt: skip
    return parts


def cross(outcome: Outcome, language: Language) -> list[Html]:
    assert outcome.crosscheck is not None
    named = names(outcome, language)
    rows = [[say("cross.additive", language), _ranked(outcome.joint.ranking, named)]]
    rows += [
        [say(f"cross.{method}", language),
         " › ".join(" = ".join(named[o] for o in same) for same in found)]
        for method, found in outcome.crosscheck.levels.items()
    ]  # fmt: skip
    header = [say("cross.method", language), say("word.order", language)]
    return [
        paragraph(say("cross.help", language)),
        table(say("report.crosscheck", language), header, rows, numbers_from=9),
    ]


def _order(outcome: Outcome, view: View, per: str, language: Language) -> str:
    return _ranked(view.readings[per], names(outcome, language))


def _ranked(ranking: tuple[Standing, ...], named: Mapping[str, str]) -> str:
    return " › ".join(" = ".join(named[s.option] for s in same) for same in levels(ranking))


def _option_name(outcome: Outcome, option: str, language: Language) -> str:
    name = outcome.decision.option(option).name.get(language)
    if outcome.vetoes[option]:
        return f"{name} ({say('word.veto', language).lower()})"
    return name


def _criterion_name(c: Criterion, language: Language) -> str:
    return f"{c.id}. {c.name.get(language)}"


def _flip_name(outcome: Outcome, name: str, is_group: bool, language: Language) -> str:
    model = outcome.decision.model
    if is_group:
        words = dict(model.groups)[name]
        return f"{say('word.group', language)} {words.get(language)}"
    return _criterion_name(model.criterion(name), language)


def _in_sentence(outcome: Outcome, name: str, is_group: bool, language: Language) -> str:
    """`criterion 6 (Future-proofness)`: a number with a point would end the sentence."""
    model = outcome.decision.model
    if is_group:
        return say("word.group", language).lower() + " " + dict(model.groups)[name].get(language)
    word = say("word.criterion", language).lower()
    return f"{word} {name} ({model.criterion(name).name.get(language)})"


def _unit(unit: str, language: Language) -> str:
    return dutch(unit) if language == "nl" else unit


def _figure(chart: Html, caption: str) -> Html:
    return tag("figure", tag("figcaption", text(caption)), chart)
