"""Additive value, SMAA, flips, disagreement, cross-check: on problems with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.weeg_problems import cells, criterion, model, spread
from weeg import additive, crosscheck, dispute, flips, smaa, weights
from weeg.model import Model

DRAWS = 100_000
FOUR_SIGMA = 4 * math.sqrt(0.25 / DRAWS)


def _accept(m: Model, used: dict, **more: object) -> smaa.Acceptability:
    return smaa.draw(m, used, seed=7, draws=DRAWS, per=str(more.pop("per", "criterion")))


def test_scores_lie_between_the_described_end_points() -> None:
    up, down = criterion("u"), criterion("d", worst="60", best="10")
    m = model(up, down)
    used = cells(m.criteria, {"a": (25, 35), "b": (100, 10), "c": (0, 60)})
    assert additive.scores(m, used) == {
        "a": {"u": 0.25, "d": 0.5},
        "b": {"u": 1.0, "d": 1.0},
        "c": {"u": 0.0, "d": 0.0},
    }


def test_veto_beats_score_in_both_directions() -> None:
    m = model(criterion("u", veto="40"), criterion("d", worst="60", best="0", veto="50"))
    used = cells(m.criteria, {"low": (39, 0), "high": (100, 51), "plain": (40, 50)})
    vetoed = additive.vetoes(m, used)
    assert vetoed == {"low": ("u",), "high": ("d",), "plain": ()}
    ranking = additive.rank(additive.scores(m, used), {"u": 0.5, "d": 0.5}, vetoed)
    assert ranking[0].option == "plain"
    assert ranking[0].value < min(s.value for s in ranking[1:])


def test_equal_values_share_a_rank() -> None:
    m = model(criterion("u"))
    used = cells(m.criteria, {"c": (10,), "b": (50,), "a": (50,)})
    ranking = additive.rank(additive.scores(m, used), {"u": 1.0}, {})
    assert [(s.option, s.rank) for s in ranking] == [("a", 1), ("b", 1), ("c", 3)]


@pytest.mark.parametrize("height", ["20", "50", "100"])
def test_smaa_agrees_with_the_closed_form(height: str) -> None:
    # a is best on one, b reaches `height` on the other: a wins when w > h/(1+h), w even on 0..1.
    m = model(criterion("1"), criterion("2"))
    found = _accept(m, cells(m.criteria, {"a": (100, 0), "b": (0, height)}))
    share = float(height) / 100
    assert found.ranks["a"][0] == pytest.approx(1 / (1 + share), abs=FOUR_SIGMA)
    assert found.ranks["a"][0] + found.ranks["b"][0] == pytest.approx(1)
    # and its central weight is the middle of the stretch it wins
    assert found.central["a"]["1"] == pytest.approx((1 + share / (1 + share)) / 2, abs=0.01)


def test_weights_drawn_per_group_give_small_groups_their_share() -> None:
    m = model(criterion("1", "A"), *(criterion(str(i), "B") for i in range(2, 6)))
    used = cells(m.criteria, {"x": (100, 0, 0, 0, 0), "y": (0, 100, 100, 100, 100)})
    assert _accept(m, used, per="group").ranks["x"][0] == pytest.approx(0.5, abs=FOUR_SIGMA)
    # per criterion the four together beat the one but for w1 > 1/2: (1/2)^4
    assert _accept(m, used).ranks["x"][0] == pytest.approx(1 / 16, abs=FOUR_SIGMA)


def test_bandwidths_are_drawn_from_triangles() -> None:
    # A triangle from 0 to 100 with its top at 25 lies above 50 in 1/3 of the draws.
    m = model(criterion("1"))
    used = cells(m.criteria, {"a": (spread("0", "25", "100"),), "b": (50,)})
    assert _accept(m, used).ranks["a"][0] == pytest.approx(1 / 3, abs=FOUR_SIGMA)
    sure = smaa.draw(m, used, seed=7, draws=1000, per="criterion", vary_scores=False)
    assert sure.ranks["a"][0] == 0


def test_duplicates_share_their_places() -> None:
    m = model(criterion("1"), criterion("2"))
    used = cells(m.criteria, {"a": (70, 20), "twin": (70, 20), "b": (20, 70)})
    found = _accept(m, used)
    assert found.ranks["a"] == found.ranks["twin"]
    for place in range(3):
        assert sum(row[place] for row in found.ranks.values()) == pytest.approx(1)


def test_veto_is_drawn_with_the_score() -> None:
    m = model(criterion("1", veto="25"), criterion("2"))
    used = cells(m.criteria, {"a": (spread("0", "50", "100"), 100), "b": (30, 0)})
    found = _accept(m, used)
    # below 25 in 1/8 of the draws of this triangle
    assert found.vetoed["a"] == pytest.approx(1 / 8, abs=FOUR_SIGMA)
    assert found.ranks["b"][0] >= found.vetoed["a"]


def test_seed_decides_and_nothing_else() -> None:
    m = model(criterion("1"), criterion("2"))
    used = cells(m.criteria, {"a": (spread("0", "50", "90"), 100), "b": (30, 0)})
    first = smaa.draw(m, used, seed=1, draws=5000, per="group")
    assert smaa.draw(m, used, seed=1, draws=5000, per="group") == first
    assert smaa.draw(m, used, seed=2, draws=5000, per="group") != first


def test_weight_flip_is_where_the_totals_meet() -> None:
    m = model(criterion("1", "A"), criterion("2", "A"), criterion("3", "B"))
    used = cells(m.criteria, {"a": (90, 40, 50), "b": (40, 80, 60), "c": (0, 0, 0)})
    values = additive.scores(m, used)
    given = {"1": 0.5, "2": 0.3, "3": 0.2}
    ranking = additive.rank(values, given, {})
    found = flips.weight_flips(m, values, given, ranking)
    assert found[0].name == "1"
    for flip in found:
        if flip.needed is None:
            continue
        members = tuple(c.id for c in m.criteria if flip.name in (c.id, c.group))
        rest = 1 - sum(given[i] for i in members)
        moved = {
            i: given[i] * flip.needed / flip.now
            if i in members
            else given[i] * (1 - flip.needed) / rest
            for i in given
        }
        totals = {o: math.fsum(moved[i] * row[i] for i in row) for o, row in values.items()}
        assert totals["a"] == pytest.approx(totals[flip.challenger], abs=1e-9)
        assert sum(moved.values()) == pytest.approx(1)
    assert next(f for f in found if f.name == "2" and not f.is_group).challenger == "b"


def test_score_flip_makes_the_challenger_level() -> None:
    m = model(criterion("1"), criterion("2", worst="200", best="100"))
    used = cells(m.criteria, {"a": (80, 150), "b": (60, 140)})
    values = additive.scores(m, used)
    given = {"1": 0.6, "2": 0.4}
    ranking = additive.rank(values, given, {})
    assert ranking[0].option == "a"
    found = flips.score_flips(m, used, values, given, ranking)
    lead = ranking[0].value - ranking[1].value
    by_cell = {(f.option, f.criterion): f for f in found}
    assert by_cell["a", "1"].needed == pytest.approx(80 - lead / 0.6 * 100)
    assert by_cell["b", "2"].needed == pytest.approx(140 - lead / 0.4 * 100)
    assert [f.step for f in found] == sorted(f.step for f in found)


def test_veto_line_can_be_the_nearest_flip() -> None:
    m = model(criterion("1", veto="40"), criterion("2"))
    used = cells(m.criteria, {"a": (45, 100), "b": (50, 0)})
    values = additive.scores(m, used)
    given = {"1": 0.5, "2": 0.5}
    ranking = additive.rank(values, given, additive.vetoes(m, used))
    first = flips.score_flips(m, used, values, given, ranking)[0]
    assert (first.option, first.criterion, first.needed, first.veto) == ("a", "1", 40, "passed")


@pytest.mark.parametrize(("held", "needed"), [("35", 40), ("10", 70)])
def test_lifting_a_veto_can_be_the_nearest_flip(held: str, needed: float) -> None:
    """The rival needs the line, or more than the line when its total lags as well."""
    m = model(criterion("1", veto="40"), criterion("2"))
    second = "100" if held == "35" else "80"
    used = cells(m.criteria, {"a": (60, 70 if held == "35" else 90), "b": (held, second)})
    values = additive.scores(m, used)
    given = {"1": 0.5, "2": 0.5}
    ranking = additive.rank(values, given, additive.vetoes(m, used))
    assert [s.option for s in ranking] == ["a", "b"]
    (lifted,) = (
        f for f in flips.score_flips(m, used, values, given, ranking) if f.veto == "lifted"
    )
    assert (lifted.option, lifted.criterion) == ("b", "1")
    assert lifted.needed == pytest.approx(needed)


def test_option_with_two_vetoes_is_not_lifted_by_one() -> None:
    m = model(criterion("1", veto="40"), criterion("2", veto="40"), criterion("3"))
    used = cells(m.criteria, {"a": (50, 50, 0), "b": (39, 39, 100)})
    values = additive.scores(m, used)
    given = {"1": 0.4, "2": 0.4, "3": 0.2}
    ranking = additive.rank(values, given, additive.vetoes(m, used))
    assert all(f.option == "a" for f in flips.score_flips(m, used, values, given, ranking))


def test_tornado_spans_weight_and_scores() -> None:
    m = model(criterion("1"), criterion("2"))
    used = cells(m.criteria, {"a": (spread("60", "80", "90"), 20), "b": (40, 30)})
    values = additive.scores(m, used)
    given = {"1": 0.5, "2": 0.5}
    bars = {
        b.criterion: b
        for b in flips.tornado(m, used, values, given, additive.rank(values, given, {}))
    }
    assert bars["1"].weight_low == pytest.approx(-0.1)
    assert bars["1"].weight_high == pytest.approx(0.4)
    assert (bars["1"].score_low, bars["1"].score_high) == pytest.approx((0.05, 0.2))
    assert bars["2"].score_low == bars["2"].score_high == pytest.approx(0.15)


def test_disagreement_names_gap_regret_and_compromise() -> None:
    m = model(criterion("1"), criterion("2"))
    used = cells(m.criteria, {"a": (100, 0), "b": (0, 100), "mid": (60, 60)})
    values = additive.scores(m, used)
    given = {"p": {"1": 0.9, "2": 0.1}, "q": {"1": 0.2, "2": 0.8}}
    rankings = {who: additive.rank(values, w, {}) for who, w in given.items()}
    found = dispute.between(given, rankings, list(rankings.values()))
    assert found.gaps[0].width == pytest.approx(0.7)
    assert (found.gaps[0].low_by, found.gaps[0].high_by) in (("q", "p"), ("p", "q"))
    assert found.regret["p"]["mid"] == pytest.approx(0.3)
    assert found.compromises == ("mid",)
    assert found.agreement["p", "q"] == pytest.approx(-1)


def test_equal_points_weigh_small_groups_differently() -> None:
    m = model(*(criterion(str(i), g) for i, g in enumerate("AAABBCCCCDDDDEEEE", 1)))
    flat = weights.shares(weights.equal(m, "criterion"), m)
    grouped = weights.shares(weights.equal(m, "group"), m)
    assert flat["B"] == pytest.approx(2 / 17)
    assert grouped["B"] == pytest.approx(0.2)


def test_cross_check_can_turn_second_place_where_fixed_end_points_do_not() -> None:
    """An option added far away turns min-max TOPSIS around; the additive value does not move."""
    m = model(criterion("1"), criterion("2"))
    given = {"1": 0.5, "2": 0.5}
    base = {"b": (55, 46), "c": (46, 54)}
    orders = {}
    for name, more in (("without", {}), ("with", {"far": (100, 40)})):
        used = cells(m.criteria, {**base, **more})
        values = additive.scores(m, used)
        ranking = [s.option for s in additive.rank(values, given, {}) if s.option in base]
        check = crosscheck.check(m, used, given, dict.fromkeys(used, ()))
        topsis = [o for o in check.order["topsis"] if o in base]
        orders[name] = (ranking, topsis)
    assert orders["without"][0] == orders["with"][0] == ["b", "c"]
    assert orders["without"][1] != orders["with"][1]


def test_cross_check_of_options_that_are_all_alike() -> None:
    m = model(criterion("1"), criterion("2"))
    used = cells(m.criteria, {"a": (5, 0), "b": (5, 0)})
    check = crosscheck.check(m, used, {"1": 0.5, "2": 0.5}, {"a": (), "b": ()})
    for scores in check.scores.values():
        assert scores["a"] == scores["b"]
        assert np.isfinite(list(scores.values())).all()
