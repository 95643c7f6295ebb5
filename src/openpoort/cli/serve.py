"""`openpoort serve HOME`: doors, worker and what belongs to them, until told to stop."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from openpoort.cli.guard import told
from openpoort.cli.home import chosen, fail, home_argument, settings
from openpoort.cli.lines import json_option, said


@click.command()
@home_argument
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port of the doors; 0: a free one, for health and agencies too.",
)
@click.option("--only", type=click.Choice(["door", "worker"]), help="One role on this machine.")
@click.option("--doors", type=click.IntRange(1, 64), help="Door processes.")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes.")
@json_option
def serve(
    home: Path | None,
    home_option: Path | None,
    port: int | None,
    only: str | None,
    doors: int | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run the gateway in HOME. Prints `ready https://localhost:PORT/wus/2.0/` once it answers.

    Exit code 0 after Ctrl-C or SIGTERM, 1 when it could not run on, 2 when it could not start.
    """
    from openpoort import telemetry
    from openpoort.app import serve as gateway
    from openpoort.app.places import PlaceError
    from openpoort.app.sockets import PortTaken
    from openpoort.app.supervisor import ChildFailed
    from openpoort.domain.partyfile import BadDirectory
    from openpoort.keys.anchors import BadTrustStore
    from openpoort.keys.checkpoint import BadKey
    from openpoort.keys.pem import KeyUnusable
    from openpoort.keys.timestamp import BadAnchors
    from openpoort.process.flow.kinds import KindError
    from openpoort.store.postgres.embedded import ServerFailed

    known = settings(chosen(home, home_option))
    door, worker = known.door, known.worker
    door = replace(
        door,
        port=door.port if port is None else port,
        processes=door.processes if doors is None else doors,
    )
    if port == 0:
        # A second gateway on this machine: whoever asks for any free port means all of them.
        if "OPENPOORT_HEALTH_PORT" not in os.environ:
            known = replace(known, health=replace(known.health, port=0))
        if "OPENPOORT_AGENCY_PORT" not in os.environ:
            known = replace(known, agency=replace(known.agency, port=0))
    worker = replace(worker, processes=worker.processes if workers is None else workers)
    known = replace(known, door=door, worker=worker)
    telemetry.configure(known.log.level)
    ready: list[str] = []

    def say(line: str) -> None:
        """Flushed: a script waits for it, terminal or not."""
        ready.append(line)
        said(as_json, line, ready=line.partition(" ")[2])
        sys.stdout.flush()

    try:
        gateway.serve(known, only, say)
    except PortTaken as taken:
        fail(f"{taken}; choose another (--port, or health.port, agency.port in openpoort.toml)")
    except (
        gateway.AlreadyServed,
        BadDirectory,
        BadTrustStore,
        KindError,
        PlaceError,
        KeyUnusable,
        BadKey,
        BadAnchors,
    ) as wrong:
        fail(str(wrong))
    except ChildFailed as failed:
        fail(str(failed), 2 if failed.code == 2 else 1)
    except (ServerFailed, TimeoutError) as failed:
        fail(str(failed), 1)
    except OSError as wrong:  # of a file, until it runs
        fail(told(wrong), 1 if ready else 2)
