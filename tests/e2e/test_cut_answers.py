"""What a "nieuwe" operation answers over the wire, as many octets as an old client reads."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Operatie, Vraag
from openpoort.keys.pem import PemSigner
from openpoort.outbound.http import Https, tls_context
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.seal import seal_request
from openpoort.wire.wus.services import STATUSINFORMATIE
from tests.e2e.gateway import Gateway, until, vat_return

BTW = Identiteit("001000044B37", "BTW")


def test_the_body_of_a_cut_answer_is_almost_64_kib_and_never_more(gateway: Gateway) -> None:
    with gateway.client() as client:
        kenmerken = [
            client.aanleveren(vat_return(b"<a/>", berichtsoort="OB_zonder_xbrl")).kenmerk
            for _ in range(30)
        ]
        until(lambda: len(client.statussen(kenmerken[-1])) > 6)
    vraag = Vraag(Operatie.NIEUWE_STATUSSEN, berichtsoort="OB_zonder_xbrl", belanghebbende=BTW)
    operation = next(o for o in STATUSINFORMATIE.operations if o.name == vraag.operatie)
    url = f"https://localhost:{gateway.port}{STATUSINFORMATIE.path}"
    pki = gateway.home / "pki"
    certificate, private = pki / "bedrijf.pem", pki / "bedrijf.key"
    http = Https(tls_context(certificate, private, pki / "ca.pem"))
    sizes = []
    while True:
        raw = seal_request(
            koppelvlak.write(vraag),
            to=url,
            action=operation.action,
            message_id=f"urn:uuid:{uuid.uuid4()}?a=1&b=2",
            created=datetime.now(UTC),
            signer=PemSigner(certificate, private),
        )
        answer = http.post(url, raw, {"Content-Type": "text/xml; charset=utf-8"})
        assert answer.status == 200
        if b"<StatusResultaat>" not in answer.body:
            break
        sizes.append(len(answer.body))
    http.close()
    assert len(sizes) > 1
    assert max(sizes) <= 65_536
    assert min(sizes[:-1]) > 60_000
