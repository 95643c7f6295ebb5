"""Our verdict beside that of the reference processor's own command line, filing by filing.

The command line runs apart, as anybody would run it. Every disagreement gets a reason from the
list below, or stands open: then the run fails.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from openpoort.checks.routes import INDEX
from openpoort.checks.suite import Suite
from openpoort.checks.verdict import Xbrl
from openpoort.checks.xbrl.messages import FOLLOWING
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.ports import CheckUnavailable, Filing

_QUIET = re.compile(r"info$|info:|debug$|formula:trace|arelle:(?!.*[Ee]rror)")


@dataclass(frozen=True, slots=True)
class Opinion:
    """`codes` are those of the reference processor, sorted; `ours` those only we have. `route`
    is who judged on our side; `differs` what the index says otherwise than our processor path."""

    valid: bool
    codes: tuple[str, ...]
    ours: tuple[str, ...] = ()
    route: str = ""
    differs: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    name: str
    reference: Opinion
    own: Opinion
    reason: str = ""

    @property
    def agrees(self) -> bool:
        same = self.reference.valid == self.own.valid and self.reference.codes == self.own.codes
        return same and not self.own.differs


@dataclass(slots=True)
class Report:
    """All comparisons; `open` are disagreements without a reason."""

    comparisons: list[Comparison] = field(default_factory=list)

    @property
    def routes(self) -> dict[str, int]:
        """Who judged on our side, most frequent first; empty when the index is off."""
        return dict(Counter(c.own.route for c in self.comparisons if c.own.route).most_common())

    @property
    def open(self) -> list[Comparison]:
        return [c for c in self.comparisons if not c.agrees and not c.reason]


def reference(
    paths: Sequence[Path], packages: Sequence[Path], processes: int = 2
) -> dict[str, Opinion]:
    """What Arelle's command line says of each file, by name: one process for each file."""
    with ThreadPoolExecutor(processes) as threads:
        opinions = threads.map(lambda path: _command_line(path, packages), paths)
        return dict(zip((p.name for p in paths), opinions, strict=True))


def _command_line(path: Path, packages: Sequence[Path]) -> Opinion:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.json"
        subprocess.run(
            [
                *(sys.executable, "-m", "arelle.CntlrCmdLine"),
                *("--file", str(path), "--validate", "--internetConnectivity", "offline"),
                *("--packages", "|".join(map(str, packages)), "--logFile", str(log)),
                *("--baseTaxonomyValidation", "none", "--formulaUnmessagedUnsatisfiedAsser"),
            ],
            check=False,
            capture_output=True,
            env=os.environ | {"XDG_CONFIG_HOME": folder},
        )
        return _opinion(json.loads(log.read_text("utf-8"))["log"])


def session(paths: Sequence[Path], packages: Sequence[Path]) -> dict[str, Opinion]:
    """The same through Arelle's Session API in one process: quicker, for the slice in CI."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, *map(str, packages), "--", *map(str, paths)],
        check=True,
        capture_output=True,
    )
    raw = json.loads(done.stdout.decode().rpartition("\n")[2])
    return {name: _opinion(log) for name, log in raw.items()}


def _opinion(log: Iterable[dict[str, str]]) -> Opinion:
    """An unsatisfied assertion counts as an error, as with us."""
    codes, valid = set(), True
    for entry in log:
        code, level = entry.get("code", ""), entry.get("level", "").lower()
        if _QUIET.match(code) or level in {"info", "debug"}:
            continue
        codes.add(code)
        valid = valid and not (level in {"error", "critical"} or code.startswith("message:"))
    return Opinion(valid, tuple(sorted(codes)))


def own(suite: Suite, name: str, content: bytes, packages: Sequence[Path]) -> Opinion:
    """Our own verdict of all checks; for the codes, those of the processor alone."""
    filing = _filing(name, content)
    try:
        found = suite.run(filing)
    except CheckUnavailable as wrong:
        return Opinion(False, (f"unavailable: {wrong}"[:200],))
    theirs = tuple(sorted({f.code for f in found if _of_processor(f)}))
    ours = tuple(sorted({f.code for f in found if f.severity is Severity.ERROR} - set(theirs)))
    refused = bool(set(ours) & (_UNREAD | _UNLOADED))
    valid = not refused and not any(f.severity is Severity.ERROR for f in found if _of_processor(f))
    route = suite.routes.take()
    differs = _differs(suite, filing, found) if route == INDEX else ()
    return Opinion(valid, theirs, ours, route, differs)


def _differs(suite: Suite, filing: Filing, found: Sequence[Finding]) -> tuple[str, ...]:
    """Whole findings, not only codes: text, severity and line."""
    again = Xbrl(suite.registry, suite.pool).check(filing)
    mine = Counter(str(f) for f in found if f.source == "xbrl")
    theirs = Counter(map(str, again))
    return (*(mine - theirs), *(theirs - mine))


def _of_processor(finding: Finding) -> bool:
    return finding.source == "xbrl" and not finding.code.startswith("OP-")


def _filing(name: str, content: bytes) -> Filing:
    from openpoort.checks.defaults import UNKNOWN

    return Filing(UNKNOWN, Identiteit("", ""), Document("application/xml", name, content))


_UNREAD = {"OP-2.01", "OP-2.04", "OP-2.05", "FR-NL-1.01", "FR-NL-1.03", "FR-NL-1.05"}
_UNLOADED = {"OP-2.06", "OP-4.01", "OP-4.04", "OP-4.06", "OP-4.07"}


def reason(comparison: Comparison) -> str:
    """Why we may differ; empty when nothing explains it. Nothing explains the index."""
    if comparison.own.differs:
        return ""
    ours = set(comparison.own.ours)
    if ours & _UNREAD and not comparison.own.codes:
        return "strict: we refuse the bytes before the processor sees (and repairs) them"
    if ours & _UNLOADED and not comparison.own.codes:
        return "entry point: we refuse before loading what the document points at"
    theirs = comparison.reference.codes
    if comparison.own.codes == theirs and all(c.startswith("message:") for c in theirs):
        return "configured: this assertion only warns here (severity of the package or operator)"
    if comparison.reference.valid == comparison.own.valid and _follows(
        set(theirs), set(comparison.own.codes)
    ):
        return "cause: we leave out what only follows from a finding that we tell"
    if _stumbled(set(theirs), set(comparison.own.codes)):
        return "stumble: the processor stops at a value; what it said before has no fixed order"
    if "FileNotLoadable" in comparison.own.codes:
        return "guard: we do not open a path of this machine that the document names"
    return ""


def _follows(theirs: set[str], mine: set[str]) -> bool:
    """We tell a part of the same, and all that is left out is of a kind that can follow."""
    return bool(mine) and mine < theirs and all(c.startswith(FOLLOWING) for c in theirs - mine)


def _stumbled(theirs: set[str], mine: set[str]) -> bool:
    """Both stopped at a value, all formulas or one of them; only verdicts of formulas differ."""
    both = theirs & mine
    formulas = all(code.startswith("message:") for code in theirs ^ mine)
    return any(c.startswith("exception:") or (formulas and c.startswith("err:")) for c in both)


def compare(suite: Suite, files: Sequence[Path], *, quick: bool = False) -> Report:
    """Each file against the packages of its own taxonomy."""
    report = Report()
    by_packages: dict[tuple[Path, ...], list[Path]] = {}
    for path in files:
        by_packages.setdefault(_packages(suite, path.read_bytes()), []).append(path)
    for packages, paths in by_packages.items():
        theirs = (session if quick else reference)(paths, packages)
        for path in paths:
            mine = own(suite, path.name, path.read_bytes(), packages)
            comparison = Comparison(path.name, theirs[path.name], mine)
            if not comparison.agrees:
                comparison.reason = reason(comparison)
            report.comparisons.append(comparison)
    return report


def _packages(suite: Suite, content: bytes) -> tuple[Path, ...]:
    """By the address in the bytes: a mutant may not be XML any more."""
    text = content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "latin-1")
    for entry in re.findall(r"""https?://[^"'\s<>]+\.xsd""", text):
        taxonomy = suite.registry.find(entry)
        if taxonomy is not None:
            return tuple(taxonomy.packages)
    return ()


def _main() -> None:
    """Judge files one after the other with the Session API; JSON on the last line."""
    from arelle.api.Session import Session
    from arelle.logging.handlers.StructuredMessageLogHandler import StructuredMessageLogHandler
    from arelle.RuntimeOptions import RuntimeOptions

    split = sys.argv.index("--")
    packages, paths = sys.argv[1:split], sys.argv[split + 1 :]
    found = {}
    for path in paths:
        handler = StructuredMessageLogHandler()
        with Session() as arelle:
            options = RuntimeOptions(
                entrypointFile=path,
                internetConnectivity="offline",
                packages=packages,
                validate=True,
                baseTaxonomyValidationMode="none",
                formulaUnmessagedUnsatisfiedAsser=True,
            )
            arelle.run(options, logHandler=handler)
        found[Path(path).name] = [
            {"code": m["messageCode"], "level": m["levelname"]} for m in handler.messages
        ]
    sys.stdout.write("\n" + json.dumps(found))


if __name__ == "__main__":
    _main()
