"""One valid message per shipped kind, about invented companies, against the demo taxonomies.

Some are made here, so that tests can vary them; the others are files in `messages/`, named after
their kind. They are what a supplier would send; `openpoort check` finds nothing to reject in them,
and the tests, the demo and the load generator use them as they stand.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from xml.sax.saxutils import escape

_OB = "http://taxonomie.openpoort.example/demo/ob/20260101"
_JR = "http://taxonomie.openpoort.example/demo/jr/20260101"
BTW = "001000044B37"
KVK = "90000044"
LH = "001000044L01"


def write(folder: Path) -> dict[str, Path]:
    """Write all samples into `folder` (made when absent); berichtsoort -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for berichtsoort, content in samples().items():
        suffix = ".xbrl" if b"http://www.xbrl.org/2003/instance" in content[:1000] else ".xml"
        paths[berichtsoort] = folder / f"{berichtsoort}{suffix}"
        paths[berichtsoort].write_bytes(content)
    return paths


def samples() -> dict[str, bytes]:
    """Berichtsoort -> bytes of one valid message."""
    made = {berichtsoort: make() for berichtsoort, make in _MAKERS.items()}
    folder = resources.files("openpoort.sandbox").joinpath("messages")
    written = sorted((f for f in folder.iterdir() if f.name.endswith(".xml")), key=lambda f: f.name)
    return made | {file.name.removesuffix(".xml"): file.read_bytes() for file in written}


def omzetbelasting(
    nummer: str = BTW, *, hoog: int = 2100, laag: int = 90, voorbelasting: int = 690
) -> bytes:
    """A VAT return for the first quarter of 2026. Amounts in whole euros."""
    amounts = {
        "TaxedTurnoverSuppliesServicesGeneralTariff": round(hoog / 0.21),
        "ValueAddedTaxSuppliesServicesGeneralTariff": hoog,
        "TaxedTurnoverSuppliesServicesReducedTariff": round(laag / 0.09),
        "ValueAddedTaxSuppliesServicesReducedTariff": laag,
        "SuppliesServicesNotTaxed": 0,
        "SuppliesToCountriesWithinTheEC": 500,
        "ValueAddedTaxOwed": hoog + laag,
        "ValueAddedTaxOnInput": voorbelasting,
        "ValueAddedTaxOwedToBePaidBack": hoog + laag - voorbelasting,
    }
    consultant = (
        "  <ob-i:TaxConsultant>\n"
        + _fact("ob-i:TaxConsultantNumber", "Msg", "123456")
        + _fact("ob-i:TaxConsultantName", "Msg", "Voorbeeld Advies B.V.")
        + "  </ob-i:TaxConsultant>\n"
    )
    body = _sender("OB-2026Q1-0001") + consultant + _euros("ob-i", "Msg", amounts)
    return _ob("ob-rpt-ob-aangifte-2026", nummer, body)


def suppletie(nummer: str = BTW) -> bytes:
    amounts = {
        "ValueAddedTaxEarlierReturn": 1500,
        "ValueAddedTaxOwed": 2500,
        "ValueAddedTaxOnInput": 700,
        "ValueAddedTaxOwedToBePaidBack": 300,
    }
    body = _sender("OBSUP-2026-0001") + _euros("ob-i", "Msg", amounts)
    return _ob("ob-rpt-ob-suppletie-2026", nummer, body)


def icp(nummer: str = BTW) -> bytes:
    """An ICP statement: each customer is a context with two dimensions."""
    customers = (("DE", "DE123456789", 12000), ("BE", "BE0123456789", 350))
    contexts, lines = "", _euros("ob-i", "Msg", {"SuppliesTotal": 12350})
    for number, (country, vat, amount) in enumerate(customers, 1):
        contexts += _context(
            f"Afnemer{number}",
            "www.belastingdienst.nl/omzetbelastingnummer",
            nummer,
            ("2026-01-01", "2026-03-31"),
            '<xbrldi:typedMember dimension="ob-i:VATNumberDimension"><ob-i:VATNumber>'
            f"{vat}</ob-i:VATNumber></xbrldi:typedMember>"
            f'<xbrldi:explicitMember dimension="ob-i:CountryCodeDimension">ob-i:{country}'
            "</xbrldi:explicitMember>",
        )
        lines += _euros("ob-i", f"Afnemer{number}", {"SuppliesAmount": amount})
    body = _sender("ICP-2026Q1-0001") + lines
    return _ob("ob-rpt-icp-opgaaf-2026", nummer, body, contexts)


def jaarrekening(nummer: str = KVK) -> bytes:
    """The annual account 2025 of a small company, with one participation."""
    scheme = "http://www.kvk.nl/kvk-id"
    basis = (
        '<xbrldi:explicitMember dimension="jr-i:BasisOfPreparationDimension">jr-i:Commercial'
        "</xbrldi:explicitMember>"
    )
    participation = (
        '<xbrldi:typedMember dimension="jr-i:ParticipationDimension"><jr-i:ParticipationName>'
        "Voorbeeld Dochter B.V.</jr-i:ParticipationName></xbrldi:typedMember>"
    )
    contexts = (
        _context("Jaar", scheme, nummer, ("2025-01-01", "2025-12-31"))
        + _context("Eind2025", scheme, nummer, ("2025-12-31",), basis)
        + _context("Eind2024", scheme, nummer, ("2024-12-31",), basis)
        + _context("Deelneming", scheme, nummer, ("2025-12-31",), participation)
    )
    body = "".join(_fact(f"jr-i:{name}", "Jaar", value) for name, value in _ALGEMEEN.items())
    body += (
        '  <jr-i:AverageNumberEmployees contextRef="Jaar" unitRef="PURE" decimals="INF">7.5'
        "</jr-i:AverageNumberEmployees>\n  <jr-i:DirectorSignature>\n"
        + _fact("jr-i:DirectorName", "Jaar", "A. Voorbeeld")
        + _fact("jr-i:DirectorSignatureDate", "Jaar", "2026-03-10")
        + "  </jr-i:DirectorSignature>\n"
    )
    for context, factor in (("Eind2025", 1), ("Eind2024", 2)):
        amounts = {name: value // factor for name, value in _BALANS.items()}
        body += _euros("jr-i", context, amounts, "0")
    body += (
        '  <jr-i:ParticipationCapitalShare contextRef="Deelneming" unitRef="PURE"'
        ' decimals="INF">100</jr-i:ParticipationCapitalShare>\n'
    )
    body += _euros("jr-i", "Deelneming", {"ParticipationEquity": 18000}, "0")
    unit = '  <xbrli:unit id="PURE"><xbrli:measure>xbrli:pure</xbrli:measure></xbrli:unit>\n'
    return _instance(
        f"{_JR}/entrypoints/jr-rpt-jaarverantwoording-2025-klein.xsd",
        f'xmlns:jr-i="{_JR}/dictionary/jr-data"',
        contexts,
        unit + body,
    )


def aangifte_lh(nummer: str = LH) -> bytes:
    """A wage tax return of one month, plain XML of our own layout."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Loonaangifte xmlns="urn:openpoort:demo:loonaangifte:2026">\n  <Bericht>\n'
        "    <IdBericht>LH-2026-01-0001</IdBericht>\n"
        "    <DatumTijdAanmaak>2026-02-10T09:30:00Z</DatumTijdAanmaak>\n"
        "    <ContactPersoon>A. Voorbeeld</ContactPersoon>\n"
        "    <Softwarepakket>openpoort-demo</Softwarepakket>\n  </Bericht>\n"
        f"  <AdministratieveEenheid>\n    <LoonheffingenNummer>{nummer}</LoonheffingenNummer>\n"
        "    <Naam>Voorbeeld Bakkerij B.V.</Naam>\n"
        "    <Tijdvak><DatumAanvang>2026-01-01</DatumAanvang>"
        "<DatumEinde>2026-01-31</DatumEinde></Tijdvak>\n"
        "    <TotaalLoon>18250</TotaalLoon>\n    <TotaalLoonheffing>6100</TotaalLoonheffing>\n"
        "    <InkomstenVerhouding><Nummer>1</Nummer><BSN>999990019</BSN><Loon>9125</Loon>"
        "<Loonheffing>3050</Loonheffing></InkomstenVerhouding>\n"
        "    <InkomstenVerhouding><Nummer>2</Nummer><BSN>999990020</BSN><Loon>9125</Loon>"
        "<Loonheffing>3050</Loonheffing></InkomstenVerhouding>\n"
        "  </AdministratieveEenheid>\n</Loonaangifte>\n"
    ).encode()


def efactuur(nummer: str = "2026-0042") -> bytes:
    """An electronic invoice with the few fields every invoice has, plain XML of our own layout."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_factuur(nummer)}'.encode()


def _factuur(nummer: str) -> str:
    return (
        '<Factuur xmlns="urn:openpoort:demo:efactuur:2026">\n'
        f"  <Nummer>{escape(nummer)}</Nummer>\n  <Datum>2026-02-01</Datum>\n"
        f"  <Leverancier><Naam>Voorbeeld Bakkerij B.V.</Naam><KvK>{KVK}</KvK>"
        f"<Btw>NL{BTW}</Btw></Leverancier>\n"
        "  <Afnemer><Naam>Demodienst</Naam></Afnemer>\n  <Valuta>EUR</Valuta>\n"
        "  <Regel><Omschrijving>Lunch voor twaalf personen</Omschrijving><Aantal>12</Aantal>"
        "<Prijs>9.50</Prijs><Bedrag>114.00</Bedrag></Regel>\n"
        "  <Totaal>114.00</Totaal>\n</Factuur>\n"
    )


def verzamelfactuur(*nummers: str) -> bytes:
    """A batch of invoices, two by default; each becomes a message of its own."""
    body = "".join(_factuur(nummer) for nummer in nummers or ("2026-0042", "2026-0043"))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Verzamelfactuur xmlns="urn:openpoort:demo:verzamelfactuur:2026">\n'
        f"{body}</Verzamelfactuur>\n"
    ).encode()


def mededeling(soort: str, tekst: str) -> bytes:
    """What an agency hands in for a company: a notice about an assessment, an answer."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Mededeling xmlns="urn:openpoort:demo:mededeling:2026">\n  <Soort>{soort}</Soort>\n'
        f"  <Nummer>{BTW}</Nummer>\n  <Datum>2026-04-15</Datum>\n"
        f"  <Tekst>{escape(tekst)}</Tekst>\n</Mededeling>\n"
    ).encode()


def _servicebericht() -> bytes:
    return mededeling("servicebericht", "De aanslag over 2026 is vastgesteld op 1.500 euro.")


def _retourbericht() -> bytes:
    return mededeling("retourbericht", "De aangifte is ontvangen en wordt behandeld.")


_MAKERS: dict[str, Callable[[], bytes]] = {
    "Omzetbelasting": omzetbelasting,
    "OBSUP": suppletie,
    "ICP": icp,
    "Jaarrekening": jaarrekening,
    "Jaarrekening-Kopie": jaarrekening,
    "Aangifte_LH": aangifte_lh,
    "eFactuur": efactuur,
    "Verzamelfactuur": verzamelfactuur,
    "Servicebericht": _servicebericht,
    "Retourbericht": _retourbericht,
}

_ALGEMEEN = {
    "LegalEntityName": "Voorbeeld Bakkerij B.V.",
    "LegalEntityRegisteredOffice": "Utrecht",
    "ChamberOfCommerceRegistrationNumber": KVK,
    "LegalSizeCriteriaClassification": "Klein",
    "FinancialReportingPeriodCurrentStartDate": "2025-01-01",
    "FinancialReportingPeriodCurrentEndDate": "2025-12-31",
    "FinancialReportingPeriodPreviousStartDate": "2024-01-01",
    "FinancialReportingPeriodPreviousEndDate": "2024-12-31",
    "DocumentAdoptionStatus": "Ja",
    "DocumentAdoptionDate": "2026-03-10",
    "AccountingPrinciples": "<p>Gewaardeerd tegen historische kostprijs.</p>",
}
_BALANS = {
    "FixedAssets": 60000,
    "CurrentAssets": 40000,
    "Assets": 100000,
    "Equity": 55000,
    "Provisions": 5000,
    "Liabilities": 40000,
    "EquityAndLiabilities": 100000,
}


def _sender(reference: str) -> str:
    known = {
        "ContactInitials": "A.B.",
        "ContactSurname": "Voorbeeld",
        "ContactTelephoneNumber": "0300000000",
        "ContactType": "BPL",
        "DateTimeCreation": "202604151030",
        "MessageReferenceSupplierVAT": reference,
        "SoftwarePackageName": "openpoort-demo",
        "SoftwarePackageVersion": "1.0",
        "SoftwareVendorAccountNumber": "SWO00000",
    }
    return "".join(_fact(f"ob-i:{name}", "Msg", value) for name, value in known.items())


def _ob(entry: str, nummer: str, body: str, contexts: str = "") -> bytes:
    scheme = "www.belastingdienst.nl/omzetbelastingnummer"
    message = _context("Msg", scheme, nummer, ("2026-01-01", "2026-03-31"))
    namespace = f'xmlns:ob-i="{_OB}/dictionary/ob-data"'
    return _instance(f"{_OB}/entrypoints/{entry}.xsd", namespace, message + contexts, body)


def _instance(entry: str, namespace: str, contexts: str, body: str) -> bytes:
    dimensional = ' xmlns:xbrldi="http://xbrl.org/2006/xbrldi"' if "xbrldi:" in contexts else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xbrli:xbrl xml:lang="nl" xmlns:xbrli="http://www.xbrl.org/2003/instance"'
        ' xmlns:link="http://www.xbrl.org/2003/linkbase"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' xmlns:iso4217="http://www.xbrl.org/2003/iso4217"{dimensional} {namespace}>\n'
        f'  <link:schemaRef xlink:type="simple" xlink:href="{entry}"/>\n{contexts}'
        '  <xbrli:unit id="EUR"><xbrli:measure>iso4217:EUR</xbrli:measure></xbrli:unit>\n'
        f"{body}</xbrli:xbrl>\n"
    ).encode()


def _context(
    name: str, scheme: str, identifier: str, period: tuple[str, ...], dimensions: str = ""
) -> str:
    if len(period) == 1:
        when = f"<xbrli:instant>{period[0]}</xbrli:instant>"
    else:
        when = (
            f"<xbrli:startDate>{period[0]}</xbrli:startDate>"
            f"<xbrli:endDate>{period[1]}</xbrli:endDate>"
        )
    scenario = f"<xbrli:scenario>{dimensions}</xbrli:scenario>" if dimensions else ""
    return (
        f'  <xbrli:context id="{name}"><xbrli:entity><xbrli:identifier scheme="{scheme}">'
        f"{identifier}</xbrli:identifier></xbrli:entity><xbrli:period>{when}</xbrli:period>"
        f"{scenario}</xbrli:context>\n"
    )


def _fact(name: str, context: str, value: str) -> str:
    return f'  <{name} contextRef="{context}">{escape(value)}</{name}>\n'


def _euros(prefix: str, context: str, amounts: dict[str, int], decimals: str = "INF") -> str:
    return "".join(
        f'  <{prefix}:{name} contextRef="{context}" unitRef="EUR" decimals="{decimals}">{amount}'
        f"</{prefix}:{name}>\n"
        for name, amount in amounts.items()
    )
