"""Clients of other makers against a gateway as a user runs it."""

from __future__ import annotations

from tests.e2e.conftest import gateway

__all__ = ["gateway"]
