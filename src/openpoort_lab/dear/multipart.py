"""MIME: parts, their heads, their boundaries."""

from __future__ import annotations

from openpoort_lab.dear.kit import Sender, filled, kind

_XOP = b'multipart/related; type="application/xop+xml"; boundary="%s"'
_PARTS = 63


def _multipart(s: Sender, parts: list[bytes], boundary: bytes = b"b") -> bytes:
    line = b"\r\n--" + boundary
    body = line[2:] + b"\r\n" + (line + b"\r\n").join(parts) + line + b"--\r\n"
    return s.post(body, _XOP % boundary)


def _root(s: Sender) -> bytes:
    return b"content-type: application/xop+xml\r\n\r\n" + s.forge().sign().raw()


def _heads(s: Sender, octets: int, unit: bytes) -> bytes:
    head = filled(unit, min(8000, octets // _PARTS))
    return _multipart(
        s, [_root(s), *[b"content-id: <%d>\r\n" % n + head + b"\r\nx" for n in range(_PARTS)]]
    )


@kind("mime", "fields in the head of parts")
def many_fields(s: Sender, octets: int) -> bytes:
    return _heads(s, octets, b"a: b\r\n")


@kind("mime", "folded lines in the head of parts")
def folded(s: Sender, octets: int) -> bytes:
    return _heads(s, octets, b"a:\r\n \t \t \t \t b\r\n")


@kind("mime", "blanks in a folded line")
def blanks(s: Sender, octets: int) -> bytes:
    return _heads(s, octets, b"a:\r\n" + b" " * 2000 + b"b\r\n")


@kind("mime", "semicolons in the type of the first part")
def semicolons(s: Sender, octets: int) -> bytes:
    new = b"; new=%d" % s.draw.getrandbits(60)
    head = b"content-type: application/xop+xml" + new + b";" * 8000
    return _multipart(s, [head + b"\r\n\r\n<a/>"])


@kind("mime", "heads without end")
def endless_head(s: Sender, octets: int) -> bytes:
    return _multipart(s, [b"a: " + b"b" * octets])


@kind("mime", "boundaries that almost match")
def almost(s: Sender, octets: int) -> bytes:
    boundary = b"-" * 69 + b"b"
    return _multipart(s, [_root(s), b"\r\n\r\n" + filled(b"\r\n" + b"-" * 71, octets)], boundary)


@kind("mime", "too many parts")
def many_parts(s: Sender, octets: int) -> bytes:
    return _multipart(s, [b"content-id: <%d>\r\n\r\nx" % n for n in range(octets // 30)])


@kind("mime", "base64 with line breaks in a part")
def coded(s: Sender, octets: int) -> bytes:
    head = b"content-id: <1>\r\ncontent-transfer-encoding: base64\r\n\r\n"
    return _multipart(s, [_root(s), head + filled(b"QQ\r\n", octets)])


@kind("mime", "includes of parts that are not there")
def includes(s: Sender, octets: int) -> bytes:
    xop = b'<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:%d"/>'
    rows = b"".join(b"<b>" + xop % n + b"</b>" for n in range(min(octets // 90, 490)))
    return _multipart(s, [b"content-type: application/xop+xml\r\n\r\n<a>" + rows + b"</a>"])
