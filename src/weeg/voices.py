"""Who counts, and how: each stakeholder once, a group once by the mean of its members.

Who only advises is weighed and shown, and counts in nothing that is said of all together. Where
`decision.yaml` says nothing of it, everybody counts the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from weeg import weights
from weeg.document import Entry, Words
from weeg.model import identifier
from weeg.problem import Place, refuse
from weeg.weights import Profile


@dataclass(frozen=True, slots=True)
class Person:
    """One stakeholder as `decision.yaml` names it; `group` is empty for who counts alone."""

    name: Words
    group: str
    advises: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Voice:
    """One that counts once; a stakeholder alone has its own name, a group that of the group."""

    name: str
    members: tuple[Profile, ...]

    def weights(self, reading: str = "own") -> dict[str, float]:
        """The mean of the members: `group` or `criterion`, or each in the reading it chose."""
        return weights.mean([p.reading(reading) for p in self.members])


def person(entry: Entry) -> Person:
    """`name`, or `{nl, en}` with `in` and `advises` beside it."""
    if entry.scalar is not None:
        return Person(entry.words(), "", False, entry.place)
    fields = entry.fields(("nl", "en"), ("in", "advises"))
    group = identifier(fields["in"].text(), fields["in"].place) if "in" in fields else ""
    advises = fields["advises"].truth() if "advises" in fields else False
    name = Words(fields["nl"].text(), fields["en"].text())
    return Person(name, group, advises, entry.place)


def agree(people: Mapping[str, Person], place: Place) -> None:
    """Refuse a group with the name of a stakeholder, and a decision in which nobody counts."""
    known = {name.casefold() for name in people}
    for one in people.values():
        if one.group.casefold() in known:
            raise refuse("voices.name", one.place, id=one.group)
    if all(one.advises for one in people.values()):
        raise refuse("voices.none", place)


def voices(people: Mapping[str, Person], profiles: tuple[Profile, ...]) -> tuple[Voice, ...]:
    """In the order in which each is first named."""
    found: dict[str, tuple[str, list[Profile]]] = {}
    for profile in profiles:
        one = people[profile.stakeholder]
        if not one.advises:
            name = one.group or profile.stakeholder
            found.setdefault(name.casefold(), (name, []))[1].append(profile)
    return tuple(Voice(name, tuple(members)) for name, members in found.values())


def joint(found: tuple[Voice, ...], reading: str = "own") -> dict[str, float]:
    """The mean of all that count."""
    return weights.mean([voice.weights(reading) for voice in found])
