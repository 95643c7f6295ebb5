"""A gateway whose answers are signed by a key that never leaves its token (SoftHSM)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg

from openpoort.app.home import create
from openpoort.domain.message import Aanlevering, Document
from openpoort.keys.pem import PemSigner
from openpoort.sandbox import pki
from openpoort.sandbox.directory import BEDRIJF, identities
from openpoort.settings import FILE
from openpoort.wire.wus.soap import open_signed
from tests.e2e.conftest import UNCHECKED
from tests.e2e.gateway import Gateway, until
from tests.softhsm import token


def test_answers_and_deliveries_are_signed_in_the_token(tmp_path: Path) -> None:
    """Two certificates: TLS from a file, signatures from the token, each of one purpose."""
    home = tmp_path / "home"
    create(home)
    keys = home / "pki"
    pki.two_certificates(keys, pki.load_issuer(keys), "server", datetime.now(UTC))
    signing = PemSigner(keys / "server-sign.pem", keys / "server-sign.key").certificate
    with token(keys, ("server-sign",)) as made:
        (keys / "server-sign.key").unlink()
        settings = (home / FILE).read_text()
        for key, value in (
            ("certificate", "pki/server-auth.pem"),
            ("key", "pki/server-auth.key"),
        ):
            old = value.replace("-auth", "")
            settings = settings.replace(f'{key} = "{old}"', f'{key} = "{value}"')
        settings = settings.replace(
            'key = "pki/server-auth.key"\n',
            'key = "pki/server-auth.key"\nsigning_certificate = "pki/server-sign.pem"\n'
            f'signing_key = "{made.key("object=server-sign")}"\n',
        )
        (home / FILE).write_text(settings)
        text = UNCHECKED.format(name="ZX", like="VAT", types='"BTW"', agency="DEMODIENST")
        (home / "kinds" / "ZX.toml").write_text(text)
        gateway = Gateway(home, made.environment).start()
        try:
            with gateway.client() as client:
                filing = Aanlevering(
                    "ZX",
                    identities(*BEDRIJF)[0],
                    "Bedrijf",
                    Document("text/xml", "a.xbrl", b"<a/>"),
                )
                kenmerk = client.aanleveren(filing).kenmerk
                until(lambda: "400" in [s.statuscode for s in client.statussen(kenmerk)])
            with psycopg.connect(gateway.dsn) as conn:
                row = conn.execute("select body from answer where kenmerk = %s", (kenmerk,))
                answers = [bytes(body) for (body,) in row]
        finally:
            gateway.stop()
    assert len(answers) == 1
    assert open_signed(answers[0]).token == signing
