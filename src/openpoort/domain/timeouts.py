"""How long we wait for somebody we call: one value per agency, from its options in the directory.

Seconds throughout. What depends on the size of the message grows with it, up to `LONGEST`; the
lease of a delivery is longer than the two tries that one attempt may cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

LONGEST = 120.0
"""No exchange takes longer, whatever is asked."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect`: for the connection and its handshake. `read`: the longest silence in an exchange.
    `whole`: from the first octet sent to the last received. `per_mib`: what both gain for each MiB
    that is sent. `idle`: a connection that stood idle for longer is not used again; it may have
    been dropped on the way without a word. `unacknowledged`: what was sent and not acknowledged by
    the other machine for so long means that the connection is dead."""

    connect: float = 10.0
    read: float = 30.0
    whole: float = 60.0
    per_mib: float = 2.0
    idle: float = 15.0
    unacknowledged: float = 10.0

    def sending(self, octets: int) -> Timeouts:
        """Those for a message of this size."""
        more = self.per_mib * (octets // _MIB)
        if not more:
            return self
        return Timeouts(
            self.connect, min(self.read + more, LONGEST), min(self.whole + more, LONGEST),
            self.per_mib, self.idle, self.unacknowledged,
        )  # fmt: skip


DEFAULT = Timeouts()
OPTIONS = {
    "connect_seconds": ("connect", 1.0, 30.0),
    "silence_seconds": ("read", 1.0, LONGEST),
    "whole_seconds": ("whole", 1.0, LONGEST),
    "seconds_per_mib": ("per_mib", 0.0, 10.0),
    "idle_seconds": ("idle", 0.0, 300.0),
    "unacknowledged_seconds": ("unacknowledged", 1.0, 60.0),
}
"""Option of an agency: the field it sets, least and most."""


def of(options: Mapping[str, str], otherwise: Timeouts = DEFAULT) -> Timeouts:
    """Those of an agency. Raises ValueError that names the option."""
    asked = options.keys() & OPTIONS.keys()
    if not asked:
        return otherwise
    return replace(otherwise, **dict(_read(name, options[name]) for name in asked))


def _read(name: str, text: str) -> tuple[str, float]:
    field, least, most = OPTIONS[name]
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least:g} to {most:g}, not {text!r}")
    return field, value
