"""The outcome as one JSON object: `criteria`, `options`, `ranking` and everything behind them.

Shares and values are numbers rounded to nine places; money and criterion values are exact decimal
strings. docs/weeg/json.md describes the keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from weeg import VERSION, weights
from weeg.additive import Standing, levels
from weeg.advice import COLUMNS as ADVICE
from weeg.costs import Contract, Costs
from weeg.feeds import Used
from weeg.figure import Range
from weeg.inventory import COLUMNS as INVENTORY
from weeg.money import Money, exposure
from weeg.smaa import Acceptability
from weeg.weigh import Outcome, View

Json = dict[str, Any]


def dumps(outcome: Outcome) -> str:
    """One line, keys in a fixed order: the same folder gives the same bytes."""
    return json.dumps(as_json(outcome), ensure_ascii=False, separators=(",", ":"))


def as_json(outcome: Outcome) -> Json:
    decision = outcome.decision
    head = decision.head
    return {
        "weeg": VERSION,
        "title": {"nl": head.title.nl, "en": head.title.en},
        "invented": head.invented,
        "as_of": head.as_of.isoformat(),
        "seed": head.seed,
        "draws": head.draws,
        "accepted_stale": decision.accepted_stale,
        "input_hash": decision.digest,
        "files": dict(sorted(decision.files.items())),
        "criteria": [_criterion(outcome, c.id) for c in decision.model.criteria],
        "options": [_option(outcome, o.id) for o in decision.options],
        "money_model": _money_model(decision.costs) if decision.costs else None,
        "voices": [
            {"name": v.name, "members": [p.stakeholder for p in v.members],
             "share": _round(1 / len(decision.voices))}
            for v in decision.voices
        ],
        "advises": [name for name, one in head.stakeholders.items() if one.advises],
        "chosen": _chosen(outcome),
        "advice": [_told(point, ADVICE) for point in decision.advice or ()],
        "inventory": [_told(part, INVENTORY) for part in decision.inventory or ()],
        "ranking": [_place(outcome, s) for s in outcome.joint.ranking],
        "views": [_view(outcome, v) for v in (outcome.joint, *outcome.views, outcome.equal)],
        "acceptability": {per: _acceptability(a) for per, a in outcome.acceptability.items()},
        "acceptability_weights_only": _acceptability(outcome.weights_only),
        "flips": _flips(outcome),
        "tornado": [
            {
                "criterion": b.criterion,
                "weight": [_round(b.weight_low), _round(b.weight_high)],
                "score": [_round(b.score_low), _round(b.score_high)],
            }
            for b in outcome.bars
        ],
        "disagreement": _disagreement(outcome),
        "overlaps": [
            {"left_out": w.left_out, "kept": w.kept, "first": w.first} for w in outcome.without
        ],
        "crosscheck": _crosscheck(outcome),
        "findings": [
            {"severity": p.severity.name.lower(), "code": p.code, "at": p.place.short,
             "column": p.place.column, "nl": p.show("nl"), "en": p.show("en")}
            for p in outcome.findings
        ],
    }  # fmt: skip


def _round(value: float) -> float:
    return round(value, 9) + 0.0


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: _round(value) for name, value in values.items()}


def plain(value: Decimal) -> str:
    """A decimal without exponent or trailing noise: `0.25`, `1000000`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _range(value: Range) -> Json:
    return {"low": plain(value.low), "mode": plain(value.mode), "high": plain(value.high)}


def _criterion(outcome: Outcome, name: str) -> Json:
    c = outcome.decision.model.criterion(name)
    return {
        "id": c.id, "group": c.group, "nl": c.name.nl, "en": c.name.en, "unit": c.unit,
        "direction": "higher" if c.higher_is_better else "lower",
        "worst": plain(c.worst.value), "best": plain(c.best.value),
        "veto": None if c.veto is None else plain(c.veto),
        "weight": _round(outcome.joint.weights[c.id]), "at": c.place.short,
        "parts": [
            {"id": p.id, "nl": p.words.nl, "en": p.words.en, "proof": p.proof or None,
             "sentence": p.sentence or None, "reconstructed": p.reconstructed}
            for p in c.parts
        ],
    }  # fmt: skip


def _option(outcome: Outcome, name: str) -> Json:
    decision = outcome.decision
    option = decision.option(name)
    money = decision.money.get(name)
    return {
        "id": name, "nl": option.name.nl, "en": option.name.en,
        "zero": name == decision.head.zero_option,
        "vetoed_by": list(outcome.vetoes[name]),
        "scores": {
            c: _cell(outcome, name, c, used) for c, used in decision.used[name].items()
        },
        "money": _money(outcome, name, money) if money else None,
        "responsibility": [
            {"part": d.part or None, "who": d.who or None, "from": d.start or None,
             "until": d.until or None}
            for d in option.duties
        ],
        "risks": [
            _told(risk, ("what", "chance", "effect", "owner", "control")) for risk in option.risks
        ],
    }  # fmt: skip


def _told(row: object, columns: tuple[str, ...]) -> Json:
    return {name: getattr(row, name) or None for name in columns}


def _chosen(outcome: Outcome) -> Json | None:
    chosen = outcome.decision.head.chosen
    if chosen is None:
        return None
    first = [s.option for s in levels(outcome.joint.ranking)[0]]
    return {
        **_told(chosen, ("option", "day", "by", "dissent")),
        "leads": chosen.option in first, "first": first,
    }  # fmt: skip


def _cell(outcome: Outcome, option: str, criterion: str, used: Used) -> Json:
    source = outcome.decision.sources.of(f"{option}/{criterion}")
    cell: Json = {
        **_range(used.value),
        "score": _round(outcome.scores[option][criterion]),
        "state": used.state,
        "from": used.origin,
        "source": source.source if source and used.state in ("typed", "fallback") else None,
    }
    if used.measure:
        m = used.measure
        cell["measure"] = {
            "name": m.name, "value": plain(m.value.mode), "unit": m.unit,
            "time": m.time.isoformat(), "window": m.window, "source": m.source,
            "age_days": used.age, "file": m.place.file,
        }  # fmt: skip
    return cell


def _money_model(costs: Costs) -> Json:
    """What every option shares: life, discounting, volume with the rows it stands on."""
    return {
        "first": costs.first, "last": costs.last, "base_year": costs.base,
        "discount_rate": plain(costs.rate),
        "volume": {
            str(year): {**_range(value), "at": place.short}
            for year, (value, place) in sorted(costs.volume.items())
        },
    }  # fmt: skip


def _money(outcome: Outcome, option: str, money: Money) -> Json:
    sources, costs = outcome.decision.sources, outcome.decision.costs
    contracts = costs.options[option].unlawful if costs else ()
    rows = []
    for flow in money.flows:
        source = sources.of(f"costs/{option}/{flow.line}")
        rows.append({
            "line": flow.line, "kind": flow.kind, "year": flow.year,
            **_range(flow.amount.rounded()), "at": flow.place.short,
            "source": source.source if source else None,
        })  # fmt: skip
    return {
        "npv": _range(money.npv), "tco": _range(money.tco),
        "unit_price": _range(money.unit_price),
        "unit_price_parts": {k: _range(v) for k, v in money.price_parts.items()},
        "unit_price_per_year": {str(y): _range(v) for y, v in money.price_per_year.items()},
        "per_year": {str(y): _range(v) for y, v in money.per_year.items()},
        "investment": _range(money.investment),
        "unlawful": _range(money.unlawful),
        "unlawful_months": _range(money.unlawful_months),
        "unlawful_at": contracts[0].stretch.place.short if contracts else None,
        "unlawful_contracts": [_contract(outcome, option, c) for c in contracts],
        "double_running": _range(money.double_running),
        "tariff_total": _range(money.tariff_total),
        "split": {name: plain(v) for name, v in money.split.items()},
        "split_by_key": {
            key: {name: plain(v) for name, v in parts.items()} for key, parts in money.keys.items()
        },
        "lines": rows,
    }  # fmt: skip


def _contract(outcome: Outcome, option: str, contract: Contract) -> Json:
    source = outcome.decision.sources.of_contract(option, contract.name)
    return {
        "name": contract.name or None, "from": contract.since or None,
        "months": _range(contract.stretch.count), "per_month": _range(contract.stretch.price),
        "euros": _range(exposure(contract).rounded()), "at": contract.stretch.place.short,
        "source": source.source if source else None,
    }  # fmt: skip


def _place(outcome: Outcome, s: Standing) -> Json:
    return {
        "rank": s.rank, "option": s.option, "value": _round(s.value),
        "vetoed": s.vetoed, "vetoed_by": list(s.vetoed_by), "parts": _rounded(s.parts),
        "first_share": {
            per: _round(a.ranks[s.option][0]) for per, a in outcome.acceptability.items()
        },
    }  # fmt: skip


def _order(ranking: tuple[Standing, ...]) -> list[Json]:
    return [{"rank": s.rank, "option": s.option, "value": _round(s.value)} for s in ranking]


def _view(outcome: Outcome, view: View) -> Json:
    model = outcome.decision.model
    return {
        "name": view.name, "per": view.per, "weights": _rounded(view.weights),
        "ranking": _order(view.ranking),
        "readings": {
            per: {
                "groups": _rounded(weights.shares(view.reading_weights[per], model)),
                "ranking": _order(ranking),
            }
            for per, ranking in view.readings.items()
        },
        "reading_changes_first": view.turns,
    }  # fmt: skip


def _acceptability(a: Acceptability) -> Json:
    return {
        "per": a.per, "draws": a.draws,
        "ranks": {o: [_round(x) for x in row] for o, row in a.ranks.items()},
        "central_weights": {o: _rounded(row) for o, row in a.central.items()},
        "vetoed": _rounded(a.vetoed),
        "before": {o: _rounded(row) for o, row in a.before.items()},
    }  # fmt: skip


def _flips(outcome: Outcome) -> Json:
    return {
        "weights": [
            {"name": f.name, "group": f.is_group, "now": _round(f.now),
             "needed": None if f.needed is None else _round(f.needed),
             "first": f.challenger or None}
            for f in outcome.weight_flips
        ],
        "scores": [
            {"option": f.option, "criterion": f.criterion, "now": _round(f.now),
             "needed": _round(f.needed), "step": _round(f.step), "first": f.challenger,
             "veto": f.veto or None}
            for f in outcome.score_flips
        ],
    }  # fmt: skip


def _disagreement(outcome: Outcome) -> Json:
    d = outcome.dispute
    return {
        "gaps": [
            {"criterion": g.criterion, "low": _round(g.low), "low_by": g.low_by,
             "high": _round(g.high), "high_by": g.high_by}
            for g in d.gaps
        ],
        "regret": {p: _rounded(row) for p, row in d.regret.items()},
        "agreement": [{"between": list(k), "tau": _round(v)} for k, v in d.agreement.items()],
        "compromise": d.compromises[0],
        "compromises": list(d.compromises),
    }  # fmt: skip


def _crosscheck(outcome: Outcome) -> Json | None:
    if outcome.crosscheck is None:
        return None
    check = outcome.crosscheck
    return {
        name: {"order": list(order), "scores": _rounded(check.scores[name])}
        for name, order in check.order.items()
    }
