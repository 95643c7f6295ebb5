"""Asking a stakeholder for swing weights, and showing what both readings make of the points.

The question is about the step from the worst to the best end point, never about "importance":
a criterion on which all options are alike may be important and still carry little weight.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from weeg import model as model_file
from weeg import weights as weights_file
from weeg.document import parse
from weeg.figure import dutch
from weeg.model import Criterion, Model
from weeg.problem import BadInput, Place, refuse
from weeg.shown import amount, percent
from weeg.table import contents
from weeg.texts import Language, say
from weeg.weights import Profile, shares

Question = Callable[[str, str], str]
"""(text, default) -> what was typed."""


def weights(
    folder: Path,
    stakeholder: str,
    per: str | None,
    language: Language,
    question: Question,
    echo: Callable[[str], None],
) -> None:
    """Writes `weights/STAKEHOLDER.yaml` only when everything was answered and can be read."""
    model_file.identifier(stakeholder, Place("weights"))
    model = model_file.read(parse(contents(folder / model_file.FILE, model_file.FILE),
                                  model_file.FILE))  # fmt: skip
    while per not in ("group", "criterion"):
        small = min(model.groups, key=lambda g: len(model.members(g[0])))[0]
        flat = shares(weights_file.equal(model, "criterion"), model)[small]
        grouped = 1 / len(model.groups)
        per = question(
            say("ask.per", language, group=small, flat=percent(flat, language),
                grouped=percent(grouped, language)), "group")  # fmt: skip
    echo(say("ask.how", language))
    groups: dict[str, str] = {}
    criteria: dict[str, str] = {}
    if per == "group":
        names = {name: words.get(language) for name, words in model.groups}
        groups = _points(names, say("ask.groups", language), language, question, echo)
    for title, members in _rounds(model, per, language):
        asked = {c.id: _step(c, language) for c in members}
        criteria |= _points(asked, title, language, question, echo)
    text = _file(stakeholder, per, groups, criteria)
    name = f"weights/{stakeholder}.yaml"
    profile = weights_file.read(parse(text.encode(), name), model)
    try:
        (folder / "weights").mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise refuse("folder.write", Place(name), detail=error.strerror) from None
    for line in both(profile, model, language):
        echo(line)


def both(profile: Profile, model: Model, language: Language) -> list[str]:
    """Group shares under both readings of the same points."""
    lines = [say("ask.both", language)]
    readings = (shares(profile.by_group, model), shares(profile.by_criterion, model))
    for name, words in model.groups:
        grouped, flat = (percent(found[name], language) for found in readings)
        lines.append(say("ask.share", language, group=words.get(language), grouped=grouped,
                         flat=flat))  # fmt: skip
    return lines


def _rounds(model: Model, per: str, language: Language) -> list[tuple[str, tuple[Criterion, ...]]]:
    if per == "criterion":
        return [(say("ask.all", language), model.criteria)]
    return [
        (say("ask.within", language, group=words.get(language)), model.members(name))
        for name, words in model.groups
    ]


def _step(c: Criterion, language: Language) -> str:
    unit = dutch(c.unit) if language == "nl" else c.unit
    ends = [f"{amount(float(end.value), language)} {unit} ({end.words.get(language)})"
            for end in (c.worst, c.best)]  # fmt: skip
    return f"{c.name.get(language)}: {ends[0]} > {ends[1]}"


def _points(
    asked: dict[str, str],
    title: str,
    language: Language,
    question: Question,
    echo: Callable[[str], None],
) -> dict[str, str]:
    """Until the heaviest has 100 and all are 0 to 100."""
    while True:
        echo("")
        echo(title)
        given = {name: question(f"{name}. {text}", "100") for name, text in asked.items()}
        try:
            numbers = [parse(value.encode(), name).number() for name, value in given.items()]
        except BadInput as bad:
            echo(bad.problems[0].show(language))
            continue
        if max(numbers) == 100 and min(numbers) >= 0:
            return given
        echo(say("ask.hundred", language))


def _file(stakeholder: str, per: str, groups: dict[str, str], criteria: dict[str, str]) -> str:
    def mapping(name: str, points: dict[str, str]) -> str:
        return f"{name}:\n" + "".join(f"  {key}: {value}\n" for key, value in points.items())

    head = f"# Swing weights, asked with `weeg weights`.\nstakeholder: {stakeholder}\n"
    head += f"method: swing\nper: {per}\n"
    return head + (mapping("groups", groups) if groups else "") + mapping("criteria", criteria)
