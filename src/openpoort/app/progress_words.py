"""Days, bands, numbers and sentences in a reader's language; what is unknown is said to be."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any, Literal

from openpoort.domain.contract import Band

Language = Literal["nl", "en"]


@cache
def _texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    text = resources.files("openpoort.app").joinpath("progress_texts.toml").read_text("utf-8")
    return tomllib.loads(text)


def say(table: str, key: str, language: Language, **values: object) -> str:
    """One text of the file."""
    return _texts()[table][key][language].format(**values)


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    language: Language

    def band(self, band: Band | None) -> str:
        if band is None:
            return self.word("unknown")
        if band.earliest == band.latest:
            return str(band.likely)
        return (f"{band.earliest} {self.word('to')} {band.latest},"
                f" {self.word('probably')} {band.likely}")  # fmt: skip

    def range(self, values: Sequence[Fraction | Decimal | None], digits: int = 0) -> str:
        """One number, or low to high with the likely one; what is not known is said to be."""
        if all(v is None for v in values):
            return self.word("unknown")
        texts = [self.word("unknown") if v is None else self.number(v, digits) for v in values]
        if len(set(texts)) == 1:
            return texts[0]
        return f"{texts[0]} {self.word('to')} {texts[2]}, {self.word('probably')} {texts[1]}"

    def number(self, value: Fraction | Decimal | float, digits: int) -> str:
        text = f"{float(value):,.{digits}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "nl" else text

    def whole(self, value: int) -> str:
        return self.number(Decimal(value), 0)

    def each(self, seconds: float | None, messages: int) -> str:
        if seconds is None or not messages:
            return self.word("unknown")
        return self.number(1000 * seconds / messages, 2)

    def euro(self, value: float | None) -> str:
        return self.word("unknown") if value is None else self.number(value, 7)

    def day(self, day: date | None) -> str:
        return str(day) if day else self.word("unknown")

    def cell(self, row: Mapping[str, Any], key: str) -> str:
        value = row.get(key)
        if value in (None, ""):
            return self.word("unknown")
        fixed = _texts()["values"].get(str(value))  # words that weeg's files have for all languages
        return fixed[self.language] if fixed else str(value)

    def proof(self, name: str) -> str:
        """What a measured name means; the name itself for one without words."""
        known = _texts()["proofs"].get(name)
        return f"{known[self.language]} ({name})" if known else name

    def word(self, key: str, **values: object) -> str:
        return say("words", key, self.language, **values)

    def sentence(self, key: str, **values: object) -> str:
        return say("sentences", key, self.language, **values)
