"""Damaged folders: any byte changed anywhere is weighed or refused, never a traceback.

`python -m tests.property.test_weeg_fuzz 20000` runs longer; CI runs a seeded slice.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.weeg_folders import example
from weeg.checks import findings
from weeg.folder import load
from weeg.problem import BadInput
from weeg.texts import LANGUAGES

_GRAFTS = (b";", b",", b"|", b"-", b"=", b"@", b"NaN", b"1e9", b"\x00", b"\xff", b"\n", b"{", b"[",
           b'"', b"'", b"&a", b"*a", b"!!x", b"%", b": ", b"9" * 70, b"0", b"\xe2\x82\xac", b"~",
           b"|1|", b"..", b"\t", b"#", b"null", b"{}", b"[]", b"<b>")  # fmt: skip


def damage(chance: random.Random, data: bytes) -> bytes:
    """One to four small wounds: bytes out, bytes in, lines swapped or doubled."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data = data[:at] + data[at + chance.randint(1, 12) :]
            case 1:
                data = data[:at] + chance.choice(_GRAFTS) + data[at:]
            case 2:
                data = data[:at] + chance.choice(_GRAFTS) + data[at + chance.randint(1, 6) :]
            case 3:
                lines = data.split(b"\n")
                one, two = (chance.randrange(len(lines)) for _ in range(2))
                lines[one], lines[two] = lines[two], lines[one]
                data = b"\n".join(lines)
            case _:
                lines = data.split(b"\n")
                lines.insert(chance.randrange(len(lines)), chance.choice(lines))
                data = b"\n".join(lines)
    return data


def rounds(folder: Path, count: int, seed: int) -> Counter[str]:
    """What came of each damaged folder: `weighed`, or the code of the first problem."""
    chance = random.Random(seed)
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in (".yaml", ".csv", ".json")]
    seen: Counter[str] = Counter()
    for _ in range(count):
        file = chance.choice(files)
        whole = file.read_bytes()
        file.write_bytes(damage(chance, whole))
        try:
            found = findings(load(folder))
            seen["weighed"] += 1
        except BadInput as bad:
            found = bad.problems
            seen[found[0].code] += 1
        finally:
            file.write_bytes(whole)
        for problem in found:
            for language in LANGUAGES:
                assert problem.show(language).isprintable()
    return seen


def test_damaged_folders_are_weighed_or_refused(tmp_path: Path) -> None:
    seen = rounds(example(tmp_path / "d"), 120, seed=6)
    assert sum(seen.values()) == 120
    assert seen["weighed"] > 10
    assert len(seen) > 15


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        found = rounds(example(Path(home) / "d"), int(sys.argv[1]), seed=2020)
        for code, times in found.most_common():
            print(f"{times:7} {code}")
