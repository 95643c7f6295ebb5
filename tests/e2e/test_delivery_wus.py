"""The gateway's delivery and the demo agency, over real mutual TLS."""

from __future__ import annotations

import json
import re
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openpoort.domain.message import Document, Element
from openpoort.outbound.http import Timeouts
from openpoort.process.ports import DeliveryFailed, DeliveryRefused
from openpoort.sandbox import pki as development
from openpoort.sandbox.agency.archive import Archive, contents, receipts
from openpoort.sandbox.pki import OINS
from tests.agencies import Running, bericht, now, running


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivery") / "pki"
    development.create(folder)
    return folder


@pytest.fixture(scope="module")
def agency(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(pki, tmp_path_factory.mktemp("agency")) as made:
        yield made


@pytest.fixture(autouse=True)
def _normal_day(agency: Running) -> Iterator[None]:
    yield
    agency.stand("normal")


def fresh() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def test_delivery_is_kept_byte_for_byte_with_attachments(agency: Running) -> None:
    content = b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<a>\t\xe2\x82\xac </a>\n\n"
    extra = (
        Document("application/pdf", "../../etc/x.pdf", b"%PDF-1.7\x00\xff"),
        Document("text/plain", "leeg.txt", b"\n"),
    )
    sent = bericht(
        kenmerk=str(uuid.uuid4()),
        inhoud=Document("application/xml", "a.xbrl", content),
        bijlagen=extra,
        elementen=(Element("x", "y"),),
    )
    with agency.channel() as channel:
        answer = channel.deliver(sent, agency.record(), fresh())
    listed = receipts(agency.folder / "ontvangsten.csv")
    files = contents(agency.folder, next(r for r in listed if r.kenmerk == sent.kenmerk))
    told = json.loads(files.pop("bericht.json"))
    assert files == {
        "inhoud": content,
        "bijlage-1": extra[0].inhoud,
        "bijlage-2": extra[1].inhoud,
    }
    assert told["aanleveraar"] == OINS["bedrijf"]
    assert told["documenten"][1]["bestandsnaam"] == "../../etc/x.pdf"
    assert answer.kenmerk == sent.kenmerk
    assert answer.statusdetails is not None
    assert answer.statusdetails.startswith("<Responsemessage")
    assert answer.statuscode is None, "the verdict on this kind comes by zetStatus"


def test_repeated_delivery_is_kept_once_and_gets_the_same_receipt(agency: Running) -> None:
    sent = bericht(kenmerk=str(uuid.uuid4()))
    with agency.channel() as channel:
        message_id = fresh()
        first = channel.deliver(sent, agency.record(), message_id)
        second = channel.deliver(sent, agency.record(), message_id)
    assert first == second
    lines = [r for r in receipts(agency.folder / "ontvangsten.csv") if r.kenmerk == sent.kenmerk]
    assert len(lines) == 1


def test_a_kenmerk_in_capitals_and_times_left_blank_confirm_a_delivery(agency: Running) -> None:
    agency.stand("dotnet")
    sent = bericht(kenmerk=str(uuid.uuid4()), berichtsoort="Jaarrekening")
    with agency.channel() as channel:
        answer = channel.deliver(sent, agency.record(), fresh())
    assert answer.kenmerk == sent.kenmerk.upper()
    assert answer.statuscode == "500"
    assert answer.raw is not None
    assert b"<tijdstempelAfgeleverd>0001-01-01T00:00:00" in answer.raw, "kept as it was said"


def test_kind_without_later_verdict_gets_500_in_the_answer(agency: Running) -> None:
    sent = bericht(kenmerk=str(uuid.uuid4()), berichtsoort="Jaarrekening")
    with agency.channel() as channel:
        answer = channel.deliver(sent, agency.record(), fresh())
    assert (answer.statuscode, answer.fout) == ("500", None)
    assert answer.tijdstempel_status is not None


def test_agency_that_rejects_in_its_answer_gives_510_with_a_fout(agency: Running) -> None:
    agency.stand("reject")
    sent = bericht(kenmerk=str(uuid.uuid4()), berichtsoort="Jaarrekening")
    with agency.channel() as channel:
        answer = channel.deliver(sent, agency.record(), fresh())
    assert answer.statuscode == "510"
    assert answer.fout is not None


@pytest.mark.parametrize(("word", "code"), [("refuse", "AFO100"), ("invalid", "AFS400")])
def test_refusals_for_good(agency: Running, word: str, code: str) -> None:
    agency.stand(word)
    with agency.channel() as channel, pytest.raises(DeliveryRefused) as refused:
        channel.deliver(bericht(kenmerk=str(uuid.uuid4())), agency.record(), fresh())
    assert refused.value.foutcode == code


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("down", "answer"),
        ("half", "middle|answer"),
        ("technical", "AFS400"),
        ("garbage", "signed answer"),
        ("other", "kenmerk"),
    ],
)
def test_failures_that_may_pass(agency: Running, word: str, says: str) -> None:
    agency.stand(word)
    with agency.channel() as channel, pytest.raises(DeliveryFailed, match=says):
        channel.deliver(bericht(kenmerk=str(uuid.uuid4())), agency.record(), fresh())


def test_half_answer_then_repeat_is_one_message_for_the_agency(agency: Running) -> None:
    sent, message_id = bericht(kenmerk=str(uuid.uuid4())), fresh()
    with agency.channel() as channel:
        agency.stand("half")
        with pytest.raises(DeliveryFailed):
            channel.deliver(sent, agency.record(), message_id)
        agency.stand("normal")
        answer = channel.deliver(sent, agency.record(), message_id)
    lines = [r for r in receipts(agency.folder / "ontvangsten.csv") if r.kenmerk == sent.kenmerk]
    assert [line.ontvangen for line in lines] == [answer.tijdstempel_afgeleverd]


def test_slow_agency_is_given_up_in_time(agency: Running) -> None:
    agency.stand("slow")
    brief = Timeouts(connect=2, read=0.3, whole=0.5)
    with agency.channel(timeouts=brief) as channel, pytest.raises(DeliveryFailed, match="time"):
        channel.deliver(bericht(kenmerk=str(uuid.uuid4())), agency.record(), fresh())


def test_answer_signed_by_another_party_is_no_confirmation(agency: Running) -> None:
    other = agency.record(OINS["register"])
    with agency.channel() as channel, pytest.raises(DeliveryFailed, match="another party"):
        channel.deliver(bericht(kenmerk=str(uuid.uuid4())), other, fresh())


def test_agency_takes_deliveries_from_the_gateway_only(agency: Running) -> None:
    sent = bericht(kenmerk=str(uuid.uuid4()))
    with agency.channel("bedrijf") as channel, pytest.raises(DeliveryRefused) as refused:
        channel.deliver(sent, agency.record(), fresh())
    assert "knooppunt" in refused.value.text
    assert not list((agency.folder / "berichten").glob(f"{sent.kenmerk}-*"))


def test_nobody_listens(agency: Running, pki: Path) -> None:
    gone = replace(agency.record(), endpoint="https://localhost:1/x")
    with agency.channel() as channel, pytest.raises(DeliveryFailed, match="nothing listens"):
        channel.deliver(bericht(), gone, fresh())


def test_passing_technical_problem_passes_on_the_third_attempt(agency: Running) -> None:
    sent = bericht(kenmerk=str(uuid.uuid4()), aanleverkenmerk="TechnischProbleemAfleveren")
    with agency.channel() as channel:
        for _ in range(2):
            with pytest.raises(DeliveryFailed):
                channel.deliver(sent, agency.record(), fresh())
        assert channel.deliver(sent, agency.record(), fresh()).kenmerk == sent.kenmerk


def test_agency_that_wants_sha1_gets_it_and_answers_in_kind(agency: Running) -> None:
    wanted = replace(agency.record(), options={"hash": "sha1"})
    sent = bericht(kenmerk=str(uuid.uuid4()))
    with agency.channel() as channel:
        answer = channel.deliver(sent, wanted, fresh())
    assert answer.kenmerk == sent.kenmerk


def test_connections_are_kept_alive(agency: Running) -> None:
    with agency.channel() as channel:
        for _ in range(3):
            channel.deliver(bericht(kenmerk=str(uuid.uuid4())), agency.record(), fresh())
        assert channel.http.idle == 1


def test_half_a_line_in_the_receipt_list_is_made_whole_from_the_log(tmp_path: Path) -> None:
    sent = bericht()
    first = Archive(tmp_path)
    kept, _ = first.keep(sent, now())
    first.close()
    listed = tmp_path / "ontvangsten.csv"
    listed.write_bytes(listed.read_bytes()[:-5])
    again = Archive(tmp_path)
    assert again.keep(sent, now()) == (kept, False)
    again.close()
    assert list(receipts(listed)) == [kept]


def test_list_is_made_again_from_the_messages_after_a_power_cut(tmp_path: Path) -> None:
    """The list was not synced: only the messages are sure to be there."""
    many = [bericht(kenmerk=str(uuid.uuid4()), aanleverkenmerk='a"b,\n') for _ in range(3)]
    first = Archive(tmp_path)
    kept = [first.keep(one, now())[0] for one in many]
    first.close()
    listed = tmp_path / "ontvangsten.csv"
    listed.unlink()
    Archive(tmp_path).close()
    assert list(receipts(listed)) == kept
    assert [contents(tmp_path, r)["inhoud"] for r in kept] == [m.inhoud.inhoud for m in many]


@pytest.mark.parametrize(
    ("lost", "zeros"), [(1, 0), (600, 0), (600, 512), (1500, 0), (1500, 5000), (2000, 512)]
)
def test_half_a_message_at_the_end_was_never_acknowledged(
    tmp_path: Path, lost: int, zeros: int
) -> None:
    """Cut short in the metadata or in the content, or longer than what reached the disk."""
    one, other = bericht(kenmerk=str(uuid.uuid4())), bericht(kenmerk=str(uuid.uuid4()))
    first = Archive(tmp_path)
    first.keep(one, now())
    first.keep(other, now())
    first.close()
    tar, listed = tmp_path / "berichten.tar", tmp_path / "ontvangsten.csv"
    tar.write_bytes(tar.read_bytes()[:-lost] + bytes(zeros))
    listed.unlink()
    again = Archive(tmp_path)
    assert [r.kenmerk for r in receipts(listed)] == [one.kenmerk]
    assert again.keep(other, now())[1]
    again.close()
    assert [r.kenmerk for r in receipts(listed)] == [one.kenmerk, other.kenmerk]
    with tarfile.open(tar) as found:
        names = [name.partition("-")[2].partition("/")[2] for name in found.getnames()]
    assert names == ["inhoud", "bericht.json"] * 2


def test_changed_content_at_the_end_is_no_message(tmp_path: Path) -> None:
    first = Archive(tmp_path)
    first.keep(bericht(inhoud=Document("text/plain", "a", b"abc" * 500)), now())
    first.close()
    tar, listed = tmp_path / "berichten.tar", tmp_path / "ontvangsten.csv"
    tar.write_bytes(tar.read_bytes().replace(b"abcabc", b"abcabd", 1))
    listed.unlink()
    Archive(tmp_path).close()
    assert list(receipts(listed)) == []
    assert tar.stat().st_size == 0


@pytest.mark.parametrize("kenmerk", ["../../etc/passwd", "a" * 300, "é" * 36, "x/y"])
def test_odd_kenmerk_names_no_odd_path(tmp_path: Path, kenmerk: str) -> None:
    archive = Archive(tmp_path)
    kept, _ = archive.keep(bericht(kenmerk=kenmerk), now())
    archive.close()
    with tarfile.open(tmp_path / "berichten.tar") as found:
        assert all(re.fullmatch(r"[0-9a-f]{32}-[0-9a-f]{16}/[a-z.]+", n) for n in found.getnames())
    assert contents(tmp_path, kept)["inhoud"] == bericht().inhoud.inhoud
