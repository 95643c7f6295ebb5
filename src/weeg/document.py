"""Reading a YAML file as a tree in which every value still knows its row and column.

Values stay text until somebody says what they are: no `NO` that becomes false, no date that
becomes a number. Anchors, aliases, tags and deep nesting are refused: a decision needs none.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import yaml

from weeg import table
from weeg.figure import Range, number, spread
from weeg.problem import Place, refuse

_MOST_DEPTH = 20
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Words:
    """A text in Dutch with English beside it."""

    nl: str
    en: str

    def get(self, language: str) -> str:
        return self.nl if language == "nl" else self.en


@dataclass(frozen=True, slots=True)
class Entry:
    """One node: text, a list or a mapping (exactly one of the three is not None)."""

    place: Place
    scalar: str | None = None
    items: tuple[Entry, ...] | None = None
    pairs: tuple[tuple[str, Place, Entry], ...] | None = None

    @property
    def empty(self) -> bool:
        return self.scalar is not None and self.scalar.strip() in ("", "~", "null")

    def text(self) -> str:
        if self.scalar is None or self.empty:
            raise refuse("yaml.text", self.place)
        return self.scalar.strip()

    def number(self, unit: str = "") -> Decimal:
        return number(self.text(), self.place, unit)

    def range(self, unit: str = "") -> Range:
        return spread(self.text(), self.place, unit)

    def integer(self, least: int, most: int) -> int:
        value = self.number()
        if value != value.to_integral_value() or not least <= value <= most:
            raise refuse("yaml.integer", self.place, value=self.text(), least=least, most=most)
        return int(value)

    def truth(self) -> bool:
        word = self.text().lower()
        if word not in ("true", "false", "yes", "no", "ja", "nee"):
            raise refuse("yaml.truth", self.place, value=word)
        return word in ("true", "yes", "ja")

    def date(self) -> dt.date:
        try:
            return dt.date.fromisoformat(self.text())
        except ValueError:
            raise refuse("yaml.date", self.place, value=self.text()) from None

    def one_of(self, *words: str) -> str:
        word = self.text()
        if word not in words:
            raise refuse("yaml.choice", self.place, value=word, words=", ".join(words))
        return word

    def words(self) -> Words:
        """`{nl: ..., en: ...}`, or one text for both."""
        if self.scalar is not None:
            return Words(self.text(), self.text())
        fields = self.fields(("nl", "en"))
        return Words(fields["nl"].text(), fields["en"].text())

    def list(self) -> tuple[Entry, ...]:
        if self.items is None:
            raise refuse("yaml.list", self.place)
        return self.items

    def mapping(self) -> Iterator[tuple[str, Place, Entry]]:
        """Key, place of the key, value; keys are unique."""
        if self.pairs is None:
            raise refuse("yaml.mapping", self.place)
        return iter(self.pairs)

    def fields(self, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Entry]:
        """A mapping with known keys only; empty optional ones count as absent."""
        known = (*needed, *optional)
        found: dict[str, Entry] = {}
        for key, place, value in self.mapping():
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = close[0] if close else ", ".join(known)
                raise refuse("yaml.key", place, key=key, hint=hint)
            if not value.empty or key in needed:
                found[key] = value
        for key in needed:
            if key not in found:
                raise refuse("yaml.needed", self.place, key=key)
        return found


def parse(data: bytes, name: str) -> Entry:
    decoded = table.text(data, name)
    try:
        _refuse_tricks(decoded, name)
        node = yaml.compose(decoded, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        raise refuse("yaml.syntax", place, detail=error.problem or "") from None
    except yaml.YAMLError as error:
        raise refuse("yaml.syntax", Place(name), detail=str(error).splitlines()[0]) from None
    if node is None:
        raise refuse("yaml.empty", Place(name))
    return _entry(node, name)


def _refuse_tricks(decoded: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(decoded, Loader=_LOADER):
        mark = event.start_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refuse("yaml.alias", place)
        if getattr(event, "tag", None):
            raise refuse("yaml.tag", place)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise refuse("yaml.deep", place)


def _entry(node: yaml.Node, name: str) -> Entry:
    place = Place(name, node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.ScalarNode):
        return Entry(place, scalar=str(node.value))
    if isinstance(node, yaml.SequenceNode):
        return Entry(place, items=tuple(_entry(child, name) for child in node.value))
    pairs: list[tuple[str, Place, Entry]] = []
    seen: set[str] = set()
    for key, value in node.value:
        at = Place(name, key.start_mark.line + 1, key.start_mark.column + 1)
        if not isinstance(key, yaml.ScalarNode):
            raise refuse("yaml.text", at)
        if key.value in seen:
            raise refuse("yaml.double", at, key=key.value)
        seen.add(key.value)
        if getattr(node, "flow_style", False) and _blank(value) and re.match(r"\d", key.value):
            raise refuse("yaml.comma", at, value=key.value)
        pairs.append((str(key.value), at, _entry(value, name)))
    return Entry(place, pairs=tuple(pairs))


def _blank(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == ""
