"""The shape of a filing rule: a code, a level, and a small function that yields what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from openpoort.checks.instance import Instance
from openpoort.domain.finding import Severity


@dataclass(frozen=True, slots=True)
class Hit:
    """Where and what: a Dutch sentence that says what to change."""

    text: str
    element: etree._Element | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """What the rules on the file itself look at."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class FileRule:
    """A rule that needs no tree: it also judges what cannot be parsed."""

    code: str
    about: str
    find: Callable[[File], Iterator[Hit]]
    severity: Severity = Severity.ERROR
    kvk: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on the parsed instance. `kvk` rules apply to entry points of KvK only."""

    code: str
    about: str
    find: Callable[[Instance], Iterator[Hit]]
    severity: Severity = Severity.ERROR
    kvk: bool = False
