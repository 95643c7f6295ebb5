"""The verification kit: contract 1.2 tried from outside, against any gateway that claims it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openpoort.client.conformance import answers, refusals, requests
from openpoort.client.conformance.kit import Case, Fails, Kit, Message, Skips, now
from openpoort.client.conformance.report import Outcome, Report, Result
from openpoort.outbound.exchange import BadAnswer, Faulted
from openpoort.outbound.http import NoAnswer

__all__ = ["CASES", "LARGE", "Case", "Kit", "Message", "Outcome", "Report", "Result", "run"]

CASES: tuple[Case, ...] = (*requests.CASES, *refusals.CASES, *answers.CASES)
LARGE: tuple[Case, ...] = refusals.LARGE


def run(
    kit: Kit,
    cases: Sequence[Case] = CASES,
    seen: Callable[[Result], None] = lambda result: None,
) -> Report:
    """Try every case, one after the other; `seen` is told of each result."""
    at = now()
    results = []
    for case in cases:
        result = _try(kit, case)
        seen(result)
        results.append(result)
    return Report(kit.endpoints.aanleveren, at, tuple(results))


def _try(kit: Kit, case: Case) -> Result:
    try:
        case.run(kit)
    except Skips as reason:
        return Result(case.clause, case.title, Outcome.SKIPPED, str(reason))
    except (Fails, NoAnswer, BadAnswer, Faulted) as error:
        outcome = Outcome.FAILED if case.must else Outcome.NOTED
        return Result(case.clause, case.title, outcome, str(error))
    return Result(case.clause, case.title, Outcome.PASSED)
