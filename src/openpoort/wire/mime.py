"""MIME around a message: content type, charset and MTOM/XOP (SOAP MTOM 1.0, XOP 1.0)."""

from __future__ import annotations


def unpack(body: bytes, content_type: str | None) -> bytes:
    """The XML octets of a request: MTOM parts inlined as base64, no byte order mark.

    Fault if the content type or charset is not ours or the MIME is broken.
    """
    raise NotImplementedError
