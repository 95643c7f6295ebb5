"""Building HTML from values: everything that is text is escaped, tables carry their headers."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import NewType

Html = NewType("Html", str)
"""Markup that may stand in the page as it is."""


def text(value: object) -> Html:
    return Html(html.escape(str(value)))


def join(parts: Iterable[Html], between: str = "") -> Html:
    return Html(between.join(parts))


def tag(name: str, *content: Html, **attributes: str) -> Html:
    """`tag("p", text("x"), class_="note")`; a last underscore falls off, others turn to -."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{pairs}>{''.join(content)}</{name}>")


def paragraph(value: str, **attributes: str) -> Html:
    return tag("p", text(value), **attributes)


def bullets(items: Iterable[str]) -> Html:
    rows = [tag("li", text(item)) for item in items]
    return tag("ul", *rows) if rows else Html("")


def table(
    caption: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str | Html]],
    *,
    numbers_from: int = 1,
    class_: str = "",
) -> Html:
    """The first cell of each row is its header; columns from `numbers_from` on stand right."""

    def cell(index: int, value: str | Html) -> Html:
        name = "th" if index == 0 else "td"
        extra = {"scope": "row"} if index == 0 else {}
        if index >= numbers_from:
            extra["class"] = "number"
        return tag(name, text(value), **extra)

    head = [
        tag("th", text(h), scope="col", **({"class": "number"} if i >= numbers_from else {}))
        for i, h in enumerate(header)
    ]
    body = [tag("tr", *(cell(i, v) for i, v in enumerate(row))) for row in rows]
    inner = tag("table", tag("caption", text(caption)), tag("thead", tag("tr", *head)),
                tag("tbody", *body), **({"class": class_} if class_ else {}))  # fmt: skip
    # Wide tables scroll by themselves, also from the keyboard, instead of widening the page.
    return tag("div", inner, class_="scroll", role="region", tabindex="0", aria_label=caption)


def section(anchor: str, title: str, *content: Html) -> Html:
    head = tag("h2", text(title), id=f"{anchor}-title")
    return tag("section", head, *content, id=anchor, aria_labelledby=f"{anchor}-title")
