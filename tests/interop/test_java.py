"""Java: CXF from our WSDL and from the contract's, by their policy; what .NET asks, with WSS4J.

.NET Framework cannot be installed here: `WcfLike` sends what its proxies send and checks what
its binding checks, as far as that is known from the outside.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from openpoort.wire.names import ANONYMOUS, DS
from openpoort.wire.wus.services import AANLEVER
from tests.e2e.gateway import Gateway
from tests.interop.tools import BUILD, HERE, need, published, run, stores, told, wsdls

pytestmark = need("java", "mvn")


@pytest.fixture(scope="module")
def java(gateway: Gateway) -> list[str]:
    """The command that runs a client, built from the WSDL that the gateway serves now."""
    wsdls(gateway, BUILD / "wsdl")
    return built(BUILD / "wsdl", BUILD / "java")


def built(wsdl: Path, folder: Path) -> list[str]:
    where = (f"-Dwsdl.dir={wsdl}", f"-Dbuild.dir={folder}")
    run("mvn", "-B", "-q", *where, "package", cwd=HERE / "java")
    return ["java", "-cp", f"{folder / 'classes'}:{folder / 'lib'}/*", "openpoort.Main"]


def client(java: list[str], which: str, gateway: Gateway, folder: Path) -> dict[str, str]:
    stores(gateway, folder)
    sample = gateway.home / "samples" / "Omzetbelasting.xbrl"
    url = f"https://localhost:{gateway.port}"
    return told(run(*java, which, url, folder, sample))


def test_cxf_driven_by_our_policy(java: list[str], gateway: Gateway, tmp_path: Path) -> None:
    served(client(java, "cxf", gateway, tmp_path))


def test_cxf_driven_by_the_published_policy(gateway: Gateway, shared: Path, tmp_path: Path) -> None:
    """Its requests refer to the Timestamp twice."""
    published(shared / "data/wus/contract", BUILD / "published")
    java = built(BUILD / "published", BUILD / "java-published")
    served(client(java, "cxf", gateway, tmp_path))


def served(found: dict[str, str]) -> None:
    assert len(found["kenmerk"]) == 36
    assert found["statussen"] == "105,100,110,200,301,301,405,400,500"
    assert int(found["retour"]) > 100
    assert found["fault"] == "ALS100"
    assert "Bestaat_niet" in found["beschrijving"]
    assert found["statusfault"] == "STS100"


def test_wcf_shaped_request_and_the_checks_of_its_binding(
    java: list[str], gateway: Gateway, tmp_path: Path
) -> None:
    found = client(java, "wcf", gateway, tmp_path)
    assert (found["http"], len(found["kenmerk"])) == ("200", 36)
    # TripleDesRsa15: any other algorithm than these two is refused by .NET.
    assert found["signature"] == DS + "rsa-sha1"
    assert found["digests"] == DS + "sha1"
    assert found["signed"] == "Action,Body,MessageID,RelatesTo,Timestamp,To"
    assert found["timestamp"] == "1"
    # .NET dispatches on the reply action of the WSDL, whatever the request's spelling.
    assert found["action"] == AANLEVER.operations[0].response_action
    assert (found["relates"], found["to"]) == ("true", ANONYMOUS)
    # The DNS identity check compares the certificate's name with the address.
    assert "CN=localhost" in found["subject"]
    assert found["faultcode"] == "ALS100"
    assert found["faultaction"] == AANLEVER.operations[0].fault_action
    assert (found["faultrelates"], found["faultsecured"]) == ("true", "0")
