"""`python -m openpoort_lab.mutation`: a seeded sample of mutants, and what noticed each."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from openpoort_lab.mutation.mutants import Mutant, mutants
from openpoort_lab.mutation.targets import TESTS
from openpoort_lab.mutation.trial import ROOT, Judged, Odd, trials


def chosen(only: Sequence[str], kinds: str, count: int, seed: int) -> list[tuple[str, Mutant]]:
    """At most `count` mutants (0: all) of the modules whose names begin with one of `only`, of the
    kinds that contain `kinds`, with the module of each; as many of each module as there are."""
    found = [
        (module, mutant)
        for module in TESTS
        if not only or module.startswith(tuple(only))
        for mutant in mutants(f"openpoort/{module}.py", _source(module))
        if kinds in mutant.what
    ]
    if not count or count >= len(found):
        return found
    picked = random.Random(seed).sample(range(len(found)), count)  # noqa: S311 - a sample
    return [found[n] for n in sorted(picked)]


def report(judged: Sequence[tuple[str, Judged]], seed: int) -> dict[str, object]:
    """Tried and killed by module, and each mutant with its place and difference."""
    modules: dict[str, dict[str, int]] = {}
    for module, one in judged:
        counted = modules.setdefault(module, {"tried": 0, "killed": 0})
        counted["tried"] += 1
        counted["killed"] += one.killed
    return {
        "seed": seed,
        "tried": len(judged),
        "killed": sum(one.killed for _, one in judged),
        "modules": modules,
        "mutants": [
            {"path": one.mutant.path, "line": one.mutant.line, "what": one.mutant.what,
             "killed": one.killed, "noticed_by": one.first, "diff": one.mutant.diff}
            for _, one in judged
        ],
    }  # fmt: skip


@click.command()
@click.option("--only", multiple=True, metavar="MODULE", help="Such as store/queue or trust.")
@click.option("--kind", default="", metavar="WORDS", help="Of this kind only, such as SQL.")
@click.option("--count", type=click.IntRange(0), default=40, show_default=True, help="0: all.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--seconds", type=float, default=300.0, show_default=True, help="For one mutant.")
@click.option("--json", "record", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--list", "listing", is_flag=True, help="Show the mutants and run nothing.")
def main(
    only: tuple[str, ...], kind: str, count: int, seed: int, at_once: int, seconds: float,
    record: Path | None, listing: bool,
) -> None:  # fmt: skip
    """Put mistakes into the source one at a time and run the tests that must notice them.

    Exit code 1 when one was noticed by no test, 2 when the tests fail without a mistake.
    """
    picked = chosen(only, kind, count, seed)
    if not picked:
        raise click.UsageError(f"no mutants; modules are {', '.join(TESTS)}")
    if listing:
        for _, mutant in picked:
            _show(mutant, "")
        return
    judged: list[tuple[str, Judged]] = []
    wanted = [(mutant, TESTS[module]) for module, mutant in picked]
    with tempfile.TemporaryDirectory(prefix="mutation") as folder:
        try:
            for one in trials(wanted, Path(folder), at_once, seconds):
                judged.append((picked[len(judged)][0], one))
                _show(one.mutant, f"noticed by {one.first}" if one.killed else "SURVIVED")
                if record is not None:  # after each: a long run that is stopped keeps what it has
                    record.write_text(json.dumps(report(judged, seed), indent=1) + "\n")
        except Odd as error:
            click.echo(error, err=True)
            raise SystemExit(2) from None
    killed = sum(one.killed for _, one in judged)
    click.echo(f"{killed} of {len(judged)} noticed ({100 * killed / len(judged):.1f} %)")
    raise SystemExit(0 if killed == len(judged) else 1)


def _show(mutant: Mutant, verdict: str) -> None:
    click.echo(f"{mutant.path}:{mutant.line} {mutant.what}: {verdict}".rstrip(": "))
    if not verdict.startswith("noticed"):
        click.echo(mutant.diff)


def _source(module: str) -> str:
    return (ROOT / "src" / "openpoort" / f"{module}.py").read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
