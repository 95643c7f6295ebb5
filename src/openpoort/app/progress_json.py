"""`progress --json`: the same as the report, as one object; null is what is not known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from openpoort.app.progress import Progress, euro
from openpoort.app.progress_told import dicts, points
from openpoort.app.progress_words import say
from openpoort.domain.contract import Alarm, Band, Forecast, Months, Standing
from openpoort.store.messages.months import Month

FORMAT = "openpoort-progress/1"
Json = dict[str, Any]


def as_json(found: Progress) -> Json:
    """Days as ISO 8601, months and euros as decimals in text: low, likely, high."""
    counted, standings = found.counted, found.contracts
    return {
        "format": FORMAT,
        "at": found.at.isoformat(timespec="seconds"),
        "contracts": None if standings is None else [_standing(s) for s in standings],
        "alarms": [_alarm(a) for a in found.alarms],
        "months": None if counted is None else {
            "since": counted.since.isoformat(), "until": counted.until.isoformat(),
            "prices": dataclasses.asdict(found.prices),
            "rows": [_month(m, found) for m in counted.rows],
        },
        "measures": [
            {"name": p.name, "value": p.value, "unit": p.unit, "at": p.at.isoformat(),
             "source": p.source} for p in found.proofs
        ],
        "decision": None if found.decision is None else _decision(found.decision),
        "share_off_old_system": None,
        "files": {name: dataclasses.asdict(source) for name, source in found.sources.items()},
        "unknown": {part: say("reasons", why, "en") for part, why in found.unknown.items()},
    }  # fmt: skip


def _decision(found: Mapping[str, Any]) -> Json:
    """As weeg wrote it: the choice, per option who is responsible and what can go wrong, external
    advice, the points of criterion 17."""
    keys = ("title", "as_of", "invented", "input_hash", "chosen", "advice")
    options = [
        {key: option.get(key) for key in ("id", "nl", "en", "responsibility", "risks")}
        for option in dicts(found, "options")
    ]
    return {key: found.get(key) for key in keys} | {"options": options, "points": points(found)}


def _standing(one: Standing) -> Json:
    contract = one.contract
    return {
        "name": contract.name, "covers": contract.covers, "supplier": contract.supplier,
        "from": _day(contract.start), "until": _day(contract.until),
        "extended": [{"until": _day(e.until), "lawful": e.lawful} for e in contract.extensions],
        "price_per_month": _band(contract.price),
        "milestones": [
            {"name": m.name, "planned": _band(m.planned), "met": _day(m.met)}
            for m in contract.milestones
        ],
        "forecast": _band(one.forecast),
        "unlawful_so_far": _months(one.so_far), "unlawful_forecast": _months(one.total),
        "ended_before_moved": one.ended,
    }  # fmt: skip


def _month(month: Month, found: Progress) -> Json:
    n = month.messages
    return {
        "month": f"{month.month:%Y-%m}", "berichtsoort": month.berichtsoort,
        "agency": month.agency, "messages": n, "bytes": month.bytes,
        "byte_days": month.byte_days,
        "cpu_seconds": round(month.cpu_seconds, 6),
        "database_seconds": None if month.database_seconds is None
        else round(month.database_seconds, 6),
        "euro_per_message": euro(month, found.prices),
        "euro_without_database": month.database_seconds is None,
    }  # fmt: skip


def _alarm(alarm: Alarm) -> Json:
    return {"contract": alarm.contract, "what": alarm.what, "end": _day(alarm.day),
            "expected": _day(alarm.forecast)}  # fmt: skip


def _months(found: Months | None) -> Json | None:
    return None if found is None else {"months": _band(found.months), "euros": _band(found.euros)}


def _band(found: Band | Forecast | tuple[Fraction | Decimal | None, ...] | None) -> Json | None:
    if found is None:
        return None
    if isinstance(found, Band | Forecast):
        return {k: _day(getattr(found, k)) for k in ("earliest", "likely", "latest")}
    low, likely, high = (None if v is None else _text(v) for v in found)
    return {"low": low, "likely": likely, "high": high}


def _text(value: Fraction | Decimal) -> str:
    return f"{float(value):.2f}" if isinstance(value, Fraction) else str(value)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
