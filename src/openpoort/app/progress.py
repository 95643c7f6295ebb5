"""What is known of the programme around a gateway: contracts, months, proofs, the decision.

Each part is there or says why it is not; what is not known is None, never zero. Nothing is written
but which alarms were told (`told`), so that an event comes once per contract and change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from openpoort.app import database, proofs
from openpoort.app.proofs import Proof
from openpoort.domain import contract
from openpoort.domain.contract import Alarm, BadContracts, Standing
from openpoort.operate.costs import Prices
from openpoort.settings import FILE, Settings, SettingsError, load
from openpoort.store.messages import months
from openpoort.store.messages.months import Counted, Month
from openpoort.store.postgres.embedded import ServerFailed
from openpoort.store.postgres.primary import connect

CONTRACTS = "contracts.toml"
_TOLD = Path("measures") / "contracts-told.json"


class Unreadable(Exception):
    """A file that was given, or that stands in HOME, cannot be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that figures rest on: its name as given, its SHA-256."""

    file: str
    digest: str


@dataclass(frozen=True, slots=True)
class Progress:
    """All of it on one moment. `contracts`, `decision` and `counted` are None where there is
    nothing; `unknown` then says why, by the same name, as a key of `[reasons]` in the texts.
    `command` is what shows all this again."""

    at: datetime
    home: Path
    contracts: tuple[Standing, ...] | None
    decision: Mapping[str, Any] | None
    counted: Counted | None
    prices: Prices
    proofs: tuple[Proof, ...]
    sources: Mapping[str, Source]
    unknown: Mapping[str, str]
    command: str

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        return tuple(alarm for one in self.contracts or () for alarm in one.alarms)


def progress(home: Path, contracts: Path | None, decision: Path | None, now: datetime) -> Progress:
    """Gather it. `contracts` None: HOME/contracts.toml where it is there. Raises Unreadable."""
    sources: dict[str, Source] = {}
    unknown: dict[str, str] = {}
    file = contracts or home / CONTRACTS
    found: tuple[Standing, ...] | None = None
    if contracts or file.exists():
        try:
            text = _read(file, "contracts", sources)
            found = tuple(contract.standing(c, now.date()) for c in contract.read(text, now.date()))
        except BadContracts as wrong:
            raise Unreadable(f"{file}: {wrong}") from None
    else:
        unknown["contracts"] = "contracts"
    chosen = None
    if decision:
        chosen = _decision(_read(decision, "decision", sources), decision)
    else:
        unknown["decision"] = "decision"
    settings = _settings(home)
    counted: Counted | str = "no_gateway"
    of_home: Sequence[Proof] = ()
    if settings is not None:
        counted = _counted(settings)
        try:
            of_home = tuple(p for p in proofs.of_home(settings, now) if _says(p))
        except (ValueError, KeyError, TypeError) as wrong:
            raise Unreadable(str(wrong)) from None
    if isinstance(counted, str):
        unknown["months"] = counted
    prices = settings.prices if settings else None
    return Progress(
        now, home, found, chosen, None if isinstance(counted, str) else counted,
        Prices(prices.cpu_hour, prices.gb_written, prices.gb_month) if prices else Prices(),
        (*of_home, *proofs.carried(now)), sources, unknown,
        _command(contracts, decision),
    )  # fmt: skip


def euro(month: Month, prices: Prices) -> float | None:
    """What one message cost in that month at the prices of today, without PostgreSQL's processor
    time where that is not known; None where a price is not known."""
    if not (prices.all and month.messages):
        return None
    spent = month.cpu_seconds + (month.database_seconds or 0.0)
    return prices.of(spent, month.bytes, month.byte_days) / month.messages


def news(found: Progress) -> list[Alarm]:
    """Alarms that were not told yet in this form. One that was over and comes back is new."""
    try:
        told = json.loads((found.home / _TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = None
    before = told if isinstance(told, dict) else {}
    return [a for a in found.alarms if before.get(_key(a)) != _form(a)]


def note_told(found: Progress) -> None:
    """From now on these alarms were told. Raises OSError when that cannot be kept."""
    file = found.home / _TOLD
    if not (found.alarms or file.exists()):
        return
    file.parent.mkdir(mode=0o700, exist_ok=True)
    new = file.with_suffix(".new")
    now = {_key(alarm): _form(alarm) for alarm in found.alarms}
    new.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    new.replace(file)


def _key(alarm: Alarm) -> str:
    return f"{alarm.what} {alarm.contract}"


def _form(alarm: Alarm) -> list[str]:
    return [str(alarm.day), str(alarm.forecast)]


def _command(contracts: Path | None, decision: Path | None) -> str:
    given = (("--contracts", contracts), ("--decision", decision))
    return " ".join([
        "openpoort progress HOME", *(f"{option} {file.name}" for option, file in given if file),
    ])  # fmt: skip


def _says(proof: Proof) -> bool:
    """A share of nothing proven says what is missing, so it stays; no drill at all is no figure."""
    return not (proof.name == "drills_done" and proof.value == "0")


def _read(file: Path, name: str, sources: dict[str, Source]) -> str:
    try:
        raw = file.read_bytes()
        sources[name] = Source(file.name, hashlib.sha256(raw).hexdigest())
        return raw.decode()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Unreadable(f"cannot read {file}: {wrong}") from None


def _decision(text: str, file: Path) -> Mapping[str, Any]:
    """The object that `weeg run --json` wrote: the last line that is one."""
    for line in (text, *reversed(text.splitlines())):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            if {"weeg", "criteria", "options", "ranking"} <= found.keys():
                return found
            break
    raise Unreadable(f"{file} is no outcome of `weeg run DIR --json`")


def _settings(home: Path) -> Settings | None:
    if not (home / FILE).exists():
        return None
    try:
        return load(home)
    except SettingsError as wrong:
        raise Unreadable(str(wrong)) from None


def _counted(settings: Settings) -> Counted | str:
    """Read only: a database that was never made is not made for a report."""
    own = database.embedded(settings)
    if own is not None and not own.data.exists():
        return "never_started"
    try:
        with database.server(settings) as dsn, connect(dsn) as conn:
            return months.counted(conn)
    except psycopg.errors.UndefinedTable:
        return "old_database"
    except (psycopg.Error, ServerFailed, OSError):
        return "no_database"
