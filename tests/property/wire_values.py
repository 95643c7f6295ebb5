"""Strategies: every value of the koppelvlak, and every message as an XML instance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from openpoort.domain.fault import Fout
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import (
    AanleverBevestiging,
    Aanlevering,
    AfleverBevestiging,
    Antwoord,
    Bericht,
    Constatering,
    Document,
    Element,
    Operatie,
    Proces,
    Vraag,
    ZetStatus,
    ZetStatusBevestiging,
)
from openpoort.domain.status import Status

# What XML can hold, without white space: that collapses, and is tested by itself.
_LETTERS = st.characters(
    codec="utf-8",
    exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"),
    exclude_characters="\ufffe\uffff",
)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def text(size: int) -> st.SearchStrategy[str]:
    word = st.text(_LETTERS, min_size=1, max_size=min(size, 12))
    two = st.tuples(word, word).map(" ".join).filter(lambda t: len(t) <= size)
    return st.one_of(word, two)


def times() -> st.SearchStrategy[datetime]:
    """To the millisecond, as they are written."""
    milliseconds = st.integers(0, 4_000_000_000_000)
    return milliseconds.map(lambda ms: EPOCH + timedelta(milliseconds=ms))


identiteiten = st.builds(Identiteit, nummer=text(35), type=text(20))
documenten = st.builds(
    Document, mime_type=text(255), bestandsnaam=text(80), inhoud=st.binary(max_size=80)
)
bijlagen = st.lists(documenten, max_size=2).map(tuple)
fouten = st.builds(Fout, foutcode=text(20), foutbeschrijving=text(200))
maybe = lambda s: st.none() | s  # noqa: E731 - reads better in the tables below
uris = st.none() | st.just("http://geenausp.nl")

aanleveringen = st.builds(
    Aanlevering,
    berichtsoort=text(80),
    belanghebbende=identiteiten,
    rol_belanghebbende=text(40),
    inhoud=documenten,
    bijlagen=bijlagen,
    kenmerk=maybe(text(40)),
    aanleverkenmerk=maybe(text(40)),
    eerder_aanleverkenmerk=maybe(text(40)),
    ontvanger=maybe(identiteiten),
    rol_ontvanger=maybe(text(40)),
    autorisatie_adres=uris,
)
statussen = st.builds(
    Status,
    kenmerk=text(40),
    belanghebbende=identiteiten,
    statuscode=text(20),
    tijdstempel=times(),
    omschrijving=text(80),
    fout=maybe(fouten),
    details=maybe(text(300)),
)


@st.composite
def bevestigingen(draw: st.DrawFn) -> AanleverBevestiging:
    """With a status now and then, which then has the kenmerk and identity of the answer."""
    kenmerk, belanghebbende = draw(text(40)), draw(identiteiten)
    status = st.builds(
        Status,
        kenmerk=st.just(kenmerk),
        belanghebbende=st.just(belanghebbende),
        statuscode=text(20),
        tijdstempel=times(),
        omschrijving=text(80),
        fout=maybe(fouten),
        details=maybe(text(60)),
    )
    return AanleverBevestiging(
        kenmerk=kenmerk,
        berichtsoort=draw(text(80)),
        tijdstempel_aangeleverd=draw(times()),
        belanghebbende=belanghebbende,
        rol_belanghebbende=draw(text(40)),
        aanleverkenmerk=draw(maybe(text(40))),
        eerder_aanleverkenmerk=draw(maybe(text(40))),
        ontvanger=draw(maybe(identiteiten)),
        rol_ontvanger=draw(maybe(text(40))),
        autorisatie_adres=draw(uris),
        status=draw(maybe(status)),
    )


def berichten(eerder: bool) -> st.SearchStrategy[Bericht]:
    """`eerder`: as in BerichtResultaat, which has eerderAanleverkenmerk."""
    return st.builds(
        Bericht,
        kenmerk=text(40),
        berichtsoort=text(80),
        berichtkenmerk=text(256),
        tijdstempel_aangeleverd=times(),
        belanghebbende=identiteiten,
        rol_belanghebbende=text(40),
        inhoud=documenten,
        bijlagen=bijlagen,
        aanleverkenmerk=maybe(text(40)),
        eerder_aanleverkenmerk=maybe(text(40)) if eerder else st.none(),
        aanleveraar=maybe(text(35)),
        ontvanger=maybe(identiteiten),
        rol_ontvanger=maybe(text(40)),
        constateringen=st.lists(
            st.builds(Constatering, code=text(20), beschrijving=text(60)), max_size=2
        ).map(tuple),
        elementen=st.lists(st.builds(Element, naam=text(40), waarde=text(255)), max_size=2).map(
            tuple
        ),
    )


aflever_bevestigingen = st.builds(
    AfleverBevestiging,
    kenmerk=text(40),
    berichtkenmerk=text(256),
    tijdstempel_afgeleverd=times(),
    berichtsoort=maybe(text(80)),
    statuscode=maybe(text(20)),
    tijdstempel_status=maybe(times()),
    statusomschrijving=maybe(text(80)),
    fout=maybe(fouten),
    statusdetails=maybe(text(60)),
)
zet_statussen = st.builds(
    ZetStatus,
    kenmerk=text(40),
    statuscode=text(20),
    tijdstempel_status=times(),
    berichtkenmerk=maybe(text(256)),
    fout=maybe(fouten),
    statusdetails=maybe(text(60)),
)
zet_bevestigingen = st.builds(ZetStatusBevestiging, kenmerk=text(40), statuscode=text(20))

# Per reading operation: fields that must be there, fields that may, items of the answer.
_PROCES = st.builds(
    Proces,
    kenmerk=text(40),
    berichtsoort=text(80),
    belanghebbende=identiteiten,
    ontvanger=maybe(identiteiten),
)
_LIJST = st.builds(Proces, kenmerk=text(40), berichtsoort=text(80), belanghebbende=identiteiten)
_PERIODE = {"autorisatie_adres", "vanaf", "tot"}
READING: dict[Operatie, tuple[set[str], set[str], st.SearchStrategy[object]]] = {
    Operatie.BERICHTSOORTEN: ({"belanghebbende"}, {"autorisatie_adres"}, text(80)),
    Operatie.PROCESSEN: ({"berichtsoort", "belanghebbende"}, {"autorisatie_adres"}, _PROCES),
    Operatie.STATUSSEN_PROCES: ({"kenmerk"}, _PERIODE, statussen),
    Operatie.NIEUWE_STATUSSEN_PROCES: ({"kenmerk"}, _PERIODE, statussen),
    Operatie.NIEUWE_STATUSSEN: ({"berichtsoort", "belanghebbende"}, _PERIODE, statussen),
    Operatie.BERICHTEN: ({"belanghebbende"}, _PERIODE | {"berichtsoort"}, berichten(True)),
    Operatie.NIEUWE_BERICHTEN: ({"belanghebbende"}, _PERIODE | {"berichtsoort"}, berichten(True)),
    Operatie.BERICHTEN_LIJST: (set(), _PERIODE | {"berichtsoort"}, _LIJST),
    Operatie.NIEUWE_BERICHTEN_LIJST: (set(), _PERIODE | {"berichtsoort"}, _LIJST),
    Operatie.BERICHTEN_KENMERK: ({"kenmerk"}, _PERIODE, berichten(True)),
    Operatie.NIEUWE_BERICHTEN_KENMERK: ({"kenmerk"}, _PERIODE, berichten(True)),
}
_FIELDS: dict[str, st.SearchStrategy[object]] = {
    "kenmerk": text(40),
    "berichtsoort": text(80),
    "belanghebbende": identiteiten,
    "autorisatie_adres": st.just("http://geenausp.nl"),
    "vanaf": times(),
    "tot": times(),
}


@st.composite
def vragen(draw: st.DrawFn) -> Vraag:
    operatie = draw(st.sampled_from(Operatie))
    must, may, _ = READING[operatie]
    chosen = must | {f for f in sorted(may) if draw(st.booleans())}
    return Vraag(operatie, **{f: draw(_FIELDS[f]) for f in sorted(chosen)})  # type: ignore[arg-type]


@st.composite
def antwoorden(draw: st.DrawFn) -> Antwoord:
    operatie = draw(st.sampled_from(Operatie))
    items = draw(st.lists(READING[operatie][2], max_size=2))
    return Antwoord(operatie, tuple(items))  # type: ignore[arg-type]


values = st.one_of(
    aanleveringen,
    bevestigingen(),
    berichten(False),
    aflever_bevestigingen,
    zet_statussen,
    zet_bevestigingen,
    vragen(),
    antwoorden(),
)
