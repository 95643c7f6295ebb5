"""What holds for every directory: no mandate no send, windows, chains, the file's round trip."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

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
    covers,
)
from openpoort.domain.partydiff import compare
from openpoort.domain.partyfile import read, write

START = datetime(2026, 1, 1, tzinfo=UTC)
OINS = [Oin(f"0000009900000000{n:04d}") for n in range(6)]
WHO = [Identiteit(f"00000000{n}B01", "BTW") for n in range(3)]
KINDS = ["ICP", "OBSUP"]

moments = st.integers(0, 10).map(lambda d: START + timedelta(days=d))
oins, people = st.sampled_from(OINS), st.sampled_from(WHO)
kinds = st.frozensets(st.sampled_from([*KINDS, "*"]), min_size=1)
rights = st.frozensets(st.sampled_from(list(Right)), min_size=1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    since, until = draw(st.none() | moments), draw(st.none() | moments)
    if since and until and since >= until:
        until = since + timedelta(days=1)
    return Window(since, until)


parties = st.builds(
    Party,
    oin=oins,
    name=texts,
    identities=st.lists(people, max_size=2, unique=True).map(tuple),
    window=windows(),
    fault_status=st.sampled_from([200, 500]),
    sha1_until=st.none() | moments,
    tls_oins=st.frozensets(oins, max_size=2),
    rate=st.none() | st.floats(0.5, 1000, allow_nan=False),
    burst=st.none() | st.integers(1, 1000),
)
agreements = st.builds(
    Agreement,
    oin=oins,
    kinds=kinds,
    rollen=st.frozensets(st.sampled_from(["Bedrijf", "Intermediair"]), min_size=1),
    rights=rights,
    window=windows(),
)
mandates = st.builds(
    Mandate,
    belanghebbende=people,
    holder=oins,
    kinds=kinds,
    rights=rights,
    giver=st.none() | oins,
    delegate=st.booleans(),
    window=windows(),
).filter(lambda m: m.giver != m.holder)
agencies = st.builds(
    Afnemer,
    name=texts,
    oin=oins,
    endpoint=texts.filter(lambda t: "{" not in t),
    channel=st.sampled_from(["wus", "ebms"]),
    max_parallel=st.integers(1, 50),
    options=st.dictionaries(texts, texts, max_size=2),
    status_kinds=kinds,
    return_kinds=kinds,
)


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    known = draw(st.lists(parties, max_size=4, unique_by=lambda p: p.oin))
    have = {p.oin for p in known}
    return Directory(
        tuple(known),
        tuple(a for a in draw(st.lists(agreements, max_size=4)) if a.oin in have),
        tuple(draw(st.lists(mandates, max_size=8))),
        tuple(draw(st.lists(agencies, max_size=2, unique_by=lambda a: a.name))),
    )


def allowed(directory: Directory, *args: object) -> bool:
    try:
        directory.may_send(*args)  # type: ignore[arg-type] # drawn by the strategy below
    except Fault as fault:
        return fault.reason != 100 or not fault.text  # a refusal without a reason counts as a yes
    return True


questions = st.tuples(
    oins, st.sampled_from(KINDS), people, st.sampled_from(["Bedrijf", "Intermediair"]), moments
)


def reachable(
    directory: Directory, kind: str, who: Identiteit, right: Right, at: datetime
) -> set[Oin]:
    """The other way round from the code under test: from the interested party down to holders."""
    live = [
        m
        for m in directory.mandates
        if m.belanghebbende.key == who.key
        and covers(m.kinds, kind)
        and right in m.rights
        and m.window.holds(at)
    ]
    here = {p.oin for p in directory.parties if p.window.holds(at)}
    holders = {m.holder for m in live if m.giver is None}
    may_pass = {m.holder for m in live if m.giver is None and m.delegate}
    for _ in range(LONGEST_CHAIN - 1):
        next_pass = set(may_pass)
        for m in live:
            if m.giver in may_pass and m.giver in here:
                holders.add(m.holder)
                if m.delegate:
                    next_pass.add(m.holder)
        may_pass = next_pass
    return holders


@given(directory=directories(), question=questions)
@settings(max_examples=150, deadline=None)
def test_may_send_agrees_with_the_rules_read_the_other_way(
    directory: Directory, question: tuple[Oin, str, Identiteit, str, datetime]
) -> None:
    oin, kind, who, rol, at = question
    party = directory.party(oin)
    expected = (
        party is not None
        and party.window.holds(at)
        and any(
            a.oin == oin
            and covers(a.kinds, kind)
            and Right.SEND in a.rights
            and rol in a.rollen
            and a.window.holds(at)
            for a in directory.agreements
        )
        and (
            who in party.identities
            or (rol != "Bedrijf" and oin in reachable(directory, kind, who, Right.SEND, at))
        )
    )
    assert allowed(directory, oin, kind, who, rol, at) is expected


@given(directory=directories(), question=questions)
@settings(max_examples=60, deadline=None)
def test_without_mandates_nobody_acts_for_another(
    directory: Directory, question: tuple[Oin, str, Identiteit, str, datetime]
) -> None:
    oin, kind, who, rol, at = question
    bare = replace(directory, mandates=())
    party = bare.party(oin)
    if party is None or who not in party.identities:
        assert not allowed(bare, oin, kind, who, rol, at)
        assert not bare.may_read(oin, kind, who, at)
        assert not bare.may_read(oin, None, who, at)


@given(directory=directories(), question=questions)
@settings(max_examples=60, deadline=None)
def test_reading_follows_its_own_right(
    directory: Directory, question: tuple[Oin, str, Identiteit, str, datetime]
) -> None:
    oin, kind, who, _, at = question
    sending_only = replace(
        directory,
        agreements=tuple(replace(a, rights=frozenset({Right.SEND})) for a in directory.agreements),
    )
    assert not sending_only.may_read(oin, kind, who, at)
    if directory.may_read(oin, kind, who, at):
        assert directory.may_read(oin, None, who, at)
        assert directory.readable_kinds(oin, who, KINDS, at) >= {kind}


@given(directory=directories(), extra=mandates, question=questions)
@settings(max_examples=60, deadline=None)
def test_one_more_mandate_never_takes_a_right_away(
    directory: Directory, extra: Mandate, question: tuple[Oin, str, Identiteit, str, datetime]
) -> None:
    more = replace(directory, mandates=(*directory.mandates, extra))
    if allowed(directory, *question):
        assert allowed(more, *question)


@given(directory=directories())
@settings(max_examples=60, deadline=None)
def test_file_round_trip_and_empty_difference(directory: Directory) -> None:
    back = read(write(directory))
    assert not compare(directory, back)
    assert write(back) == write(directory)


@given(old=directories(), new=directories())
@settings(max_examples=60, deadline=None)
def test_difference_is_empty_only_between_equals(old: Directory, new: Directory) -> None:
    same = (
        set(old.parties) == set(new.parties)
        and set(old.agreements) == set(new.agreements)
        and set(old.mandates) == set(new.mandates)
        and {a.name: a for a in old.agencies} == {a.name: a for a in new.agencies}
    )
    assert bool(compare(old, new)) is not same
    for line in compare(old, new).lines():
        assert line[0] in "+-~"
        assert not any(i.nummer in line for i in WHO)
