"""A check that breaks off by a mistake of ours: never a verdict, and never the end of the rest.

Its filing is judged again later (321), the operator gets one line that a bug report can start
from: which check, what was raised, where in our code, and the digest of the document.
"""

from __future__ import annotations

import hashlib
import traceback
from pathlib import PurePath

from openpoort.domain.finding import Finding
from openpoort.domain.octets import in_pieces
from openpoort.process.ports import Check, CheckUnavailable, Filing
from openpoort.store.payloads.payloads import PayloadUnavailable
from openpoort.telemetry import logger


class Guarded:
    """`check`, with every exception that it does not name turned into CheckUnavailable."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._log = logger("checks")

    @property
    def name(self) -> str:
        return self._check.name

    def check(self, filing: Filing) -> tuple[Finding, ...]:
        """Raises CheckUnavailable, PayloadUnavailable."""
        try:
            return self._check.check(filing)
        except (CheckUnavailable, PayloadUnavailable):
            raise
        except Exception as wrong:  # noqa: BLE001  # whatever it is, the operator must hear it
            kind, where = type(wrong).__name__, _where(wrong)
            # No text of the exception: it may quote the filing.
            self._log.error(
                "check_crashed", check=self.name, error=kind, where=where, sha256=_digest(filing)
            )
            raise CheckUnavailable(
                f"check {self.name} crashed: {kind} at {where}; please report this"
            ) from None


def _where(wrong: Exception) -> str:
    """The innermost place in our own code: `checks/instance.py:152`."""
    ours = [f for f in traceback.extract_tb(wrong.__traceback__) if "openpoort" in f.filename]
    if not ours:
        return "?"
    parts = PurePath(ours[-1].filename).parts
    return f"{'/'.join(parts[parts.index('openpoort') + 1 :])}:{ours[-1].lineno}"


def _digest(filing: Filing) -> str:
    digest = hashlib.sha256()
    for piece in in_pieces(filing.inhoud.inhoud):
        digest.update(piece)
    return digest.hexdigest()
