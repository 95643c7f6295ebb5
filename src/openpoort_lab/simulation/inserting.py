"""`on conflict do nothing`: rows that are put in unless somebody was there first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from openpoort_lab.simulation.database import Row, Table, Transaction


def claim(t: Transaction, table: Table, keys: Iterable[Hashable]) -> list[Row]:
    """Lock the places of rows that are not there yet, in this order. Raises Blocked by whoever
    is putting in the same."""
    places = [table.row(key) for key in keys]
    try:
        for row in places:
            if row.value is None:
                t.lock(row)
    except BaseException:
        forget_empty(places)
        raise
    return places


def insert_new(t: Transaction, table: Table, values: Iterable[Any]) -> list[Any]:
    """Those of `values` that were put in."""
    values = list(values)
    claim(t, table, [table.key(value) for value in values])
    made = []
    for value in values:
        row = table.place(value)
        if t.see(row) is None:
            t.write(row, value)
            made.append(value)
    return made


def forget_empty(places: Iterable[Row]) -> None:
    """Places that were made for a look and hold nothing."""
    for row in places:
        if row.value is None and row.holder is None:
            row.table.rows.pop(row.key, None)
