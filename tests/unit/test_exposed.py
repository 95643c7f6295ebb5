"""What a gateway says at the start when others can reach it and it is set up for trying out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openpoort.app import trusting
from openpoort.app.exposed import exposed
from openpoort.app.home import create
from openpoort.settings import Settings, load


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("exposed") / "home"
    create(home)
    return home


def told(settings: Settings, *bind: str) -> list[str]:
    settings = replace(settings, door=replace(settings.door, bind=list(bind)))
    return list(exposed(settings, trusting.anchors(settings)))


def test_nothing_is_said_while_only_this_machine_can_call(fresh: Path) -> None:
    assert told(load(fresh), "127.0.0.1", "::1", "localhost", "127.8.8.8") == []


@pytest.mark.parametrize("outside", ["0.0.0.0", "::", "192.0.2.7", "gateway.example"])  # not bound
def test_each_thing_for_trying_out_is_said_on_an_outside_address(fresh: Path, outside: str) -> None:
    authority, oins, switches = told(load(fresh), "127.0.0.1", outside)
    assert "private key lies beside its certificate" in authority
    assert "openpoort development" in authority
    assert "test_oins" in oins
    assert "switches.aansluit_suite" in switches


def test_each_is_said_apart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create(home)
    settings = load(home)
    settings = replace(settings, switches=replace(settings.switches, aansluit_suite=False))
    trust = home / "pki" / "trust.toml"
    trust.write_text(trust.read_text().replace("test_oins = true", "test_oins = false"))
    [authority] = told(settings, "::")
    assert "private key" in authority
    # Another name does not hide the key, and another folder does not hide the name.
    trust.write_text(trust.read_text().replace("openpoort development", "PKIoverheid"))
    [authority] = told(settings, "::")
    assert "'PKIoverheid'" in authority
    for key in ("ca.key", "intermediate.key"):
        (home / "pki" / key).unlink()
    assert told(settings, "::") == []
    trust.write_text(trust.read_text().replace("PKIoverheid", "openpoort development"))
    [authority] = told(settings, "::")
    assert "invented companies" in authority
