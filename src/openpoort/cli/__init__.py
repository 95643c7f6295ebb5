"""The commands. Each file is one group; nothing heavy is imported before its command runs."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from openpoort.cli import added, guard

_GROUPS: dict[str, dict[str, str]] = {
    "Run a gateway": {
        "init": "openpoort.cli.init:init",
        "serve": "openpoort.cli.serve:serve",
        "agency": "openpoort.cli.agency:agency",
        "db": "openpoort.cli.db:db",
        "taxonomy": "openpoort.cli.taxonomy:taxonomy",
        "demo": "openpoort.cli.demo:command",
    },
    "As a company": {
        "send": "openpoort.cli.client:send",
        "status": "openpoort.cli.client:status",
        "fetch": "openpoort.cli.client:fetch",
        "check": "openpoort.cli.check:check",
        "diagnose": "openpoort.cli.diagnose:command",
    },
    "As its operator": {
        "message": "openpoort.cli.message:message",
        "work": "openpoort.cli.work:work",
        "party": "openpoort.cli.party:party",
        "kind": "openpoort.cli.kind:kind",
        "balance": "openpoort.cli.balance:balance",
        "retention": "openpoort.cli.retention:retention",
        "hold": "openpoort.cli.retention:hold",
        "measures": "openpoort.cli.measures:command",
        "progress": "openpoort.cli.progress:command",
        "backup": "openpoort.cli.restore:backup",
        "restore": "openpoort.cli.restore:restore",
    },
    "Prove it": {
        "evidence": "openpoort.cli.evidence:evidence",
        "journal": "openpoort.cli.journal:journal",
        "restore-drill": "openpoort.cli.drill:restore_drill",
        "conformance": "openpoort.cli.conformance:command",
        "scale": "openpoort.cli.scale:scale",
    },
}
"""Heading of `--help` -> command name -> module:attribute, loaded on first use so that `--help`
of one command stays quick."""
_COMMANDS = {name: place for group in _GROUPS.values() for name, place in group.items()}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *sorted(added.names())]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            command = added.command(name)
        else:
            module, attribute = _COMMANDS[name].split(":")
            command = getattr(importlib.import_module(module), attribute)
            assert isinstance(command, click.Command)
        return command and added.complete(command, name)

    def invoke(self, ctx: click.Context) -> Any:
        with guard.plain_words():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lab = {"Measure and break it": sorted(added.names())}
        for heading, names in {**_GROUPS, **lab}.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(
                    [(name, one.get_short_help_str(60)) for name, one in commands if one]
                )


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="openpoort")
def main() -> None:
    """An open gateway for messages between companies and government agencies."""
    # Parties, receipts and messages: what a command or a gateway writes is for its owner alone.
    os.umask(0o077)
