"""xsd:dateTime to aware datetimes and back.

Clients send 0 to 7 fraction digits, with `Z`, with an offset, or without any zone. In a body
a time without zone is Dutch local time, because the one client that sends it so writes local
times; in wsu:Timestamp it is UTC (WSS 1.0 section 10). Digits after the microsecond are cut.

The first second of the year 1 is no moment but `UNSET`, whatever zone and fraction stand beside
it: .NET writes it for a time that nobody filled in, with the zone of the machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from openpoort.wire.names import BLANKS

_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
UNSET = datetime.min.replace(tzinfo=UTC)
"""What is read for a time that was not filled in."""
_NEVER = (1, 1, 1, 0, 0, 0)


def parse(text: str, zone: tzinfo | None = None) -> datetime:
    """An aware datetime in UTC. `zone` is what a time without zone means; None: Dutch time.

    ValueError if it is no xsd:dateTime between the years 1 and 9999.
    """
    found = _DATETIME.fullmatch(text.strip(BLANKS))
    if not found:
        raise ValueError("no xsd:dateTime")
    year, month, day, hour, minute, second = clock = tuple(map(int, found.groups()[:6]))
    micro = int(((found[7] or "") + "000000")[:6])
    midnight = (hour, minute, second, micro) == (24, 0, 0, 0)  # xsd: the end of that day
    moment = datetime(year, month, day, 0 if midnight else hour, minute, second, micro)  # noqa: DTZ001 - zone follows
    offset = _offset(found[8]) if found[8] else None
    if clock == _NEVER:
        return UNSET
    try:
        moment += timedelta(days=midnight)
        if offset:
            return moment.replace(tzinfo=offset).astimezone(UTC)
        if zone:
            return moment.replace(tzinfo=zone).astimezone(UTC)
        return _dutch(moment)
    except OverflowError:
        raise ValueError("out of range") from None


def form(moment: datetime) -> str:
    """UTC with milliseconds and `Z`, as real answers have it. Finer digits are cut."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    size = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    if size > timedelta(hours=14) or int(text[4:6]) > 59:
        raise ValueError("zone out of range")
    return timezone(-size if text[0] == "-" else size)


def _dutch(moment: datetime) -> datetime:
    """Dutch wall clock to UTC by the EU rule, so that no zone files are needed.

    Summer time runs from the last Sunday of March to that of October, 01:00 UTC. The hour that
    occurs twice is read as summer time.
    """
    summer = _last_sunday(moment.year, 3, 2) <= moment < _last_sunday(moment.year, 10, 3)
    return (moment - timedelta(hours=2 if summer else 1)).replace(tzinfo=UTC)


def _last_sunday(year: int, month: int, hour: int) -> datetime:
    last = datetime(year, month, 31, hour)  # noqa: DTZ001 - wall clock
    return last - timedelta(days=(last.weekday() + 1) % 7)
