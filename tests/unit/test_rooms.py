"""The picture of the house is drawn from the code as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpoort_lab.figures import rooms

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["rooms.md", "rooms.svg"])
def test_the_page_of_rooms_is_current(name: str) -> None:
    kept = (ROOT / "docs" / "explanation" / name).read_text("utf-8")
    assert kept == rooms.pages(ROOT)[name], "make docs"


def test_every_room_stands_on_a_floor_above_those_it_asks() -> None:
    level = {name: n for n, row in enumerate(rooms.floors(ROOT)) for name in row}
    asks = rooms.imports(ROOT / "src" / "openpoort")
    for mine in level:
        for other in asks.get(mine, set()) & set(level):
            assert level[mine] < level[other] or {mine, other} == {"operate", "sandbox"}
    assert "store" in asks["process"]
