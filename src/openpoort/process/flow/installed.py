"""Whether a kind can work here: what it names, held against what is installed.

A kind that names a check, an agency, a schema or an entry point that is not there loads, and each
of its messages would then be tried for days. So it is refused before it is served. What is
installed is handed in (`app/wiring`): this room knows no check by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from openpoort.domain.kind import Kind


@dataclass(frozen=True, slots=True)
class Installed:
    """`checks` and `channels` by name, `agencies` with their channel. `by_taxonomy`: the checks
    that judge by an entry point. `entry_points`: those of all taxonomies; `mapped`: those that
    taxonomies map to a berichtsoort. `schema`: why a schema of this name cannot be used, empty
    when it can."""

    checks: Collection[str]
    by_taxonomy: Collection[str]
    agencies: Mapping[str, str]
    channels: Collection[str]
    entry_points: Collection[str]
    mapped: Callable[[str], Collection[str]]
    schema: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Lack:
    """`key` in the kind file, as `steps[1].checks`; what is missing, and what to do."""

    key: str
    what: str


def judge(kind: Kind, installed: Installed) -> list[Lack]:
    """Everything that stands in the way of this kind; empty when it can work."""
    return [*_steps(kind, installed), *_schema(kind, installed), *_entry_points(kind, installed)]


def _steps(kind: Kind, installed: Installed) -> Iterator[Lack]:
    for place, step in enumerate(kind.steps, 1):
        for name in step.checks:
            if name not in installed.checks:
                remedy = _instead(name, installed.checks)
                yield Lack(f"steps[{place}].checks", f"check {name!r} is not installed; {remedy}")
        for name in step.agencies:
            if wrong := _agency(name, installed):
                yield Lack(f"steps[{place}].agencies", wrong)


def _agency(name: str, installed: Installed) -> str:
    """Why nothing can be delivered to it; empty when something can."""
    channel = installed.agencies.get(name)
    if channel is None:
        remedy = _instead(name, installed.agencies)
        what = f"agency {name!r} is not in the directory; {remedy}"
        return f"{what}, or add it (`openpoort party apply`)"
    if channel not in installed.channels:
        return (
            f"channel {channel!r} of agency {name!r} is not installed; "
            f"{_instead(channel, installed.channels)} (`openpoort party apply`)"
        )
    return ""


def _schema(kind: Kind, installed: Installed) -> Iterator[Lack]:
    wrong = installed.schema(kind.schema) if kind.schema is not None else ""
    if wrong:
        yield Lack("schema", f"{wrong}; put the file in HOME/schemas, or mend it")


def _entry_points(kind: Kind, installed: Installed) -> Iterator[Lack]:
    if not any(name in installed.by_taxonomy for step in kind.steps for name in step.checks):
        return
    for pattern in kind.entrypoints:
        if not any(fnmatchcase(entry, pattern) for entry in installed.entry_points):
            what = f"no taxonomy here has an entry point {pattern!r}"
            yield Lack("entrypoints", f"{what}; install it (`openpoort taxonomy add`)")
    if not kind.entrypoints and not installed.mapped(kind.berichtsoort):
        remedy = f"`openpoort taxonomy add --kind {kind.berichtsoort}=ENTRYPOINT`"
        yield Lack("entrypoints", f"no taxonomy here has one for this kind; name some, or {remedy}")


def _instead(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known), 1)
    return f"write {near[0]!r}" if near else f"use one of {', '.join(sorted(known))}"
