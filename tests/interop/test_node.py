"""JavaScript: the `soap` package signs, `xml-crypto` verifies, WSDL fetched over mutual TLS."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from openpoort.wire.names import SIGNATURE_URI
from tests.e2e.gateway import Gateway
from tests.interop.tools import BUILD, HERE, need, run, told

pytestmark = need("node", "npm")


@pytest.fixture(scope="module")
def node() -> Path:
    """A folder with the client and the packages of its lock file."""
    folder = BUILD / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(HERE / "node" / name, folder / name)
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
    return folder


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_soap_package_hands_in_and_follows(node: Path, gateway: Gateway, hash_name: str) -> None:
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    url = f"https://localhost:{gateway.port}"
    output = run("node", "client.mjs", url, gateway.home / "pki", sample, hash_name, cwd=node)
    found = told(output)
    assert len(found["kenmerk"]) == 36
    # The answer follows the request: SHA-1 for who asks with SHA-1.
    assert found["algorithm"] == SIGNATURE_URI[hash_name]
    assert found["signed"] == "6"
    assert found["statussen"] == "105,100,110,200,301,301,405,400,500"
    assert found["fault"] == "ALS100"
    assert "Bestaat_niet" in found["beschrijving"]
