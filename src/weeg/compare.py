"""Two states of a decision: what changed, and why the ranking moved.

A total is the sum of weight times score. Its change falls apart exactly: per criterion, the change
of the score at the mean weight plus the change of the weight at the mean score. So the move of one
option past another is the sum of named parts, with nothing left over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from weeg.additive import levels
from weeg.changes import Change, changes, scales
from weeg.shown import local, points, together
from weeg.texts import Language, say
from weeg.weigh import Outcome

Levels = tuple[tuple[str, ...], ...]
"""Options best first; those that tie stand together."""
_TINY = 1e-9
_MOST_REASONS = 6


@dataclass(frozen=True, slots=True)
class Reason:
    criterion: str
    by: str
    effect: float


@dataclass(frozen=True, slots=True)
class Swap:
    """`up` stood behind `down` and now stands before it; reasons largest first."""

    up: str
    down: str
    before: float
    after: float
    reasons: tuple[Reason, ...]
    by_veto: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen option, its rank now, and the others that stand first."""

    option: str
    rank: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    changes: tuple[Change, ...]
    order_before: Levels
    order_after: Levels
    totals: Mapping[str, tuple[float | None, float | None]]
    reasons: Mapping[str, tuple[Reason, ...]]
    swaps: tuple[Swap, ...]
    hashes: tuple[str, str]
    same_scales: bool
    chosen: Chosen | None

    @property
    def moved(self) -> bool:
        return self.order_before != self.order_after


def between(old: Outcome, new: Outcome) -> Comparison:
    before = {s.option: s for s in old.joint.ranking}
    after = {s.option: s for s in new.joint.ranking}
    both = [o for o in after if o in before]
    reasons = {o: _reasons(_parts(old, new, o)) for o in both}
    totals = {
        o: (before[o].value if o in before else None, after[o].value if o in after else None)
        for o in [*after, *(o for o in before if o not in after)]
    }
    return Comparison(
        tuple(changes(old, new)), _levels(old), _levels(new), totals, reasons,
        tuple(_swaps(old, new, both)), (old.decision.digest, new.decision.digest),
        scales(old) == scales(new),
        standing(new, old),
    )  # fmt: skip


def _levels(outcome: Outcome) -> Levels:
    return tuple(tuple(s.option for s in same) for same in levels(outcome.joint.ranking))


def standing(now: Outcome, before: Outcome | None = None) -> Chosen | None:
    """Where the chosen option stands now; the choice is that of `before` when `now` has none."""
    said = now.decision.head.chosen or (before and before.decision.head.chosen)
    ranks = {s.option: s.rank for s in now.joint.ranking}
    if not said or said.option not in ranks:
        return None
    first = tuple(o for o in _levels(now)[0] if o != said.option)
    return Chosen(said.option, ranks[said.option], first)


def _parts(old: Outcome, new: Outcome, option: str) -> list[Reason]:
    """Every criterion twice: what its score did and what its weight did."""
    found = []
    for c in dict.fromkeys((*old.decision.model.ids, *new.decision.model.ids)):
        w0, w1 = old.joint.weights.get(c, 0.0), new.joint.weights.get(c, 0.0)
        v0, v1 = old.scores[option].get(c, 0.0), new.scores[option].get(c, 0.0)
        found.append(Reason(c, "score", (w0 + w1) / 2 * (v1 - v0)))
        found.append(Reason(c, "weight", (v0 + v1) / 2 * (w1 - w0)))
    return found


def _reasons(parts: list[Reason]) -> tuple[Reason, ...]:
    kept = [r for r in parts if abs(r.effect) > _TINY]
    return tuple(sorted(kept, key=lambda r: -abs(r.effect)))


def _swaps(old: Outcome, new: Outcome, both: list[str]) -> Iterator[Swap]:
    before = {s.option: s for s in old.joint.ranking}
    after = {s.option: s for s in new.joint.ranking}
    for a, b in combinations(both, 2):
        if (before[a].rank - before[b].rank) * (after[a].rank - after[b].rank) >= 0:
            continue
        up, down = (a, b) if after[a].rank < after[b].rank else (b, a)
        parts = [
            Reason(mine.criterion, mine.by, mine.effect - theirs.effect)
            for mine, theirs in zip(_parts(old, new, up), _parts(old, new, down), strict=True)
        ]
        vetoed = {o: before[o].vetoed != after[o].vetoed for o in (up, down)}
        lead = [place[up].value - place[down].value for place in (before, after)]
        yield Swap(up, down, lead[0], lead[1], _reasons(parts), any(vetoed.values()))


def lines(found: Comparison, language: Language) -> Iterator[str]:
    """The comparison as text, ranking first."""
    before, after = _shown(found.order_before), _shown(found.order_after)
    key = "diff.moved" if found.moved else "diff.stays"
    yield say(key, language, before=before, after=after)
    if found.chosen:
        yield leads(found.chosen, language)
    if not found.same_scales:
        yield say("diff.scales", language)
    for option, (old, new) in found.totals.items():
        shown = [points(v, language) if v is not None else "–" for v in (old, new)]
        yield say("diff.total", language, option=option, before=shown[0], after=shown[1])
        for reason in found.reasons.get(option, ())[:_MOST_REASONS]:
            yield "    " + _reason(reason, language)
    for swap in found.swaps:
        lead = (points(swap.before, language), points(swap.after, language))
        yield say("diff.swap", language, up=swap.up, down=swap.down, before=lead[0], after=lead[1])
        if swap.by_veto:
            yield "    " + say("diff.veto", language)
        for reason in swap.reasons[:_MOST_REASONS]:
            yield "    " + _reason(reason, language)
    yield say("diff.changes" if found.changes else "diff.same", language)
    for change in found.changes:
        what = say(f"diff.what.{change.what}", language)
        yield f"  {what} {change.name}: {change.before or '–'} -> {change.after or '–'}"
    yield say("diff.hashes", language, before=found.hashes[0], after=found.hashes[1])


def _shown(found: Levels) -> str:
    return " > ".join(" = ".join(same) for same in found)


def leads(chosen: Chosen, language: Language, named: Mapping[str, str] | None = None) -> str:
    """Whether the chosen option still stands first; by id, or by the names given."""
    option, *first = [(named or {}).get(o, o) for o in (chosen.option, *chosen.first)]
    others = together(first, language) if first else ""
    if chosen.rank > 1:
        return say("diff.behind", language, option=option, rank=chosen.rank, first=others)
    return say("diff.shares" if others else "diff.leads", language, option=option, others=others)


def _reason(reason: Reason, language: Language) -> str:
    effect = local(f"{reason.effect * 100:+.1f}", language)
    return say(f"diff.by_{reason.by}", language, id=reason.criterion, effect=effect)


def _flat(found: Levels) -> list[str]:
    return [option for same in found for option in same]


def _tied(found: Levels) -> list[list[str]]:
    return [list(same) for same in found if len(same) > 1]


def dumps(found: Comparison) -> str:
    def reasons(items: tuple[Reason, ...]) -> list[dict[str, object]]:
        return [{"criterion": r.criterion, "by": r.by, "effect": round(r.effect, 9)} for r in items]

    return json.dumps(
        {
            "moved": found.moved,
            "before": {"input_hash": found.hashes[0], "order": _flat(found.order_before),
                       "ties": _tied(found.order_before)},
            "after": {"input_hash": found.hashes[1], "order": _flat(found.order_after),
                      "ties": _tied(found.order_after)},
            "same_scales": found.same_scales,
            "chosen": found.chosen and {
                "option": found.chosen.option, "rank": found.chosen.rank,
                "leads": found.chosen.rank == 1, "first": list(found.chosen.first),
            },
            "totals": {
                option: [None if v is None else round(v, 9) for v in pair]
                for option, pair in found.totals.items()
            },
            "reasons": {option: reasons(items) for option, items in found.reasons.items()},
            "swaps": [
                {"up": s.up, "down": s.down, "before": round(s.before, 9),
                 "after": round(s.after, 9), "by_veto": s.by_veto, "reasons": reasons(s.reasons)}
                for s in found.swaps
            ],
            "changes": [
                {"what": c.what, "name": c.name, "before": c.before, "after": c.after}
                for c in found.changes
            ],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )  # fmt: skip
