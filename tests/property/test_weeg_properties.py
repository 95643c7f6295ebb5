"""What must hold for every decision: order of rows, company of options, vetoes, money."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weeg_problems import cells, criterion, model
from weeg import additive, flips, smaa
from weeg.figure import Range, number
from weeg.model import Model
from weeg.money import Band
from weeg.problem import BadInput, Place, Problem
from weeg.split import share_out

_POINTS = st.integers(0, 100).map(str)
_SLOW = settings(max_examples=40, deadline=None, derandomize=True)
_FAST = settings(max_examples=200, deadline=None, derandomize=True)


@st.composite
def _ranges(draw: st.DrawFn) -> Range:
    low, mode, high = sorted(draw(st.lists(st.integers(0, 100), min_size=3, max_size=3)))
    return Range(Decimal(low), Decimal(mode), Decimal(high))


@st.composite
def _decisions(draw: st.DrawFn) -> tuple[Model, dict, dict]:
    count = draw(st.integers(2, 6))
    criteria = []
    for j in range(count):
        up = draw(st.booleans())
        veto = draw(
            st.one_of(st.none(), st.integers(0, 40).map(lambda v, up=up: v if up else 100 - v))
        )
        ends = ("0", "100") if up else ("100", "0")
        group = draw(st.sampled_from("ABC"))
        criteria.append(
            criterion(str(j + 1), group, *ends, veto=None if veto is None else str(veto))
        )
    m = model(*criteria)
    rows = {
        f"o{i}": [draw(_ranges()) for _ in range(count)] for i in range(draw(st.integers(2, 5)))
    }
    points = [draw(st.integers(1, 100)) for _ in range(count)]
    weights = {c.id: p / sum(points) for c, p in zip(criteria, points, strict=True)}
    return m, cells(criteria, rows), weights


def _rank(m: Model, used: dict, weights: dict) -> tuple[additive.Standing, ...]:
    return additive.rank(additive.scores(m, used), weights, additive.vetoes(m, used))


@_SLOW
@given(_decisions(), st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_changes_nothing(decision, shuffle) -> None:
    m, used, weights = decision
    options, criteria, groups = list(used), list(m.criteria), list(m.groups)
    for some in (options, criteria, groups):
        shuffle.shuffle(some)
    turned = Model(tuple(groups), tuple(criteria), ())
    moved = {o: {c.id: used[o][c.id] for c in criteria} for o in options}
    heavy = {c.id: weights[c.id] for c in criteria}
    before, after = _rank(m, used, weights), _rank(turned, moved, heavy)
    assert [(s.option, s.rank, s.value) for s in before] == [
        (s.option, s.rank, s.value) for s in after
    ]
    for per in ("group", "criterion"):
        first = smaa.draw(m, used, seed=5, draws=1000, per=per)
        assert smaa.draw(turned, moved, seed=5, draws=1000, per=per) == first


@_SLOW
@given(_decisions(), st.data())
def test_a_dominated_or_duplicate_option_leaves_the_others_in_order(decision, data) -> None:
    m, used, weights = decision
    twin = data.draw(st.sampled_from(sorted(used)))
    worse = {c.id: _worse(c.higher_is_better, used[twin][c.id]) for c in m.criteria}
    before = [s.option for s in _rank(m, used, weights)]
    drawn = smaa.draw(m, used, seed=5, draws=1000, per="group")
    for name, row in (("twin", used[twin]), ("worse", worse)):
        more = {**used, name: row}
        after = [s.option for s in _rank(m, more, weights) if s.option != name]
        assert after == before
        again = smaa.draw(m, more, seed=5, draws=1000, per="group")
        for a in used:
            for b in used:
                if a != b:
                    assert again.before[a][b] == drawn.before[a][b]


def _worse(up: bool, cell):
    value = cell.value
    shift = [max(Decimal(0), v - 5) if up else min(Decimal(100), v + 5)
             for v in (value.low, value.mode, value.high)]  # fmt: skip
    return type(cell)(Range(*shift), cell.state, cell.origin)


@_FAST
@given(_decisions())
def test_veto_beats_any_score(decision) -> None:
    m, used, weights = decision
    seen = False
    for standing in _rank(m, used, weights):
        assert standing.vetoed or not seen
        seen = seen or standing.vetoed
        assert standing.vetoed == any(
            c.vetoes(used[standing.option][c.id].value.mode) for c in m.criteria
        )


@_SLOW
@given(_decisions())
def test_acceptabilities_are_shares(decision) -> None:
    m, used, _ = decision
    found = smaa.draw(m, used, seed=3, draws=1000, per="group")
    for i in range(len(used)):
        assert abs(sum(row[i] for row in found.ranks.values()) - 1) < 1e-9
    for row in found.ranks.values():
        assert abs(sum(row) - 1) < 1e-9
    for row in found.central.values():
        assert abs(sum(row.values()) - 1) < 1e-9


@_FAST
@given(_decisions())
def test_one_step_short_of_a_flip_the_winner_still_wins(decision) -> None:
    m, used, weights = decision
    ranking = _rank(m, used, weights)
    values = additive.scores(m, used)
    first = ranking[0]
    for flip in flips.weight_flips(m, values, weights, ranking):
        if flip.is_group or flip.needed is None or flip.step < 1e-6:
            continue
        for part, wins in ((0.99, True), (1.01, False)):
            at = flip.now + (flip.needed - flip.now) * part
            if not 0 <= at <= 1:
                continue
            rest = (1 - at) / (1 - flip.now)
            moved = {c: at if c == flip.name else w * rest for c, w in weights.items()}
            again = additive.rank(values, moved, additive.vetoes(m, used))
            level = {s.option: s.value for s in again}
            assert (level[first.option] >= level[flip.challenger] - 1e-9) is wins or abs(
                level[first.option] - level[flip.challenger]
            ) < 1e-9


@_FAST
@given(st.text(max_size=70))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    refused: tuple[Problem, ...] = ()
    value = Decimal(0)
    try:
        value = number(text, Place("f", 1, 1))
    except BadInput as bad:
        refused = bad.problems
    assert value.is_finite()
    assert len(refused) <= 1
    assert all(problem.show("nl") != problem.show("en") for problem in refused)


@_FAST
@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12
    )
)
def test_written_with_comma_or_point_is_the_same_number(value: Decimal) -> None:
    plain = f"{value:.4f}"
    assert number(plain, Place("f")) == value
    assert number(plain.replace(".", ","), Place("f")) == value
    assert number(f"{value:,.4f}".translate(str.maketrans(",.", ".,")), Place("f")) == value


@_FAST
@given(st.integers(0, 10**15), st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_a_split_always_adds_up(cents: int, parts: list[int]) -> None:
    whole = sum(parts) or 1
    shares = {f"a{i}": Fraction(p, whole) for i, p in enumerate(parts)}
    if not sum(parts):
        shares["a0"] = Fraction(1)
    given = share_out(cents, shares)
    assert sum(given.values()) == cents
    for name, share in shares.items():
        assert abs(given[name] - cents * share) < 1


@_FAST
@given(_ranges(), _ranges())
def test_bandwidths_stay_ordered(one: Range, other: Range) -> None:
    a, b = (Band(*map(Fraction, (r.low, r.mode, r.high))) for r in (one, other))
    assert (a.minus(b)).low <= a.minus(b).mode <= a.minus(b).high
    plus = Band(b.low + 1, b.mode + 1, b.high + 1)
    assert a.per(plus).low <= a.per(plus).mode <= a.per(plus).high
