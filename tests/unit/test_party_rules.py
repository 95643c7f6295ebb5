"""Each condition of who may do what, with one thing wrong at a time and everything else right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from openpoort.domain.fault import Fault
from openpoort.domain.ids import Identiteit, Oin
from openpoort.domain.party import (
    LONGEST_CHAIN,
    Afnemer,
    Agreement,
    Directory,
    Mandate,
    Party,
    Right,
    Window,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
PAST, FUTURE = Window(None, NOW), Window(NOW + MOMENT, None)
EDGES = Window(NOW, NOW + MOMENT)
"""Holds at NOW and at no other moment."""
KIND, OTHER = "Omzetbelasting", "Aangifte_LH"
ROLE = "Intermediair"
CLIENT, STRANGER = Identiteit("001000044B37", "BTW"), Identiteit("001000044B38", "BTW")
OWN = Identiteit("00000001", "KvK")
HOLDER, GIVER, FIRST = (Oin(f"0000009900{n}000044000") for n in (1, 2, 3))
SEND, READ = frozenset({Right.SEND}), frozenset({Right.READ})


def kinds(*names: str) -> frozenset[str]:
    return frozenset(names)


PARTY = Party(HOLDER, "Houder B.V.", (OWN,), window=EDGES)
SENDS = Agreement(HOLDER, kinds(KIND), frozenset({ROLE, "Bedrijf"}), SEND, EDGES)
READS = replace(SENDS, rights=READ)
PASSED_ON = Mandate(CLIENT, HOLDER, kinds(KIND), giver=GIVER, window=EDGES)
RECEIVED = Mandate(CLIENT, GIVER, kinds(KIND), delegate=True, window=EDGES)
PASSER = Party(GIVER, "Gever B.V.", window=EDGES)


def directory(
    holder: Party | None = PARTY, agreement: Agreement = SENDS, passed: Mandate = PASSED_ON,
    received: Mandate | None = RECEIVED, passer: Party | None = PASSER, **more: Any,
) -> Directory:  # fmt: skip
    """The holder sends for the client by a mandate that the giver received and passed on."""
    parties = tuple(p for p in (holder, passer) if p is not None)
    mandates = (passed,) if received is None else (passed, received)
    agreements = (agreement,) if holder is not None else ()
    return Directory(parties, agreements, mandates, **more)


def refused(
    known: Directory, *, kind: str = KIND, who: Identiteit = CLIENT, role: str = ROLE,
    oin: Oin = HOLDER, at: datetime = NOW,
) -> str:  # fmt: skip
    """What the sender is told; empty when it may send."""
    try:
        known.may_send(oin, kind, who, role, at)
    except Fault as fault:
        return f"{fault.reason} {fault.text}"
    return ""


def test_all_is_right_at_the_one_moment_at_which_every_window_holds() -> None:
    assert refused(directory()) == ""
    assert refused(directory(), at=NOW - MOMENT) != ""
    assert refused(directory(), at=NOW + MOMENT) != ""


NOT_SENT: dict[str, tuple[dict[str, Any], str]] = {
    "no party": ({"holder": None}, "niet aangesloten"),
    "party no longer": ({"holder": replace(PARTY, window=PAST)}, "aansluiting van Houder B.V. is"),
    "party not yet": ({"holder": replace(PARTY, window=FUTURE)}, "pas geldig vanaf"),
    "party never": ({"holder": replace(PARTY, window=Window(NOW, NOW))}, "geldig geweest tot"),
    "agreement for another kind": (
        {"agreement": replace(SENDS, kinds=kinds(OTHER))}, "geen overeenkomst",
    ),
    "agreement to read": ({"agreement": READS}, "geen overeenkomst"),
    "agreement no longer": ({"agreement": replace(SENDS, window=PAST)}, "geldig geweest tot"),
    "agreement not yet": ({"agreement": replace(SENDS, window=FUTURE)}, "pas geldig vanaf"),
    "agreement for another role": (
        {"agreement": replace(SENDS, rollen=frozenset({"Bedrijf"}))}, "niet toe (wel: Bedrijf)",
    ),
    "mandate of another": ({"passed": replace(PASSED_ON, holder=FIRST)}, "geen machtiging"),
    "mandate for somebody else": (
        {"passed": replace(PASSED_ON, belanghebbende=STRANGER)}, "geen machtiging",
    ),
    "mandate for another kind": (
        {"passed": replace(PASSED_ON, kinds=kinds(OTHER))}, "geen machtiging",
    ),
    "mandate to read": ({"passed": replace(PASSED_ON, rights=READ)}, "geen machtiging"),
    "mandate no longer": ({"passed": replace(PASSED_ON, window=PAST)}, "geldig geweest tot"),
    "mandate not yet": ({"passed": replace(PASSED_ON, window=FUTURE)}, "pas geldig vanaf"),
    "giver may not pass on": ({"received": replace(RECEIVED, delegate=False)}, "mag dat niet"),
    "giver received nothing": ({"received": None}, "mag dat niet"),
    "giver received another kind": (
        {"received": replace(RECEIVED, kinds=kinds(OTHER))}, "mag dat niet",
    ),
    "giver received another right": ({"received": replace(RECEIVED, rights=READ)}, "mag dat niet"),
    "giver received for somebody else": (
        {"received": replace(RECEIVED, belanghebbende=STRANGER)}, "mag dat niet",
    ),
    "giver's mandate no longer": ({"received": replace(RECEIVED, window=PAST)}, "mag dat niet"),
    "giver's mandate not yet": ({"received": replace(RECEIVED, window=FUTURE)}, "mag dat niet"),
    "giver is no party": ({"passer": None}, "mag dat niet"),
    "giver is a party no longer": ({"passer": replace(PASSER, window=PAST)}, "mag dat niet"),
    "giver is no party yet": ({"passer": replace(PASSER, window=FUTURE)}, "mag dat niet"),
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_SENT)
def test_one_thing_wrong_is_enough_to_refuse_and_is_named(what: str) -> None:
    wrong, says = NOT_SENT[what]
    told = refused(directory(**wrong))
    assert told.startswith("100 ")
    assert says in told


def test_another_role_than_bedrijf_may_send_for_itself_without_a_mandate() -> None:
    assert refused(directory(passed=replace(PASSED_ON, holder=FIRST)), who=OWN) == ""


def test_in_role_bedrijf_a_mandate_counts_for_nothing() -> None:
    assert "alleen voor zichzelf" in refused(directory(), role="Bedrijf")
    assert refused(directory(), role="Bedrijf", who=OWN) == ""


def test_a_right_to_every_kind_is_a_right_to_this_one() -> None:
    every = kinds("*")
    known = directory(
        agreement=replace(SENDS, kinds=every), passed=replace(PASSED_ON, kinds=every),
        received=replace(RECEIVED, kinds=every),
    )  # fmt: skip
    assert refused(known) == ""


def test_a_mandate_of_the_party_itself_need_not_be_passed_on() -> None:
    own = replace(PASSED_ON, giver=None, delegate=False)
    assert refused(directory(passed=own, received=None, passer=None)) == ""


def test_a_mandate_that_does_not_help_hides_no_other() -> None:
    useless = (
        replace(PASSED_ON, kinds=kinds(OTHER)), replace(PASSED_ON, window=PAST),
        replace(PASSED_ON, giver=FIRST), PASSED_ON,
    )  # fmt: skip
    received = (replace(RECEIVED, delegate=False), RECEIVED)
    assert refused(Directory((PARTY, PASSER), (SENDS,), (*useless, *received))) == ""


def test_of_two_agreements_that_do_not_hold_the_first_is_named() -> None:
    known = Directory((PARTY,), (replace(SENDS, window=PAST), replace(SENDS, window=FUTURE)))
    assert "geldig geweest tot" in refused(known)


def test_an_agreement_that_has_ended_hides_no_other() -> None:
    known = Directory((PARTY, PASSER), (replace(SENDS, window=PAST), SENDS), (PASSED_ON, RECEIVED))
    assert refused(known) == ""


def test_in_a_long_chain_each_but_the_last_must_have_been_allowed_to_pass_on() -> None:
    def chain(length: int, stuck: int | None = None) -> Directory:
        """`length` holders, the last is HOLDER; number `stuck` may not pass on."""
        oins = [Oin(f"00000099{n:012d}") for n in range(1, length)] + [HOLDER]
        mandates = [
            Mandate(CLIENT, oin, kinds(KIND), giver=oins[n - 1] if n else None,
                    delegate=n != stuck and n != length - 1)
            for n, oin in enumerate(oins)
        ]  # fmt: skip
        parties = tuple(replace(PARTY, oin=oin, identities=()) for oin in oins)
        return Directory(parties, (SENDS,), tuple(mandates))

    assert LONGEST_CHAIN == 4
    assert refused(chain(LONGEST_CHAIN)) == ""
    assert refused(chain(LONGEST_CHAIN + 1)) != ""
    for stuck in range(LONGEST_CHAIN - 1):
        assert refused(chain(LONGEST_CHAIN, stuck)) != "", stuck


def test_two_that_name_each_other_as_giver_have_nothing() -> None:
    ring = (
        replace(PASSED_ON, delegate=True), replace(RECEIVED, giver=HOLDER),
    )  # fmt: skip
    assert refused(Directory((PARTY, PASSER), (SENDS,), ring)) != ""


# Reading.

READER: dict[str, Any] = {"agreement": READS}
NOT_READ: dict[str, dict[str, Any]] = {
    "no party": {"holder": None},
    "party no longer": {"holder": replace(PARTY, window=PAST)},
    "agreement to send": {"agreement": SENDS},
    "agreement for another kind": {"agreement": replace(READS, kinds=kinds(OTHER))},
    "agreement no longer": {"agreement": replace(READS, window=PAST)},
    "agreement not yet": {"agreement": replace(READS, window=FUTURE)},
    "mandate to send": {"passed": replace(PASSED_ON, rights=SEND)},
    "mandate for another kind": {"passed": replace(PASSED_ON, kinds=kinds(OTHER))},
    "mandate no longer": {"passed": replace(PASSED_ON, window=PAST)},
    "giver may not pass on": {"received": replace(RECEIVED, delegate=False)},
    "giver received the right to send": {"received": replace(RECEIVED, rights=SEND)},
    "giver is no party": {"passer": None},
}


@pytest.mark.parametrize("kind", [KIND, None])
@pytest.mark.parametrize("what", NOT_READ)
def test_one_thing_wrong_is_enough_not_to_read(what: str, kind: str | None) -> None:
    assert directory(**READER).may_read(HOLDER, kind, CLIENT, NOW)
    known = directory(**(READER | NOT_READ[what]))
    assert not known.may_read(HOLDER, kind, CLIENT, NOW)


def test_a_party_reads_about_itself_what_its_agreement_says() -> None:
    known = directory(**READER, received=None)
    assert known.may_read(HOLDER, KIND, OWN, NOW)
    assert known.may_read(HOLDER, None, OWN, NOW)
    assert not known.may_read(HOLDER, OTHER, OWN, NOW)
    assert not known.may_read(HOLDER, KIND, STRANGER, NOW)
    assert not known.may_read(HOLDER, KIND, OWN, NOW + MOMENT)


def test_who_may_read_every_kind_reads_any_that_is_mandated() -> None:
    known = directory(agreement=replace(READS, kinds=kinds("*")))
    assert known.may_read(HOLDER, KIND, CLIENT, NOW)
    assert not known.may_read(HOLDER, OTHER, CLIENT, NOW)
    assert known.may_read(HOLDER, None, CLIENT, NOW)
    assert known.readable_kinds(HOLDER, CLIENT, [KIND, OTHER], NOW) == {KIND}


def test_a_mandate_for_more_than_the_agreement_gives_no_more() -> None:
    every = {"passed": replace(PASSED_ON, kinds=kinds("*")),
             "received": replace(RECEIVED, kinds=kinds("*"))}  # fmt: skip
    known = directory(agreement=replace(READS, kinds=kinds(OTHER)), **every)
    assert known.readable_kinds(HOLDER, CLIENT, [KIND, OTHER], NOW) == {OTHER}


# What is asked apart: connected, represented, agencies.

NOT_CONNECTED: dict[str, dict[str, Any]] = {
    "no party": {"holder": None},
    "party no longer": {"holder": replace(PARTY, window=PAST)},
    "agreement for another kind": {"agreement": replace(SENDS, kinds=kinds(OTHER))},
    "agreement to read": {"agreement": READS},
    "agreement no longer": {"agreement": replace(SENDS, window=PAST)},
}


@pytest.mark.parametrize("what", NOT_CONNECTED)
def test_connected_is_who_has_an_agreement_to_send_now(what: str) -> None:
    assert directory(received=None).connected(HOLDER, KIND, NOW)
    assert not directory(**NOT_CONNECTED[what]).connected(HOLDER, KIND, NOW)


@pytest.mark.parametrize("right", list(Right))
def test_a_party_represents_itself_and_who_mandated_it(right: Right) -> None:
    known = directory()
    assert known.represents(HOLDER, OTHER, OWN, right, NOW)
    assert known.represents(HOLDER, KIND, CLIENT, right, NOW)
    assert not known.represents(HOLDER, OTHER, CLIENT, right, NOW)
    assert not known.represents(HOLDER, KIND, STRANGER, right, NOW)
    assert not known.represents(HOLDER, KIND, OWN, right, NOW + MOMENT)
    assert not known.represents(FIRST, KIND, OWN, right, NOW)
    only = READ if right is Right.SEND else SEND
    assert not directory(passed=replace(PASSED_ON, rights=only)).represents(
        HOLDER, KIND, CLIENT, right, NOW
    )


def test_an_agency_sets_statuses_and_returns_messages_of_its_own_kinds() -> None:
    dienst = Afnemer("DIENST", GIVER, "https://dienst.example/", status_kinds=kinds(KIND),
                     return_kinds=kinds(OTHER))  # fmt: skip
    other = Afnemer("ANDER", FIRST, "https://ander.example/", status_kinds=kinds("*"))
    known = Directory((PARTY,), agencies=(dienst, other, replace(dienst, name="TWEEDE")))
    assert known.may_set_status(GIVER, KIND)
    assert not known.may_set_status(GIVER, OTHER)
    assert known.may_set_status(FIRST, OTHER)
    assert not known.may_set_status(HOLDER, KIND)
    assert known.may_return(GIVER, OTHER)
    assert not known.may_return(GIVER, KIND)
    assert not known.may_return(FIRST, OTHER)
    assert not known.may_return(HOLDER, OTHER)
    assert known.agency_of(GIVER) == dienst
    assert dienst.max_parallel == 8
    assert known.agency_of(HOLDER) is None
    with pytest.raises(KeyError):
        known.agency("NIEMAND")


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"parties": (PARTY, PARTY)}, f"party {HOLDER.value} stands there twice"),
        ({"agreements": (SENDS,)}, f"agreement for unknown party {HOLDER.value}"),
        ({"mandates": (replace(PASSED_ON, giver=HOLDER),)}, f"{HOLDER.value} gives a mandate to"),
        (
            {"agencies": (Afnemer("A", GIVER, "https://a"), Afnemer("A", FIRST, "https://b"))},
            "agency A stands there twice",
        ),
    ],
)
def test_a_directory_that_contradicts_itself_is_none(parts: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Directory(**parts)
