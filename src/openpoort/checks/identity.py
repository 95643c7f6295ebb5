"""The number in the request against the number in the document (BTW, BSN, RSIN, KvK, LHnr)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from openpoort.checks.document import XBRLI, line_of
from openpoort.checks.instance import Instance
from openpoort.checks.text import content
from openpoort.domain.finding import Finding, Severity
from openpoort.domain.ids import Identiteit, elfproef

_ELEVEN = {"bsn", "rsin", "btw", "fi", "ob", "lhnr", "lh"}
"""Types whose first nine digits obey the eleven test."""
_FORMS = {
    "bsn": re.compile(r"[0-9]{9}"),
    "rsin": re.compile(r"[0-9]{9}"),
    "kvk": re.compile(r"[0-9]{8}"),
    "btw": re.compile(r"[0-9]{9}B[0-9]{2}"),
    "ob": re.compile(r"[0-9]{9}B[0-9]{2}"),
    "lhnr": re.compile(r"[0-9]{9}L[0-9]{2}"),
}


def normal(number: str, kind: str) -> str:
    """For comparison: no leading NL, BSN and RSIN with their leading zeros. White space of XML
    around it is nothing; inside, and of any other kind, it is another value for who reads on."""
    text = number.strip(" \t\r\n").upper()
    text = text[2:] if text.startswith("NL") else text
    return text.zfill(9) if kind in {"bsn", "rsin"} and text.isdigit() else text


def judge_number(identiteit: Identiteit) -> Iterator[Finding]:
    """Form and eleven test of the number in the request."""
    kind = identiteit.type.lower()
    number = normal(identiteit.nummer, kind)
    form = _FORMS.get(kind)
    if form is not None and not form.fullmatch(number):
        text = f"Het nummer van de belanghebbende heeft niet de vorm van een {identiteit.type}."
        yield Finding("OP-3.01", Severity.ERROR, text, "filing")
    elif kind in _ELEVEN and number[:9].isdigit() and not elfproef(number[:9]):
        text = f"Het {identiteit.type}-nummer van de belanghebbende voldoet niet aan de elfproef."
        yield Finding("OP-3.02", Severity.ERROR, text, "filing")


def judge_instance_identity(instance: Instance, identiteit: Identiteit) -> Iterator[Finding]:
    """Every context is about the belanghebbende of the request, or about somebody at least when
    the request names nobody. The numbers stay unsaid."""
    kind = identiteit.type.lower()
    wanted = normal(identiteit.nummer, kind)
    told: set[str] = set()
    for context in instance.contexts:
        identifiers = list(context.iter(f"{{{XBRLI}}}identifier"))
        if not identifiers:
            yield no_number("filing", context)
            return
        for element in identifiers:
            found = normal(content(element), kind)
            if identiteit.nummer and not same(found, wanted) and found not in told:
                told.add(found)
                yield other_number("filing", element)
    if not instance.contexts:
        yield no_number("filing", instance.root)


def no_number(source: str, where: etree._Element) -> Finding:
    """Who the document is about must stand in it: what says nothing is not the same."""
    text = (
        "In het document staat geen identificatienummer van de belanghebbende. "
        "Neem het nummer op dat in het verzoek staat."
    )
    return _at("OP-3.04", text, source, where)


def other_number(source: str, where: etree._Element) -> Finding:
    text = (
        "Het identificatienummer in het document is een ander dan dat van de belanghebbende in "
        "het verzoek. Maak ze gelijk."
    )
    return _at("OP-3.03", text, source, where)


def _at(code: str, text: str, source: str, where: etree._Element) -> Finding:
    path = where.getroottree().getpath(where)
    return Finding(code, Severity.ERROR, text, source, line_of(where), path)


def same(found: str, wanted: str) -> bool:
    """Equal, or one the fiscal number of which the other is the VAT or wage tax number."""
    if found == wanted:
        return bool(wanted)
    bare, longer = sorted((found, wanted), key=len)
    return bool(re.fullmatch(r"[0-9]{9}", bare) and re.fullmatch(bare + r"[BL][0-9]{2}", longer))
