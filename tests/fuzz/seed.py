"""Write the saved corpus anew: python -m tests.fuzz.seed (the keys are new each time)."""

from __future__ import annotations

from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER, SERVICES
from openpoort_lab.forge import Forge
from tests.fuzz.mutate import CORPUS
from tests.wire_kit import HOST, NOW, aanlevering, key, request


def main() -> None:
    CORPUS.mkdir(exist_ok=True)
    for service in SERVICES.values():
        for hash_name in ("sha1", "sha256"):
            forge = Forge(key(), NOW, service, hash_name, HOST + service.path)
            (CORPUS / f"{service.name}-{hash_name}.xml").write_bytes(forge.sign().raw())
    to = HOST + AANLEVER.path
    lists = Forge(key(), NOW, AANLEVER, "sha256", to)
    lists.sign(prefixes=["wsa", "#default"], info_prefixes=["wsse"])
    bare = Forge(key(), NOW, AANLEVER, "sha256", to)
    bare.security.remove(bare.token)
    bare.sign(key_info=bare.x509_data())
    raw = request(koppelvlak.write(aanlevering(b"<xbrl/>" * 1000)))
    part = b"--grens\r\nContent-Type: application/xop+xml\r\nContent-ID: <r>\r\n\r\n"
    files = {
        "prefix-lists.xml": lists.raw(),
        "x509data.xml": bare.raw(),
        "long-content.xml": raw,
        "sealed.xml": request(),
        "multipart": part + request() + b"\r\n--grens--\r\n",
    }
    for name, content in files.items():
        (CORPUS / name).write_bytes(content)


if __name__ == "__main__":
    main()
