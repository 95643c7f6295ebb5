"""A decision is a folder: this reads it whole, in one pass, and knows the hash of what it read.

`decision.yaml` names the question, the day that is weighed on, the options with the zero option
among them, and the stakeholders. The hash is what `sha256sum` of the files, sorted by name, gives
when its lines are hashed again, so an auditor can repeat it without weeg.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from weeg import advice as advice_file
from weeg import costs as costs_file
from weeg import feeds as feeds_file
from weeg import inventory as inventory_file
from weeg import measures as measures_file
from weeg import model as model_file
from weeg import options as options_file
from weeg import record as record_file
from weeg import sources as sources_file
from weeg import voices as voices_file
from weeg import weights as weights_file
from weeg.advice import Advice
from weeg.costs import Costs
from weeg.document import Entry, Words, parse
from weeg.feeds import Exposure, Feed, Pipe, Used
from weeg.figure import Range
from weeg.inventory import Part
from weeg.measures import Measure
from weeg.model import Model
from weeg.money import Money, band, exposure, reckon, total
from weeg.options import Sheet
from weeg.problem import BadInput, Place, Problem, refuse
from weeg.record import Chosen, Duty, Risk
from weeg.sources import Sources
from weeg.table import contents
from weeg.voices import Person, Voice
from weeg.weights import Profile

FILE = "decision.yaml"
MOST_DRAWS = 1_000_000
_MOST_FILES = 200
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    name: Words
    about: Words | None
    duties: tuple[Duty, ...] = ()
    risks: tuple[Risk, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What `decision.yaml` says."""

    title: Words
    question: Words
    invented: bool
    as_of: dt.date
    zero_option: str
    seed: int
    draws: int
    stakeholders: Mapping[str, Person]
    chosen: Chosen | None
    options: Mapping[str, Option]
    option_places: Mapping[str, Place]
    zero_place: Place


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything read and filled in; nothing weighed yet."""

    head: Head
    model: Model
    options: tuple[Option, ...]
    used: Mapping[str, Mapping[str, Used]]
    cells: Sheet
    profiles: tuple[Profile, ...]
    sources: Sources
    feeds: Mapping[str, Feed]
    costs: Costs | None
    money: Mapping[str, Money]
    problems: tuple[Problem, ...]
    files: Mapping[str, str]
    digest: str
    accepted_stale: bool
    voices: tuple[Voice, ...]
    advice: tuple[Advice, ...] | None
    inventory: tuple[Part, ...] | None

    @property
    def as_of(self) -> dt.date:
        return self.head.as_of

    def option(self, name: str) -> Option:
        return next(o for o in self.options if o.id == name)


def load(folder: Path, as_of: dt.date | None = None, accept_stale: bool = False) -> Decision:
    """BadInput with every problem found, file by file."""
    files = _files(folder)
    problems: list[Problem] = []

    def attempt(reader: Callable[[], _T]) -> _T | None:
        try:
            return reader()
        except BadInput as bad:
            problems.extend(bad.problems)
            return None

    head = attempt(lambda: _head(_yaml(files, FILE), as_of))
    model = attempt(lambda: model_file.read(_yaml(files, model_file.FILE)))
    costs = attempt(lambda: _maybe(files, costs_file.FILE, costs_file.read))
    feeds = attempt(lambda: _maybe(files, feeds_file.FILE, feeds_file.read)) or {}
    sources = attempt(lambda: _sources(files))
    advice = attempt(lambda: _rows(files, advice_file.FILE, advice_file.read))
    inventory = attempt(lambda: _rows(files, inventory_file.FILE, inventory_file.read))
    measures = attempt(lambda: _measures(files)) or {}
    sheet = model and attempt(lambda: options_file.read(_needed(files, options_file.FILE), model))
    profiles = model and head and attempt(lambda: _profiles(files, model, head))
    if not (head and model and sheet and profiles and sources is not None) or problems:
        raise BadInput(problems)
    attempt(lambda: _agree(head, sheet, costs))
    if problems:
        raise BadInput(problems)
    money = reckon(costs) if costs else {}
    said: list[Problem] = []
    pipe = Pipe(
        feeds, measures, _asker(money), _exposure(costs),
        lambda cell: inventory_file.kept(inventory or (), cell), head.as_of, accept_stale, said,
    )  # fmt: skip
    used = _fill(sheet, model, pipe)
    options = tuple(
        head.options.get(name) or Option(name, Words(name, name), None) for name in sheet.cells
    )
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return Decision(head, model, options, used, sheet, profiles, sources, feeds, costs, money,
                    tuple(said), sums, digest(sums), accept_stale,
                    voices_file.voices(head.stakeholders, profiles), advice,
                    inventory)  # fmt: skip


def digest(sums: Mapping[str, str]) -> str:
    """SHA-256 over the lines `<sha256>  <name>` sorted by name, as sha256sum prints them."""
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    return hashlib.sha256(lines.encode()).hexdigest()


def _files(folder: Path) -> dict[str, bytes]:
    """Name -> bytes of every file that weeg reads in the folder."""
    if not folder.is_dir():
        raise refuse("folder.missing", Place(str(folder)))
    names = [FILE, model_file.FILE, options_file.FILE, costs_file.FILE, feeds_file.FILE,
             sources_file.FILE, advice_file.FILE, inventory_file.FILE]  # fmt: skip
    found = [name for name in names if (folder / name).is_file()]
    found += sorted(p.relative_to(folder).as_posix() for p in (folder / "weights").glob("*.y*ml"))
    found += sorted(p.relative_to(folder).as_posix() for p in (folder / "measures").glob("*.json"))
    if len(found) > _MOST_FILES:
        raise refuse("folder.files", Place(str(folder)), most=_MOST_FILES)
    return {name: contents(folder / name, name) for name in found}


def _needed(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise refuse("file.missing", Place(name))
    return files[name]


def _yaml(files: Mapping[str, bytes], name: str) -> Entry:
    return parse(_needed(files, name), name)


def _maybe(files: Mapping[str, bytes], name: str, read: Callable[[Entry], _T]) -> _T | None:
    return read(parse(files[name], name)) if name in files else None


def _rows(
    files: Mapping[str, bytes], name: str, read: Callable[[bytes], tuple[_T, ...]]
) -> tuple[_T, ...] | None:
    return read(files[name]) if name in files else None


def _sources(files: Mapping[str, bytes]) -> Sources:
    name = sources_file.FILE
    return sources_file.read(files[name]) if name in files else Sources(())


def _measures(files: Mapping[str, bytes]) -> dict[str, dict[str, Measure]]:
    names = [name for name in files if name.startswith("measures/")]
    return {name: measures_file.read(files[name], name) for name in names}


def _head(entry: Entry, as_of: dt.date | None) -> Head:
    needed = ("title", "question", "as_of", "stakeholders")
    optional = ("invented", "zero_option", "seed", "draws", "options", "chosen")
    fields = entry.fields(needed, optional)
    if "zero_option" not in fields:
        raise refuse("decision.zero", entry.place)
    people: dict[str, Person] = {}
    for key, place, value in fields["stakeholders"].mapping():
        people[model_file.identifier(key, place)] = voices_file.person(value)
    voices_file.agree(people, fields["stakeholders"].place)
    options: dict[str, Option] = {}
    places: dict[str, Place] = {}
    for key, place, value in fields["options"].mapping() if "options" in fields else ():
        row = value.fields(("nl", "en"), ("about", "responsibility", "risks"))
        name = Words(row["nl"].text(), row["en"].text())
        about = row["about"].words() if "about" in row else None
        duties = record_file.duties(row["responsibility"]) if "responsibility" in row else ()
        risks = record_file.risks(row["risks"]) if "risks" in row else ()
        options[model_file.identifier(key, place)] = Option(key, name, about, duties, risks)
        places[key] = place
    return Head(
        title=fields["title"].words(),
        question=fields["question"].words(),
        invented=fields["invented"].truth() if "invented" in fields else False,
        as_of=as_of or fields["as_of"].date(),
        zero_option=fields["zero_option"].text(),
        seed=fields["seed"].integer(0, 2**63) if "seed" in fields else 1,
        draws=fields["draws"].integer(1000, MOST_DRAWS) if "draws" in fields else 100_000,
        stakeholders=people,
        chosen=record_file.chosen(fields["chosen"]) if "chosen" in fields else None,
        options=options,
        option_places=places,
        zero_place=fields["zero_option"].place,
    )


def _profiles(files: Mapping[str, bytes], model: Model, head: Head) -> tuple[Profile, ...]:
    """One per stakeholder, in the order of the decision."""
    found: dict[str, Profile] = {}
    problems: list[Problem] = []
    for name in (n for n in files if n.startswith("weights/")):
        try:
            profile = weights_file.read(_yaml(files, name), model)
            if profile.stakeholder not in head.stakeholders:
                known = ", ".join(head.stakeholders)
                raise refuse("weights.stakeholder", profile.place, id=profile.stakeholder,
                             known=known)  # fmt: skip
            if profile.stakeholder in found:
                first = found[profile.stakeholder].place.file
                raise refuse("weights.twice", profile.place, id=profile.stakeholder, first=first)
            found[profile.stakeholder] = profile
        except BadInput as bad:
            problems += bad.problems
    if not problems:
        missing = [name for name in head.stakeholders if name not in found]
        problems += [
            Problem("weights.none", Place(f"weights/{name}.yaml"), {"id": name}) for name in missing
        ]
    if problems:
        raise BadInput(problems)
    return tuple(found[name] for name in head.stakeholders)


def _agree(head: Head, sheet: Sheet, costs: Costs | None) -> None:
    """Names in one file exist in the others."""
    problems = []
    if head.zero_option not in sheet.cells:
        values = {"id": head.zero_option, "known": ", ".join(sheet.cells)}
        problems.append(Problem("decision.zero_row", head.zero_place, values))
    for name, place in head.option_places.items():
        if name not in sheet.cells:
            problems.append(Problem("decision.option", place, {"id": name}))
    if head.chosen and head.chosen.option and head.chosen.option not in sheet.cells:
        values = {"id": head.chosen.option}
        problems.append(Problem("decision.option", head.chosen.place, values))
    for name, option in costs.options.items() if costs else ():
        if name not in sheet.cells:
            problems.append(Problem("decision.option", option.place, {"id": name}))
    if problems:
        raise BadInput(problems)


def _asker(money: Mapping[str, Money]) -> Callable[[str, str], Range]:
    def ask(option: str, name: str) -> Range:
        if option not in money:
            raise refuse("costs.none", Place(costs_file.FILE), id=option)
        return money[option].of(name)

    return ask


def _exposure(costs: Costs | None) -> Exposure:
    """Months as measured for one contract, as planned for the others of the option."""

    def ask(option: str, name: str, months: Range, cell: Place) -> Range:
        found = costs.options[option].unlawful if costs and option in costs.options else ()
        mine = [c for c in found if c.name == name or (not name and len(found) == 1)]
        if not mine:
            raise refuse("feeds.contract", cell, id=option, name=name or "unlawful")
        others = total(exposure(c) for c in found if c is not mine[0])
        return (band(months).times(band(mine[0].stretch.price)) + others).rounded()

    return ask


def _fill(sheet: Sheet, model: Model, pipe: Pipe) -> dict[str, dict[str, Used]]:
    used: dict[str, dict[str, Used]] = {}
    problems: list[Problem] = []
    for option, cells in sheet.cells.items():
        used[option] = {}
        for criterion in model.criteria:
            cell = cells[criterion.id]
            if cell.typed is not None:
                used[option][criterion.id] = Used(cell.typed, "typed", cell.place.short)
                continue
            try:
                used[option][criterion.id] = pipe.fill(cell.feed, option, criterion, cell.place)
            except BadInput as bad:
                problems += bad.problems
    if problems:
        raise BadInput(problems)
    return used
