"""Options that say which gateway to talk to and as whom; shared by the client commands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from openpoort.client.wus import Client
from openpoort.keys.pem import KeyUnusable
from openpoort.settings import SettingsError, load

F = TypeVar("F", bound=Callable[..., Any])

RUNNING = "run/url"
"""Under HOME: the base address of the gateway that runs there now, written by `serve`."""

PATH = click.Path(path_type=Path, dir_okay=False, exists=True)
HOME = click.Path(path_type=Path, file_okay=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """What the options say. `url` is a base or a service address."""

    home: Path | None
    url: str
    certificate: Path
    key: Path
    ca: Path | None
    sha1: bool

    def client(self) -> Client:
        """Exit code 2 when files or address cannot be used."""
        try:
            return Client.from_files(
                self.url,
                self.certificate,
                self.key,
                self.ca,
                hash_name="sha1" if self.sha1 else "sha256",
            )
        except (OSError, ValueError, KeyUnusable) as error:
            stop(2, f"cannot connect as {self.certificate}: {error}")


def options(command: F) -> F:
    """`--home --url --cert --key --ca --as --sha1`; pass them to `connection`."""
    for option in (
        click.option("--sha1", is_flag=True, help="Sign with SHA-1, as the old contract says."),
        click.option(
            "--as",
            "actor",
            default="bedrijf",
            show_default=True,
            help="Whose certificate of HOME/pki to use: bedrijf, intermediair, …",
        ),
        click.option("--ca", type=PATH, help="Trust anchor of the gateway (PEM)."),
        click.option("--key", type=PATH, help="Key of the certificate (PEM)."),
        click.option("--cert", type=PATH, help="Certificate, leaf first (PEM)."),
        click.option("--url", help="Base address, such as https://localhost:8443/wus/2.0/."),
        click.option(
            "--home",
            "home_option",
            type=HOME,
            envvar="OPENPOORT_HOME",
            help="Home of a local gateway (also: first argument, or OPENPOORT_HOME).",
        ),
    ):
        command = option(command)
    return command


def connection(home: Path | None, **given: Any) -> Connection:
    """From HOME with the options laid over it. Exit code 2 when something is missing."""
    certificate, key, ca = given["cert"], given["key"], given["ca"]
    if (certificate is None) != (key is None):
        stop(2, "--cert and --key go together")
    if home is None and (given["url"] is None or certificate is None):
        stop(2, "name a HOME, or --url, --cert and --key")
    url = given["url"] or _running(home)
    if home is not None:
        pki = home / "pki"
        if certificate is None:
            certificate, key = pki / f"{given['actor']}.pem", pki / f"{given['actor']}.key"
            if not certificate.exists():
                stop(2, f"{certificate} does not exist")
        if ca is None and (pki / "ca.pem").exists():
            ca = pki / "ca.pem"
    return Connection(home, url, certificate, key, ca, given["sha1"])


def _running(home: Path | None) -> str:
    assert home is not None
    try:
        return (home / RUNNING).read_text().strip()
    except FileNotFoundError:
        pass
    try:
        return f"https://localhost:{load(home, os.environ).door.port}/wus/2.0/"
    except SettingsError as error:
        stop(2, str(error))


def stop(code: int, text: str) -> NoReturn:
    """End with a sentence on stderr."""
    click.echo(text, err=True)
    raise SystemExit(code)


def last_line(value: object) -> None:
    """One JSON object on the last line."""
    click.echo(json.dumps(value, ensure_ascii=False))
