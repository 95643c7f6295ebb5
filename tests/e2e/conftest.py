"""One gateway for the whole session: starting takes seconds, and users share one too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpoort.app.home import create
from tests import canary
from tests.e2e.gateway import Gateway

UNCHECKED = """
berichtsoort = "{name}"
title = "Like {like}, without the XBRL check: real filings need taxonomies we do not have"
identity_types = [{types}]
rollen = ["Bedrijf", "Intermediair"]
ontvanger = "{agency}"
extensions = [".xbrl", ".xml"]
attachments = "optional"
[[steps]]
name = "autorisatie"
kind = "authorise"
ok = "200"
[[steps]]
name = "structuur"
kind = "check"
ok = "301"
checks = ["structure"]
[[steps]]
name = "afleveren"
kind = "deliver"
ok = "400"
agencies = ["{agency}"]
[[steps]]
name = "terugkoppeling"
kind = "report"
ok = "500"
"""


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Served with two kinds of its own: OB_zonder_xbrl and JR_zonder_xbrl."""
    home = tmp_path_factory.mktemp("gateway") / "home"
    create(home)
    for name, like, types, agency in (
        ("OB_zonder_xbrl", "Omzetbelasting", '"BTW"', "DEMODIENST"),
        ("JR_zonder_xbrl", "Jaarrekening", '"KvK"', "DEMOREGISTER"),
    ):
        text = UNCHECKED.format(name=name, like=like, types=types, agency=agency)
        (home / "kinds" / f"{name}.toml").write_text(text)
    made = Gateway(home).start()
    yield made
    if made.process is not None:
        made.stop()
    leaks = canary.leaks_of(home)
    assert not leaks, f"a test of this session made the gateway write {leaks}"
