"""Octets on disk: the same answers as `bytes` gives, and nothing left behind."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpoort.domain import octets
from openpoort.process.intake import Busy
from openpoort.store.payloads import spool
from openpoort.store.payloads.spool import NoRoom, Spooled


def spooled(folder: Path, data: bytes) -> Spooled:
    made = Spooled(folder)
    made.append(data)
    return made


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches cross many pieces, also with little to search in."""
    monkeypatch.setattr(spool, "PIECE", 5)


TEXT = st.text("ab<", max_size=40).map(str.encode)
PLACE = st.integers(-45, 45)


@pytest.mark.usefixtures("short_pieces")
@given(TEXT, st.lists(st.tuples(TEXT.map(lambda t: t[:4]), PLACE, PLACE), max_size=5))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_answers_are_those_of_bytes(
    tmp_path: Path, data: bytes, asked: list[tuple[bytes, int, int]]
) -> None:
    file = spooled(tmp_path, data)
    for sub, start, end in asked:
        if sub:
            assert file.find(sub, start, end) == data.find(sub, start, end)
            assert file.find(sub) == data.find(sub)
            assert file.startswith(sub, max(start, 0)) == data.startswith(sub, max(start, 0))
        assert file[start:end] == data[start:end]
        part = file.part(start, end)
        assert (len(part), bytes(part)) == (len(data[start:end]), data[start:end])
        if sub:
            assert part.find(sub) == data[start:end].find(sub)
    assert (len(file), bytes(file)) == (len(data), data)
    assert octets.sha256(file) == octets.sha256(data)
    assert b"".join(octets.in_pieces(file, 3)) == data


def test_a_word_across_two_pieces_is_found(tmp_path: Path) -> None:
    for shift in range(-7, 2):
        data = b"." * (octets.PIECE + shift) + b"inhoud>" + b"." * 9
        assert spooled(tmp_path, data).find(b"inhoud>") == octets.PIECE + shift


def test_what_is_kept_stands_beside_it_and_outlives_it(tmp_path: Path) -> None:
    first = spooled(tmp_path, b"abc")
    other = first.keep(piece * 2 for piece in (b"d", b"ef"))
    part = first.part(1, 3)
    del first
    assert (bytes(other), bytes(part)) == (b"ddefef", b"bc")


def test_nothing_is_left_and_files_are_closed_when_nobody_holds_them(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    held = [spooled(tmp_path, b"x" * 1000) for _ in range(20)]
    parts = [one.part(5, 10) for one in held]
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before + 20
    del held
    assert len(os.listdir("/proc/self/fd")) == before + 20
    parts.clear()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def full_at() -> Iterator[int]:
    """Files of this process may be no longer: the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield 100_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_busy(tmp_path: Path, full_at: int) -> None:
    file = spooled(tmp_path, b"x" * full_at)
    with pytest.raises(NoRoom) as caught:
        file.append(b"y")
    assert isinstance(caught.value, Busy)
    assert bytes(file) == b"x" * full_at
    with pytest.raises(NoRoom):
        file.keep(iter([b"z" * (full_at + 1)]))
    with pytest.raises(NoRoom):
        Spooled(tmp_path / "not there")
    assert list(tmp_path.iterdir()) == []
