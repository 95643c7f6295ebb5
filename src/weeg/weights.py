"""What each stakeholder finds important: one file per stakeholder in `weights/`.

Swing weights: points for the step from the worst to the best end point, 100 for the step that
matters most. `per: group` gives points to groups and, within each group, to its criteria;
`per: criterion` gives points to all criteria together. The choice moves the outcome (a group of
two weighs 12 % or 20 % with equal points), so it is asked for, and both readings are computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from weeg.document import Entry
from weeg.model import Model
from weeg.problem import Place, refuse

FOLDER = "weights"


@dataclass(frozen=True, slots=True)
class Profile:
    """One stakeholder's weights; each mapping sums to 1 over all criteria."""

    stakeholder: str
    per: str
    weights: dict[str, float]
    other: dict[str, float]
    place: Place

    @property
    def by_group(self) -> dict[str, float]:
        return self.weights if self.per == "group" else self.other

    @property
    def by_criterion(self) -> dict[str, float]:
        return self.weights if self.per == "criterion" else self.other

    def reading(self, name: str) -> dict[str, float]:
        """`group`, `criterion`, or `own`: the one that the stakeholder chose."""
        return {"own": self.weights, "group": self.by_group, "criterion": self.by_criterion}[name]


def read(entry: Entry, model: Model) -> Profile:
    fields = entry.fields(("stakeholder", "criteria"), ("per", "method", "groups"))
    stakeholder = fields["stakeholder"].text()
    if "per" not in fields:
        raise refuse("weights.ask", entry.place, stakeholder=stakeholder, **_shares(model))
    per = fields["per"].one_of("group", "criterion")
    method = fields["method"].one_of("swing", "share") if "method" in fields else "swing"
    if per == "group" and "groups" not in fields:
        raise refuse("yaml.needed", entry.place, key="groups")
    points = _points(fields["criteria"], model.ids, "weights.unknown")
    names = tuple(name for name, _ in model.groups)
    groups = dict.fromkeys(names, Decimal(1))
    if "groups" in fields:
        groups = _points(fields["groups"], names, "weights.unknown_group")
        _whole(groups, method, fields["groups"].place, ", ".join(names))
    if per == "criterion":
        _whole(points, method, fields["criteria"].place, "criteria")
    else:
        for group in names:
            own = {c.id: points[c.id] for c in model.members(group)}
            _whole(own, method, fields["criteria"].place, group)
    grouped, flat = _nested(points, groups, model), _parts(points)
    first, other = (grouped, flat) if per == "group" else (flat, grouped)
    return Profile(stakeholder, per, first, other, entry.place)


def equal(model: Model, per: str) -> dict[str, float]:
    """The same points for everything, per group or per criterion."""
    ones = dict.fromkeys(model.ids, Decimal(1))
    if per == "criterion":
        return _parts(ones)
    return _nested(ones, {name: Decimal(1) for name, _ in model.groups}, model)


def mean(profiles: list[Mapping[str, float]]) -> dict[str, float]:
    """Each counts the same."""
    ids = profiles[0]
    return {name: math.fsum(p[name] for p in profiles) / len(profiles) for name in ids}


def shares(weights: Mapping[str, float], model: Model) -> dict[str, float]:
    """Weight of each group."""
    return {name: math.fsum(weights[c.id] for c in model.members(name)) for name, _ in model.groups}


def _shares(model: Model) -> dict[str, str]:
    """The smallest group with its share under both readings, to put the question with."""
    small = min((name for name, _ in model.groups), key=lambda name: len(model.members(name)))
    flat = shares(equal(model, "criterion"), model)[small]
    return {"group": small, "flat": f"{flat:.0%}", "grouped": f"{1 / len(model.groups):.0%}"}


def _points(entry: Entry, known: tuple[str, ...], code: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for key, place, value in entry.mapping():
        if key not in known:
            raise refuse(code, place, id=key)
        found[key] = value.number("%") if value.text().endswith("%") else value.number()
        if found[key] < 0:
            raise refuse("weights.negative", value.place, id=key)
    for key in known:
        if key not in found:
            raise refuse("weights.missing", entry.place, id=key)
    return found


def _whole(points: Mapping[str, Decimal], method: str, place: Place, what: str) -> None:
    """Shares sum to 100 (or 1); the heaviest swing has 100 points."""
    total = sum(points.values())
    if method == "share" and total not in (1, 100):
        raise refuse("weights.sum", place, what=what, total=total)
    if method == "swing" and max(points.values()) != 100:
        raise refuse("weights.hundred", place, what=what, highest=max(points.values()))


def _parts(points: Mapping[str, Decimal]) -> dict[str, float]:
    total = sum(points.values())
    return {name: float(value / total) for name, value in points.items()}


def _nested(
    points: Mapping[str, Decimal], groups: Mapping[str, Decimal], model: Model
) -> dict[str, float]:
    result: dict[str, float] = {}
    whole = sum(groups.values())
    for name, share in groups.items():
        own = {c.id: points[c.id] for c in model.members(name)}
        total = sum(own.values())
        for criterion, value in own.items():
            # A group whose criteria all have 0 points spreads its own share evenly.
            part = value / total if total else Decimal(1) / len(own)
            result[criterion] = float(share / whole * part)
    return {name: result[name] for name in points}
