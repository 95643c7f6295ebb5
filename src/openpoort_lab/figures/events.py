"""`python -m openpoort_lab.figures.events`: the reference page and schema of security events."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from openpoort.domain import event, ocsf


def files() -> dict[str, str]:
    """File name -> content, as they stand in docs/reference."""
    return {
        "events.md": event.page(),
        "ocsf.md": ocsf.page(),
        "events.schema.json": json.dumps(event.schema(), indent=1) + "\n",
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")
    for name, content in files().items():
        (folder / name).write_text(content)
