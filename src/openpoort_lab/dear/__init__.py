"""Requests that are cheap to send and dear to receive, by kind of construct, and what they cost.

`KINDS` makes one request of each kind, of about as many octets as asked; `measure` sends them to a
door and counts the processor time beside an honest message of the same size. For
`openpoort bench dear`.
"""

from __future__ import annotations

from openpoort_lab.dear import http, message, multipart
from openpoort_lab.dear.kit import KINDS, Kind, Sender

__all__ = ["GROUPS", "KINDS", "Kind", "Sender"]

GROUPS = (http, multipart, message)
"""Rooms of the generator; importing them fills the list."""
