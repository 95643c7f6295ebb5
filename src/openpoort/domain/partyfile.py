"""A directory as TOML text and back: what `party apply` reads and `party show` prints.

Identities are written `TYPE:NUMBER`; OINs as 20 digits; times as TOML dates or date-times, where
a date without time is midnight UTC. Reading what `write` wrote gives an equal directory.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from openpoort.domain import timeouts
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.party import (
    Afnemer,
    Agreement,
    Directory,
    Mandate,
    Party,
    Right,
    Window,
)

_VERSION = re.compile(r"^# version ([0-9]{1,18})[ \t]*$", re.MULTILINE)

_MOST = 1_000_000
_PART = "# part of version"


class BadDirectory(ValueError):
    """The text is no directory; the message says where and why."""


def read(text: str) -> Directory:
    """Directory from TOML; placeholders in endpoints stay (`Directory.filled`).

    Raises BadDirectory.
    """
    try:
        rows = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadDirectory(f"not TOML: {error}") from error
    unknown = set(rows) - {"party", "agreement", "mandate", "agency"}
    if unknown:
        raise BadDirectory(f"unknown table {', '.join(sorted(unknown))}")
    try:
        return Directory(
            parties=tuple(_party(r) for r in _tables(rows, "party")),
            agreements=tuple(_agreement(r) for r in _tables(rows, "agreement")),
            mandates=tuple(_mandate(r) for r in _tables(rows, "mandate")),
            agencies=tuple(_agency(r) for r in _tables(rows, "agency")),
        )
    except BadDirectory:
        raise
    except ValueError as error:
        raise BadDirectory(str(error)) from error


def version(text: str) -> int | None:
    """The version that `headed` put above a file; None for a file without."""
    found = _VERSION.search(text.partition("[[")[0])
    return int(found[1]) if found else None


def partial(text: str) -> bool:
    """Whether the file says that it is a part of a directory, not one to apply."""
    return any(line.startswith(_PART) for line in text.partition("[[")[0].splitlines())


def part(text: str, oin: str, number: int) -> str:
    """`text` as what concerns one party only."""
    return f"{_PART} {number}: what concerns {oin}\n\n{text}"


def headed(text: str, number: int) -> str:
    """`text` that says which version of the directory it was made from."""
    head, table, rows = text.partition("[[")
    line = f"# version {number}"
    if _VERSION.search(head):
        return _VERSION.sub(line, head, count=1) + table + rows
    return f"{line}\n\n{text}"


def identity(text: str) -> Identiteit:
    """`BTW:001000044B37` as an identity. Raises BadDirectory."""
    kind, colon, number = text.partition(":")
    blank = any(c.isspace() or not c.isprintable() for c in text)
    if blank or not (kind and colon and Identiteit(number, kind).key[1]):
        raise BadDirectory(f"an identity is written TYPE:NUMBER, not {text!r}")
    return Identiteit(number, kind)


def _tables(rows: Mapping[str, Any], name: str) -> Sequence[_Row]:
    found = rows.get(name, [])
    if not isinstance(found, list) or not all(isinstance(r, dict) for r in found):
        raise BadDirectory(f"[[{name}]] must be a list of tables")
    return [_Row(name, number, dict(row)) for number, row in enumerate(found, 1)]


class _Row:
    """One table while it is read: each key is taken once, what is left over is a mistake."""

    def __init__(self, name: str, number: int, fields: dict[str, Any]) -> None:
        self._where = f"{name} {number}"
        self._fields = fields

    def take(self, key: str, kind: type, default: Any = None, *, needed: bool = False) -> Any:
        if key not in self._fields:
            if needed:
                raise BadDirectory(f"{self._where}: {key} is missing")
            return default
        value = self._fields.pop(key)
        wanted = (int, float) if kind is float else kind
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
            raise BadDirectory(f"{self._where}: {key} must be {kind.__name__}")
        return float(value) if isinstance(value, int) and kind is float else value

    def amount(self, key: str, kind: type, default: Any = None) -> Any:
        """More than nothing: a rate or a number of places of 0 would stop a party or an agency
        without a word."""
        value = self.take(key, kind, default)
        if value is not None and not 0 < value <= _MOST:
            raise BadDirectory(f"{self._where}: {key} must be more than 0, at most {_MOST}")
        return value

    def texts(self, key: str, default: Sequence[str] = (), *, needed: bool = False) -> list[str]:
        value = self.take(key, list, list(default), needed=needed)
        if not all(isinstance(v, str) for v in value):
            raise BadDirectory(f"{self._where}: {key} must be a list of texts")
        return list(value)

    def oin(self, key: str) -> Oin:
        return self._as_oin(self.take(key, str, needed=True))

    def maybe_oin(self, key: str) -> Oin | None:
        value = self.take(key, str)
        return None if value is None else self._as_oin(value)

    def oins(self, key: str) -> frozenset[Oin]:
        return frozenset(self._as_oin(v) for v in self.texts(key))

    def moment(self, key: str) -> datetime | None:
        value = self._fields.pop(key, None)
        if value is None:
            return None
        if isinstance(value, datetime):
            try:
                return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            except OverflowError as error:
                raise BadDirectory(f"{self._where}: {key} lies outside of all years") from error
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        raise BadDirectory(f"{self._where}: {key} must be a date or date-time")

    def window(self) -> Window:
        window = Window(self.moment("since"), self.moment("until"))
        if window.since and window.until and window.since >= window.until:
            raise BadDirectory(f"{self._where}: since must lie before until")
        return window

    def rights(self) -> frozenset[Right]:
        try:
            return frozenset(Right(r) for r in self.texts("rights", [r.value for r in Right]))
        except ValueError as error:
            raise BadDirectory(f"{self._where}: {error}") from error

    def done(self) -> None:
        if self._fields:
            raise BadDirectory(f"{self._where}: unknown key {', '.join(sorted(self._fields))}")

    def _as_oin(self, text: str) -> Oin:
        try:
            return Oin(text)
        except ValueError as error:
            raise BadDirectory(f"{self._where}: {error}") from error


def _party(row: _Row) -> Party:
    status = row.take("fault_status", int, 500)
    if status not in (200, 500):
        raise BadDirectory("fault_status must be 200 or 500")
    made = Party(
        oin=row.oin("oin"),
        name=row.take("name", str, needed=True),
        identities=tuple(identity(t) for t in row.texts("identities")),
        window=row.window(),
        fault_status=status,
        sha1_until=row.moment("sha1_until"),
        tls_oins=row.oins("tls_oins"),
        rate=row.amount("rate", float),
        burst=row.amount("burst", int),
    )
    row.done()
    return made


def _agreement(row: _Row) -> Agreement:
    made = Agreement(
        oin=row.oin("party"),
        kinds=frozenset(row.texts("kinds", needed=True)),
        rollen=frozenset(row.texts("rollen", ["Bedrijf"])),
        rights=row.rights(),
        window=row.window(),
    )
    row.done()
    return made


def _mandate(row: _Row) -> Mandate:
    made = Mandate(
        belanghebbende=identity(row.take("belanghebbende", str, needed=True)),
        holder=row.oin("holder"),
        kinds=frozenset(row.texts("kinds", needed=True)),
        rights=row.rights(),
        giver=row.maybe_oin("giver"),
        delegate=row.take("delegate", bool, False),
        window=row.window(),
    )
    row.done()
    return made


def _agency(row: _Row) -> Afnemer:
    options = {str(k): str(v) for k, v in row.take("options", dict, {}).items()}
    name = row.take("name", str, needed=True)
    try:
        timeouts.of(options)
    except ValueError as error:
        raise BadDirectory(f"agency {name}: {error}") from error
    made = Afnemer(
        name=name,
        oin=row.oin("oin"),
        endpoint=row.take("endpoint", str, needed=True),
        channel=row.take("channel", str, "wus"),
        max_parallel=row.amount("max_parallel", int, 8),
        options=options,
        status_kinds=frozenset(row.texts("status_kinds")),
        return_kinds=frozenset(row.texts("return_kinds")),
    )
    row.done()
    return made


def write(directory: Directory) -> str:
    """The directory as TOML, in a fixed order."""
    parts = [*map(_party_row, sorted(directory.parties, key=lambda p: p.oin.value))]
    parts += sorted(map(_agreement_row, directory.agreements))
    parts += sorted(map(_mandate_row, directory.mandates))
    parts += map(_agency_row, sorted(directory.agencies, key=lambda a: a.name))
    return "\n".join(parts)


def _party_row(p: Party) -> str:
    return _table(
        "party",
        oin=p.oin.value,
        name=p.name,
        identities=[as_text(i) for i in p.identities],
        **_window(p.window),
        fault_status=p.fault_status if p.fault_status != 500 else None,
        sha1_until=p.sha1_until,
        tls_oins=sorted(o.value for o in p.tls_oins) or None,
        rate=p.rate,
        burst=p.burst,
    )


def _agreement_row(a: Agreement) -> str:
    return _table(
        "agreement",
        party=a.oin.value,
        kinds=sorted(a.kinds),
        rollen=sorted(a.rollen),
        rights=sorted(a.rights),
        **_window(a.window),
    )


def _mandate_row(m: Mandate) -> str:
    return _table(
        "mandate",
        belanghebbende=as_text(m.belanghebbende),
        holder=m.holder.value,
        kinds=sorted(m.kinds),
        rights=sorted(m.rights),
        giver=m.giver.value if m.giver else None,
        delegate=m.delegate or None,
        **_window(m.window),
    )


def _agency_row(a: Afnemer) -> str:
    return _table(
        "agency",
        name=a.name,
        oin=a.oin.value,
        endpoint=a.endpoint,
        channel=a.channel,
        max_parallel=a.max_parallel,
        options=a.options,
        status_kinds=sorted(a.status_kinds),
        return_kinds=sorted(a.return_kinds),
    )


def as_text(who: Identiteit) -> str:
    """`TYPE:NUMBER`, unmasked: for files, never for a log."""
    return f"{who.type}:{who.nummer}"


def _window(window: Window) -> dict[str, datetime | None]:
    return {"since": window.since, "until": window.until}


def _table(table: str, /, **fields: object) -> str:
    lines = [f"[[{table}]]"]
    lines += [f"{k} = {_value(v)}" for k, v in fields.items() if v not in (None, {})]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_value(str(k))} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    # JSON's text, number and boolean forms are TOML's too (DEL aside, which json leaves raw).
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
