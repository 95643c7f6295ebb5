"""The one way out of this room without a verdict."""

from __future__ import annotations


class Undecided(Exception):
    """The index cannot prove what the processor would say. The text is the reason in a few fixed
    words, for counting: never something out of the filing."""
