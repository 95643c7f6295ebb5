"""HTTP: request line, fields, framing."""

from __future__ import annotations

from openpoort.wire.wus.services import AANLEVER
from openpoort_lab.dear.kit import Sender, filled, kind

_HEAD = 30_000  # octets; a door takes 32 KiB
_PATH = AANLEVER.path.encode()


@kind("http", "fields in the head")
def many_fields(s: Sender, octets: int) -> bytes:
    return s.post(b"x", b"text/xml", *[b"a%d: b" % n for n in range(4000)])


@kind("http", "one long field")
def long_field(s: Sender, octets: int) -> bytes:
    return s.post(b"x", b"text/xml", b"x-long: " + b"y" * _HEAD)


@kind("http", "long path")
def long_path(s: Sender, octets: int) -> bytes:
    return b"GET /" + filled(b"%41", _HEAD) + b" HTTP/1.1\r\nhost: localhost\r\n\r\n"


@kind("http", "long query")
def long_query(s: Sender, octets: int) -> bytes:
    return b"GET " + _PATH + b"?wsdl&" + b"q" * _HEAD + b" HTTP/1.1\r\nhost: localhost\r\n\r\n"


@kind("http", "WSDL asked")
def wsdl(s: Sender, octets: int) -> bytes:
    return b"GET " + _PATH + b"?wsdl HTTP/1.1\r\nhost: localhost\r\n\r\n"


@kind("http", "offer to upgrade")
def upgrade(s: Sender, octets: int) -> bytes:
    return s.post(b"x" * octets, b"text/xml", b"connection: upgrade", b"upgrade: h2c")


def _new(s: Sender) -> bytes:
    """A value that nobody has read before."""
    return b"text/xml; new=%d" % s.draw.getrandbits(60)


@kind("http", "semicolons in Content-Type")
def semicolons(s: Sender, octets: int) -> bytes:
    return s.post(b"x", _new(s) + b";" * _HEAD)


@kind("http", "parameters of Content-Type")
def parameters(s: Sender, octets: int) -> bytes:
    return s.post(b"x", _new(s) + b"".join(b"; a%d=b" % n for n in range(3000)))


@kind("http", "quotes in Content-Type")
def quotes(s: Sender, octets: int) -> bytes:
    return s.post(b"x", _new(s) + b'; charset="' + b'\\"' * (_HEAD // 2) + b'"')


@kind("http", "RFC 2231 in Content-Type")
def continued(s: Sender, octets: int) -> bytes:
    return s.post(b"x", _new(s) + b"".join(b"; a*%d*=%%41" % n for n in range(2000)))


def _chunked(s: Sender, coded: bytes) -> bytes:
    fields = (b"content-type: text/xml", b"transfer-encoding: chunked")
    return b"\r\n".join((b"POST " + _PATH + b" HTTP/1.1", b"host: a", *fields, b"", b"")) + coded


@kind("http", "chunks of 32 octets")
def small_chunks(s: Sender, octets: int) -> bytes:
    return _chunked(s, filled(b"20\r\n" + b"x" * 32 + b"\r\n", octets) + b"0\r\n\r\n")


@kind("http", "chunks of one octet")
def tiny_chunks(s: Sender, octets: int) -> bytes:
    return _chunked(s, filled(b"1\r\nx\r\n", octets) + b"0\r\n\r\n")


@kind("http", "chunk extensions")
def extensions(s: Sender, octets: int) -> bytes:
    return _chunked(s, filled(b"1;" + b"e" * 200 + b"\r\nx\r\n", octets) + b"0\r\n\r\n")


@kind("http", "trailers")
def trailers(s: Sender, octets: int) -> bytes:
    return _chunked(s, b"1\r\nx\r\n0\r\n" + filled(b"a: b\r\n", octets) + b"\r\n")


@kind("http", "one long trailer")
def long_trailer(s: Sender, octets: int) -> bytes:
    return _chunked(s, b"1\r\nx\r\n0\r\na: " + b"b" * octets + b"\r\n\r\n")
