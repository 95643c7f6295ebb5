"""What the directory allows, and the sentence it says when it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openpoort.domain import partyfile
from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.party import Agreement, Directory, Mandate, Party, Right, Window
from openpoort.domain.partyfile import BadDirectory, read
from openpoort.sandbox.directory import (
    BEDRIJF,
    CLIENTS,
    FIRST_IN_CHAIN,
    default,
    identities,
    starting,
)
from openpoort.sandbox.pki import OINS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BEDRIJF_OIN, INTERMEDIAIR = Oin(OINS["bedrijf"]), Oin(OINS["intermediair"])
OWN = identities(*BEDRIJF)[0]
CLIENT, CHAINED = identities(*CLIENTS[0])[0], identities(*CLIENTS[1])[0]


def refusal(directory: Directory, *args: object) -> str:
    with pytest.raises(Fault) as caught:
        directory.may_send(*args)  # type: ignore[arg-type] # one row of a table of cases
    assert caught.value.reason == 100
    return caught.value.text


def test_starting_directory_allows_what_init_promises() -> None:
    directory = starting()
    for who in identities(*BEDRIJF):
        directory.may_send(BEDRIJF_OIN, "Omzetbelasting", who, "Bedrijf", NOW)
    for client in CLIENTS:
        for who in identities(*client):
            directory.may_send(INTERMEDIAIR, "Aangifte_LH", who, "Intermediair", NOW)
            assert directory.may_read(INTERMEDIAIR, None, who, NOW)


def test_default_text_reads_back_as_the_starting_directory() -> None:
    back, start = read(default()), starting()
    assert set(back.mandates) == set(start.mandates)
    assert set(back.agreements) == set(start.agreements)
    assert back.parties == start.parties
    assert back.agencies == start.agencies


def test_endpoint_placeholder_is_filled() -> None:
    directory = read(default()).filled({"agency_port": 9443})
    assert directory.agency("DEMODIENST").endpoint.startswith("https://localhost:9443/demodienst/")


def test_unknown_party_is_named_missing_without_its_number() -> None:
    text = refusal(starting(), Oin("00000099123456789000"), "Omzetbelasting", OWN, "Bedrijf", NOW)
    assert "niet aangesloten" in text
    assert "123456789" not in text


def test_missing_agreement_names_the_kind() -> None:
    directory = Directory((Party(BEDRIJF_OIN, "Acht B.V.", (OWN,)),))
    text = refusal(directory, BEDRIJF_OIN, "ICP", OWN, "Bedrijf", NOW)
    assert "geen overeenkomst" in text
    assert "ICP" in text


def test_reading_agreement_is_no_sending_agreement() -> None:
    directory = Directory(
        (Party(BEDRIJF_OIN, "Acht B.V.", (OWN,)),),
        (
            Agreement(
                BEDRIJF_OIN, frozenset({"ICP"}), frozenset({"Bedrijf"}), frozenset({Right.READ})
            ),
        ),
    )
    assert "geen overeenkomst" in refusal(directory, BEDRIJF_OIN, "ICP", OWN, "Bedrijf", NOW)
    assert directory.may_read(BEDRIJF_OIN, "ICP", OWN, NOW)
    assert not directory.may_read(BEDRIJF_OIN, "Omzetbelasting", OWN, NOW)


def test_role_outside_the_agreement_names_what_is_allowed() -> None:
    text = refusal(starting(), BEDRIJF_OIN, "ICP", OWN, "Intermediair", NOW)
    assert "wel: Bedrijf" in text


@pytest.mark.conformance("WUS-3.4-1")
def test_company_cannot_send_for_another() -> None:
    text = refusal(starting(), BEDRIJF_OIN, "ICP", CLIENT, "Bedrijf", NOW)
    assert "alleen voor zichzelf" in text
    assert CLIENT.nummer not in text


def test_intermediary_in_role_bedrijf_cannot_use_a_mandate() -> None:
    assert "alleen voor zichzelf" in refusal(
        starting(), INTERMEDIAIR, "ICP", CLIENT, "Bedrijf", NOW
    )


@pytest.mark.conformance("WUS-3.4-1")
def test_no_mandate_no_send_and_no_read() -> None:
    text = refusal(starting(), INTERMEDIAIR, "ICP", OWN, "Intermediair", NOW)
    assert "geen machtiging" in text
    assert not starting().may_read(INTERMEDIAIR, "ICP", OWN, NOW)
    assert not starting().may_read(INTERMEDIAIR, None, OWN, NOW)


@pytest.mark.parametrize(
    ("since", "until", "allowed"),
    [
        (NOW, None, True),  # from: included
        (NOW + timedelta(microseconds=1), None, False),
        (None, NOW, False),  # to: excluded
        (None, NOW + timedelta(microseconds=1), True),
    ],
)
def test_mandate_window_edges(
    since: datetime | None, until: datetime | None, allowed: bool
) -> None:
    mandate = Mandate(OWN, INTERMEDIAIR, frozenset({"ICP"}), window=Window(since, until))
    directory = replace(starting(), mandates=(mandate,))
    assert directory.may_read(INTERMEDIAIR, "ICP", OWN, NOW) is allowed
    if allowed:
        directory.may_send(INTERMEDIAIR, "ICP", OWN, "Intermediair", NOW)
    else:
        text = refusal(directory, INTERMEDIAIR, "ICP", OWN, "Intermediair", NOW)
        assert "geldig" in text


def test_chain_breaks_when_its_first_link_ends() -> None:
    start = starting()
    ended = tuple(replace(m, window=Window(None, NOW)) if m.delegate else m for m in start.mandates)
    text = refusal(
        replace(start, mandates=ended), INTERMEDIAIR, "ICP", CHAINED, "Intermediair", NOW
    )
    assert "doorgegeven" in text


@pytest.mark.parametrize("right", list(Right))
def test_a_chain_breaks_when_who_passed_it_on_is_no_party(right: Right) -> None:
    """Absent is never more than ended."""
    start = starting()
    first = Oin(FIRST_IN_CHAIN)
    assert start.represents(INTERMEDIAIR, "ICP", CHAINED, right, NOW)
    absent = replace(start, parties=tuple(p for p in start.parties if p.oin != first))
    ended = replace(
        start,
        parties=tuple(
            replace(p, window=Window(None, NOW)) if p.oin == first else p for p in start.parties
        ),
    )
    for directory in (absent, ended):
        text = refusal(directory, INTERMEDIAIR, "ICP", CHAINED, "Intermediair", NOW)
        assert "doorgegeven" in text
        assert not directory.may_read(INTERMEDIAIR, "ICP", CHAINED, NOW)
        assert not directory.represents(INTERMEDIAIR, "ICP", CHAINED, right, NOW)


def test_who_is_no_party_represents_nobody() -> None:
    holder = Oin("00000099009000011000")
    mandate = Mandate(OWN, holder, frozenset({"*"}))
    directory = replace(starting(), mandates=(mandate,))
    assert not directory.represents(holder, "ICP", OWN, Right.SEND, NOW)
    known = replace(directory, parties=(*directory.parties, Party(holder, "Kantoor")))
    assert known.represents(holder, "ICP", OWN, Right.SEND, NOW)


def test_ring_of_mandates_proves_nothing() -> None:
    one, two = INTERMEDIAIR, Oin("00000099003000088000")
    ring = (
        Mandate(OWN, one, frozenset({"*"}), giver=two, delegate=True),
        Mandate(OWN, two, frozenset({"*"}), giver=one, delegate=True),
    )
    directory = replace(starting(), mandates=ring)
    assert "doorgegeven" in refusal(directory, one, "ICP", OWN, "Intermediair", NOW)


def test_agencies_have_rights_per_kind() -> None:
    directory = starting()
    agency = Oin(OINS["agency"])
    assert directory.may_set_status(agency, "Omzetbelasting")
    assert directory.may_return(agency, "Servicebericht")
    assert not directory.may_set_status(BEDRIJF_OIN, "Omzetbelasting")
    assert not directory.may_return(INTERMEDIAIR, "Servicebericht")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("party = 1", "list of tables"),
        ("[[partij]]", "unknown table partij"),
        ('[[party]]\nname = "A"', "oin is missing"),
        ('[[party]]\noin = "1"\nname = "A"', "party 1: an OIN has exactly 20 digits"),
        ('[[party]]\noin = "00000099001000044000"\nname = "A"\nfoo = 1', "unknown key foo"),
        ('[[party]]\noin = "00000099001000044000"\nname = "A"\nidentities = ["x"]', "TYPE:NUMBER"),
        ('[[party]]\noin = "00000099001000044000"\nname = "A"\nfault_status = 404', "fault_status"),
        ('[[agreement]]\nparty = "00000099001000044000"\nkinds = []', "unknown party"),
        (
            '[[party]]\noin = "00000099001000044000"\nname = "A"\n'
            "since = 2026-02-01\nuntil = 2026-01-01",
            "before until",
        ),
        ("a = [", "not TOML"),
    ],
)
def test_bad_file_says_where_and_why(text: str, says: str) -> None:
    with pytest.raises(BadDirectory, match=says):
        read(text)


def test_party_twice_is_refused() -> None:
    party = Party(BEDRIJF_OIN, "A")
    with pytest.raises(ValueError, match="twice"):
        Directory((party, party))


def test_identity_forms_compare_folded() -> None:
    directory = starting()
    odd = Identiteit("NL" + OWN.nummer.lower(), "btw")
    directory.may_send(BEDRIJF_OIN, "ICP", odd, "Bedrijf", NOW)


def test_time_outs_of_an_agency_are_judged_when_they_are_applied() -> None:
    text = (
        '[[agency]]\nname = "X"\noin = "00000099000000000001"\n'
        'endpoint = "https://localhost/x"\noptions = { silence_seconds = "%s" }\n'
    )
    assert partyfile.read(text % "45").agency("X").options == {"silence_seconds": "45"}
    for wrong in ("0", "121", "soon", "nan"):
        with pytest.raises(partyfile.BadDirectory, match="agency X: silence_seconds must be"):
            partyfile.read(text % wrong)


PARTY = '[[party]]\noin = "00000099001000044000"\nname = "a"\n'
AGENCY = '[[agency]]\nname = "X"\noin = "00000099001000044000"\nendpoint = "https://x/"\n'


@pytest.mark.parametrize(
    "text",
    [
        AGENCY + "max_parallel = 0",  # nothing would ever be sent, and nobody told
        AGENCY + "max_parallel = -1",
        AGENCY + "max_parallel = 99999999999",
        PARTY + "rate = 0.0",
        PARTY + "rate = -1.0",
        PARTY + "rate = nan",
        PARTY + "rate = inf",
        PARTY + "burst = 0",
        PARTY + "burst = 99999999999999999999",
        PARTY + 'identities = ["BTW: "]',
        PARTY + 'identities = ["BTW:NL"]',
        PARTY + 'identities = ["BTW:001000044B37 "]',
        PARTY + 'identities = [" BTW:001000044B37"]',
        PARTY + 'identities = ["BTW:001000044\\u200bB37"]',
        PARTY + "since = 0001-01-01T00:00:00+23:59",
        "a=" + "[" * 5000 + "]" * 5000,
    ],
)
def test_what_no_directory_can_mean_is_refused_where_it_is_read(text: str) -> None:
    with pytest.raises(BadDirectory):
        read(text)
