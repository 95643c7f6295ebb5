"""`python -m openpoort_lab.figures.findings_page`: the rules of docs/reference/findings.md."""

from __future__ import annotations

import sys

from openpoort.checks.codes import OWN
from openpoort.checks.filing import FILE_RULES, RULES
from openpoort_lab.figures.refusals import SHAPES

_HEAD = """\
# Findings

Made by `python -m openpoort_lab.figures.findings_page > docs/reference/findings.md`; a test holds
it against the code.

A finding has a code, a level (`error` rejects: status 311), a Dutch sentence that says what to
change, the line, an XPath and the id of a context where there is one, how often the same was found
(then line and XPath are those of the first), and its source: `structure`, `filing`, `xbrl`, `plain`
or `malware`. In the `statusFoutcode` of a 311 they stand as XML:

```xml
<results xmlns="http://nlvalidatie.nl/batavia"><xbrl><messages aantal="1">
<msg level="error" code="FR-NL-2.03" bron="filing" regel="2" plaats="/xbrli:xbrl">…</msg>
</messages></xbrl></results>
```

Namespace, path and `level` are what Business Central reads; the other attributes are ours, among
them `context` and `keer` (how often, when more than once). At
most 200 findings, errors first; `aantal` counts all. `openpoort check --json` has the same fields
by English names.

## Filing rules

41 codes. FG rules warn. FR-KVK and BR-KVK apply to entry points of KvK and to taxonomies whose
manifest says `"rules": ["kvk"]`.

| code | about | level | applies to |
|---|---|---|---|
"""
_OWN = """
## Our own codes

| code | about | level |
|---|---|---|
"""
_XBRL = """
## Codes of the reference processor

XBRL 2.1, dimensions and formulas keep the processor's own codes, such as `xbrl.4.6.2:numericUnit`,
`xbrldie:PrimaryItemDimensionallyInvalidError`, `xmlSchema:valueError`. A formula that is not
satisfied is `message:` and the id of its assertion, with the taxonomy's own message, in Dutch
where it has one. It rejects unless `severity.csv` or the package says otherwise.
`exception:` and a name means that a value could not be processed at all.

Each code has a Dutch sentence of ours (`checks/xbrl/sentences.py`) with the fact, its context and
dimensions; no word of the processor comes through. What only follows from another finding is left
out ([decision 67](../decisions/0067-the-cause-and-not-its-consequences.md)).
"""
_OWNERS = """
## Which check refuses what

Each row is one made document, each cell what that check alone says of it; – leaves it to the
others. Rows that begin with `plain:` are judged as `Aangifte_LH`, the others as `Omzetbelasting`. A
step runs its checks from left to right and ends with the first that rejects. Where
two say the same, the second has it for kinds that do not run the first.

| document | structure | filing | plain | xbrl |
|---|---|---|---|---|
"""


def page() -> str:
    lines = [_HEAD]
    rows = sorted(
        {(r.code, r.about, r.severity.value, r.kvk) for r in FILE_RULES}
        | {(r.code, r.about, r.severity.value, r.kvk) for r in RULES}
    )
    for code, about, level, kvk in rows:
        lines.append(f"| {code} | {about} | {level} | {'KvK' if kvk else 'all'} |\n")
    lines.append(_OWN)
    lines += [f"| {code} | {about} | {level} |\n" for code, (about, level) in OWN.items()]
    lines.append(_XBRL)
    lines.append(_OWNERS)
    for shape in SHAPES:
        cells = " | ".join(cell or "–" for cell in shape.cells)
        lines.append(f"| {shape.about} | {cells} |\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
