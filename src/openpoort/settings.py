"""Typed settings from openpoort.toml and the environment; read once, by app and cli only.

A table of the file is a dataclass below; `OPENPOORT_DOOR_PORT=9443` overrides `port` in
`[door]`. A key or a value that is not known is refused with what to change, never ignored.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

FILE = "openpoort.toml"
_PREFIX = "OPENPOORT_"
_NOT_OURS = {"OPENPOORT_HOME", "OPENPOORT_CRASH_AT"}  # the CLI's; the chaos suite's


class SettingsError(Exception):
    """The file or the environment is wrong; the message says where and what to change."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`[[tls.certificates]]`: what `hosts` present in TLS and sign with.

    Paths count from HOME. With `signing_certificate` and `signing_key` the host has two
    certificates, one for each purpose. `active_from` (RFC 3339) lets two entries overlap.
    """

    hosts: list[str]
    certificate: str
    key: str
    signing_certificate: str = ""
    signing_key: str = ""
    active_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """`[door]`: where the doors listen and what they let in. Sizes in MiB, times in seconds.

    `rate` is requests a second per sender and process, `burst` as many at once; 0: no limit.
    """

    hosts: list[str] = field(default_factory=lambda: ["localhost", "127.0.0.1"])
    public_urls: list[str] = field(default_factory=list)
    bind: list[str] = field(default_factory=lambda: ["127.0.0.1", "::1"])
    port: int = 8443
    processes: int = 1
    connections: int = 10_000
    max_body_mib: int = 64
    max_bodies_mib: int = 256
    skew_seconds: int = 300
    rate: float = 100.0
    burst: int = 1000
    stop_seconds: int = 4


@dataclass(frozen=True, slots=True)
class Tls:
    """`[tls]`: the trust store (whom we believe) and the certificates of the hosts."""

    trust: str = "pki/trust.toml"
    certificates: list[Certificate] = field(
        default_factory=lambda: [
            Certificate(["localhost", "127.0.0.1"], "pki/server.pem", "pki/server.key")
        ]
    )


@dataclass(frozen=True, slots=True)
class Database:
    """`[database]`: `url` of a PostgreSQL 15 or newer; empty: the embedded one under HOME."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class Worker:
    """`[worker]`: processes that carry messages on, and threads in each."""

    processes: int = 1
    threads: int = 4


@dataclass(frozen=True, slots=True)
class AgencyDemo:
    """`[agency]`: the demo agencies as a process of their own beside the gateway."""

    demo: bool = False
    port: int = 8444
    certificate: str = "pki/agency.pem"
    key: str = "pki/agency.key"


@dataclass(frozen=True, slots=True)
class Health:
    """`[health]`: health and metrics, on loopback only unless `bind` says otherwise."""

    enabled: bool = True
    bind: str = "127.0.0.1"
    port: int = 9464


@dataclass(frozen=True, slots=True)
class TestClock:
    """`[clock]`, for tests only: `start` sets the time at start, `factor` makes it run faster."""

    factor: float = 1.0
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Switches:
    """`[switches]`: names of the Aansluit Suite in `aanleverkenmerk` steer the process."""

    aansluit_suite: bool = False


@dataclass(frozen=True, slots=True)
class Ausp:
    """`[ausp]`: who decides at an `authorise` step. `url` is an outside service, for `kinds`
    (empty: all kinds with such a step). With `directory` ours is asked again at that moment;
    without either, what was judged at the door stands."""

    url: str = ""
    kinds: list[str] = field(default_factory=list)
    directory: bool = False


@dataclass(frozen=True, slots=True)
class Parties:
    """`[parties]`: with `four_eyes` a change of the directory waits until another approves it."""

    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class Journal:
    """`[journal]`: the name and key of its checkpoints, how often one is signed, and the file
    outside the database that gets a copy of each. Paths count from HOME."""

    origin: str = "openpoort"
    key: str = "pki/checkpoint.key"
    public_key: str = "pki/checkpoint.pem"
    checkpoint_seconds: int = 60
    copy: str = "checkpoints.txt"


@dataclass(frozen=True, slots=True)
class Tsa:
    """`[tsa]`: who time-stamps checkpoints (RFC 3161); without `url` nobody does. `anchors` is a
    PEM file, counted from HOME; `policy` an OID to ask for; `seconds` the least time between two
    requests."""

    url: str = ""
    anchors: str = "pki/tsa.pem"
    policy: str = ""
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Log:
    """`[log]`: `level` is DEBUG, INFO, WARNING or ERROR; `security` is the file for security
    events, counted from HOME; empty: standard error; `security_format` is openpoort or ocsf."""

    level: str = "INFO"
    security: str = "security.log"
    security_format: str = "openpoort"


@dataclass(frozen=True, slots=True)
class Checks:
    """`[checks]`: with `index` filings are judged by the compiled taxonomy where it decides, by
    the reference processor where it does not; without, by the processor always."""

    index: bool = True


@dataclass(frozen=True, slots=True)
class Malware:
    """`[malware]`: `socket` is the LocalSocket of clamd, counted from HOME; empty: no scan."""

    socket: str = ""


@dataclass(frozen=True, slots=True)
class S3Place:
    """`[[payloads.s3]]`: a bucket of an S3-compatible store; `name` goes into the database.

    `credentials` is a TOML file with `access_key_id`, `secret_access_key` and, for a temporary
    key, `session_token`; empty: AWS_ACCESS_KEY_ID and so on from the environment. `ca` is a PEM
    file believed beside the roots of the system. Paths count from HOME.
    """

    endpoint: str
    bucket: str
    name: str = "s3"
    prefix: str = ""
    region: str = "us-east-1"
    path_style: bool = True
    credentials: str = ""
    ca: str = ""
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Payloads:
    """`[payloads]`: where large documents go, `folder` or the name of a bucket. Every place named
    here is read, so that one may move on and leave what is there."""

    to: str = "folder"
    s3: list[S3Place] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Prices:
    """`[prices]`, in euros, for `openpoort measures`: a processor hour, a gigabyte written, a
    gigabyte kept for a month (10^9 bytes). 0: not configured, quantities are shown only."""

    cpu_hour: float = 0.0
    gb_written: float = 0.0
    gb_month: float = 0.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything under HOME, typed. `home` is absolute."""

    home: Path
    door: Door = field(default_factory=Door)
    tls: Tls = field(default_factory=Tls)
    database: Database = field(default_factory=Database)
    worker: Worker = field(default_factory=Worker)
    agency: AgencyDemo = field(default_factory=AgencyDemo)
    health: Health = field(default_factory=Health)
    clock: TestClock = field(default_factory=TestClock)
    switches: Switches = field(default_factory=Switches)
    parties: Parties = field(default_factory=Parties)
    ausp: Ausp = field(default_factory=Ausp)
    journal: Journal = field(default_factory=Journal)
    tsa: Tsa = field(default_factory=Tsa)
    log: Log = field(default_factory=Log)
    checks: Checks = field(default_factory=Checks)
    malware: Malware = field(default_factory=Malware)
    payloads: Payloads = field(default_factory=Payloads)
    prices: Prices = field(default_factory=Prices)

    def path(self, text: str) -> Path:
        """A path of the file: relative ones count from HOME."""
        return self.home / text


def load(home: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read HOME/openpoort.toml and `OPENPOORT_*`. Raises SettingsError."""
    home = Path(home).resolve()
    file = home / FILE
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{home} is no openpoort home: {FILE} is missing; make one with `openpoort init {home}`"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingsError(f"{file}: {wrong}") from None
    _overlay(data, os.environ if environment is None else environment)
    settings: Settings = _build(Settings, {"home": home, **data}, str(file))
    _judge(settings)
    return settings


def _overlay(data: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Put OPENPOORT_TABLE_KEY over table.key; OPENPOORT_HOME is the CLI's own."""
    tables = get_type_hints(Settings)
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in _NOT_OURS:
            continue
        table, _, key = name[len(_PREFIX) :].lower().partition("_")
        if table not in tables or table == "home":
            raise SettingsError(
                f"environment: {name} names no table; known: "
                + ", ".join(_PREFIX + t.upper() + "_…" for t in sorted(tables) if t != "home")
            )
        hints = get_type_hints(tables[table])
        if key not in hints:
            raise SettingsError(f"environment: {name}: {_unknown(key, hints)}")
        data.setdefault(table, {})[key] = _from_text(hints[key], environment[name], name)


def _from_text(hint: Any, text: str, where: str) -> Any:
    """A value from the environment: lists are comma-separated."""
    if hint == list[str]:
        return [part.strip() for part in text.split(",") if part.strip()]
    if hint is bool:
        if text.lower() not in {"1", "0", "true", "false"}:
            raise SettingsError(f"environment: {where}: say true or false")
        return text.lower() in {"1", "true"}
    try:
        if hint in (int, float):
            return hint(text)
        return datetime.fromisoformat(text) if _is_datetime(hint) else text
    except ValueError:
        raise SettingsError(f"environment: {where}: {text!r} is not {_say(hint)}") from None


def _build(cls: Any, data: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(cls)
    for key in data:
        if key not in hints:
            raise SettingsError(f"{where}: {_unknown(key, hints)}")
    values = {key: _value(hints[key], value, f"{where}: {key}") for key, value in data.items()}
    missing = [
        f.name
        for f in dataclasses.fields(cls)
        if f.name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise SettingsError(f"{where}: {', '.join(missing)} must be given")
    return cls(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise SettingsError(f"{where} must be a table")
        return _build(hint, value, where)
    if get_origin(hint) is list:
        if not isinstance(value, list):
            raise SettingsError(f"{where} must be a list")
        return [_value(get_args(hint)[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if _is_datetime(hint):
        if value is not None and not isinstance(value, datetime):
            raise SettingsError(f"{where} must be a time such as 2026-11-23T12:00:00Z")
        return value.replace(tzinfo=value.tzinfo or UTC) if value else None
    if hint is float and type(value) is int:
        return float(value)
    if hint is Path:
        return value
    if type(value) is not hint:
        raise SettingsError(f"{where} must be {_say(hint)}, not {value!r}")
    return value


def _is_datetime(hint: Any) -> bool:
    return isinstance(hint, types.UnionType) and datetime in get_args(hint)


def _say(hint: Any) -> str:
    names = {int: "a whole number", str: "a text", bool: "true or false", float: "a number"}
    return names.get(hint, "a time such as 2026-11-23T12:00:00Z")


def _unknown(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else "known: " + ", ".join(sorted(known))
    return f"`{key}` is not a setting; {hint}"


def _judge(settings: Settings) -> None:
    """What types cannot say."""
    rules = [
        (0 <= settings.door.port < 65536, "door.port must lie between 0 and 65535"),
        (0 <= settings.health.port < 65536, "health.port must lie between 0 and 65535"),
        (settings.door.processes >= 1, "door.processes must be at least 1"),
        (settings.worker.processes >= 1, "worker.processes must be at least 1"),
        (settings.worker.threads >= 1, "worker.threads must be at least 1"),
        (settings.door.max_body_mib >= 1, "door.max_body_mib must be at least 1"),
        (
            not settings.ausp.url or settings.ausp.url.startswith("https://"),
            "ausp.url must be an https address",
        ),
        (settings.door.rate >= 0, "door.rate must be 0 (no limit) or more"),
        (settings.door.burst >= 1, "door.burst must be at least 1"),
        (settings.door.connections >= 16, "door.connections must be at least 16"),
        (bool(settings.door.bind), "door.bind must name at least one address"),
        (bool(settings.tls.certificates), "tls.certificates needs at least one entry"),
        (settings.journal.checkpoint_seconds >= 1, "journal.checkpoint_seconds must be at least 1"),
        (
            settings.journal.origin.isprintable()
            and not set(settings.journal.origin) & set(" +")
            and bool(settings.journal.origin),
            "journal.origin must be one word without a plus sign",
        ),
        (
            not settings.tsa.url or settings.tsa.url.startswith(("http://", "https://")),
            "tsa.url must be an http or https address",
        ),
        (
            re.fullmatch(r"([0-2](\.(0|[1-9]\d*))+)?", settings.tsa.policy) is not None,
            "tsa.policy must be an object identifier such as 1.2.3",
        ),
        (settings.tsa.seconds >= 1, "tsa.seconds must be at least 1"),
        (
            all(0 <= p < 1e6 for p in dataclasses.astuple(settings.prices)),
            "prices are euros: 0 (not configured) or more",
        ),
        (settings.clock.factor > 0, "clock.factor must be greater than 0"),
        (
            settings.log.level in {"DEBUG", "INFO", "WARNING", "ERROR"},
            "log.level must be DEBUG, INFO, WARNING or ERROR",
        ),
        (
            settings.log.security_format in {"openpoort", "ocsf"},
            "log.security_format must be openpoort or ocsf",
        ),
        *_payload_rules(settings.payloads),
    ]
    for holds, text in rules:
        if not holds:
            raise SettingsError(f"{settings.home / FILE}: {text}")


def _payload_rules(payloads: Payloads) -> list[tuple[bool, str]]:
    names = [one.name for one in payloads.s3]
    rules = [
        (
            len({*names, "folder", "db"}) == len(names) + 2
            and all(n.isidentifier() for n in names),
            "payloads.s3: each needs a name of its own (letters, digits, _; not folder or db)",
        ),
        (
            payloads.to in {*names, "folder"},
            f"payloads.to: {payloads.to!r} is no place; known: {', '.join(['folder', *names])}",
        ),
    ]
    for one in payloads.s3:
        where, at = f"payloads.s3 {one.name}", urlsplit(one.endpoint)
        local = at.hostname in {"localhost", "127.0.0.1", "::1"}
        rules += [
            (
                bool(at.hostname) and (at.scheme == "https" or (at.scheme == "http" and local)),
                f"{where}: endpoint must be an https address (http on this machine only)",
            ),
            (
                at.username is None and at.path in {"", "/"} and not at.query,
                f"{where}: endpoint is scheme, host and port; keys go in `credentials`, the rest"
                " in `bucket` and `prefix`",
            ),
            (
                re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", one.bucket) is not None,
                f"{where}: bucket {one.bucket!r} is no name of a bucket",
            ),
            (
                one.prefix == one.prefix.strip("/") and "//" not in one.prefix,
                f"{where}: prefix must not begin or end with a slash",
            ),
            (1 <= one.timeout_seconds <= 300, f"{where}: timeout_seconds must be 1 to 300"),
        ]
    return rules
