"""Every sentence that weeg shows, in Dutch and English, from the one file `texts.yaml`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import yaml

Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "en")


@cache
def all_texts() -> dict[str, dict[str, str]]:
    """Key -> language -> sentence. KeyError at the first use of a missing key, never a blank."""
    source = resources.files("weeg").joinpath("texts.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, str]] = yaml.load(source, Loader=getattr(yaml, "CSafeLoader"))  # noqa: S506, B009  -- the C twin of SafeLoader; stubs do not know it
    return loaded


def say(key: str, language: Language, /, **values: object) -> str:
    sentence = all_texts()[key][language]
    return sentence.format(**values) if values else sentence
