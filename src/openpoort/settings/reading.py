"""From the file and the environment to values, by the types of the dataclasses."""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
import types
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from openpoort.settings.rules import judge
from openpoort.settings.values import FILE, Settings, SettingsError

_PREFIX = "OPENPOORT_"
_NOT_OURS = {"OPENPOORT_HOME", "OPENPOORT_CRASH_AT"}  # the CLI's; the chaos suite's


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
    except NotADirectoryError:
        raise SettingsError(f"{home} is a file; HOME is a folder") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingsError(f"{file}: {wrong}") from None
    except OSError as wrong:
        raise SettingsError(f"{file} cannot be read: {wrong.strerror}") from None
    _overlay(data, os.environ if environment is None else environment)
    settings: Settings = _build(Settings, {"home": home, **data}, str(file))
    judge(settings)
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
