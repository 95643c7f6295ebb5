"""The report as one HTML file that loads nothing from outside: no script, no font, no picture."""

from __future__ import annotations

import html
from collections.abc import Sequence

from openpoort.app.progress import Progress, euro
from openpoort.app.progress_told import Section, Table, told
from openpoort.app.progress_words import Language, say
from openpoort.store.messages.months import Month

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}
h2{border-bottom:2px solid #154273;margin-top:2.5rem}
div.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:1rem 0 .2rem}
caption{text-align:left;font-weight:bold}
th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top}
p.source{margin:0 0 1rem;color:#444;font-size:.85rem}
svg{max-width:100%;height:auto}
@media print{div.scroll{overflow:visible}}
"""
# Lines differ in colour and in dashes: the page is read without colour too.
_LINES = (("#154273", ""), ("#a90061", "6 3"), ("#275937", "2 3"), ("#8a4b00", "9 3 2 3"))
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640, 240, 70, 30


def page(found: Progress, language: Language) -> str:
    """The whole document."""
    title = say("words", "title", language)
    command = f"{found.command} --report FILE --lang {language}"
    made = say("words", "made", language, day=found.at.date(), command=command)
    body = [f"<h1>{title}</h1>", f"<p>{html.escape(made)}</p>"]
    body += [_section(section, found, language) for section in told(found, language)]
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _section(section: Section, found: Progress, language: Language) -> str:
    parts = [f'<section id="{section.anchor}">', f"<h2>{html.escape(section.title)}</h2>"]
    for part in section.parts:
        parts.append(_table(part) if isinstance(part, Table) else f"<p>{html.escape(part)}</p>")
        if isinstance(part, Table) and part.name == "months" and found.counted:
            parts.append(_curve(found.counted.rows, found, language))
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(f"<{tag}>{html.escape(cell)}</{tag.split()[0]}>" for cell in row)

    rows = "".join(
        f"<tr>{cells('th scope=row', row[:1])}{cells('td', row[1:])}</tr>" for row in table.rows
    )
    head = f"<thead><tr>{cells('th scope=col', table.header)}</tr></thead>"
    caption = html.escape(table.caption)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}"><table>'
        f"<caption>{caption}</caption>{head}<tbody>{rows}</tbody></table></div>"
        f'<p class="source">{html.escape(table.source)}</p>'
    )


def _curve(rows: Sequence[Month], found: Progress, language: Language) -> str:
    """Cost a message by month, a line a kind and agency: euros, else milliseconds of processor."""
    priced = found.prices.all
    series: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        spent = row.cpu_seconds + (row.database_seconds or 0.0)
        value = euro(row, found.prices) if priced else 1000 * spent / max(1, row.messages)
        if value is not None and row.messages:
            place = row.month.year * 12 + row.month.month
            series.setdefault(f"{row.berichtsoort}, {row.agency}", []).append((place, value))
    points = [point for line in series.values() for point in line]
    if not points:
        return ""
    first, last = min(p for p, _ in points), max(p for p, _ in points)
    top = max(v for _, v in points) or 1.0
    title = say("sentences", "chart", language, unit="euro" if priced else "ms")

    def x(place: int) -> float:
        return _LEFT + (place - first) / max(1, last - first) * (_WIDTH - _LEFT - 20)

    def y(value: float) -> float:
        return 15 + (1 - value / top) * (_HEIGHT - _BOTTOM - 15)

    drawn, named = [], []
    for number, (name, line) in enumerate(sorted(series.items())):
        colour, dashes = _LINES[number % len(_LINES)]
        path = " ".join(f"{x(p):.1f},{y(v):.1f}" for p, v in line)
        look = f'stroke="{colour}" stroke-dasharray="{dashes}"'
        drawn.append(f'<polyline points="{path}" fill="none" stroke-width="2" {look}/>')
        drawn += [f'<circle cx="{x(p):.1f}" cy="{y(v):.1f}" r="3" fill="{colour}"/>'
                  for p, v in line]  # fmt: skip
        below = _HEIGHT + 18 * (number + 1)
        named.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + 30}" y1="{below}" y2="{below}" stroke-width="2"'
            f' {look}/><text x="{_LEFT + 40}" y="{below + 4}">{html.escape(name)}</text>'
        )
    axes = (
        f'<text x="0" y="20">{top:.3g}</text><text x="0" y="{_HEIGHT - _BOTTOM}">0</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 10}">{_month(first)}</text>'
        f'<text x="{_WIDTH - 20}" y="{_HEIGHT - 10}" text-anchor="end">{_month(last)}</text>'
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{_HEIGHT - _BOTTOM}" y2="{_HEIGHT - _BOTTOM}"'
        ' stroke="#777"/>'
    )
    height = _HEIGHT + 18 * (len(series) + 1)
    return (
        f'<svg role="img" aria-label="{html.escape(title)}" viewBox="0 0 {_WIDTH} {height}"'
        f' font-size="12"><title>{html.escape(title)}</title>'
        + axes + "".join(drawn) + "".join(named) + "</svg>"
    )  # fmt: skip


def _month(place: int) -> str:
    return f"{(place - 1) // 12}-{(place - 1) % 12 + 1:02}"
