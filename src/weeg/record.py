"""What is compared beside the criteria: who answers for which part, the risks, and what was chosen.

It stands in `decision.yaml`, and may be filled in while the work goes on: what is missing is a
warning of `weeg check`, what cannot be understood is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from weeg.document import Entry
from weeg.problem import Place, refuse

LEVELS = {"low": "low", "laag": "low", "medium": "medium", "midden": "medium", "high": "high",
          "hoog": "high", "": ""}  # fmt: skip
_DUTY = ("part", "who", "from", "until")
_RISK = ("what", "chance", "effect", "owner", "control")
_CHOSEN = ("option", "day", "by", "dissent")
_MOST = 200


@dataclass(frozen=True, slots=True)
class Duty:
    """Who answers for a part, from when until when; `until` may be `open`."""

    part: str
    who: str
    start: str
    until: str
    place: Place

    def missing(self) -> Iterator[str]:
        given = (self.part, self.who, self.start, self.until)
        return (name for name, value in zip(_DUTY, given, strict=True) if not value)


@dataclass(frozen=True, slots=True)
class Risk:
    """`chance` and `effect` are low, medium or high."""

    what: str
    chance: str
    effect: str
    owner: str
    control: str
    place: Place

    def missing(self) -> Iterator[str]:
        return (name for name in _RISK if not getattr(self, name))


@dataclass(frozen=True, slots=True)
class Chosen:
    """`dissent`: who chose otherwise and why, or that nobody did."""

    option: str
    day: str
    by: str
    dissent: str
    place: Place

    def missing(self) -> Iterator[str]:
        return (name for name in _CHOSEN if not getattr(self, name))


def duties(entry: Entry) -> tuple[Duty, ...]:
    return tuple(_duty(row) for row in _rows(entry))


def risks(entry: Entry) -> tuple[Risk, ...]:
    return tuple(_risk(row) for row in _rows(entry))


def chosen(entry: Entry) -> Chosen:
    fields = entry.fields((), _CHOSEN)
    option, by, dissent = (_text(fields, name) for name in ("option", "by", "dissent"))
    return Chosen(option, _day(fields, "day"), by, dissent, entry.place)


def _rows(entry: Entry) -> tuple[Entry, ...]:
    rows = entry.list()
    if len(rows) > _MOST:
        raise refuse("table.rows", entry.place, most=_MOST)
    return rows


def _duty(entry: Entry) -> Duty:
    fields = entry.fields((), _DUTY)
    start, until = _day(fields, "from"), _day(fields, "until", "open")
    if start and until and until < start:  # `open` stands behind every date
        raise refuse("record.order", fields["until"].place, start=start, until=until)
    return Duty(_text(fields, "part"), _text(fields, "who"), start, until, entry.place)


def _risk(entry: Entry) -> Risk:
    fields = entry.fields((), _RISK)
    chance, effect = _level(fields, "chance"), _level(fields, "effect")
    what, owner, control = (_text(fields, name) for name in ("what", "owner", "control"))
    return Risk(what, chance, effect, owner, control, entry.place)


def _text(fields: dict[str, Entry], name: str) -> str:
    return fields[name].text() if name in fields else ""


def _day(fields: dict[str, Entry], name: str, *words: str) -> str:
    """ISO date, one of `words`, or empty."""
    text = _text(fields, name)
    if not text or text in words:
        return text
    day: dt.date = fields[name].date()
    return day.isoformat()


def _level(fields: dict[str, Entry], name: str) -> str:
    word = _text(fields, name)
    level = LEVELS.get(word.lower())
    if level is None:
        raise refuse("yaml.choice", fields[name].place, value=word, words="low, medium, high")
    return level
