"""Everything that follows from a decision, computed once for the table, the page and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from weeg import additive, crosscheck, dispute, flips, smaa, voices, weights
from weeg.additive import Scores, Standing
from weeg.checks import findings
from weeg.crosscheck import CrossCheck
from weeg.dispute import Dispute
from weeg.flips import Bar, ScoreFlip, WeightFlip
from weeg.folder import Decision
from weeg.problem import Problem
from weeg.smaa import Acceptability

READINGS = ("group", "criterion")


@dataclass(frozen=True, slots=True)
class View:
    """One set of weights and the ranking it gives, under both readings of the points."""

    name: str
    per: str
    weights: Mapping[str, float]
    ranking: tuple[Standing, ...]
    readings: Mapping[str, tuple[Standing, ...]]
    reading_weights: Mapping[str, Mapping[str, float]]

    @property
    def turns(self) -> bool:
        """Whether the two readings put another option first."""
        return len({ranking[0].option for ranking in self.readings.values()}) > 1


@dataclass(frozen=True, slots=True)
class Without:
    """Who is first when one of two overlapping criteria is left out."""

    left_out: str
    kept: str
    first: str
    tied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    decision: Decision
    scores: Scores
    vetoes: Mapping[str, tuple[str, ...]]
    joint: View
    views: tuple[View, ...]
    equal: View
    acceptability: Mapping[str, Acceptability]
    weights_only: Acceptability
    weight_flips: tuple[WeightFlip, ...]
    score_flips: tuple[ScoreFlip, ...]
    bars: tuple[Bar, ...]
    dispute: Dispute
    without: tuple[Without, ...]
    crosscheck: CrossCheck | None
    findings: tuple[Problem, ...]

    @property
    def winner(self) -> Standing:
        return self.joint.ranking[0]


def weigh(decision: Decision, *, cross: bool = False) -> Outcome:
    model, used, head = decision.model, decision.used, decision.head
    values = additive.scores(model, used)
    vetoed = additive.vetoes(model, used)

    def view(name: str, per: str, by: Mapping[str, Mapping[str, float]]) -> View:
        readings = {reading: additive.rank(values, by[reading], vetoed) for reading in READINGS}
        return View(name, per, by[per], readings[per], readings, by)

    views = tuple(
        view(p.stakeholder, p.per, {"group": p.by_group, "criterion": p.by_criterion})
        for p in decision.profiles
    )
    joint = _joint(decision, values, vetoed)
    equal = view("equal", "group", {per: weights.equal(model, per) for per in READINGS})
    drawn = {
        per: smaa.draw(model, used, seed=head.seed, draws=head.draws, per=per) for per in READINGS
    }
    alone = smaa.draw(model, used, seed=head.seed, draws=head.draws, per="group", vary_scores=False)
    by_person = {v.name: v for v in views}
    check = crosscheck.check(model, used, joint.weights, vetoed) if cross else None
    return Outcome(
        decision, values, vetoed, joint, views, equal, drawn, alone,
        flips.weight_flips(model, values, joint.weights, joint.ranking),
        flips.score_flips(model, used, values, joint.weights, joint.ranking),
        flips.tornado(model, used, values, joint.weights, joint.ranking),
        dispute.between(
            {n: v.weights for n, v in by_person.items()},
            {n: v.ranking for n, v in by_person.items()},
            [additive.rank(values, voice.weights(), vetoed) for voice in decision.voices],
        ),
        _without(decision, values, vetoed, joint.weights),
        check,
        findings(decision),
    )  # fmt: skip


def _joint(decision: Decision, values: Scores, vetoed: Mapping[str, tuple[str, ...]]) -> View:
    """The mean of all that count, each in its own reading; and both readings of all."""
    chosen = voices.joint(decision.voices)
    by = {per: voices.joint(decision.voices, per) for per in READINGS}
    readings = {per: additive.rank(values, by[per], vetoed) for per in READINGS}
    return View("joint", "own", chosen, additive.rank(values, chosen, vetoed), readings, by)


def _without(
    decision: Decision,
    values: Scores,
    vetoed: Mapping[str, tuple[str, ...]],
    joint: Mapping[str, float],
) -> tuple[Without, ...]:
    found = []
    for overlap in decision.model.overlaps:
        for left_out, kept in ((overlap.first, overlap.second), (overlap.second, overlap.first)):
            rest = 1 - joint[left_out]
            if rest <= 0:
                continue
            less = {c: 0.0 if c == left_out else w / rest for c, w in joint.items()}
            first = additive.levels(additive.rank(values, less, vetoed))[0]
            found.append(Without(left_out, kept, first[0].option, tuple(s.option for s in first)))
    return tuple(found)
