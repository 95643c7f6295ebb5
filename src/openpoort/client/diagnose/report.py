"""What a diagnosis says: a list of checks, each with what was found and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """`WRONG`: a gateway refuses this. `ATTENTION`: it passes, and something is odd."""

    OK = "ok"
    WRONG = "wrong"
    ATTENTION = "attention"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `facts` are (label, value) pairs, such as a digest computed and found."""

    name: str
    outcome: Outcome
    text: str
    advice: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, object]:
        return {
            "check": self.name,
            "outcome": self.outcome.value,
            "text": self.text,
            "advice": self.advice,
            "facts": dict(self.facts),
        }


@dataclass(slots=True)
class Report:
    """Checks in the order they were made. `fout` is the gateway's own answer, in Dutch (empty: it
    takes the request), `status` its HTTP status; `unjudged` says what could not be judged."""

    checks: list[Check] = field(default_factory=list)
    fout: str = ""
    status: int = 0
    unjudged: tuple[str, ...] = ()

    def ok(self, name: str, text: str, **facts: str) -> None:
        self._add(name, Outcome.OK, text, "", facts)

    def wrong(self, name: str, text: str, advice: str = "", **facts: str) -> None:
        self._add(name, Outcome.WRONG, text, advice, facts)

    def attention(self, name: str, text: str, advice: str = "", **facts: str) -> None:
        self._add(name, Outcome.ATTENTION, text, advice, facts)

    def unknown(self, name: str, text: str, advice: str = "") -> None:
        self._add(name, Outcome.UNKNOWN, text, advice, {})

    def judge(self, name: str, good: bool, text: str, advice: str = "", **facts: str) -> None:
        """OK or wrong; the advice counts only when wrong."""
        if good:
            self.ok(name, text, **facts)
        else:
            self.wrong(name, text, advice, **facts)

    @property
    def wrong_ones(self) -> list[Check]:
        return [check for check in self.checks if check.outcome is Outcome.WRONG]

    @property
    def accepted(self) -> bool:
        """Nothing found that a gateway refuses."""
        return not self.fout and not self.wrong_ones

    def as_dict(self) -> dict[str, object]:
        return {
            "accepted": self.accepted,
            "fout": self.fout,
            "status": self.status,
            "unjudged": list(self.unjudged),
            "checks": [check.as_dict() for check in self.checks],
        }

    def _add(
        self, name: str, outcome: Outcome, text: str, advice: str, facts: dict[str, str]
    ) -> None:
        pairs = tuple((label.replace("_", " "), value) for label, value in facts.items())
        self.checks.append(Check(name, outcome, text, advice, pairs))
