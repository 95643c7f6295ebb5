"""Filings of a drawn taxonomy: mostly right, each odd in a place or two.

What is odd is drawn too: texts around the bounds of their type, contexts and units written twice
or in rare forms, members that are none, tuples, nil, comments and processing instructions, bases,
links, encodings. Some get one of the `mutants` as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from openpoort_lab.cases.around import Around
from openpoort_lab.cases.bundle import BASE, ENTRY
from openpoort_lab.cases.drawn import Drawn, Item
from openpoort_lab.cases.lexical import likely, texts
from openpoort_lab.cases.mutants import mutant

_LINK = 'xlink:type="simple" xlink:href="{}"'
_FOOTNOTES = (
    '<link:footnoteLink xlink:type="extended" xlink:role="http://www.xbrl.org/2003/role/link">'
    '<link:loc xlink:type="locator" xlink:href="#f0" xlink:label="f"/>'
    '<link:footnote xlink:type="resource" xlink:label="n" xml:lang="nl"'
    ' xlink:role="http://www.xbrl.org/2003/role/footnote">noot</link:footnote>'
    '<link:footnoteArc xlink:type="arc" xlink:from="f" xlink:to="n"'
    ' xlink:arcrole="http://www.xbrl.org/2003/arcrole/fact-footnote"/></link:footnoteLink>'
)
_UNITS = ("iso4217:EUR", "xbrli:shares", "xbrli:pure", "iso4217:EUR", "iso4217:USD")
_AMOUNTS = ("1.50", "0.0", "-0", "+3", "2.", "100", ".5", "0.000", "12345678901234567890.5")
_HEADS = (
    f"<link:schemaRef {_LINK.format(ENTRY)}/>",
    f"<link:schemaRef {_LINK.format('proef.xsd')}/>",
    f"<link:linkbaseRef {_LINK.format('weg.xml')} xlink:arcrole="
    '"http://www.w3.org/1999/xlink/properties/linkbase"/>',
    f'<link:roleRef roleURI="urn:x" {_LINK.format("weg.xsd#x")}/>',
    f'<link:arcroleRef arcroleURI="urn:x" {_LINK.format("weg.xsd#x")}/>',
    "<!-- kop -->",
    "<?kop x?>",
    "tekst",
)
_ROOTS = (
    *('xml:base="http://voorbeeld.example/"', 'xml:space="preserve"', 'xml:lang="nl"', 'id="r"'),
    *('xsi:schemaLocation="urn:x weg.xsd"', 'xml:lang=""', 'xml:lang="nl_NL"', 'xsi:nil="true"'),
    *('xsi:type="xbrli:xbrl"', 'xsi:noNamespaceSchemaLocation="weg.xsd"', 'xml:id="r"'),
)
_ATTRIBUTES = (
    *('xsi:nil="false"', 'xsi:nil="0"', 'xsi:nil="TRUE"', 'xml:lang="nl"', 'xml:lang=""'),
    *('xml:base="x"', 'xml:space="default"', 'xsi:type="xbrli:stringItemType"', 'id="1f"'),
    *('id="c0"', 'id=" f9 "', 'xml:id="f8"', 'precision="4"', 'xlink:href="#a"', 'p:soort="a"'),
    *('soort="a"', 'id="f0"'),
)


def filings(drawn: Drawn, count: int, seed: str) -> Iterator[bytes]:
    for number in range(count):
        chance = random.Random(f"{seed}:{number}")  # noqa: S311  # to repeat, not to hide
        yield _Filing(drawn, chance).write()


class _Filing(Around):
    """One filing in the making."""

    def __init__(self, drawn: Drawn, chance: random.Random) -> None:
        super().__init__(drawn, chance)
        self.contexts = [self.context(f"c{n}") for n in range(4)]
        self.facts = 0

    def write(self) -> bytes:
        chance = self.chance
        units = [self.unit(f"u{number}", usual) for number, usual in enumerate(_UNITS)]
        if self.kind == "formula" and self.drawn.variables:
            body = self._for(chance.choice(self.drawn.variables))
        else:
            body = [self._top() for _ in range(chance.randrange(2, 7))]
        parts = [*(xml for _, xml in self.contexts), *units, *body]
        if self.likes(0.2):
            chance.shuffle(parts)
        if self.odd("head"):
            parts.append(chance.choice((_FOOTNOTES, "tekst", "<!-- staart -->", *_HEADS)))
        head = chance.choice(_HEADS) if self.odd("head") else ""
        root = chance.choice(_ROOTS) if self.odd("head") else 'xml:lang="nl"'
        schema = _LINK.format(ENTRY)
        if self.odd("head"):
            schema += chance.choice((' xml:base="http://voorbeeld.example/"', ' xlink:title="x"'))
        text = (
            f'<xbrli:xbrl {root} xmlns:xbrli="http://www.xbrl.org/2003/instance"'
            ' xmlns:link="http://www.xbrl.org/2003/linkbase"'
            ' xmlns:xlink="http://www.w3.org/1999/xlink"'
            ' xmlns:iso4217="http://www.xbrl.org/2003/iso4217"'
            ' xmlns:xbrldi="http://xbrl.org/2006/xbrldi"'
            f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:p="{BASE}">\n'
            f"<link:schemaRef {schema}/>{head}\n" + "\n".join(parts) + "\n</xbrli:xbrl>\n"
        )
        content = self._encode(text)
        return mutant(content, chance) if self.odd("mutant", 1) else content

    def _for(self, concepts: tuple[str, ...]) -> list[str]:
        """Facts for the variables of one assertion, in contexts and units that meet or do not."""
        body = []
        for concept in concepts:
            fitting = self._fitting(self.drawn.items[concept])
            places = self.chance.sample(
                fitting, min(len(fitting), self.chance.choice((0, 1, 2, 3)))
            )
            body += [self._fact(concept, place) for place in places]
        around = [
            t for t, inside in self.drawn.tuples.items() if any(c in concepts for c, *_ in inside)
        ]
        return body + [self._tuple(self.chance.choice(around), 2) for _ in around[:2]]

    def _encode(self, text: str) -> bytes:
        declared = '<?xml version="1.0" encoding="{}"?>\n'
        if not self.odd("encoding", 0.9):
            return (declared.format("UTF-8") + text).encode()
        name, codec, mark = self.chance.choice(_ENCODINGS)
        others = ("", '<?xml version="1.0"?>\n', '<?xml version="1.1"?>\n')
        head = declared.format(name) if name else self.chance.choice(others)
        return mark + (head + text).encode(codec, "xmlcharrefreplace")

    def _top(self) -> str:
        name = self.chance.choice(self.items or list(self.drawn.items))
        if self.tuples and self.likes({"tuple": 0.8, "rare": 0.3}.get(self.kind, 0.04)):
            name = self.chance.choice(self.tuples)
        if self.odd("reference", 0.1):
            name = self.chance.choice((*self.drawn.local, "Weg", "Kop", "M1", "A", "VN"))
        return self._element(name, 0)

    def _element(self, name: str, depth: int) -> str:
        return self._tuple(name, depth) if name in self.drawn.tuples else self._fact(name)

    def _tuple(self, name: str, depth: int) -> str:
        chance = self.chance
        inside = []
        for child, least, most in self.drawn.tuples[name]:
            times = least if depth > 2 else chance.choice((least, max(least, 1), most))
            times += chance.choice((-1, 1)) if self.odd("tuple", 0.03) else 0
            inside += [self._element(child, depth + 1) for _ in range(times)]
        if self.odd("tuple", 0.05):
            chance.shuffle(inside)
        self.facts += 1
        given = f' id="f{self.facts}"' if self.likes(0.4) else ""
        if self.odd("attribute"):
            given = " " + chance.choice(_ATTRIBUTES)
        between = chance.choice(("", "", "\n ", "<!-- x -->" if self.odd("between") else ""))
        return f"<p:{name}{given}>{between.join(inside)}</p:{name}>"

    def _fact(self, name: str, place: str = "") -> str:
        chance = self.chance
        item = self.drawn.items.get(name) or Item(name, "string", "string", (), "duration")
        given = {"contextRef": place or self._context_for(item)}
        if item.number:
            given["unitRef"] = self._unit_for(item)
            given["decimals"] = chance.choice(("0", "INF", "2", "-3"))
        if self.likes(0.15):
            self.facts += 1
            given["id"] = f"f{self.facts}"
        value = self._text(item)
        if self.odd("nil"):
            given["xsi:nil"] = chance.choice(("true", "true", "1"))
            value = "" if self.likes(0.9) else value
            if self.likes(0.7):
                given.pop("decimals", "")
        if self.odd("accuracy", 0.2):
            given.pop(chance.choice(("contextRef", "unitRef", "decimals", "decimals")), "")
        if item.number and self.odd("accuracy", 0.1):
            given["decimals"] = chance.choice(
                ("", "x", "1.5", "+1", " 2 ", "inf", "-INF", "1e1", "007")
            )
        told = "".join(f" {key}={quoteattr(text)}" for key, text in given.items())
        if self.odd("attribute") and not any(key in told for key in (" id=", " xsi:nil=")):
            told += " " + chance.choice(_ATTRIBUTES)
        return f"<p:{name}{told}>{value}</p:{name}>"

    def _text(self, item: Item) -> str:
        chance = self.chance
        if self.kind == "formula" and item.number and self.likes(0.2):
            return chance.choice(_AMOUNTS)
        if not self.odd("between", 0.2) and not self.odd("text", 0.3):
            return escape(likely(item.base, item.facets, chance))
        text = escape(texts(item.base, item.facets, chance)).replace("\r", "&#13;")
        if self.odd("between", 0.5):
            place = chance.randrange(len(text) + 1) if "&" not in text else 0
            inside = chance.choice(("<!-- x -->", "<!---->", "<?x y?>", "<![CDATA[1]]>", "<p:I0/>"))
            text = text[:place] + inside + text[place:]
        return text

    def _fitting(self, item: Item) -> list[str]:
        """Contexts of the period of this item."""
        instant = item.period == "instant"
        return [name for name, xml in self.contexts if ("<xbrli:instant>" in xml) == instant]

    def _context_for(self, item: Item) -> str:
        fitting = self._fitting(item)
        if not fitting or self.odd("reference", 0.2):
            return self.chance.choice(("c0", "c1", "c2", "Weg", "u0", " c0 ", ""))
        return self.chance.choice(fitting)

    def _unit_for(self, item: Item) -> str:
        if self.odd("reference", 0.2):
            return self.chance.choice(("u0", "u1", "u2", "u3", "Weg", "c0", " u0", ""))
        if self.kind in {"formula", "unit"} and self.likes(0.15):
            return self.chance.choice(("u0", "u2", "u3", "u4"))
        return {"monetary": "u0", "shares": "u1"}.get(item.kind, "u2")


_ENCODINGS: tuple[tuple[str, str, bytes], ...] = (
    ("", "utf-8", b""),
    ("utf-8", "utf-8", b""),
    ("UTF-8", "utf-8", b"\xef\xbb\xbf"),
    ("", "utf-16-le", b""),
    ("", "utf-16-be", b""),
    ("UTF-16", "utf-16-le", b""),
    ("UTF-16", "utf-16-be", b""),
    ("UTF-8", "utf-16-be", b""),
    ("UTF-16", "utf-16-le", b"\xff\xfe"),
    ("UTF-16", "utf-16-be", b"\xfe\xff"),
    ("", "utf-32-le", b""),
    ("", "utf-32-be", b""),
    ("ISO-8859-1", "latin-1", b""),
    (" " * 250 + "ISO-8859-1", "utf-8", b""),
    ("", "latin-1", b""),
    ("windows-1252", "cp1252", b""),
    ("UTF-8", "latin-1", b""),
    ("US-ASCII", "ascii", b""),
    ("utf8", "utf-8", b""),
    ("UTF-7", "utf-7", b""),
    ("cp037", "cp037", b""),
)
"""Name in the declaration (empty for none), the encoding in truth, the mark before it."""
