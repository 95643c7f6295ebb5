"""`lab`: the commands of this distribution by themselves; `openpoort` has most of them as well."""

from __future__ import annotations

import importlib
import runpy
import sys

import click

_COMMANDS = {
    "agreement": "openpoort_lab.cli.agreement:agreement",
    "bench": "openpoort_lab.cli.bench:bench",
    "chaos": "openpoort_lab.cli.chaos:chaos",
    "failover-drill": "openpoort_lab.cli.failover:failover_drill",
    "replication": "openpoort_lab.cli.replication:replication",
    "simulate": "openpoort_lab.cli.simulate:simulate",
}
_SCRIPTS = {
    "figures": ("openpoort_lab.figures.figures", "Write the figures of the docs, or measure them."),
    "hostile": ("openpoort_lab.hostile", "The page about the corpus of hostile messages."),
    "noisy-neighbour": ("openpoort_lab.measuring.noisy_neighbour", "What a storm does to others."),
    "payload-cost": ("openpoort_lab.measuring.payloadcost", "Documents in S3 beside a folder."),
    "polls": ("openpoort_lab.measuring.polls", "What a poll for what is new costs after years."),
    "timing-oracle": ("openpoort_lab.measuring.timing_oracle", "Can a stranger guess kenmerken?"),
    "trust-cost": ("openpoort_lab.measuring.trustcost", "What judging a certificate costs."),
    "wire": ("openpoort_lab.bench.wire", "The codec beside what RSA alone allows."),
}
"""Measurements that are a module with a main of their own: module, one sentence."""


class _Lab(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_COMMANDS, *_SCRIPTS})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in _COMMANDS:
            module, attribute = _COMMANDS[name].split(":")
            found = getattr(importlib.import_module(module), attribute)
            assert isinstance(found, click.Command)
            return found
        return _script(name) if name in _SCRIPTS else None


def _script(name: str) -> click.Command:
    module, sentence = _SCRIPTS[name]

    @click.command(
        name,
        help=sentence,
        context_settings={"ignore_unknown_options": True},
        add_help_option=False,
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def script(words: tuple[str, ...]) -> None:
        sys.argv = [f"lab {name}", *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)

    return script


@click.group(cls=_Lab, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="openpoort-lab")
def main() -> None:
    """Measure and break an openpoort."""
