"""Every value survives being written, signed, opened and read."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import seal_answer
from openpoort.wire.wus.soap import SignedMessage, open_answer, open_signed
from openpoort.wire.xml import detached_content, instant, parser
from openpoort.wire.xmldsig.canonical import canonical
from tests.property.wire_values import times, values
from tests.wire_kit import MESSAGE_ID, NOW, aanlevering, key, request


@given(values)
@settings(max_examples=150)
def test_written_value_reads_back_equal(value: koppelvlak.Value) -> None:
    written = koppelvlak.write(value)
    element = etree.fromstring(written)
    assert koppelvlak.read(element) == value
    assert canonical(element) == written


@given(values, st.sampled_from(["sha1", "sha256", "sha384", "sha512"]))
@settings(max_examples=40, deadline=None)
def test_sealed_value_opens_equal(value: koppelvlak.Value, hash_name: str) -> None:
    raw = seal_answer(
        koppelvlak.write(value),
        action="urn:x",
        message_id=MESSAGE_ID,
        relates_to=MESSAGE_ID,
        created=NOW,
        signer=key(),
        hash_name=hash_name,
    )
    message = open_answer(raw)
    assert isinstance(message, SignedMessage)
    assert koppelvlak.read(message) == value


_IDS = st.text(string.ascii_letters + string.digits + "-._~:/?#[]@!$&'()*+,;=%<>\"é", max_size=200)


@given(_IDS)
@settings(max_examples=60, deadline=None)
def test_message_ids_come_back_as_sent(tail: str) -> None:
    message = open_signed(request(message_id="urn:" + tail))
    assert message.addressing.message_id == "urn:" + tail


@given(times())
def test_written_times_read_back(moment: datetime) -> None:
    assert instant.parse(instant.form(moment)) == moment


@given(
    st.datetimes(min_value=datetime(1996, 1, 2), max_value=datetime(2099, 12, 1)),  # noqa: DTZ001
    st.integers(0, 7),
    st.integers(-840, 840),
)
def test_any_zone_and_fraction_is_the_same_moment(
    naive: datetime, digits: int, minutes: int
) -> None:
    zone = timezone(timedelta(minutes=minutes))
    stamp = naive.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{naive.microsecond:06d}0"[:digits]
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{stamp}{'.' + fraction if fraction else ''}{sign}{size // 60:02d}:{size % 60:02d}"
    micro = int(f"{fraction:0<6}"[:6])
    assert instant.parse(text) == naive.replace(microsecond=micro, tzinfo=zone).astimezone(UTC)


@given(st.text(max_size=40))
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    try:
        moment = instant.parse(text)
    except ValueError:
        return
    assert moment.tzinfo is UTC


@given(st.integers(30_000, 120_000), st.integers(0, 70), st.booleans())
@settings(max_examples=25, deadline=None)
def test_content_set_aside_or_not_gives_the_same_value(
    size: int, line: int, declared: bool
) -> None:
    content = bytes(i * 7 % 256 for i in range(size))
    body = koppelvlak.write(aanlevering(content))
    if line > 8:
        begin = body.index(b"<inhoud>") + 8
        end = body.index(b"</inhoud>")
        text = body[begin:end]
        rows = b"\n".join(text[i : i + line] for i in range(0, len(text), line))
        body = body[:begin] + rows + body[end:]
    raw = (b'<?xml version="1.0"?>' if declared else b"") + request(body)
    message = open_signed(raw)
    assert bool(message.aside) == (len(detached_content.lift(raw)[1]) > 0)
    assert koppelvlak.read(message) == aanlevering(content)


@given(st.binary(max_size=300))
def test_no_bytes_at_all_break_the_parser(data: bytes) -> None:
    with pytest.raises((Fault, parser.Refusal)):
        open_signed(data)
