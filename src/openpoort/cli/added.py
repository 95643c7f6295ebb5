"""Commands that other distributions add: entry points of group `openpoort.commands.v1`.

An entry point's name is the command's place, with a dot for each level: `bench` stands beside
`serve`, `bench.replication` below `bench`. Nothing is imported before its command is asked for.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

import click

GROUP = "openpoort.commands.v1"
LAB = ("agreement", "bench", "chaos", "failover-drill", "simulate")
"""Commands of openpoort-lab. Where it is not installed they say so, instead of being unknown."""


@lru_cache(maxsize=1)
def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def names() -> set[str]:
    """Commands of the first level that somebody adds, or that the lab would add."""
    return {name for name in _found() if "." not in name} | set(LAB)


def command(name: str) -> click.Command | None:
    """The command of the first level with this name; None when nobody adds one."""
    point = _found().get(name)
    if point is not None:
        found = point.load()
        assert isinstance(found, click.Command), f"{point.value} is no command"
        return found
    return _missing(name) if name in LAB else None


def complete(command: click.Command, place: str) -> click.Command:
    """`command`, which stands at `place` ("ebms"), with what others add below it ("ebms.soak")."""
    for name, point in _found().items():
        above, _, last = name.rpartition(".")
        if above == place and isinstance(command, click.Group) and last not in command.commands:
            command.add_command(complete(point.load(), name), last)
        elif above.startswith(place + ".") and isinstance(command, click.Group):
            below = command.commands.get(above[len(place) + 1 :].split(".")[0])
            if below is not None:
                complete(below, f"{place}.{below.name}")
    return command


def _missing(name: str) -> click.Command:
    @click.command(
        name,
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        short_help="Of openpoort-lab, which is not installed.",
        add_help_option=False,
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def missing(words: tuple[str, ...]) -> None:
        click.echo(
            f"Error: `openpoort {name}` belongs to the distribution openpoort-lab, which is not"
            " installed here: pip install openpoort-lab (in a clone: make install)",
            err=True,
        )
        raise SystemExit(2)

    return missing
