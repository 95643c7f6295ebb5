"""Following a process: it ends where the process ends, and survives a gateway that restarts."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from rich.console import Console

from openpoort.cli.follow import final, follow, table
from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.status import Status
from openpoort.outbound.http import NoAnswer

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def status(code: str, foutcode: str | None = None) -> Status:
    fout = Fout(foutcode, "De tekst.") if foutcode else None
    return Status("k", Identiteit("001000044B37", "BTW"), code, AT, f"Tekst {code}.", fout)


def history(*codes: str) -> Callable[[], tuple[Status, ...]]:
    """One status more at every question."""
    asked = iter(range(1, len(codes) + 1))
    return lambda: tuple(status(code) for code in codes[: next(asked)])


def shown(ask: Callable[[], tuple[Status, ...]], ends_at_400: bool | None = None) -> list[str]:
    out = io.StringIO()
    follow(ask, Console(file=out, width=200), ends_at_400=ends_at_400)
    return [line.split()[1] for line in out.getvalue().splitlines()]


def test_each_status_is_shown_once_until_the_end() -> None:
    assert shown(history("105", "100", "500")) == ["105", "100", "500"]


def test_kind_that_ends_at_400_ends_there() -> None:
    assert shown(history("405", "400"), ends_at_400=True) == ["405", "400"]


def test_kind_with_a_verdict_goes_on_after_400() -> None:
    assert shown(history("400", "510"), ends_at_400=False) == ["400", "510"]


def test_gateway_that_is_away_for_a_moment_is_asked_again() -> None:
    answers = iter([NoAnswer("gone"), (status("500"),)])

    def ask() -> tuple[Status, ...]:
        answer = next(answers)
        if isinstance(answer, NoAnswer):
            raise answer
        return answer

    assert shown(ask) == ["500"]


@pytest.mark.parametrize(
    ("code", "foutcode", "ended"),
    [
        ("500", None, True),
        ("311", "VAS500", True),
        ("420", None, False),
        ("420", "AFS600", True),
        ("321", None, False),
        ("400", None, False),
        ("230", None, False),
    ],
)
def test_what_ends_a_process(code: str, foutcode: str | None, ended: bool) -> None:
    assert final(status(code, foutcode)) is ended


def test_table_fits_80_columns_without_losing_a_code() -> None:
    out = io.StringIO()
    rows = [status("105"), status("410", "AFO100")]
    Console(file=out, width=80).print(table(rows, "kenmerk"))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "410" in out.getvalue()
    assert "AFO100" in out.getvalue()
