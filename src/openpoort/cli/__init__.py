"""The commands. Each file is one group; nothing heavy is imported before its command runs."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

_COMMANDS: dict[str, str] = {
    "agency": "openpoort.cli.agency:agency",
    "agreement": "openpoort.cli.agreement:agreement",
    "balance": "openpoort.cli.balance:balance",
    "bench": "openpoort.cli.bench:bench",
    "chaos": "openpoort.cli.chaos:chaos",
    "check": "openpoort.cli.check:check",
    "conformance": "openpoort.cli.conformance:command",
    "db": "openpoort.cli.db:db",
    "demo": "openpoort.cli.demo:command",
    "diagnose": "openpoort.cli.diagnose:command",
    "evidence": "openpoort.cli.evidence:evidence",
    "fetch": "openpoort.cli.client:fetch",
    "init": "openpoort.cli.init:init",
    "kind": "openpoort.cli.kind:kind",
    "hold": "openpoort.cli.retention:hold",
    "journal": "openpoort.cli.journal:journal",
    "measures": "openpoort.cli.measures:command",
    "message": "openpoort.cli.message:message",
    "failover-drill": "openpoort.cli.failover:failover_drill",
    "restore-drill": "openpoort.cli.drill:restore_drill",
    "retention": "openpoort.cli.retention:retention",
    "party": "openpoort.cli.party:party",
    "progress": "openpoort.cli.progress:command",
    "scale": "openpoort.cli.scale:scale",
    "send": "openpoort.cli.client:send",
    "serve": "openpoort.cli.serve:serve",
    "simulate": "openpoort.cli.simulate:simulate",
    "status": "openpoort.cli.client:status",
    "taxonomy": "openpoort.cli.taxonomy:taxonomy",
    "work": "openpoort.cli.work:work",
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
    # Parties, receipts and messages: what a command or a gateway writes is for its owner alone.
    os.umask(0o077)
