"""Which inputs of two states of a decision differ, one by one, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from weeg.feeds import Used
from weeg.figure import Range
from weeg.folder import Decision
from weeg.weigh import Outcome


@dataclass(frozen=True, slots=True)
class Change:
    """One input that differs: `what` is a kind of text, `before` or `after` empty if absent."""

    what: str
    name: str
    before: str
    after: str


def scales(outcome: Outcome) -> dict[str, tuple[object, ...]]:
    return {
        c.id: (c.worst.value, c.best.value, c.unit, c.veto) for c in outcome.decision.model.criteria
    }


def changes(old: Outcome, new: Outcome) -> Iterator[Change]:
    yield from _pairs("as_of", {"": str(old.decision.as_of)}, {"": str(new.decision.as_of)})
    yield from _pairs("criterion", _shown_scales(old), _shown_scales(new))
    yield from _pairs("option", _options(old), _options(new))
    yield from _pairs("score", _cells(old), _cells(new))
    for mine in new.decision.profiles:
        theirs = next((p for p in old.decision.profiles if p.stakeholder == mine.stakeholder), None)
        before = {} if theirs is None else _weights(mine.stakeholder, theirs.weights)
        yield from _pairs("weight", before, _weights(mine.stakeholder, mine.weights))
    gone = {p.stakeholder for p in old.decision.profiles}
    gone -= {p.stakeholder for p in new.decision.profiles}
    for name in sorted(gone):
        yield Change("stakeholder", name, name, "")
    yield from _pairs("money", _money(old), _money(new))
    yield from _pairs("veto", _vetoes(old), _vetoes(new))
    yield from _pairs("voices", _voices(old), _voices(new))
    for what, told in _RECORDED.items():
        yield from _pairs(what, told(old.decision), told(new.decision))


def _pairs(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*after, *before)):
        if before.get(name) != after.get(name):
            yield Change(what, name, before.get(name, ""), after.get(name, ""))


def _shown_scales(outcome: Outcome) -> dict[str, str]:
    return {
        name: f"{worst:f}..{best:f} {unit}" + (f", veto {veto:f}" if veto is not None else "")
        for name, (worst, best, unit, veto) in scales(outcome).items()
    }


def _options(outcome: Outcome) -> dict[str, str]:
    return {o.id: o.id for o in outcome.decision.options}


def _cells(outcome: Outcome) -> dict[str, str]:
    return {
        f"{option}/{criterion}": _cell(used)
        for option, cells in outcome.decision.used.items()
        for criterion, used in cells.items()
    }


def _cell(used: Used) -> str:
    text = _range(used.value)
    when = f", {used.measure.time.date()}" if used.measure else ""
    return text if used.state == "typed" else f"{text} [{used.state}{when}]"


def _range(value: Range) -> str:
    if value.certain:
        return f"{value.mode:f}"
    return f"{value.low:f}|{value.mode:f}|{value.high:f}"


def _weights(who: str, given: Mapping[str, float]) -> dict[str, str]:
    return {f"{who}/{c}": f"{weight:.1%}" for c, weight in given.items()}


def _money(outcome: Outcome) -> dict[str, str]:
    return {
        f"{option}/{name}": _range(money.of(name))
        for option, money in outcome.decision.money.items()
        for name in ("npv", "tco", "unit_price", "unlawful", "double_running")
    }


def _vetoes(outcome: Outcome) -> dict[str, str]:
    return {option: ", ".join(by) for option, by in outcome.vetoes.items() if by}


def _voices(outcome: Outcome) -> dict[str, str]:
    """Who counts, and as what."""
    return {
        name: "advises" if one.advises else one.group or "itself"
        for name, one in outcome.decision.head.stakeholders.items()
    }


def _duties(decision: Decision) -> dict[str, str]:
    return {
        f"{o.id}/{d.part}": f"{d.who}, {d.start}..{d.until}"
        for o in decision.options
        for d in o.duties
    }


def _risks(decision: Decision) -> dict[str, str]:
    return {
        f"{o.id}/{r.what}": f"{r.chance}, {r.effect}, {r.owner}, {r.control}"
        for o in decision.options
        for r in o.risks
    }


def _choice(decision: Decision) -> dict[str, str]:
    found = decision.head.chosen
    return {"": f"{found.option}, {found.day}, {found.by}, {found.dissent}"} if found else {}


def _advice(decision: Decision) -> dict[str, str]:
    return {f"{a.who}: {a.what}": f"{a.followed}, {a.why}" for a in decision.advice or ()}


def _inventory(decision: Decision) -> dict[str, str]:
    return {p.part: f"{p.lines}, {p.verdict}" for p in decision.inventory or ()}


_RECORDED = {
    "responsibility": _duties, "risk": _risks, "chosen": _choice, "advice": _advice,
    "inventory": _inventory,
}  # fmt: skip
