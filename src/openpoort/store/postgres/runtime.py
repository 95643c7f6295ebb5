"""Where threads, waiting, seconds and chance come from: the machine, or a simulation of one.

Whatever in `store` and `process` runs beside something else asks here, so that a simulation can
put one seeded scheduler under all of it (docs: simulation). Time of the day is not here: that is
`process/flow/clock.py`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Machine:
    """Makers with the signatures of the standard library. `monotonic` is real time, seconds;
    `cpu` what the calling thread used of the processor."""

    thread: Callable[..., Any] = threading.Thread
    event: Callable[[], Any] = threading.Event
    condition: Callable[[], Any] = threading.Condition
    pool: Callable[..., Any] = ThreadPoolExecutor
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    cpu: Callable[[], float] = time.thread_time
    uuid: Callable[[], uuid.UUID] = uuid.uuid4
