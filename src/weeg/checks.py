"""What should be said about a decision that can be weighed: warnings to answer, notes to know."""

from __future__ import annotations

from collections.abc import Iterator

from weeg import additive, voices
from weeg.advice import FILE as ADVICE
from weeg.folder import FILE, Decision
from weeg.inventory import FILE as INVENTORY
from weeg.measured import unpublished
from weeg.model import FILE as MODEL
from weeg.problem import Place, Problem, Severity, clean
from weeg.sources import contract_cell


def findings(decision: Decision) -> tuple[Problem, ...]:
    """Warnings first, then notes; within each the order of the files."""
    found = [
        *decision.problems,
        *_sourceless(decision),
        *_old_sources(decision),
        *_missing_money(decision),
        *_vetoes(decision),
        *_overlaps(decision),
        *_alone(decision),
        *_missing(decision),
    ]
    return tuple(sorted(found, key=lambda p: -p.severity))


def _sourceless(decision: Decision) -> Iterator[Problem]:
    """Typed numbers, cost lines and weights that no row of sources.csv covers."""
    for option, cells in decision.used.items():
        for criterion, used in cells.items():
            covered = decision.sources.of(f"{option}/{criterion}")
            if used.state in ("typed", "fallback") and not covered:
                place = decision.cells.cells[option][criterion].place
                yield _warning("source.none", place, cell=f"{option}/{criterion}")
    for option, costs in decision.costs.options.items() if decision.costs else ():
        lines = [(line.id, line.place) for line in costs.lines]
        lines += [("double_running", costs.double_running.place)] if costs.double_running else []
        for line, place in lines:
            cell = f"costs/{option}/{line}"
            if not decision.sources.of(cell):
                yield _warning("source.none", place, cell=cell)
        for contract in costs.unlawful:
            cell = contract_cell(option, contract.name)
            if not decision.sources.of_contract(option, contract.name):
                yield _warning("source.none", contract.stretch.place, cell=cell)
    if decision.costs and not decision.sources.of("costs/volume"):
        yield _warning("source.none", Place("costs.yaml"), cell="costs/volume")
    for profile in decision.profiles:
        cell = f"weights/{profile.stakeholder}"
        if not decision.sources.of(cell):
            yield _warning("source.none", profile.place, cell=cell)


def _old_sources(decision: Decision) -> Iterator[Problem]:
    for row in decision.sources.rows:
        if row.date > decision.as_of:
            yield _warning("source.future", row.place, date=row.date, as_of=decision.as_of)


def _missing_money(decision: Decision) -> Iterator[Problem]:
    if decision.costs is None:
        yield _warning("money.none", Place("costs.yaml"))
        return
    for option in decision.options:
        if option.id not in decision.money:
            yield _warning("money.option", Place("costs.yaml"), id=option.id)
    if decision.costs.splits is None:
        yield _note("money.split", Place("costs.yaml"))


def _vetoes(decision: Decision) -> Iterator[Problem]:
    vetoed = additive.vetoes(decision.model, decision.used)
    for option, criteria in vetoed.items():
        for criterion in decision.model.criteria:
            used = decision.used[option][criterion.id]
            place = decision.cells.cells[option][criterion.id].place
            values = {"option": option, "id": criterion.id, "line": criterion.veto,
                      "value": used.value.mode, "unit": criterion.unit}  # fmt: skip
            if criterion.id in criteria:
                yield _note("veto.passed", place, **values)
            elif criterion.vetoes(used.value.low) or criterion.vetoes(used.value.high):
                yield _note("veto.near", place, **values)
    if all(vetoed.values()):
        yield _warning("veto.all", Place(FILE))


def _overlaps(decision: Decision) -> Iterator[Problem]:
    joint = voices.joint(decision.voices)
    for overlap in decision.model.overlaps:
        share = joint[overlap.first] + joint[overlap.second]
        yield _note("overlap", Place(MODEL), first=overlap.first, second=overlap.second,
                    why_nl=overlap.why.nl, why_en=overlap.why.en, share=f"{share:.1%}")  # fmt: skip


def _alone(decision: Decision) -> Iterator[Problem]:
    if len(decision.options) == 1:
        yield _warning("decision.alone", Place(FILE))
    if len(decision.voices) == 1:
        yield _note("decision.one_voice", Place(FILE))


def unsaid(decision: Decision) -> tuple[Problem, ...]:
    """What `weeg check` tells besides: parts of the folder and measurements that are not there."""
    return (*_unrecorded(decision), *_unmeasured(decision))


def _unrecorded(decision: Decision) -> Iterator[Problem]:
    begun = decision.advice is not None or decision.inventory is not None or decision.head.chosen
    if not begun and not any(o.duties or o.risks for o in decision.options):
        yield _note("record.none", Place(FILE))


def _unmeasured(decision: Decision) -> Iterator[Problem]:
    """Measurements that a feed or the model names and that nothing publishes."""
    for feed in decision.feeds.values():
        if unpublished([feed.measure]):
            yield _note("measures.nobody", feed.place, names=feed.measure)
    silent = [
        f"{name} ({c.id})" for c in decision.model.criteria for name in unpublished(c.measures)
    ]
    if silent:
        values = {"names": ", ".join(silent)}  # all of our own list: nothing to clean or cut
        yield Problem("measures.nobody", Place(MODEL), values, Severity.NOTE)


def _missing(decision: Decision) -> Iterator[Problem]:
    """What is missing in a part that was begun."""
    if chosen := decision.head.chosen:
        yield from _gaps("chosen", chosen.place, chosen.missing())
    for option in decision.options:
        for duty in option.duties:
            yield from _gaps(f"{option.id}, responsibility", duty.place, duty.missing())
        for risk in option.risks:
            yield from _gaps(f"{option.id}, risks", risk.place, risk.missing())
        place = decision.head.option_places.get(option.id, Place(FILE))
        if not option.duties and any(o.duties for o in decision.options):
            yield _warning("record.duties", place, id=option.id)
        if not option.risks and any(o.risks for o in decision.options):
            yield _warning("record.risks", place, id=option.id)
    for point in decision.advice or ():
        yield from _gaps(point.who, point.place, point.missing())
    for part in decision.inventory or ():
        yield from _gaps(part.part, part.place, part.missing())
    for file, rows in ((ADVICE, decision.advice), (INVENTORY, decision.inventory)):
        if rows == ():
            yield _warning("record.empty", Place(file))


def _gaps(part: str, place: Place, missing: Iterator[str]) -> Iterator[Problem]:
    for name in missing:
        yield _warning("record.missing", place, part=part or "–", name=name)


def _warning(code: str, place: Place, /, **values: object) -> Problem:
    return Problem(code, place, clean(values), Severity.WARNING)


def _note(code: str, place: Place, /, **values: object) -> Problem:
    return Problem(code, place, clean(values), Severity.NOTE)
