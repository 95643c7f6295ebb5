"""The parser under limits: exact places for mistakes, nothing for attacks."""

from __future__ import annotations

import pytest
from lxml import etree

from openpoort.domain.fault import Fault, Refusal
from openpoort.wire.xml.parser import Limits, parse

SMALL = Limits(
    max_remarks=60,
    max_bytes=30_000,
    max_depth=5,
    max_elements=50,
    max_attributes=60,
    max_namespaces=6,
    max_width=4,
    max_name=10,
)


def test_mistake_gets_line_and_column() -> None:
    with pytest.raises(Fault) as caught:
        parse(b"<a>\n  <b></c>\n</a>")
    assert "regel 2" in caught.value.text


@pytest.mark.parametrize(
    ("data", "column"),
    [
        (b'<a><x:b/><c xmlns="no-address"/></a>', 8),
        (b'<a><b x:c=""/><d xmlns="no-address"/></a>', 13),
        (b'<a xmlns:p="u:" xmlns:q="u:"><b p:id="1" q:id="2"/><c xmlns="no-address"/></a>', 50),
    ],
)
def test_a_warning_after_a_mistake_does_not_hide_it(data: bytes, column: int) -> None:
    """Found by fuzzing: names without a namespace, or two attributes of one name, got through."""
    etree.fromstring(data)  # lxml by itself lets it through
    with pytest.raises(Fault, match="Namespace") as caught:
        parse(data, SMALL)
    assert f"regel 1, positie {column}." in caught.value.text
    assert parse(b'<c xmlns="no-address"/>', SMALL).tag == "{no-address}c"


@pytest.mark.parametrize(("before", "after"), [(99, 1), (100, 1), (150, 150), (0, 400)])
def test_a_flood_of_warnings_does_not_hide_it_either(before: int, after: int) -> None:
    """The parser keeps a hundred of each kind and then forgets the rest."""
    warned = b'<c xmlns="no-address"/>'
    with pytest.raises(Fault, match="prefix x"):
        parse(b"<a>" + warned * before + b"<x:b/>" + warned * after + b"</a>")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<a>" * 6 + b"</a>" * 6, "deep"),
        (b"<a>" + b"<b/>" * 120 + b"</a>", "too many elements"),
        (b"<a " + b" ".join(b'a%d=""' % i for i in range(5)) + b"/>", "on one element"),
        (b"<a>" + b'<b c=""/>' * 61 + b"</a>", "too many attributes"),
        (b"<a " + b" ".join(b'xmlns:a%d=""' % i for i in range(7)) + b"/>", "namespace"),
        (b"<a>" + b"<!---->" * 40 + b"<?x?>" * 21 + b"</a>", "too many comments or processing"),
        (b"<a>" + b" " * 20_000 + b"<bcdefghijkl/></a>", "name too long"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b"\xef\xbb\xbf\n<!-- x --><!DOCTYPE a><a/>", "document type"),
        (b'<?xml version="1.0"?><?x?><!DOCTYPE a><a/>', "document type"),
        (b"<!--" + b"x" * 5000 + b"--><a/>", "prolog"),
        (b"<?x " + b"x" * 5000 + b"?><!DOCTYPE a><a/>", "prolog"),
        (b" " * 5000 + b"<!DOCTYPE a><a/>", "prolog"),
        (b"<!-- ?> --><?x --> ?><!DOCTYPE a><a/>", "document type"),
    ],
)
def test_attack_gets_a_bare_refusal(data: bytes, what: str) -> None:
    with pytest.raises(Refusal, match=what):
        parse(data, SMALL)


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" * 5 + b"</a>" * 5,
        b"<a><b/><b/></a>",
        b'<a b="" c="" d="" e=""/>',
        b"<!-- x --><a/><!-- y -->",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n<a/>",
        b"<a>&lt;&#65;&#x42;</a>",
        b"<a><![CDATA[<!DOCTYPE x>]]></a>",
    ],
)
def test_what_is_within_limits_is_parsed(data: bytes) -> None:
    assert parse(data, SMALL).tag == "a"


def test_too_large_is_a_mistake_that_says_the_limit() -> None:
    with pytest.raises(Fault, match=r"30001 octetten .* 30000"):
        parse(b"<a/>" + b" " * 29_997, SMALL)


@pytest.mark.parametrize("name", ["ISO-8859-1", "UTF-16", "utf-7", "windows-1252"])
def test_other_declared_encodings_are_refused_by_name(name: str) -> None:
    with pytest.raises(Fault, match=name):
        parse(f'<?xml version="1.0" encoding="{name}"?><a/>'.encode())


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_unicode_is_refused(codec: str) -> None:
    with pytest.raises(Fault, match="UTF-8"):
        parse("<a/>".encode(codec))


def test_parser_remembers_nothing_of_a_refused_document() -> None:
    for _ in range(3):
        with pytest.raises(Fault):
            parse(b"<a>&x;</a>")
        assert parse(b"<a>1</a>").text == "1"


@pytest.mark.parametrize("data", [b'<?xml version="1.0"', b"<!-- x", b"", b"  ", b"<"])
def test_half_a_prolog_is_a_mistake(data: bytes) -> None:
    with pytest.raises(Fault) as caught:
        parse(data)
    assert "geen welgevormde XML" in caught.value.text
