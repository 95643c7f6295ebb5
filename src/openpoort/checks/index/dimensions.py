"""Is an item allowed with the dimensions of its context (Dimensions 1.0 §3.1)?

The hypercubes of an item are alternatives by base set: one of them must hold whole, a negated
cube must not hold.
"""

from __future__ import annotations

from openpoort.checks.index.compiled import Cube, Index
from openpoort.checks.index.contexts import Context, Members


def valid(index: Index, cubes: int, context: Context) -> bool:
    """`cubes` is the number of a set of alternatives; without alternatives all is allowed."""
    alternatives = index.cubes[cubes]
    if not alternatives:
        return True
    return any(
        all(_holds(index, cube, context.places[cube.place]) != cube.negated for cube in alternative)
        for alternative in alternatives
    )


def _holds(index: Index, cube: Cube, members: Members) -> bool:
    named = set()
    for name, usable in cube.axes:
        member = members.get(name)
        if member is not None:
            named.add(name)
            value = member[1]
        elif not (value := index.axes[name].default):
            return False
        if usable >= 0 and value not in index.members[usable]:
            return False
    return not cube.closed or named == members.keys()
