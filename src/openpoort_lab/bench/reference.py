"""The variant a careful team would write first, kept to compare with in the same run.

The same TLS server, but WS-Security by python-xmlsec and one commit for each message. It checks
no chain, no rights and no repeats and keeps no journal, which favours it. Never a product part.
Run as `python -m openpoort_lab.bench.reference HOME PORT DSN`.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import queue
import socket
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import uvloop
from lxml import etree

from openpoort.inbound.server import App, DoorServer, ServerLimits
from openpoort.inbound.tls import Certificates, HostCertificate

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSU, _WSSE = f"{_OASIS}wssecurity-utility-1.0.xsd", f"{_OASIS}wssecurity-secext-1.0.xsd"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_THREADS = 16
# By name: xmlsec is installed for development only, and its stubs miss half of it.
xmlsec: Any = importlib.import_module("xmlsec")


def _ids(root: Any, context: Any) -> None:
    for node in root.iter():
        if f"{{{_WSU}}}Id" in node.attrib:
            context.register_id(node, "Id", _WSU)


def verify(raw: bytes) -> tuple[str, bytes]:
    """Check the signature; returns the MessageID and the content, decoded."""
    root: Any = etree.fromstring(raw, etree.XMLParser(huge_tree=True, resolve_entities=False))
    token = root.find(f".//{{{_WSSE}}}BinarySecurityToken")
    context: Any = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        base64.b64decode(token.text), xmlsec.KeyFormat.CERT_DER, None
    )
    _ids(root, context)
    context.verify(root.find(f".//{{{_DS}}}Signature"))
    message = root.findtext(".//{http://www.w3.org/2005/08/addressing}MessageID")
    inhoud = next(n for n in root.iter() if isinstance(n.tag, str) and n.tag.endswith("}inhoud"))
    return message, base64.b64decode(inhoud.text)


def answer(key: Any, token: str, kenmerk: str, relates_to: str) -> bytes:
    """A signed answer, built and signed by xmlsec as a tree."""
    now = datetime.now(UTC)
    parts = {
        "To": "http://www.w3.org/2005/08/addressing/anonymous",
        "MessageID": f"uuid:{uuid.uuid4()}",
        "Action": "urn:reference",
        "RelatesTo": relates_to,
    }
    head = "".join(
        f'<wsa:{n} xmlns:wsa="http://www.w3.org/2005/08/addressing" u:Id="w_{n}">{v}</wsa:{n}>'
        for n, v in parts.items()
    )
    root: Any = etree.fromstring(
        f'<s:Envelope xmlns:s="{_SOAP}" xmlns:u="{_WSU}" xmlns:o="{_WSSE}"><s:Header><o:Security>'
        f'<u:Timestamp u:Id="w_t"><u:Created>{now:%Y-%m-%dT%H:%M:%SZ}</u:Created>'
        f"<u:Expires>{now + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}</u:Expires></u:Timestamp>"
        f'<o:BinarySecurityToken u:Id="w_b">{token}</o:BinarySecurityToken></o:Security>{head}'
        f'</s:Header><s:Body u:Id="w_body"><aanleverResponse><kenmerk>{kenmerk}</kenmerk>'
        "</aanleverResponse></s:Body></s:Envelope>"
    )
    transform: Any = xmlsec.constants
    signature = xmlsec.template.create(
        root, transform.TransformExclC14N, transform.TransformRsaSha256
    )
    root.find(f".//{{{_WSSE}}}Security").append(signature)
    context: Any = xmlsec.SignatureContext()
    context.key = key
    _ids(root, context)
    for part in ("w_t", *(f"w_{n}" for n in parts), "w_body"):
        reference = xmlsec.template.add_reference(
            signature, transform.TransformSha256, uri=f"#{part}"
        )
        xmlsec.template.add_transform(reference, transform.TransformExclC14N)
    context.sign(signature)
    return etree.tostring(root)


def _table(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "create table if not exists bench_reference_message"
            " (kenmerk uuid primary key, message_id text, raw bytea, content bytea, at timestamptz)"
        )
        conn.execute(
            "create table if not exists bench_reference_status"
            " (kenmerk uuid, code text, at timestamptz)"
        )


def application(dsn: str, key: Any, token: str) -> App:
    """The ASGI application; storing blocks in threads, one connection each."""
    threads = ThreadPoolExecutor(_THREADS)
    idle: queue.SimpleQueue[psycopg.Connection] = queue.SimpleQueue()
    for _ in range(_THREADS):
        idle.put(psycopg.connect(dsn, autocommit=True))

    def store(kenmerk: str, message: str, raw: bytes, content: bytes) -> None:
        conn = idle.get()
        try:
            with conn.transaction():
                conn.execute(
                    "insert into bench_reference_message values (%s, %s, %s, %s, now())",
                    (kenmerk, message, raw, content),
                )
                for code in ("105", "100", "110"):
                    conn.execute(
                        "insert into bench_reference_status values (%s, %s, now())",
                        (kenmerk, code),
                    )
        finally:
            idle.put(conn)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raw = bytearray()
        while True:
            part = await receive()
            raw += part.get("body", b"")
            if not part.get("more_body"):
                break
        message, content = verify(bytes(raw))
        kenmerk = str(uuid.uuid4())
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(threads, store, kenmerk, message, bytes(raw), content)
        body = answer(key, token, kenmerk, message)
        headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"text/xml")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def main(home: Path, port: int, dsn: str) -> None:
    """Serve until SIGTERM; prints `ready` when the port listens."""
    pki = home / "pki"
    certificates = Certificates(
        [HostCertificate(("localhost", "127.0.0.1"), pki / "server.pem", pki / "server.key")],
        [pki / "ca.pem"],
        lambda: datetime.now(UTC),
    )
    _table(dsn)
    key = xmlsec.Key.from_file(str(pki / "server.key"), xmlsec.KeyFormat.PEM)
    leaf = (pki / "server.pem").read_text().split("-----")[2].replace("\n", "")
    listener = socket.create_server(("127.0.0.1", port))
    server = DoorServer(application(dsn, key, leaf), certificates, ServerLimits())
    server.on_started = lambda: print("ready", flush=True)  # noqa: T201 - the parent waits for it
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
