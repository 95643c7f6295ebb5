"""The commands. Each file is one group; nothing heavy is imported before its command runs."""

from __future__ import annotations

import importlib
from typing import Any

import click

_COMMANDS: dict[str, str] = {
    "agency": "openpoort.cli.agency:agency",
    "evidence": "openpoort.cli.evidence:evidence",
    "journal": "openpoort.cli.journal:journal",
    "diagnose": "openpoort.cli.diagnose:command",
    "fetch": "openpoort.cli.client:fetch",
    "send": "openpoort.cli.client:send",
    "status": "openpoort.cli.client:status",
    "init": "openpoort.cli.init:init",
    "party": "openpoort.cli.party:party",
}
"""Command name -> module:attribute, loaded on first use so that `--help` stays quick."""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name].split(":")
        command: Any = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="openpoort")
def main() -> None:
    """An open gateway for messages between companies and government agencies."""
