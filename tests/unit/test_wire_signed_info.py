"""SignedInfo is read the same way from its canonical bytes and from its tree."""

from __future__ import annotations

import pytest
from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.names import DS
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.xml.parser import parse
from openpoort.wire.xmldsig import signedinfo
from openpoort_lab.forge import Forge
from openpoort_lab.hostile import corpus
from tests.wire_kit import HOST, NOW, key, request

TO = HOST + AANLEVER.path


def infos(raw: bytes) -> list[etree._Element]:
    try:
        root = parse(raw)
    except (Fault, Refusal):
        return []
    return list(root.iter(f"{{{DS}}}SignedInfo"))


@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha512"])
def test_quick_way_and_careful_way_agree(hash_name: str) -> None:
    for raw in (
        request(hash_name=hash_name),
        Forge(key(), NOW, AANLEVER, hash_name, TO).sign().raw(),
    ):
        prefixed = raw.replace(b"<SignedInfo>", b"<SignedInfo>\n\t ", 1)
        for element in (*infos(raw), *infos(prefixed)):
            quick = signedinfo._from_form(element)
            assert quick is not None
            assert quick == signedinfo._from_tree(element)


def test_quick_way_knows_prefixes() -> None:
    element = infos(request())[0]
    text = etree.tostring(element).decode().replace(f'xmlns="{DS}"', f'xmlns:ds="{DS}"')
    named = etree.fromstring(text.replace("<", "<ds:").replace("<ds:/", "</ds:"))
    assert named.tag == element.tag
    quick = signedinfo._from_form(named)
    assert quick is not None
    assert quick.references == signedinfo._from_tree(element).references


def test_quick_way_never_takes_what_the_careful_way_refuses() -> None:
    seen = 0
    for hostile in corpus(key(), NOW, AANLEVER, "sha256", TO):
        for element in infos(hostile.raw):
            try:
                quick = signedinfo._from_form(element)
            except Fault:  # no canonical form at all
                continue
            if quick is None:
                continue
            seen += 1
            try:
                careful = signedinfo._from_tree(element)
            except (Fault, Refusal) as error:
                pytest.fail(f"{hostile.name}: {error}")
            assert quick == careful, hostile.name
    assert seen > 100
