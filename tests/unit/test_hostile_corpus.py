"""No hostile message gets past the codec; each gets the verdict that was foreseen."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.wus import addressing, koppelvlak
from openpoort.wire.wus.seal import fout
from openpoort.wire.wus.services import AANLEVER, OPHAAL, SERVICES, STATUSINFORMATIE, Service
from openpoort.wire.wus.soap import glimpse, open_signed
from openpoort_lab.hostile import CODEC, TRUST, Hostile, corpus
from openpoort_lab.hostile.__main__ import page
from tests.wire_kit import HOST, NOW, key

CONTRACT = [AANLEVER, STATUSINFORMATIE, OPHAAL]


@lru_cache(maxsize=1)
def made(service: Service, hash_name: str) -> list[Hostile]:
    return list(corpus(key(), NOW, service, hash_name, HOST + service.path))


def verdict(hostile: Hostile, service: Service) -> tuple[str, str]:
    """(Who stopped it, with what): the layers in the order of the door."""
    layer = CODEC
    try:
        message = open_signed(hostile.raw, hostile.content_type)
        if hostile.layer == TRUST:
            return TRUST, hostile.expected  # nobody judges certificates here
        layer = "addressing"
        addressing.check(message, service, addressing.endpoints([HOST], service), NOW)
        layer = "schema"
        koppelvlak.read(message)
    except Fault as fault:
        return layer, fout(service, fault).foutcode if fault.text else "no text"
    except Refusal as refusal:
        return layer, str(refusal.status) if refusal.what else "no reason"
    return "none", "accepted"


@pytest.mark.parametrize("service", CONTRACT, ids=lambda s: s.name)
@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_every_hostile_message_gets_its_verdict(service: Service, hash_name: str) -> None:
    found = {h.name: verdict(h, service) for h in made(service, hash_name)}
    wanted = {h.name: (h.layer, h.expected) for h in made(service, hash_name)}
    wrong = {n: (wanted[n], found[n]) for n in wanted if wanted[n] != found[n]}
    assert wrong == {}


def test_corpus_is_large_and_its_names_are_unique() -> None:
    names = [h.name for h in made(AANLEVER, "sha1")]
    assert len(names) == len(set(names))
    assert len(names) >= 150


def test_corpus_without_its_trick_is_accepted() -> None:
    """Each message is wrong in one way only: the forge it starts from is right."""
    from openpoort_lab.hostile.kit import Setting

    for service in SERVICES.values():
        setting = Setting(key(), NOW, service, "sha1", HOST + service.path)
        message = open_signed(setting.signed().raw())
        addressing.check(message, service, addressing.endpoints([HOST], service), NOW)
        koppelvlak.read(message)


def test_a_glimpse_of_hostile_bytes_never_fails() -> None:
    for hostile in made(AANLEVER, "sha1"):
        element, message_id = glimpse(hostile.raw, hostile.content_type)
        assert element is None or isinstance(element, str)
        assert message_id is None or len(message_id) <= 256


def test_page_of_hostile_messages_is_up_to_date() -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "security" / "hostile-messages.md"
    assert path.read_text("utf-8") == page(), f"run: python -m openpoort_lab.hostile > {path}"
