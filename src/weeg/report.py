"""The report: one self-contained HTML page, printable, in Dutch or English.

No script, no font, no request: the page forbids itself everything from elsewhere. It knows no
clock either, so the same folder and seed give the same bytes.
"""

from __future__ import annotations

from importlib import resources

from weeg import VERSION, report_beside, report_input, report_money, report_outcome
from weeg.markup import Html, bullets, join, paragraph, section, table, tag, text
from weeg.texts import Language, say
from weeg.weigh import Outcome

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(outcome: Outcome, language: Language) -> str:
    """The whole document."""
    head = outcome.decision.head
    sections = [
        ("short", report_outcome.short(outcome, language)),
        ("ranking", report_outcome.ranking(outcome, language)),
        ("sure", report_outcome.sure(outcome, language)),
        ("change", report_outcome.change(outcome, language)),
        ("people", report_outcome.people(outcome, language)),
        ("beside", report_beside.beside(outcome, language)),
        ("vetoes", report_outcome.vetoes_and_overlaps(outcome, language)),
    ]
    if outcome.decision.money:
        sections.append(("money", report_money.money(outcome, language)))
    sections.append(("living", report_input.living(outcome, language)))
    if outcome.crosscheck:
        sections.append(("cross", report_outcome.cross(outcome, language)))
    sections += [
        ("scores", report_input.scores(outcome, language)),
        ("said", _said(outcome, language)),
        ("repeat", _repeat(outcome, language)),
    ]
    if outcome.decision.money:
        sections.append(("lines", report_money.cost_lines(outcome, language)))
    titles = [(anchor, say(f"section.{anchor}", language)) for anchor, _ in sections]
    body = [
        section(anchor, title, *content)
        for (anchor, title), (_, content) in zip(titles, sections, strict=True)
    ]
    title = head.title.get(language)
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            tag("title", text(title)),
            f"<style>{_style()}</style>",
            "</head>",
            "<body>",
            tag("a", text(say("page.skip", language)), class_="skip", href="#short"),
            _header(outcome, language, title),
            _contents(titles, language),
            tag("main", *body, id="main"),
            tag("footer", paragraph(_repeat_line(outcome, language))),
            "</body>",
            "</html>",
            "",
        ]
    )


def _style() -> str:
    return resources.files("weeg").joinpath("report.css").read_text(encoding="utf-8")


def _header(outcome: Outcome, language: Language, title: str) -> Html:
    head = outcome.decision.head
    marks = []
    if head.invented:
        invented = tag("strong", text(say("report.invented", language)))
        marks.append(tag("p", invented, class_="invented"))
    if outcome.decision.accepted_stale:
        stale = tag("strong", text(say("page.stale", language)))
        marks.append(tag("p", stale, class_="invented"))
    about = [
        say("page.as_of", language, as_of=head.as_of),
        say("page.size", language, options=len(outcome.decision.options),
            criteria=len(outcome.decision.model.criteria), people=len(outcome.views)),
    ]  # fmt: skip
    return tag(
        "header", tag("h1", text(title)), *marks,
        paragraph(head.question.get(language), class_="question"),
        paragraph(" ".join(about)),
    )  # fmt: skip


def _contents(titles: list[tuple[str, str]], language: Language) -> Html:
    items = [tag("li", tag("a", text(title), href=f"#{anchor}")) for anchor, title in titles]
    return tag("nav", tag("ol", *items), aria_label=say("page.contents", language))


def _said(outcome: Outcome, language: Language) -> list[Html]:
    if not outcome.findings:
        return [paragraph(say("said.nothing", language))]
    lines = [
        f"{say(f'severity.{p.severity.name}', language)}: {p.show(language)}"
        for p in outcome.findings
    ]
    return [bullets(line[0].upper() + line[1:] for line in lines)]


def _repeat_line(outcome: Outcome, language: Language) -> str:
    head = outcome.decision.head
    return say("report.repeat", language, hash=outcome.decision.digest, seed=head.seed,
               draws=head.draws, as_of=head.as_of)  # fmt: skip


def _repeat(outcome: Outcome, language: Language) -> list[Html]:
    files = outcome.decision.files
    rows = [(name, files[name]) for name in sorted(files)]
    columns = (say("word.file", language), "SHA-256")
    return [
        paragraph(_repeat_line(outcome, language), class_="hash"),
        paragraph(say("repeat.how", language, version=VERSION)),
        join([tag("pre", text("sha256sum " + " ".join(sorted(files)) + " | sha256sum"))]),
        table(say("repeat.files", language), columns, rows, numbers_from=9, class_="hashes"),
    ]
