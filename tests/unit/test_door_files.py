"""A door fits its connections to the open files that the system allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from openpoort.app.door import _many_files
print(_many_files({asked}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "connections", "files"),
    [
        (300, 2000, 1000, 1000, 1256),  # raised as far as needed
        (300, 1000, 1000, 744, 1000),  # the system allows less: fewer connections
        (1500, 2000, 1000, 1000, 1500),  # enough already
        (100, 260, 1000, 16, 260),
    ],
)
def test_connections_fit_the_open_files(
    soft: int, hard: int, asked: int, connections: int, files: int
) -> None:
    program = PROGRAM.format(soft=soft, hard=hard, asked=asked)
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1].split() == [str(connections), str(files)]
