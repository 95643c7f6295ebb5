"""Names of people as they give them on a command line: when two of them are one person."""

from __future__ import annotations

import unicodedata

_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters by their category, and nothing to see (Default_Ignorable_Code_Point)."""


def same(one: str, other: str) -> bool:
    """Blanks, case, invisible characters and Unicode forms make no other person."""
    return _plain(one) == _plain(other)


def given(name: str) -> str:
    """The name as it is kept. ValueError when nothing of it can be seen."""
    kept = " ".join(name.split())
    if not _plain(kept):
        raise ValueError("a name is needed: of whom, for the journal")
    return kept


def _plain(name: str) -> str:
    """Compatibility form without case, accents apart; letters and digits only."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LN" and c not in _FILLERS)
