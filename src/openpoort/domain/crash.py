"""What a log may say of an exception: where it was, which kind it is, and no value.

No locals, ever, and no message that others wrote: a database quotes the row in its DETAIL, a
parser what it could not parse, a KeyError its key. What is told comes from the program: names of
files and functions, an SQLSTATE and the names of table and constraint, an errno's words, and the
sentences of our own exceptions without what they quote and without long numbers.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from types import TracebackType

from openpoort.domain.fault import unquoted

_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{6,}(?![0-9A-Za-z])")
_LONGEST = 200
_CHAIN = 8
_FRAMES = 40


def said(error: BaseException) -> str:
    """One line: the type, and what may be told."""
    return f"{_type(error)}{_told(error)}"


def outline(error: BaseException) -> str:
    """`said` and the places it came through, innermost last, with its causes, first to last."""
    return "\n".join(_lines(error))


def plain(text: str) -> str:
    """A sentence that may quote somebody, without what it quotes and without long numbers."""
    return _NUMBER.sub("…", unquoted(text.partition("\n")[0]))[:_LONGEST]


def _lines(error: BaseException) -> Iterator[str]:
    chain = [error]
    while len(chain) < _CHAIN and (cause := _cause(chain[0])) is not None and cause not in chain:
        chain.insert(0, cause)
    for one in chain:
        yield said(one)
        yield from _places(one.__traceback__)


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _places(trace: TracebackType | None) -> Iterator[str]:
    frames = traceback.extract_tb(trace)  # file, line and name; never the locals
    for frame in frames[-_FRAMES:]:
        where = frame.filename.rpartition("/site-packages/")[2].rpartition("/src/")[2]
        yield f"  {where}:{frame.lineno} in {frame.name}"


def _type(error: BaseException) -> str:
    kind = type(error)
    room = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return room + kind.__qualname__


def _told(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    if state is None and type(error).__name__ == "OperationalError":
        return f": {plain(str(error))}"  # of the connection: no row was asked yet
    if state is not None or type(error).__module__.startswith("psycopg"):
        diag = getattr(error, "diag", None)
        names = (getattr(diag, n, None) for n in ("table_name", "column_name", "constraint_name"))
        return " ".join(["", *(str(word) for word in (state, *names) if word)])
    if isinstance(error, OSError):
        return f": {error.strerror}" if error.strerror else ""
    if type(error).__module__.partition(".")[0] == "openpoort":
        return f": {plain(str(error))}"
    return ""
