"""Message kinds from TOML files: those shipped here, and those of an installation.

A kind is judged in full when it is loaded, so that a mistake in a file stops `serve` with a
sentence that names file and key, and never a message half-way.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from openpoort.domain.kind import Attachments, Kind, Step, StepKind
from openpoort.domain.process import AGENCY_EVENTS, Event
from openpoort.domain.status import OMSCHRIJVING
from openpoort.process.flow.behaviours import DELIVERING

SHIPPED = Path(__file__).parent / "kinds"
_STEP_KEY = re.compile(r"steps\[(\d+)\]\.(\w+)")
_DIRECTIONS = ("aanleveren", "retour")
_REPORTS = tuple(c for c, event in AGENCY_EVENTS.items() if event is not Event.DELAYED)
_REPEATS = ("message-id", "aanleverkenmerk")


class KindError(ValueError):
    """A kind file that cannot be used: which file, which line and key, what to change."""

    def __init__(self, file: Path, key: str, what: str) -> None:
        self.key, self.what, self.line = key, what, _line(file, key)
        place = f"{file.name}:{self.line}" if self.line else file.name
        super().__init__(f"{place}: {key}: {what}")


def _line(file: Path, key: str) -> int | None:
    """Where `key` stands (`title`, `steps[2].checks`), or the step that it should stand in; counts
    from 1. None where neither can be found."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    step = _STEP_KEY.match(key)
    starts = [n for n, line in enumerate(lines) if line.strip() == "[[steps]]"]
    first, last = 0, starts[0] if starts else len(lines)
    if step:
        place = int(step[1]) - 1
        if place >= len(starts):
            return None
        first, last = starts[place], [*starts[1:], len(lines)][place]
    name = (step[2] if step else key).split(".")[0]
    for number in range(first, last):
        if lines[number].split("=")[0].strip() == name:
            return number + 1
    return first + 1 if step else None


def load(folder: Path | None = None) -> Mapping[str, Kind]:
    """By berichtsoort. Files in `folder` add to the shipped ones or replace them.

    Raises KindError.
    """
    kinds = _folder(SHIPPED)
    if folder is not None and folder.is_dir():
        kinds.update(_folder(folder))
    for kind in kinds.values():
        targets(Path(f"{kind.berichtsoort}.toml"), kind, kinds)
    return kinds


def files(folder: Path) -> Mapping[str, Path]:
    """The files of `folder`, by the berichtsoort in them. Raises KindError."""
    return {read(file).berichtsoort: file for file in sorted(folder.glob("*.toml"))}


def targets(file: Path, kind: Kind, known: Collection[str]) -> None:
    """Raises KindError where a batch is split into messages of an unknown kind."""
    for place, step in enumerate(kind.steps, 1):
        target = step.options.get("berichtsoort")
        if target is not None and target not in known:
            raise KindError(file, f"steps[{place}].options", f"there is no kind {target}")


def _folder(folder: Path) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for file in sorted(folder.glob("*.toml")):
        kind = read(file)
        if kind.berichtsoort in kinds:
            raise KindError(file, "berichtsoort", f"{kind.berichtsoort} stands in another file too")
        kinds[kind.berichtsoort] = kind
    return kinds


def read(file: Path) -> Kind:
    """One file. Raises KindError."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KindError(file, "file", f"is not TOML in UTF-8 ({error})") from None
    return _Reader(file, data, "").kind()


class _Reader:
    """Takes keys out of one table; what is left over at the end is a mistake."""

    def __init__(self, file: Path, data: dict[str, Any], where: str) -> None:
        self.file = file
        self.data = dict(data)
        self.where = where

    def error(self, key: str, what: str) -> KindError:
        return KindError(self.file, self.where + key, what)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.data.pop(key, default)
        if not isinstance(value, str) or not value:
            raise self.error(key, "give a text")
        return value

    def maybe(self, key: str) -> str | None:
        return self.text(key) if key in self.data else None

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self.data.pop(key, default)
        if value is None or not all(isinstance(v, str) for v in value) or isinstance(value, str):
            raise self.error(key, "give a list of texts")
        return tuple(value)

    def one_of(self, key: str, default: str | None, allowed: tuple[str, ...]) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise self.error(key, f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def number(self, key: str, default: int, least: int, most: int) -> int:
        value = self.data.pop(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.error(key, f"give a whole number from {least} to {most}")
        return value

    def flag(self, key: str) -> bool:
        value = self.data.pop(key, False)
        if not isinstance(value, bool):
            raise self.error(key, "give true or false")
        return value

    def table(self, key: str, good: Callable[[object], bool], what: str) -> dict[str, Any]:
        value = self.data.pop(key, {})
        if not isinstance(value, dict) or not all(good(v) for v in value.values()):
            raise self.error(key, what)
        return value

    def done(self) -> None:
        for key in self.data:
            raise self.error(key, "unknown key; remove it or mend its spelling")

    def kind(self) -> Kind:
        berichtsoort = self.text("berichtsoort")
        if len(berichtsoort) > 80:
            raise self.error("berichtsoort", "at most 80 characters")
        kind = Kind(
            berichtsoort=berichtsoort,
            title=self.text("title"),
            direction=self.one_of("direction", "aanleveren", _DIRECTIONS),
            identity_types=self.texts("identity_types"),
            rollen=self.texts("rollen"),
            steps=self.steps(),
            start=self.texts("start", ("105", "100", "110")),
            ontvanger=self.maybe("ontvanger"),
            mime_types=self.texts("mime_types", ("application/xml", "text/xml")),
            extensions=self.texts("extensions", (".xbrl", ".xml")),
            attachments=Attachments(
                self.one_of("attachments", "none", tuple(a.value for a in Attachments))
            ),
            max_bytes=self.number("max_bytes", 20 * 1024 * 1024, 1, 20 * 1024 * 1024),
            entrypoints=self.texts("entrypoints", ()),
            schema=self.maybe("schema"),
            constateringen=self.flag("constateringen"),
            repeat=self.one_of("repeat", "message-id", _REPEATS),
            retry_for=timedelta(hours=self.number("retry_hours", 72, 0, 24 * 365)),
            retention=self.table(
                "retention", lambda v: isinstance(v, int) and v > 0, "give days per class"
            ),
            sample=self.maybe("sample"),
        )
        for code in kind.start:
            if code not in OMSCHRIJVING:
                raise self.error("start", f"status {code} is not known")
        if kind.schema is None and any("plain" in step.checks for step in kind.steps):
            raise self.error("schema", "a kind whose steps check `plain` needs one")
        if not kind.start:
            raise self.error("start", "give at least one status")
        self.done()
        return kind

    def steps(self) -> tuple[Step, ...]:
        rows = self.data.pop("steps", None)
        if not isinstance(rows, list) or not rows:
            raise self.error("steps", "give at least one [[steps]]")
        steps: list[Step] = []
        for place, row in enumerate(rows, 1):
            step = _Reader(self.file, row, f"steps[{place}].").step()
            if step.name in {s.name for s in steps}:
                raise self.error(f"steps[{place}].name", f"{step.name!r} stands there twice")
            steps.append(step)
        for step in steps[:-1]:
            if step.kind is StepKind.REPORT:
                raise self.error("steps", f"{step.name!r} (report) must come last")
        return tuple(steps)

    def step(self) -> Step:
        step = Step(
            name=self.text("name"),
            kind=StepKind(self.one_of("kind", None, tuple(k.value for k in StepKind))),
            ok=self.maybe("ok"),
            checks=self.texts("checks", ()),
            agencies=self.texts("agencies", ()),
            options=self.table("options", lambda v: isinstance(v, str), "give texts"),
        )
        if step.ok is not None and step.ok not in OMSCHRIJVING:
            raise self.error("ok", f"status {step.ok} is not known")
        if step.kind in DELIVERING and not step.agencies:
            raise self.error("agencies", f"a step of kind {step.kind} needs at least one")
        if len(set(step.agencies)) < len(step.agencies):
            raise self.error("agencies", "an agency stands there twice")
        if step.agencies and step.kind not in DELIVERING:
            raise self.error("agencies", f"a step of kind {step.kind} delivers to nobody")
        if step.kind is StepKind.CHECK and not step.checks:
            raise self.error("checks", "a step of kind check needs at least one")
        if step.checks and step.kind is not StepKind.CHECK:
            raise self.error("checks", f"a step of kind {step.kind} checks nothing")
        if step.kind is StepKind.REPORT and step.ok not in _REPORTS:
            raise self.error("ok", f"a step of kind report ends with one of {', '.join(_REPORTS)}")
        for key, needed in _OPTIONS.get(step.kind, {}).items():
            if needed and key not in step.options:
                raise self.error(f"options.{key}", f"a step of kind {step.kind} needs it")
        for key in step.options:
            if key not in _OPTIONS.get(step.kind, {}):
                raise self.error(f"options.{key}", f"not an option of a step of kind {step.kind}")
        self.done()
        return step


_OPTIONS: dict[StepKind, dict[str, bool]] = {
    StepKind.SPLIT: {"element": True, "berichtsoort": True},
    StepKind.DELIVER: {"part": False},
    StepKind.REOFFER: {"part": False, "after_hours": False},
    StepKind.ARCHIVE: {"class": False},
    StepKind.AUTHORISE: {},
}
"""Options per kind of step; True: needed."""
