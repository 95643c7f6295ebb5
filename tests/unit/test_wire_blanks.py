"""White space is that of XML: what Python takes for blank beside it is part of a value."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from openpoort.domain.fault import Fault
from openpoort.wire.names import EXC_C14N
from openpoort.wire.wus.services import AANLEVER
from openpoort.wire.wus.soap import open_signed
from openpoort_lab.forge import Forge
from tests.wire_kit import HOST, MESSAGE_ID, NOW, key, request

OTHERS = ["\u00a0", "\u2003", "\u0085", "\u2028"]


@pytest.mark.parametrize("blank", OTHERS)
@pytest.mark.parametrize("element", ["SignatureValue", "BinarySecurityToken"])
def test_no_other_blank_is_read_in_base64_of_a_signature(element: str, blank: str) -> None:
    """Nobody signs these texts, so they can be changed on the way; xmlsec refuses the first."""
    raw = request().decode()
    spoiled = re.sub(rf"(<(\w+:)?{element}[^>]*>.{{9}})", rf"\1{blank}", raw, count=1)
    assert spoiled != raw
    with pytest.raises(Fault, match="geen geldige base64"):
        open_signed(spoiled.encode())


@pytest.mark.parametrize("blank", OTHERS)
@pytest.mark.parametrize("local", ["to", "action", "message_id"])
def test_other_blanks_around_a_header_are_part_of_its_value(local: str, blank: str) -> None:
    made = Forge(key(), NOW, AANLEVER, "sha256", HOST + AANLEVER.path, message_id=MESSAGE_ID)
    element = getattr(made, local)
    wanted = element.text = f"{blank}{element.text}"
    element.text += "\n"
    assert getattr(open_signed(made.sign().raw()).addressing, local) == wanted


@pytest.mark.parametrize("blank", OTHERS)
def test_other_blanks_between_elements_are_text(blank: str) -> None:
    raw = request().replace(b"</soapenv:Header>", blank.encode() + b"</soapenv:Header>")
    with pytest.raises(Fault, match="staat tekst waar alleen elementen"):
        open_signed(raw)


def test_other_blanks_do_not_part_prefixes() -> None:
    made = Forge(key(), NOW, AANLEVER, "sha256", HOST + AANLEVER.path, message_id=MESSAGE_ID)

    def change(info: etree._Element) -> None:
        for listed in info.iter(f"{{{EXC_C14N}}}InclusiveNamespaces"):
            listed.set("PrefixList", "wsa\u00a0soapenv")

    raw = made.sign(prefixes=["wsa", "soapenv"], change=change).raw()
    with pytest.raises(Fault, match="De digest van"):
        open_signed(raw)
