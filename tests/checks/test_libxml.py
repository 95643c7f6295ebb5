"""What libxml2 finds is told in Dutch, with what to change; nothing of its English is left."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from openpoort.checks import libxml
from openpoort.checks.document import read
from openpoort.checks.plain import Plain
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import load
from openpoort.process.ports import Filing
from tests.checks.test_content import SAMPLES

ENGLISH = re.compile(
    r"\b(the|is not|was|with|expected|element content|invalid|missing|value|must|line"
    r"|mismatch|not|allowed|defined|start)\b"
)

BROKEN = {
    "": "er staat geen hoofdelement",
    "x": "er staat geen hoofdelement",
    "<": "een tag of een naam is niet goed geschreven",
    "<r>": "het document eindigt terwijl het element r van regel 1 nog open is",
    "<r>\n<a></r>": "het element a van regel 2 wordt afgesloten als r",
    "<r/>x": "na het einde van het hoofdelement staat nog iets",
    "<q:r/>": "de prefix q van het element r heeft geen declaratie xmlns:q",
    '<r q:a="1"/>': "de prefix q van het attribuut a op r heeft geen declaratie xmlns:q",
    "<r>&foo;</r>": "de entiteit &foo; bestaat niet",
    "<r>&</r>": "een & is niet geschreven als &amp;",
    "<r>&#0;</r>": "er staat een teken dat in XML niet mag",
    "<r>\x01</r>": "er staat een teken dat in XML niet mag",
    '<r a="1" a="2"/>': "het attribuut a staat twee keer op een element",
    '<r xmlns:a="u:x" xmlns:b="u:x" a:c="1" b:c="2"/>': "het attribuut c staat twee keer",
    "<r a/>": "het attribuut a heeft geen waarde",
    "<r a=1/>": "de waarde van een attribuut staat niet tussen aanhalingstekens",
    '<r a="<"/>': "een < in een attribuut is niet geschreven als &lt;",
    '<r xmlns:a=""/>': "een declaratie van een namespace is niet toegestaan",
    ' <?xml version="1.0"?><r/>': "de XML-declaratie staat niet helemaal vooraan",
    "<r><!-- a -- b --></r>": "een commentaar is niet goed geschreven",
    "<r><![CDATA[x</r>": "een CDATA-sectie is niet goed geschreven",
    "<r><?p</r>": "een verwerkingsinstructie is niet goed geschreven",
    '<r><a xml:id="q"/><b xml:id="q"/></r>': "het id q komt vaker voor",
    '<?xml version="2.0"?><r/>': "hier zijn de regels van XML 1.0 niet gevolgd",
    '<?xml version="1.0"><r/>': "De XML-declaratie eindigt niet op ?>",
}


@pytest.mark.parametrize("document", BROKEN)
def test_what_is_no_xml_is_told_in_dutch(document: str) -> None:
    [found] = read(document.encode()).findings
    assert BROKEN[document] in found.message
    assert not ENGLISH.search(found.message)


SCHEMA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t" xmlns="urn:t"
    elementFormDefault="qualified">
  <xs:simpleType name="code"><xs:restriction base="xs:string">
    <xs:pattern value="[a-z]*"/><xs:minLength value="2"/><xs:maxLength value="3"/>
  </xs:restriction></xs:simpleType>
  <xs:simpleType name="keuze"><xs:restriction base="xs:string">
    <xs:enumeration value="aa"/><xs:enumeration value="b, c"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="bedrag"><xs:restriction base="xs:decimal"><xs:minInclusive value="0"/>
    <xs:maxInclusive value="99"/><xs:fractionDigits value="1"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="deel"><xs:restriction base="xs:decimal"><xs:minExclusive value="0"/>
    <xs:maxExclusive value="9"/><xs:totalDigits value="2"/></xs:restriction></xs:simpleType>
  <xs:element name="r"><xs:complexType><xs:choice maxOccurs="9">
    <xs:element name="code" type="code"/><xs:element name="keuze" type="keuze"/>
    <xs:element name="bedrag" type="bedrag"/><xs:element name="deel" type="deel"/>
    <xs:element name="dag" type="xs:date"/>
    <xs:element name="lijst"><xs:simpleType><xs:list itemType="xs:int"/></xs:simpleType>
    </xs:element>
    <xs:element name="leeg"><xs:complexType/></xs:element>
    <xs:element name="vak"><xs:complexType><xs:choice><xs:element name="een"/>
      <xs:element name="twee"/></xs:choice><xs:attribute name="nr" type="xs:int" use="required"/>
    </xs:complexType></xs:element>
  </xs:choice></xs:complexType></xs:element>
</xs:schema>"""
INVALID = {
    "<code>AB</code>": "de waarde 'AB' van het element code past niet in het patroon [a-z]*.",
    "<code>a</code>": "de waarde van het element code is 1 lang; nodig is ten minste 2.",
    "<code>aaaa</code>": "de waarde van het element code is 4 lang; toegestaan is ten hoogste 3.",
    "<dag>{0} %s</dag>": "de waarde '{0} %s' van het element dag is niet van het type xs:date.",
    "<keuze>it's</keuze>": "'it's' van het element keuze is er geen van 'aa' of 'b, c'. Kies",
    "<bedrag>-1</bedrag>": "de waarde '-1' van het element bedrag is kleiner dan 0.",
    "<bedrag>100</bedrag>": "de waarde '100' van het element bedrag is groter dan 99.",
    "<bedrag>1.23</bedrag>": "heeft meer dan 1 decimalen",
    "<deel>0</deel>": "moet groter zijn dan 0",
    "<deel>9</deel>": "moet kleiner zijn dan 9",
    "<deel>1.23</deel>": "heeft meer dan 2 cijfers",
    "<dag>x</dag>": "de waarde 'x' van het element dag is niet van het type xs:date.",
    "<lijst>1 x</lijst>": "de waarde 'x' van het element lijst is niet van het type xs:int.",
    "<leeg>t</leeg>": "in het element leeg mag geen tekst staan. Verwijder haar.",
    "<leeg><a/></leeg>": "in het element leeg mogen geen elementen staan. Verwijder ze.",
    "<vak><een/></vak>": "het element vak mist het attribuut nr. Voeg het toe.",
    '<vak nr="1"/>': "het element vak is niet volledig. Voeg toe: een of twee.",
    '<vak nr="z"><een/></vak>': "'z' van het attribuut nr van het element vak is niet van het type",
    '<vak nr="1" a="1"><een/></vak>': "het attribuut a van het element vak mag daar niet staan.",
    "<anders/>": "het element anders mag hier niet staan. Hier hoort: code of keuze of bedrag",
    "tekst": "in het element r mag geen tekst staan. Verwijder haar.",
}


@pytest.mark.parametrize("inside", INVALID)
def test_what_a_schema_refuses_is_told_in_dutch(inside: str) -> None:
    schema = etree.XMLSchema(etree.fromstring(SCHEMA))
    assert not schema.validate(etree.fromstring(f'<r xmlns="urn:t">{inside}</r>'))
    messages = [error.message for error in schema.error_log]
    told = libxml.invalid(messages[0])
    assert INVALID[inside] in told
    assert told.endswith((".", "daarvan."))
    assert not any(ENGLISH.search(libxml.invalid(m).replace("it's", "")) for m in messages)


def test_a_value_as_long_as_a_document_is_cut_and_the_rest_of_the_sentence_stays() -> None:
    schema = etree.XMLSchema(etree.fromstring(SCHEMA))
    schema.validate(etree.fromstring(f'<r xmlns="urn:t"><dag>{"x" * 1_000_000}</dag></r>'))
    told = libxml.invalid(schema.error_log[0].message)
    assert told == "de waarde van het element dag is ongeldig. Verbeter haar."
    schema.validate(etree.fromstring(f'<r xmlns="urn:t"><dag>{"x" * 5_000}</dag></r>'))
    told = libxml.invalid(schema.error_log[0].message)
    assert told.endswith("x…' van het element dag is niet van het type xs:date. Verbeter haar.")


def test_one_wrong_value_is_one_finding() -> None:
    document = SAMPLES["Ziekmelding"].replace(b"<Reden>ziekte<", b"<Reden>griep<")
    [found] = judged("Ziekmelding", document)
    assert "de waarde 'griep' van het element Reden is er geen van 'ziekte' of " in found.message


def judged(berichtsoort: str, document: bytes) -> tuple[Finding, ...]:
    inhoud = Document("application/xml", f"{berichtsoort}.xml", document)
    return Plain().check(Filing(load()[berichtsoort], Identiteit("", ""), inhoud))
