"""Our own codes, for what no filing rule and no standard names. Level as a rule gives it."""

from __future__ import annotations

OWN: dict[str, tuple[str, str]] = {
    "OP-1.01": ("het bestand is leeg", "error"),
    "OP-1.02": ("het bestand is te groot voor de berichtsoort", "error"),
    "OP-1.03": ("ongeldige bestandsnaam", "error"),
    "OP-1.04": ("extensie niet toegestaan voor de berichtsoort", "error"),
    "OP-1.05": ("MIME-type niet toegestaan voor de berichtsoort", "error"),
    "OP-1.06": ("inhoud is niet van het opgegeven MIME-type", "error"),
    "OP-1.07": ("bijlagen niet toegestaan", "error"),
    "OP-1.08": ("bijlage ontbreekt", "error"),
    "OP-1.09": ("twee bestanden met dezelfde naam", "error"),
    "OP-1.10": ("het bestand bevat kwaadaardige software", "error"),
    "OP-2.01": ("geen welgevormde XML", "error"),
    "OP-2.02": ("DOCTYPE in platte XML (in XBRL: FR-NL-1.03)", "error"),
    "OP-2.03": ("geen UTF-8 in platte XML (in XBRL: FR-NL-1.05)", "error"),
    "OP-2.04": ("te veel tags", "error"),
    "OP-2.05": ("te diep genest", "error"),
    "OP-3.01": ("nummer van de belanghebbende heeft de verkeerde vorm", "error"),
    "OP-3.02": ("nummer van de belanghebbende faalt in de elfproef", "error"),
    "OP-3.03": ("nummer in het document is een ander dan in het verzoek", "error"),
    "OP-4.01": ("entrypoint niet bekend", "error"),
    "OP-4.02": ("entrypoint hoort niet bij de berichtsoort", "error"),
    "OP-4.03": ("gegeven hoort niet in dit rapport", "error"),
    "OP-4.04": ("niet precies één schemaRef", "error"),
    "OP-4.05": ("entrypoint van een ander jaar dan het bericht", "error"),
    "OP-4.06": ("te veel contexten of gegevens", "error"),
    "OP-5.01": ("controle kost te veel rekentijd of geheugen", "error"),
    "OP-5.02": ("er zijn meer bevindingen dan getoond", "info"),
    "OP-6.01": ("document voldoet niet aan het XML-schema", "error"),
}
