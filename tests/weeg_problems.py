"""Weighing problems for tests of weeg: models and cells made from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from weeg.document import Words
from weeg.feeds import Used
from weeg.figure import Range, exactly
from weeg.model import Criterion, End, Model
from weeg.problem import Place

NOWHERE = Place("test")


def criterion(
    name: str, group: str = "G", worst: str = "0", best: str = "100", veto: str | None = None
) -> Criterion:
    words = Words(name, name)
    return Criterion(
        name,
        group,
        words,
        "points",
        End(Decimal(worst), words),
        End(Decimal(best), words),
        None if veto is None else Decimal(veto),
        (),
        NOWHERE,
    )


def model(*criteria: Criterion) -> Model:
    groups = dict.fromkeys(c.group for c in criteria)
    return Model(tuple((g, Words(g, g)) for g in groups), tuple(criteria), ())


def used(value: str | float | Range) -> Used:
    if not isinstance(value, Range):
        value = exactly(Decimal(str(value)))
    return Used(value, "typed", "test")


def spread(low: str, mode: str, high: str) -> Range:
    return Range(Decimal(low), Decimal(mode), Decimal(high))


def cells(
    criteria: Sequence[Criterion], rows: Mapping[str, Sequence[str | float | Range]]
) -> dict[str, dict[str, Used]]:
    return {
        option: {c.id: used(v) for c, v in zip(criteria, values, strict=True)}
        for option, values in rows.items()
    }
