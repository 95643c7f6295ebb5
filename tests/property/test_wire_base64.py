"""What counts as base64 in an `inhoud`, next to the standard library's strict reading of it."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openpoort.domain.fault import Fault
from openpoort.wire.wus import fields

_CHARACTERS = st.sampled_from("ABcd01+/=-_., \t\r\n\x00é\ud800")
_SPACE = str.maketrans("", "", " \t\r\n")


def _by_the_library(text: str) -> bytes | None:
    """The octets that `text`, white space aside, is the one spelling of; None if there are none."""
    spelling = text.translate(_SPACE)
    try:
        octets = a2b_base64(spelling, strict_mode=True)
    except ValueError:
        return None
    return octets if b2a_base64(octets, newline=False).decode() == spelling else None


@st.composite
def _spoiled(draw: st.DrawFn) -> str:
    """A spelling with up to three characters put in, left out or replaced."""
    text = b2a_base64(draw(st.binary(max_size=200)), newline=False).decode()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + draw(st.text(_CHARACTERS, max_size=2))
            + text[at + draw(st.integers(0, 1)) :]
        )
    return text


@given(st.one_of(_spoiled(), st.text(_CHARACTERS, max_size=12)))
@example("QQ==")
@example("QR==")
@example("QQ=")
@example("QQ==QQ==")
@example("Q\nQ=\r=")
@example("====")
@example("QQ===")
def test_octets_or_a_fault_as_the_standard_library_has_it(text: str) -> None:
    expected = _by_the_library(text)
    if expected is None:
        with pytest.raises(Fault, match="base64Binary"):
            fields.decode(text)
    else:
        assert fields.decode(text) == expected


@pytest.mark.parametrize("size", [0, 1, 2, 3, 46, 47, 48, 49, 4095, 70_000])
def test_every_octet_comes_back(size: int) -> None:
    octets = bytes((i * 131 + size) % 256 for i in range(size))
    pieces: list[bytes] = []
    fields.CONTENT.write(octets, pieces)
    assert pieces == [b2a_base64(octets, newline=False)]
    assert fields.decode(pieces[0].decode()) == octets
