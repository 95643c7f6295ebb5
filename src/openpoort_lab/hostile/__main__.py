"""The list of hostile messages as a page: python -m openpoort_lab.hostile > PAGE."""

from __future__ import annotations

import sys
from itertools import groupby

from openpoort_lab.hostile.kit import CASES, FAULT, Case

HEAD = """# Hostile messages

Every message of the corpus, by family, with what becomes of it. Each is made for the three services
in SHA-1 and SHA-256, and is wrong in one way only. *Fault* is the service's fault 100 (ALS100,
STS100, OPH100) with a text that says what is wrong; *400* and *403* are bare refusals. The layer
is who stops it. Made by `python -m openpoort_lab.hostile`; run by
`tests/unit/test_hostile_corpus.py` and, against a running gateway, by
`tests/e2e/test_hostile_door.py`.
"""


def page() -> str:
    """Markdown; one table per family."""
    families = groupby(sorted(CASES, key=_family), key=_family)
    count = f"\n{len(CASES)} messages.\n"
    return HEAD + count + "".join(_table(name, list(cases)) for name, cases in families)


def _family(case: Case) -> str:
    return case.name.partition("/")[0]


def _table(name: str, cases: list[Case]) -> str:
    rows = "".join(
        f"| {case.name.partition('/')[2]} "
        f"| {'Fault' if case.expected == FAULT else case.expected} | {case.layer} |\n"
        for case in cases
    )
    return f"\n## {name}\n\n| Message | Verdict | Layer |\n|---|---|---|\n{rows}"


if __name__ == "__main__":
    sys.stdout.write(page())
