"""Charts as inline SVG, readable without colour: hatching, labels in place, numbers in cells.

Deterministic: ids come from a fixed salt, no dates, the font that matplotlib carries itself. Each
chart has a title and a description for those who do not see it; its table stands beside it.
"""

from __future__ import annotations

import html
import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from weeg.markup import Html

_HATCHES = ("", "///", "...", "\\\\\\", "xx", "++", "oo", "--", "**", "||")
_GREYS = ("#f2f2f2", "#d0dbe8", "#b9c7a8", "#e8cfa3", "#c9b7cf", "#a9c9c6", "#dddddd", "#e3b9b0")
_LINES = ("-", "--", "-.", ":")
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_INK = "#1a1a1a"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "weeg",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 10,
    "text.parse_math": False,
    "hatch.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _INK,
    "text.color": _INK,
}


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: tuple[float, ...]


def stacked(
    name: str, title: str, about: str, rows: Sequence[str], parts: Sequence[Series],
    totals: Sequence[str], axis: str,
) -> Html:  # fmt: skip
    """One bar per row, one hatched part per series, each part with its number."""

    def draw(ax: Any) -> None:
        ends = [0.0] * len(rows)
        for index, part in enumerate(parts):
            bars = ax.barh(
                range(len(rows)), part.values, left=ends, height=0.62, label=part.name,
                color=_GREYS[index % len(_GREYS)], hatch=_HATCHES[index % len(_HATCHES)],
                edgecolor=_INK, linewidth=0.7,
            )  # fmt: skip
            for bar, value, start in zip(bars, part.values, ends, strict=True):
                if value >= 3:
                    middle = start + value / 2
                    _boxed(ax, middle, bar.get_y() + bar.get_height() / 2, f"{value:.0f}")
            ends = [end + value for end, value in zip(ends, part.values, strict=True)]
        for row, end in enumerate(ends):
            ax.text(end + 0.8, row, totals[row], va="center", fontweight="bold")
        _rows(ax, rows)
        ax.set_xlim(0, 100)
        ax.set_xlabel(axis)
        ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False,
                  handlelength=2.6, handleheight=1.4)  # fmt: skip

    return _svg(name, title, about, draw, height=1.6 + 0.62 * len(rows), top=0.75)


def heat(
    name: str, title: str, about: str, rows: Sequence[str], columns: Sequence[str],
    shares: Sequence[Sequence[float]], shown: Sequence[Sequence[str]], axis: str,
) -> Html:  # fmt: skip
    """A grid with the number in every cell; darker is more."""

    def draw(ax: Any) -> None:
        from matplotlib.patches import Rectangle

        for y, row in enumerate(shares):
            for x, share in enumerate(row):
                colour = "white" if share > 0.68 else _INK  # contrast of 4.5 : 1 either way
                grey = 1 - 0.8 * share
                ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=(grey,) * 3,
                                       edgecolor=_INK, linewidth=0.5))  # fmt: skip
                ax.text(x, y, shown[y][x], ha="center", va="center", color=colour)
        ax.set_xticks(range(len(columns)), columns)
        ax.set_yticks(range(len(rows)), _wrapped(rows))
        ax.set_xlim(-0.5, len(columns) - 0.5)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.tick_params(length=0)
        ax.set_xlabel(axis)

    return _svg(name, title, about, draw, height=1.0 + 0.6 * len(rows))


def tornado(
    name: str, title: str, about: str, rows: Sequence[str],
    weights: Sequence[tuple[float, float]], scores: Sequence[tuple[float, float]],
    lead: float, labels: tuple[str, str, str], axis: str,
) -> Html:  # fmt: skip
    """Per row the reach of the lead: plain bar for the weight, hatched bar for the scores."""

    def draw(ax: Any) -> None:
        for row, ((w0, w1), (s0, s1)) in enumerate(zip(weights, scores, strict=True)):
            named = labels if row == 0 else (None, None)
            ax.barh(row - 0.19, abs(w1 - w0), left=min(w0, w1), height=0.36, color="#d0dbe8",
                    edgecolor=_INK, linewidth=0.7, label=named[0])  # fmt: skip
            ax.barh(row + 0.19, abs(s1 - s0), left=min(s0, s1), height=0.36, color="white",
                    hatch="////", edgecolor=_INK, linewidth=0.7, label=named[1])  # fmt: skip
        ax.spines["left"].set_visible(False)
        ax.axvline(lead, color=_INK, linewidth=1.2, linestyle="--")
        ax.axvline(0, color=_INK, linewidth=1.8)
        low, high = ax.get_xlim()
        low = min(low, -0.12 * (high - low))
        ax.set_xlim(low, high)
        ax.text(0, -0.75, labels[2] + " ", ha="right", va="bottom", fontsize=9)
        _rows(ax, rows, width=44)
        ax.set_xlabel(axis)
        ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.04), ncols=2, frameon=False,
                  handlelength=2.6, handleheight=1.4)  # fmt: skip

    return _svg(name, title, about, draw, height=1.9 + 0.5 * len(rows), top=0.8, left=3.3)


def lines(
    name: str, title: str, about: str, years: Sequence[int], series: Sequence[Series],
    spans: Sequence[Sequence[tuple[float, float]]], axis: str,
) -> Html:  # fmt: skip
    """One line per series with its own stroke and mark, whiskers for the bandwidth."""

    def draw(ax: Any) -> None:
        count = len(series)
        for index, (one, span) in enumerate(zip(series, spans, strict=True)):
            # Side by side, so that whiskers of one year do not cover each other.
            at = [year + (index - (count - 1) / 2) * 0.12 for year in years]
            below = [v - low for v, (low, _) in zip(one.values, span, strict=True)]
            above = [high - v for v, (_, high) in zip(one.values, span, strict=True)]
            shade = ("#1a1a1a", "#4a6b8a", "#7a5a2a", "#5a7a3a")[index % 4]
            ax.errorbar(at, one.values, yerr=[below, above], label=one.name, color=shade,
                        linestyle=_LINES[index % len(_LINES)], marker=_MARKS[index % len(_MARKS)],
                        markersize=5, linewidth=1.4, elinewidth=0.7, capsize=2)  # fmt: skip
        ax.set_xticks(list(years), [str(year) for year in years])
        ax.set_ylim(bottom=0)
        ax.set_ylabel(axis)
        ax.grid(axis="y", color="#cccccc", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False,
                  handlelength=3.5)  # fmt: skip

    return _svg(name, title, about, draw, height=4.2, top=0.75, left=0.9)


def _boxed(ax: Any, x: float, y: float, label: str) -> None:
    """A number that stays readable on top of hatching."""
    box = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    ax.text(x, y, label, ha="center", va="center", fontsize=9, bbox=box)


def _rows(ax: Any, rows: Sequence[str], width: int = 26) -> None:
    ax.set_yticks(range(len(rows)), _wrapped(rows, width))
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()


def _wrapped(names: Sequence[str], width: int = 26) -> list[str]:
    return [textwrap.fill(name, width) for name in names]


def _svg(
    name: str, title: str, about: str, draw: Any, *, height: float, top: float = 0.2,
    left: float = 2.2,
) -> Html:  # fmt: skip
    import matplotlib as mpl
    from matplotlib.figure import Figure

    width, right, bottom = 8.6, 0.25, 0.55
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        ax = figure.add_axes(
            (left / width, bottom / height, (width - left - right) / width,
             (height - bottom - top) / height)
        )  # fmt: skip
        draw(ax)
        out = io.StringIO()
        figure.savefig(
            out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True
        )
    return _inline(out.getvalue(), name, title, about)


def _inline(svg: str, name: str, title: str, about: str) -> Html:
    """Only the element, ids with a prefix of their own, title and description in front."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"\s*<style[^>]*>.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    opening = re.match(r"<svg[^>]*>", svg)
    assert opening
    box = re.search(r'viewBox="([^"]+)"', opening[0])
    assert box
    head = (
        f'<svg class="chart" role="img" aria-labelledby="{name}-t {name}-d" viewBox="{box[1]}" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<title id="{name}-t">{html.escape(title)}</title>'
        f'<desc id="{name}-d">{html.escape(about)}</desc>'
    )
    return Html(head + svg[opening.end() :].strip())
