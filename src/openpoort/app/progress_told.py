"""What `progress` found, in words: sections of sentences and tables, for a terminal and a page.

All texts stand in `progress_texts.toml`. Every table says with which command, on which day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from openpoort.app.progress import Progress, euro
from openpoort.app.progress_words import Language, Words, say
from openpoort.domain.contract import Band, Contract, Standing

_PARTS = ("done", "found", "comes", "costs", "wrong", "points", "rests")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as text; `source` says which command shows them, on which day."""

    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    source: str


@dataclass(frozen=True, slots=True)
class Section:
    """Anchor, title, and sentences and tables in their order."""

    anchor: str
    title: str
    parts: tuple[str | Table, ...]


def told(found: Progress, language: Language) -> list[Section]:
    """The seven sections, in the order of a reader of parliament."""
    teller = _Teller(language, found)
    return [
        Section(name, say("sections", name, language), tuple(getattr(teller, name)()))
        for name in _PARTS
    ]


@dataclass(frozen=True, slots=True)
class _Teller(Words):
    known: Progress

    def done(self) -> Iterator[str | Table]:
        standings = self.known.contracts
        if standings is None:
            yield self.sentence("no_contracts", why=self._why("contracts"))
        else:
            rows = [
                (s.contract.name, m.name, self.band(m.planned), str(m.met), self._late(m.planned,
                 m.met)) for s in standings for m in s.contract.milestones if m.met
            ]  # fmt: skip
            header = ("contract", "milestone", "planned", "met", "late")
            yield self._table("met", header, rows) if rows else self.sentence("nothing_met")
        proofs = [
            (self.proof(p.name), f"{p.value} {p.unit}", str(p.at.date()), p.source)
            for p in self.known.proofs
        ]
        yield self._table(
            "proofs", ("what", "value", "day", "how"), proofs, "openpoort measures HOME --json"
        )

    def found(self) -> Iterator[str | Table]:
        decision = self.known.decision
        if decision is None:
            yield self.sentence("no_decision", why=self._why("decision"))
            return
        if decision.get("invented"):
            yield self.word("invented")
        names = self._options(decision)
        ranking = [
            (names.get(str(p.get("option")), "–"), str(p.get("rank")), self._value(p.get("value")))
            for p in dicts(decision, "ranking")
        ]
        yield self._table("ranking", ("option", "rank", "value"), ranking, "weeg run DIR --json",
                          str(decision.get("as_of")))  # fmt: skip
        chosen = _chosen(decision)
        if chosen is None:
            yield self.sentence("not_chosen")
            return
        yield self.sentence(
            "chosen", name=names.get(str(chosen.get("option")), "–"), day=self.cell(chosen, "day"),
            by=self.cell(chosen, "by"), dissent=self.cell(chosen, "dissent"),
        )  # fmt: skip
        if isinstance(chosen.get("leads"), bool):
            yield self.sentence("leads" if chosen["leads"] else "leads_not")
        rows = [tuple(self.cell(d, k) for k in ("part", "who", "from", "until"))
                for d in _of_chosen(decision, "responsibility")]  # fmt: skip
        if rows:
            yield self._table("duties", ("part", "who", "from", "until"), rows,
                              "weeg run DIR --json", str(decision.get("as_of")))  # fmt: skip

    def comes(self) -> Iterator[str | Table]:
        standings = self.known.contracts
        if standings is None:
            yield self.sentence("no_contracts", why=self._why("contracts"))
        elif not any(s.contract.milestones for s in standings):
            yield self.sentence("no_milestones")
        else:
            today = self.known.at.date()
            rows = [
                (s.contract.name, m.name, self.band(m.planned), self._missed(m.planned, today))
                for s in standings for m in s.contract.milestones if not m.met
            ]  # fmt: skip
            header = ("contract", "milestone", "planned", "missed")
            yield self._table("open", header, rows) if rows else self.sentence("nothing_open")
            yield self._table("ends", ("contract", "until", "expected"), [
                (s.contract.name, self.day(s.contract.end), self._expected(s)) for s in standings
            ])  # fmt: skip
        yield self.sentence("share")

    def costs(self) -> Iterator[str | Table]:
        standings = self.known.contracts
        if standings is None:
            yield self.sentence("no_contracts", why=self._why("contracts"))
        else:
            yield self._table(
                "contracts",
                ("contract", "covers", "supplier", "from", "until", "extended", "price"),
                [self._contract(s.contract) for s in standings],
            )
            yield self._table(
                "unlawful", ("contract", "so_far", "so_far_euros", "total", "total_euros"),
                [(s.contract.name, *self._months(s)) for s in standings],
            )  # fmt: skip
            yield self.sentence("months_rule")
        yield from self._per_message()

    def _per_message(self) -> Iterator[str | Table]:
        counted = self.known.counted
        if counted is None:
            yield self.sentence("no_months", why=self._why("months"))
            return
        since, until = f"{counted.since:%Y-%m-%d %H:%M}", f"{counted.until:%Y-%m-%d %H:%M}"
        if not counted.rows:
            yield self.sentence("empty_months", since=since)
            return
        rows = [
            (
                f"{m.month:%Y-%m}", m.berichtsoort, m.agency, self.whole(m.messages),
                self.each(m.cpu_seconds, m.messages), self.each(m.database_seconds, m.messages),
                self.whole(round(m.bytes / m.messages)) if m.messages else self.word("unknown"),
                self.euro(euro(m, self.known.prices)),
            )
            for m in counted.rows
        ]  # fmt: skip
        header = ("month", "kind", "agency", "messages", "cpu", "database", "bytes", "euro")
        yield self._table("months", header, rows)
        yield self.sentence("counted", since=since, until=until)
        yield self.sentence("prices" if self.known.prices.all else "no_prices")
        if any(m.database_seconds is None for m in counted.rows):
            yield self.sentence("no_database")

    def wrong(self) -> Iterator[str | Table]:
        alarms = self.known.alarms
        for one in alarms:
            yield self.sentence(
                one.what, contract=one.contract, end=one.day, expected=self.day(one.forecast)
            )
        if not alarms:
            yield self.sentence("no_alarms")
        for s in self.known.contracts or ():
            if s.ended:
                yield self.sentence("ended", contract=s.contract.name, end=s.contract.end)
        decision = self.known.decision
        if decision is None:
            yield self.sentence("no_decision", why=self._why("decision"))
            return
        columns = ("what", "chance", "effect", "owner", "control")
        if risks := _of_chosen(decision, "risks"):
            rows = [tuple(self.cell(r, k) for k in columns) for r in risks]
            yield self._table("risks", columns, rows, "weeg run DIR --json",
                              str(decision.get("as_of")))  # fmt: skip
            return
        names = self._options(decision)
        rows = [
            (names.get(str(o.get("id")), "–"), *(self.cell(r, k) for k in columns))
            for o in dicts(decision, "options") for r in dicts(o, "risks")
        ]  # fmt: skip
        yield (
            self._table("all_risks", ("option", *columns), rows, "weeg run DIR --json",
                        str(decision.get("as_of"))) if rows else self.sentence("no_risks")
        )  # fmt: skip

    def points(self) -> Iterator[str | Table]:
        decision = self.known.decision
        if decision is None:
            yield self.sentence("no_decision", why=self._why("decision"))
            return
        five = points(decision)
        if not five:
            yield self.sentence("no_points")
        else:
            told = [
                (self.cell(p, self.language), self.cell(p, "sentence"), self.cell(p, "proof"),
                 self._evidence(str(p.get("id")), decision))
                for p in five
            ]  # fmt: skip
            yield self._table("points", ("point", "sentence", "command", "evidence"), told)
        columns = ("who", "what", "followed", "why", "where")
        if advice := dicts(decision, "advice"):
            rows = [tuple(self.cell(a, k) for k in columns) for a in advice]
            yield self._table("advice", columns, rows, "weeg run DIR --json",
                              str(decision.get("as_of")))  # fmt: skip

    def rests(self) -> Iterator[str | Table]:
        rows = [(f"{name}: {s.file}", s.digest) for name, s in self.known.sources.items()]
        decision = self.known.decision
        if decision is not None:
            rows.append(("weeg input_hash", self.cell(decision, "input_hash")))
        if rows:
            yield self._table("files", ("file", "digest"), rows, "sha256sum FILE")
        for name in ("contracts", "decision", "months"):
            if why := self.known.unknown.get(name):
                yield self.sentence(f"no_{name}", why=say("reasons", why, self.language))

    def _why(self, part: str) -> str:
        return say("reasons", self.known.unknown[part], self.language)

    def _value(self, value: object) -> str:
        return self.number(value, 3) if isinstance(value, float) else self.word("unknown")

    def _evidence(self, point: str, decision: Mapping[str, Any]) -> str:
        """What this report itself shows for a point; the command shows the rest."""
        all_ = [m for s in self.known.contracts or () for m in s.contract.milestones]
        if point == "more-time" and all_:
            met = sum(1 for m in all_ if m.met)
            return self.sentence("planned_count", met=met, all=len(all_))
        if point == "reuse" and (parts := dicts(decision, "inventory")):
            lines = [(_number(p.get("lines")), str(p.get("verdict"))) for p in parts]
            kept = sum(n for n, keep in lines if keep == "keep")
            return self.sentence("kept", kept=self.whole(kept),
                                  lines=self.whole(sum(n for n, _ in lines)))  # fmt: skip
        if point == "suppliers" and (duties := _of_chosen(decision, "responsibility")):
            return self.sentence("duties", count=len(duties))
        return self.sentence("see_command")

    def _contract(self, one: Contract) -> tuple[str, ...]:
        words = {True: "lawful", False: "unlawful", None: "unsaid"}
        extended = "; ".join(
            self.sentence(words[e.lawful], day=e.until) for e in one.extensions
        ) or self.word("no")
        price = self.range(one.price) if one.price else self.word("unknown")
        return (
            one.name, one.covers or self.word("unknown"), one.supplier or self.word("unknown"),
            self.day(one.start), self.day(one.until), extended, price,
        )  # fmt: skip

    def _months(self, one: Standing) -> tuple[str, ...]:
        cells = []
        for part in (one.so_far, one.total):
            cells += [self.range(part.months if part else (None,) * 3, 1),
                      self.range(part.euros if part else (None,) * 3)]  # fmt: skip
        return tuple(cells)

    def _expected(self, one: Standing) -> str:
        """The forecast of the end: a day, or three."""
        if one.forecast is None:
            return self.word("unknown")
        low, likely, high = one.forecast.earliest, one.forecast.likely, one.forecast.latest
        if low == likely == high:
            return str(low)
        if high is None:
            return self.word("later", day=self.known.at.date())
        return f"{low} {self.word('to')} {high}, {self.word('probably')} {self.day(likely)}"

    def _late(self, planned: Band | None, met: date | None) -> str:
        if planned is None or met is None:
            return self.word("unknown")
        return str((met - planned.likely).days)

    def _missed(self, planned: Band | None, today: date) -> str:
        if planned is None:
            return self.word("unknown")
        return self.word("yes" if planned.latest < today else "no")

    def _options(self, decision: Mapping[str, Any]) -> dict[str, str]:
        return {
            str(o.get("id")): str(o.get(self.language) or o.get("id"))
            for o in dicts(decision, "options")
        }

    def _table(
        self, name: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]],
        command: str = "", day: str = "",
    ) -> Table:  # fmt: skip
        source = self.word(
            "source", command=command or self.known.command, day=day or self.known.at.date()
        )
        header = tuple(say("columns", column, self.language) for column in columns)
        return Table(name, say("tables", name, self.language), header, tuple(rows), source)


def points(decision: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those of the BIT advice: the parts of criterion 17."""
    criteria = [c for c in dicts(decision, "criteria") if str(c.get("id")) == "17"]
    return [part for criterion in criteria for part in dicts(criterion, "parts")]


def dicts(row: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list under `key`; none where there is something else."""
    found = row.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _chosen(decision: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = decision.get("chosen")
    return found if isinstance(found, dict) else None


def _of_chosen(decision: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    chosen = _chosen(decision)
    options = dicts(decision, "options")
    return [row for o in options if chosen and o.get("id") == chosen.get("option")
            for row in dicts(o, key)]  # fmt: skip


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0
