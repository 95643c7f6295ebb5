"""What can be set: a table of openpoort.toml is a dataclass, a key is a field with its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

FILE = "openpoort.toml"


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
class Promised:
    """`[promised]`: within how many minutes the service is back, and how many minutes of messages
    may be gone then, by agreement. 0: nothing was promised, so no drill can keep to it."""

    rto_minutes: float = 0.0
    rpo_minutes: float = 0.0


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
    promised: Promised = field(default_factory=Promised)

    def path(self, text: str) -> Path:
        """A path of the file: relative ones count from HOME."""
        return self.home / text
