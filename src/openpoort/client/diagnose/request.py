"""A raw request as somebody saved it: with or without HTTP around it, whole or not.

Lenient on purpose: it reads captures of proxies and logs, and says what it had to guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_REQUEST_LINE = re.compile(rb"(?P<method>[A-Z]{3,7}) (?P<target>\S+)(?: HTTP/1\.[01])?\r?\n")
_HEADER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[^\r\n]*\r?\n")


@dataclass(frozen=True, slots=True)
class Request:
    """Header names are in lower case. `method` is None for a bare body; `tls_leaf` is DER.
    `whole` is False when a door answered before it had read the body."""

    body: bytes = field(repr=False)
    method: str | None = None
    target: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    tls_leaf: bytes | None = field(default=None, repr=False)
    whole: bool = True

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


def read(data: bytes) -> Request:
    """Split a capture in request line, headers and body."""
    rest = data.lstrip(b"\r\n")
    line = _REQUEST_LINE.match(rest)
    method = target = None
    if line is not None:
        method, target = line["method"].decode(), line["target"].decode("latin-1")
        rest = rest[line.end() :]
    headers = []
    while match := _HEADER.match(rest):
        name, _, value = match[0].partition(b":")
        headers.append((name.decode("latin-1").lower(), value.decode("latin-1").strip()))
        rest = rest[match.end() :]
    if line is None and not headers:
        return Request(data)
    rest = re.sub(rb"\A\r?\n", b"", rest)
    if any(n == "transfer-encoding" and "chunked" in v.lower() for n, v in headers):
        rest = _dechunked(rest)
    return Request(rest, method, target, tuple(headers))


def _dechunked(data: bytes) -> bytes:
    """The content of chunks; the data as it is if it holds no chunks (a proxy removed them)."""
    parts = []
    rest = data
    while match := re.match(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n", rest):
        size = int(match[1], 16)
        if size == 0:
            break
        parts.append(rest[match.end() : match.end() + size])
        rest = rest[match.end() + size :].removeprefix(b"\r\n")
    return b"".join(parts) or data
