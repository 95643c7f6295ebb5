"""A time-stamping authority for tests: RFC 3161 over HTTP, honest or wrong in one way a path.

`python -m openpoort.sandbox.tsa FOLDER` listens on loopback, prints `ready URL` and leaves
`tsa.pem` (its root) in FOLDER. POST to `/` gets an honest token; to `/NAME`, with one of `WAYS`,
what a broken or hostile TSA would send. Its keys live as long as the process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import ExtendedKeyUsageOID

from openpoort.sandbox import authority
from openpoort.sandbox.authority import Ca, Leaf, Usage
from openpoort.trust.timestamp import TimeStampResp

POLICY = "2.999.3161"
"""An OID of the arc for examples."""
STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)
WAYS = (
    "other-digest", "wrong-nonce", "no-nonce", "other-policy", "wrong-usage", "usage-not-critical",
    "two-usages", "expired", "other-root", "granted-with-mods", "rejected", "huge", "slow",
    "garbage", "changed", "clock-ahead", "sha1", "unnamed-certificate", "error",
)  # fmt: skip
"""Each a path, each wrong in that one way."""


class Tsa:
    """Answers time-stamp requests (DER in, DER out); `at` is when its authority was made."""

    def __init__(
        self, at: datetime, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.now = now
        self.root = Ca.root("openpoort test TSA root", at)
        issuing = self.root.intermediate("openpoort test TSA CA", at)
        wrong = Ca.root("another TSA root", at)
        key = authority.new_key()

        def leaf(ca: Ca = issuing, usage: Usage = Usage(extended=STAMPING, critical=True),  # noqa: B008
                 **life: Any) -> Leaf:  # fmt: skip
            return ca.leaf("openpoort test TSA", None, at, usage=usage, key=key, **life)

        day = timedelta(days=1)
        self.honest = leaf()
        self.signers: Mapping[str, Leaf] = {
            "wrong-usage": leaf(usage=authority.SERVICES),
            "usage-not-critical": leaf(usage=Usage(extended=STAMPING)),
            "two-usages": leaf(
                usage=Usage(extended=(*STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH), critical=True)
            ),
            "expired": leaf(not_before=at - 30 * day, not_after=at - day),
            "other-root": leaf(wrong),
        }

    def answer(self, request: bytes, way: str = "") -> bytes:
        """A TimeStampResp, wrong in `way` when that is one of `WAYS`."""
        asked = tsp.TimeStampReq.load(request, strict=True)
        if way == "rejected":
            status = {"status": "rejection", "fail_info": {"bad_request"}}
            refused: bytes = TimeStampResp({"status": status}).dump()
            return refused
        token = self._token(self._info(asked, way), self.signers.get(way, self.honest), way)
        granted = "granted_with_mods" if way == "granted-with-mods" else "granted"
        made: bytes = TimeStampResp(
            {"status": {"status": granted}, "time_stamp_token": token}
        ).dump()
        return made[:-1] + bytes([made[-1] ^ 1]) if way == "changed" else made

    def _info(self, asked: tsp.TimeStampReq, way: str) -> bytes:
        imprint = asked["message_imprint"].native
        if way == "other-digest":
            imprint["hashed_message"] = sha256(b"something else").digest()
        policy = asked["req_policy"].native or POLICY
        fields = {
            "version": "v1", "policy": "2.999.1" if way == "other-policy" else policy,
            "message_imprint": imprint, "serial_number": time.time_ns(),
            "gen_time": self.now() + timedelta(hours=2 if way == "clock-ahead" else 0),
        }  # fmt: skip
        if way != "no-nonce" and asked["nonce"].native is not None:
            fields["nonce"] = asked["nonce"].native + (way == "wrong-nonce")
        made: bytes = tsp.TSTInfo(fields).dump()
        return made

    def _token(self, info: bytes, signer: Leaf, way: str) -> cms.ContentInfo:
        name = "sha1" if way == "sha1" else "sha256"
        chosen = hashes.SHA1() if way == "sha1" else hashes.SHA256()  # noqa: S303 - a wrong TSA
        digest = hashes.Hash(chosen)
        digest.update(info)
        named = self.honest if way != "unnamed-certificate" else self.signers["other-root"]
        named = signer if way in self.signers else named
        certs = [
            {"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": sha256(named.der).digest()}
        ]
        attributes = cms.CMSAttributes([
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [digest.finalize()]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [{"certs": certs}]}),
        ])  # fmt: skip
        signature = signer.key.sign(attributes.dump(), padding.PKCS1v15(), chosen)
        chain = [
            asn1.Certificate.load(authority.der(c)) for c in (signer.certificate, *signer.chain)
        ]
        sid = cms.IssuerAndSerialNumber(
            {"issuer": chain[0].issuer, "serial_number": chain[0].serial_number}
        )
        algorithm = algos.DigestAlgorithm({"algorithm": name})
        info_of_signer = cms.SignerInfo({
            "version": "v1", "sid": cms.SignerIdentifier({"issuer_and_serial_number": sid}),
            "digest_algorithm": algorithm, "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"}, "signature": signature,
        })  # fmt: skip
        content = core.ParsableOctetString(info)
        return cms.ContentInfo({
            "content_type": "signed_data",
            "content": cms.SignedData({
                "version": "v3", "digest_algorithms": [algorithm],
                "encap_content_info": {"content_type": "tst_info", "content": content},
                "certificates": chain, "signer_infos": [info_of_signer],
            }),
        })  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    tsa: Tsa

    def do_POST(self) -> None:
        way = self.path.strip("/")
        request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if way == "error":
            self.send_error(503)
            return
        body = {"garbage": b"<html>", "huge": b"0" * 10_000_000}.get(way)
        body = body if body is not None else self.tsa.answer(request, way)
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if way != "slow":
            self.wfile.write(body)
            return
        for byte in body:  # each within any time-out between two bytes
            self.wfile.write(bytes([byte]))
            time.sleep(0.05)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # who asked hung up on a huge or slow answer: right so

    def log_message(self, format: str, *args: Any) -> None:
        return


def main() -> None:
    folder = Path(sys.argv[1])
    tsa = _Handler.tsa = Tsa(datetime.now(UTC).replace(microsecond=0))
    (folder / "tsa.pem").write_bytes(authority.pem(tsa.root.certificate))
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with ThreadingHTTPServer(("127.0.0.1", port), _Handler) as server:
        sys.stdout.write(f"ready http://127.0.0.1:{server.server_port}/\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
