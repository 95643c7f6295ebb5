"""The whole judgement of a taxonomy by the reference processor, once, when it is added.

What makes an entry point unusable refuses it. Other remarks are counted and kept: published
taxonomies have some (NT11 breaks xbrl.4.3.4 in 28 places), and they are not the filer's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

_FATAL = (
    "IOerror",
    "FileNotLoadable",
    "xmlSchema:syntax",
    "exception:",
    "xbrlve:",
    "xpath",
    "err:",
)
_SECONDS = 900


def verify(packages: Sequence[Path], entry: str) -> tuple[list[str], dict[str, int]]:
    """Reasons to refuse, and remarks by code."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, entry, *map(str, packages)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        messages = json.loads(done.stdout.decode().rpartition("\n")[2])
    except subprocess.TimeoutExpired:
        return [f"verifying took longer than {_SECONDS} seconds"], {}
    except ValueError:
        return [f"the processor could not load it: {done.stderr.decode()[-300:]}"], {}
    fatal = [text for code, level, text in messages if level == "error" and code.startswith(_FATAL)]
    return fatal[:10], dict(Counter(code for code, level, _ in messages if level == "error"))


def main() -> None:
    import resource

    from openpoort.checks.xbrl.model import Held

    room = 6 * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    entry, *packages = sys.argv[1:]
    held = Held([Path(p) for p in packages], entry, thorough=True)
    found = [
        (m.code, m.level, " ".join(m.text.split())[:300])
        for m in held.found
        if not m.code.startswith(("message:", "formula:"))  # no facts, so no verdicts yet
    ]
    sys.stdout.write("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
