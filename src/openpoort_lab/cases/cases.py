"""One instance for each clause tried, with what the standard says of it.

Clauses: `XML` is XML 1.0, `2.1` XBRL 2.1, `XDT` Dimensions 1.0, `XSD` XML Schema Part 2, `VS`
Variables 1.0, `VA` and `EA` Value and Existence Assertions 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from openpoort_lab.cases.instance import fact as f
from openpoort_lab.cases.instance import instance as i


@dataclass(frozen=True, slots=True)
class Case:
    """`valid` is what the clause says; the reference processor and the index must say the same."""

    name: str
    clause: str
    valid: bool
    content: bytes


def cases() -> Iterator[Case]:
    for group in (_values, _facts, _contexts, _units, _tuples, _dimensions, _formulas, _others):
        for name, clause, valid, content in group():
            yield Case(name, clause, valid, content)


DEPARTS = {
    "value-Moment-bad-0": "takes a date for a dateTime",
    "nil-wrong": "reads any other text of xsi:nil as false",
    "context-scheme-empty": "does not mind an empty scheme",
    "context-scheme-letter": "takes no scheme of one letter",
    "context-scheme-colons": "takes no second colon",
    "value-Adres-good-3": "takes no scheme of one letter",
    "value-Adres-good-4": "takes no second colon",
    "formula-one-dimension-beside": "binds no fact of a variable when one has an axis more",
    "requires-element": "looks at it only where calculations are asked for",
}
"""Cases in which the reference processor departs from the clause, and how."""


_Rows = Iterator[tuple[str, str, bool, bytes]]
_GOOD = {
    "Bedrag": ("12", "-12", "0", " 7 ", "0000000001"),
    "Bereik": ("1.25", "-10", "4999.9", "+3", ".5", "5."),
    "Code": ("A", "B"),
    "Kort": ("ab", "abcde", "a b", "\u20ac\u20ac"),
    "Vast": ("abcd", "  abcd  ", "a  cd"),
    "Patroon": ("AB12", "ZZ9999"),
    "Keuze": ("AB", "CD", "ABsomething"),
    "Telling": ("0", "100", "007", "+5"),
    "Datum": ("2026-02-28", " 2024-02-29 "),
    "Moment": ("2026-01-01T10:00:00",),
    "JaNee": ("true", "0"),
    "Adres": ("http://voorbeeld.example/a", "urn:a:b", "http://h:80/a", "a:b", "nl:kvk:nummer"),
    "Getal": ("1", "-1.000000000000000001", "123456789012345678901234567890"),
    "Tekst": ("", "  ", "lang " * 50, "a\n\tb"),
    "Klein": ("127", "-128"),
    "Lijst": ("land059", " land000 "),
}
_BAD = {
    "Bedrag": ("", "1.5", "abc", "12345678901", "1e3", "- 1", "--1", "1 2"),
    "Bereik": ("-10.01", "5000", "1.234", "1234567", "12345.67", "1,5", "INF"),
    "Code": ("C", "", "a", "A "),
    "Kort": ("a", "abcdef", ""),
    "Vast": ("abc", "abcde"),
    "Patroon": ("ab12", "AB1", "AB12345", ""),
    "Keuze": ("XY", "A"),
    "Telling": ("-1", "101", "1.0", "x", ""),
    "Datum": ("2026-02-30", "26-01-01", "2026-1-1", "", "morgen"),
    "Moment": ("2026-01-01", "2026-01-01T25:00:00"),
    "JaNee": ("ja", "TRUE", ""),
    "Getal": ("x", "1e5", "", "0x10", "."),
    "Klein": ("128", "-129"),
    "Lijst": ("land060", "Land001"),
}


def _values() -> _Rows:
    """Lexical values and facets."""
    for good, table in ((True, _GOOD), (False, _BAD)):
        for item, values in table.items():
            for number, value in enumerate(values):
                word = "good" if good else "bad"
                yield f"value-{item}-{word}-{number}", "XSD 4.3", good, i(f(item, value))
    yield "value-backtracking", "XSD 4.3.4", False, i(f("Traag", "a" * 18 + "c"))
    yield "value-cdata", "XSD 4.3.5", True, i(f("Code", "<![CDATA[A]]>"))
    yield "value-reference", "XSD 4.3.5", True, i(f("Code", "&#65;"))
    yield "value-comment", "2.1 5.1.1", True, i(f("Kort", "a<!-- x -->b"))
    yield "value-element", "2.1 5.1.1", False, i(f("Tekst", "<p:Naam/>"))
    yield "value-two", "XSD 4.3", False, i(f("Bedrag", "x"), f("Code", "C"))
    yield "value-long", "XSD 4.3.4", False, i(f("Bedrag", "9" * 64))


def _facts() -> _Rows:
    """Items (2.1 4.6)."""
    nil = {"xsi_nil": "true"}
    yield "nil", "2.1 4.6.3", True, i(f("Code", "", **nil))
    yield "nil-number", "2.1 4.6.3", True, i(f("Bedrag", "", decimals=None, **nil))
    yield "nil-decimals", "2.1 4.6.3", False, i(f("Bedrag", "", **nil))
    yield "nil-content", "2.1 4.6.3", False, i(f("Code", "A", **nil))
    yield "nil-not-nillable", "2.1 5.1.1", False, i(f("Kort", "", **nil))
    yield "nil-false", "2.1 4.6", True, i(f("Code", "A", xsi_nil="false"))
    yield "nil-wrong", "2.1 4.6", False, i(f("Code", "A", xsi_nil="ja"))
    yield "no-context", "2.1 4.6.1", False, i(f("Code", "A", contextRef=None))
    yield "context-unknown", "2.1 4.6.1", False, i(f("Code", "A", "Weg"))
    yield "context-is-unit", "2.1 4.6.1", False, i(f("Code", "A", "EUR"), f("Bedrag", "1"))
    yield "context-no-name", "2.1 4.6.1", False, i(f("Code", "A", "1 2"))
    yield "number-no-unit", "2.1 4.6.2", False, i(f("Bedrag", "1", unitRef=None))
    yield (
        "number-no-unit-no-context",
        "2.1 4.6.2",
        False,
        i(f("Bedrag", "1", unitRef=None, contextRef=None)),
    )
    yield "number-unit-unknown", "2.1 4.6.2", False, i(f("Bedrag", "1", unitRef="Weg"))
    yield "text-unit", "2.1 4.6.2", False, i(f("Code", "A", unitRef="EUR"))
    yield "no-decimals", "2.1 4.6.3", False, i(f("Bedrag", "1", decimals=None))
    yield "precision", "2.1 4.6.4", True, i(f("Bedrag", "1", decimals=None, precision="4"))
    yield "precision-wrong", "2.1 4.6.4", False, i(f("Bedrag", "1", decimals=None, precision="-1"))
    yield "both", "2.1 4.6.3", False, i(f("Bedrag", "1", precision="4"))
    yield "decimals-inf", "2.1 4.6.5", True, i(f("Bedrag", "1", decimals="INF"))
    yield "decimals-minus", "2.1 4.6.5", True, i(f("Bedrag", "1000", decimals="-3"))
    yield "decimals-default", "2.1 4.6.5", True, i(f("Centen", "1.25", decimals=None))
    yield "decimals-default-nil", "2.1 4.6.3", False, i(f("Centen", "", decimals=None, **nil))
    yield "decimals-wrong", "2.1 4.6.5", False, i(f("Bedrag", "1", decimals="1.5"))
    yield "text-decimals", "2.1 4.6.3", False, i(f("Code", "A", decimals="0"))
    yield (
        "fraction",
        "2.1 5.1.1",
        True,
        i(
            f(
                "Breuk",
                "<xbrli:numerator>1</xbrli:numerator><xbrli:denominator>3</xbrli:denominator>",
                unitRef="puur",
            )
        ),
    )
    yield "language", "2.1 5.1.1", True, i(f("Tekst", "x", xml_lang="en"))
    yield "id", "2.1 4.6", True, i(f("Tekst", "x", id="a1"))
    yield "id-twice", "2.1 4.6", False, i(f("Tekst", "x", id="a1"), f("Code", "A", id="a1"))
    yield "attribute", "2.1 4.6", False, i(f("Tekst", "x", soort="a"))
    yield "unknown", "2.1 4.6", False, i(f("Weg", "x"))
    yield "unknown-two", "2.1 4.6", False, i(f("Weg", "x"), f("Code", "A"), f("Elders", "y"))
    many = [f(f"Weg{n:03}" + "x" * 20, "x") for n in range(30)]
    yield "unknown-many", "2.1 4.6", False, i(*many)
    yield "unknown-and-wrong", "2.1 4.6", False, i(f("Weg", "x"), f("Bedrag", "y"))
    yield "abstract", "2.1 5.1.1", False, i(f("Kop", "x"))
    yield "repeated", "2.1 4.10", True, i(f("Code", "A"), f("Code", "A"))
    yield (
        "default-namespace",
        "2.1 4.6",
        True,
        i(f("Code", "A").replace("p:", "")).replace(
            b"<Code", b'<Code xmlns="http://taxonomie.openpoort.example/proef/20260101"'
        ),
    )
    yield (
        "default-namespace-wrong",
        "XSD 4.3.5",
        False,
        i(f("Code", "X").replace("p:", "")).replace(
            b"<Code", b'<Code xmlns="http://taxonomie.openpoort.example/proef/20260101"'
        ),
    )


def _contexts() -> _Rows:
    """Contexts (2.1 4.7)."""
    yield "duration-in-instant", "2.1 4.7.2", False, i(f("Code", "A", "I"))
    yield "instant", "2.1 4.7.2", True, i(f("Stand", "1", "I"))
    yield "instant-in-duration", "2.1 4.7.2", False, i(f("Stand", "1"))
    yield "one-day", "2.1 4.7.2", True, i(f("Code", "A", "eendag"))
    yield "backwards", "2.1 4.7.2", False, i(f("Code", "A", "achterom"))
    yield "time", "2.1 4.7.2", True, i(f("Stand", "1", "tijd"))
    yield "zone", "2.1 4.7.2", True, i(f("Stand", "1", "zone"))
    yield "no-day", "2.1 4.7.2", False, i(f("Stand", "1", "geendag"))
    yield "forever", "2.1 4.7.2", True, i(f("Code", "A", "eeuwig"))
    yield "scenario-empty", "2.1 4.7.4", False, i(f("Code", "A", "leeg"))
    yield "scenario-free", "2.1 4.7.4", True, i(f("Code", "A", "vrij"))
    yield "context-twice", "2.1 4.7.1", False, i(f("Code", "A", "dubbel"))
    yield "contexts-alike", "2.1 4.10", True, i(f("Code", "A"), f("Kort", "ab", "D2"))
    moved = i(f("Code", "A"))
    start, end = moved.index(b"<xbrli:context"), moved.index(b"</xbrli:context>") + 16
    whole = moved[:start] + moved[end:].replace(
        b"</xbrli:xbrl>", moved[start:end] + b"</xbrli:xbrl>"
    )
    yield "context-last", "2.1 4", True, whole
    for name, old, new, valid in (
        ("scheme-empty", b"urn:proef", b"", False),
        ("scheme-spaces", b"urn:proef", b"a b", True),
        ("scheme-port", b"urn:proef", b"http://voorbeeld.example:80/a", True),
        ("scheme-letter", b"urn:proef", b"x:A", True),
        ("scheme-colons", b"urn:proef", b"nl:kvk:nummer", True),
        ("identifier-empty", b">1</xbrli:identifier", b"></xbrli:identifier", True),
        ("identifier-spaces", b">1</xbrli:identifier", b"> 1 </xbrli:identifier", True),
        ("no-period", b"<xbrli:period>", b"<xbrli:periode>", False),
        ("no-end", b"<xbrli:endDate>2026-12-31</xbrli:endDate>", b"", False),
        ("extra-attribute", b"<xbrli:entity>", b"<xbrli:entity soort='a'>", False),
        ("comment", b"<xbrli:period>", b"<xbrli:period><!-- x -->", True),
        ("text", b"<xbrli:period>", b"<xbrli:period>x", False),
    ):
        changed = i(f("Code", "A")).replace(old, new)
        yield (
            f"context-{name}",
            "2.1 4.7",
            valid,
            changed.replace(
                b"</xbrli:period>",
                b"</xbrli:periode>" if name == "no-period" else b"</xbrli:period>",
            ),
        )


def _units() -> _Rows:
    """Units (2.1 4.8)."""
    yield "money-lower", "2.1 4.8.2", False, i(f("Bedrag", "1", unitRef="laag"))
    yield "money-pure", "2.1 4.8.2", False, i(f("Bedrag", "1", unitRef="puur"))
    yield "money-two", "2.1 4.8.2", False, i(f("Bedrag", "1", unitRef="twee"))
    yield "money-per", "2.1 4.8.2", False, i(f("Bedrag", "1", unitRef="per"))
    yield "shares", "2.1 4.8.2", True, i(f("Aandelen", "1"))
    yield "shares-money", "2.1 4.8.2", False, i(f("Aandelen", "1", unitRef="EUR"))
    yield "pure", "2.1 4.8.2", True, i(f("Puur", "1"))
    yield "decimal-money", "2.1 4.8.2", True, i(f("Getal", "1", unitRef="EUR"))
    yield "decimal-per", "2.1 4.8.3", True, i(f("Getal", "1", unitRef="per"))
    yield "measure-xbrli", "2.1 4.8.2", False, i(f("Getal", "1", unitRef="raar"))
    yield "measure-unbound", "2.1 4.8.2", False, i(f("Getal", "1", unitRef="los"))
    plain = i(f("Getal", "1", unitRef="EUR")).replace(b"iso4217:EUR<", b"EUR<")
    yield "measure-no-prefix", "2.1 4.8.2", True, plain
    inside = plain.replace(b"<xbrli:measure>", b'<xbrli:measure xmlns="urn:munt">')
    yield "measure-default-namespace", "2.1 4.8.2", True, inside


def _tuples() -> _Rows:
    """Tuples (2.1 4.9)."""
    name, post, deep = f("Naam", "x"), f("Post", "1"), "<p:Sub>" + f("Diep", "y") + "</p:Sub>"
    for title, valid, inside in (
        ("one", True, name),
        ("all", True, name + post + post.replace(">1<", ">2<") + deep + deep),
        ("missing", False, post),
        ("empty", False, ""),
        ("order", False, post + name),
        ("too-many", False, name + post * 3),
        ("strange", False, name + f("Code", "A")),
        ("unknown", False, name + f("Weg", "A")),
        ("wrong-value", False, name + f("Post", "x")),
        ("no-context", False, f("Naam", "x", "Weg")),
        ("text", False, name + "tekst"),
        ("comment", True, name + "<!-- x -->"),
        ("deep-missing", False, name + "<p:Sub/>"),
    ):
        yield f"tuple-{title}", "2.1 4.9", valid, i(f"<p:Regel>{inside}</p:Regel>")
    yield "tuple-context", "2.1 4.9", False, i(f"<p:Regel contextRef='D'>{name}</p:Regel>")
    yield "tuple-id", "2.1 4.9", True, i(f"<p:Regel id='r1'>{name}</p:Regel>")
    yield "tuple-id-required", "2.1 4.9", False, i(f"<p:Merk>{name}</p:Merk>")
    yield "tuple-id-given", "2.1 4.9", True, i(f"<p:Merk id='m1'>{name}</p:Merk>")
    yield "tuple-nil", "2.1 4.9", True, i("<p:Regel xsi:nil='true'/>")
    yield "tuple-choice", "2.1 4.9", True, i(f"<p:Keuze2>{name}</p:Keuze2>")
    yield "tuple-choice-both", "2.1 4.9", False, i(f"<p:Keuze2>{name}{f('Diep', 'y')}</p:Keuze2>")


def _dimensions() -> _Rows:
    """Item, context, allowed (Dimensions 1.0)."""
    for item, context, clause, valid in (
        ("Gesloten", "NL1", "XDT 2.3", True),
        ("Gesloten", "BY2", "XDT 2.5.3", True),
        ("Gesloten", "NL", "XDT 3.1.4", False),
        ("Gesloten", "een", "XDT 3.1.4", False),
        ("Gesloten", "D", "XDT 3.1.4", False),
        ("Gesloten", "deelNL", "XDT 3.1.4", False),
        ("Open", "NL", "XDT 2.3.3", True),
        ("Open", "NL1", "XDT 2.3.3", True),
        ("Open", "vrij", "XDT 2.3.3", False),
        ("Open", "domein", "XDT 2.5.3.3", False),
        ("Open", "vreemd", "XDT 2.5.3", False),
        ("Open", "D", "XDT 3.1.4", False),
        ("Open", "segNL", "XDT 2.3.1", False),
        ("Niet", "NL", "XDT 2.3.2", True),
        ("Niet", "DE", "XDT 2.3.2", False),
        ("Niet", "D", "XDT 2.3.2", False),
        ("Segment", "segNL", "XDT 2.3.1", True),
        ("Segment", "NL", "XDT 2.3.1", False),
        ("Twee", "NL", "XDT 3.1.4.2", True),
        ("Twee", "een", "XDT 3.1.4.2", True),
        ("Twee", "NL1", "XDT 3.1.4.2", False),
        ("Standaard", "D", "XDT 2.7.1", True),
        ("Standaard", "deel", "XDT 2.7.1", True),
        ("Standaard", "alles", "XDT 3.1.4.1", False),
        ("Standaard", "deelNL", "XDT 2.3.3", False),
        ("Doel", "BY", "XDT 2.4.3", True),
        ("Doel", "DE", "XDT 2.4.3", True),
        ("Doel", "een", "XDT 2.4.3", False),
        ("Maten", "maat", "XDT 3.1.4.7", True),
        ("Maten", "D", "XDT 3.1.4", False),
        ("Tekst", "NL1", "XDT 3.1", True),
        ("Tekst", "NLboth", "XDT 3.1.4.4", False),
        ("Tekst", "NLNL", "XDT 3.1.4.4", False),
        ("Tekst", "geenlid", "XDT 3.1.4.5", False),
        ("Tekst", "geenas", "XDT 3.1.4.6", False),
        ("Tekst", "itemas", "XDT 3.1.4.6", False),
        ("Tekst", "verkeerd", "XDT 3.1.4.6", False),
        ("Tekst", "typedland", "XDT 3.1.4.3", False),
        ("Tekst", "lang", "XDT 3.1.4.7", False),
        ("Tekst", "leegtyped", "XDT 3.1.4.7", True),
        ("Tekst", "ander", "XDT 3.1.4.7", False),
    ):
        content = i(f(item, "1", context))
        yield f"dimension-{item}-{context}", clause, valid, content
    here = b'<xbrldi:explicitMember xmlns="http://taxonomie.openpoort.example/proef/20260101"'
    for name, old in (("member", b">p:NL<"), ("axis", b"'p:Land'")):
        content = i(f("Open", "1", "NL")).replace(old, old.replace(b"p:", b""))
        yield (
            f"dimension-no-prefix-{name}",
            "XDT 3.1.4",
            True,
            content.replace(b"<xbrldi:explicitMember", here),
        )
    yield "dimension-two-items", "XDT 3.1", False, i(f("Open", "1", "NL"), f("Gesloten", "1", "NL"))


def _formulas() -> _Rows:
    """Assertions: totaal = hoog + laag; hoog and laag near each other; tekst must be there."""
    total, high, low = partial(f, "Totaal"), partial(f, "Hoog"), partial(f, "Laag")
    for title, clause, valid, facts in (
        ("sum", "VA 2", True, (total("3"), high("1"), low("2"))),
        ("sum-wrong", "VA 2", False, (total("4"), high("1"), low("2"))),
        ("fallback", "VS 2.2", True, (total("1"), high("1"))),
        ("fallback-wrong", "VS 2.2", False, (total("2"), low("1"))),
        ("both-fall-back", "VS 2.2", True, (total("0"),)),
        ("both-fall-back-wrong", "VS 2.2", False, (total("7"),)),
        ("nothing", "VS 2.1", True, (high("5"),)),
        ("near", "VA 2", True, (high("100"), low("0"), total("100"))),
        ("near-wrong", "VA 2", False, (high("101"), low("0"), total("101"))),
        ("negative", "VA 2", False, (high("-1"), low("0"), total("-1"))),
        ("both-wrong", "VA 2", False, (high("500"), low("0"), total("1"))),
        ("other-period", "VS 2.1.1", False, (total("1"), high("1", "vorig"))),
        (
            "two-periods",
            "VS 2.1.1",
            True,
            (total("1"), high("1"), total("2", "vorig"), low("2", "vorig")),
        ),
        ("alike-contexts", "VS 2.1.1", True, (total("1"), high("1", "D2"))),
        ("by-dimension", "VS 2.1.1", False, (total("1", "NL"), high("1", "DE"))),
        ("one-dimension", "VS 2.1.1", True, (total("1"), high("1"), low("5", "NL"))),
        ("one-dimension-wrong", "VS 2.1.1", False, (total("2"), high("1"), low("5", "NL"))),
        (
            "one-dimension-beside",
            "VS 2.1.1",
            True,
            (total("3"), high("1"), low("2"), low("5", "NL")),
        ),
        ("one-typed-dimension", "VS 2.1.1", True, (total("1"), high("1"), low("5", "een"))),
        ("one-default", "VS 2.1.1", True, (total("1"), high("1"), low("5", "deel"))),
        ("same-dimension", "VS 2.1.1", True, (total("1", "NL1"), high("1", "NL1"))),
        ("repeated", "VS 2.1", True, (total("1"), high("1"), high("1"))),
        ("repeated-other", "VS 2.1", False, (total("1"), high("1"), high("2"))),
        ("nil", "VS 2.1", False, (total("1"), f("Hoog", "", decimals=None, xsi_nil="true"))),
        ("wrong-value", "VS 2.1", False, (total("x"), high("1"))),
        ("no-context", "VS 2.1", False, (total("1", "Weg"), high("1"))),
        ("spaces", "VA 2", True, (total(" 3"), high("1 "), low("2"))),
        ("plus-zeros", "VA 2", False, (total("0000000004"), high("1"), low("2"))),
        ("many", "EA 2", True, tuple(f("Post", str(n)) for n in range(2))),
        ("too-many", "EA 2", False, tuple(f("Post", str(n)) for n in range(3))),
    ):
        yield f"formula-{title}", clause, valid, i(*facts)
    yield "formula-missing", "EA 2", False, i(f("Code", "A"), named=False)
    yield "formula-missing-and-sum", "EA 2", False, i(total("1"), named=False)
    yield "formula-nil-is-missing", "EA 2", False, i(f("Tekst", "", xsi_nil="true"), named=False)
    line = "<p:Regel>" + f("Naam", "x") + f("Post", "1") + "</p:Regel>"
    yield "formula-in-tuples", "EA 2", False, i(line * 3)
    other = f("Laag", "2", unitRef="dollar")
    dollar = b'<xbrli:unit id="dollar"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>'
    mixed = i(total("1"), high("1"), other).replace(b"<p:Totaal", dollar + b"<p:Totaal", 1)
    yield "formula-other-unit", "VS 2.1.1", True, mixed


_FOOTNOTE = (
    '<link:footnoteLink xlink:type="extended" xlink:role="http://www.xbrl.org/2003/role/link">'
    '<link:loc xlink:type="locator" xlink:href="{}" xlink:label="f"/>'
    '<link:footnote xlink:type="resource" xlink:label="n" xml:lang="nl"'
    ' xlink:role="http://www.xbrl.org/2003/role/footnote">noot</link:footnote>'
    '<link:footnoteArc xlink:type="arc" xlink:from="f" xlink:to="n"'
    ' xlink:arcrole="http://www.xbrl.org/2003/arcrole/fact-footnote"/></link:footnoteLink>'
)


def _others() -> _Rows:
    """What else may stand in an instance (2.1 4.1 to 4.5, 4.11)."""
    good = f("Code", "A")
    yield "comment", "2.1 4", True, i("<!-- tekst -->" + good)
    yield "instruction", "2.1 4", True, i("<?tekst x?>" + good)
    plain = i(good).decode().replace(' encoding="UTF-8"', "")
    for codec in ("utf-16-le", "utf-16-be", "utf-32-be"):
        yield f"encoding-{codec}", "XML 4.3.3", False, plain.encode(codec)
    yield "encoding-unsaid", "XML 4.3.3", True, plain.encode()
    yield "requires-element", "2.1 5.2.6.2.4", False, i(f("Vraag", "x"))
    yield "requires-element-given", "2.1 5.2.6.2.4", True, i(f("Vraag", "x"), f("Antwoord", "y"))
    yield "text", "2.1 4", False, i("tekst" + good)
    yield (
        "role",
        "2.1 4.4",
        False,
        i(
            good,
            head='<link:roleRef xlink:type="simple" roleURI="urn:x" xlink:href="weg.xsd#x"/>',
        ),
    )
    yield (
        "footnote-empty",
        "2.1 4.11",
        True,
        i(
            good,
            tail='<link:footnoteLink xlink:type="extended"'
            ' xlink:role="http://www.xbrl.org/2003/role/link"/>',
        ),
    )
    for title, href, valid in (("", "#a1", True), ("-nowhere", "#weg", False)):
        yield (
            f"footnote{title}",
            "2.1 4.11",
            valid,
            i(f("Code", "A", id="a1"), tail=_FOOTNOTE.format(href)),
        )
    yield (
        "linkbase-nowhere",
        "2.1 4.3",
        False,
        i(
            good,
            head='<link:linkbaseRef xlink:type="simple" xlink:href="http://voorbeeld.example/x.xml"'
            ' xlink:arcrole="http://www.w3.org/1999/xlink/properties/linkbase"/>',
        ),
    )
    yield "xbrli-element", "2.1 4", False, i(good + "<xbrli:measure>p:x</xbrli:measure>")
    yield (
        "schema-location",
        "2.1 4.1",
        False,
        i(good).replace(
            b' xml:lang="nl"',
            b' xml:lang="nl" xsi:schemaLocation="urn:x http://voorbeeld.example/x.xsd"',
        ),
    )
    yield "no-language", "2.1 4", True, i(good).replace(b' xml:lang="nl"', b"")
    yield "root-attribute", "2.1 4", False, i(good).replace(b' xml:lang="nl"', b' soort="nl"')
