"""One home with the demo taxonomies and one suite of checks for all tests here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.taxonomies.demo import install_demo
from openpoort.devkit.samples import samples
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.kinds import load
from openpoort.process.ports import Filing

Judge = Callable[..., tuple[Finding, ...]]
_IDENTITIES = {
    "Omzetbelasting": ("001000044B37", "BTW"),
    "OBSUP": ("001000044B37", "BTW"),
    "ICP": ("001000044B37", "Fi"),
    "Jaarrekening": ("90000044", "KvK"),
    "Jaarrekening-Kopie": ("90000044", "KvK"),
    "Aangifte_LH": ("001000044L01", "LHnr"),
}


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    install_demo(home)
    return home


@pytest.fixture(scope="session")
def suite(demo_home: Path) -> Iterator[Suite]:
    suite = open_suite(demo_home)
    yield suite
    suite.close()


@pytest.fixture(scope="session")
def judge(suite: Suite) -> Judge:
    """judge(kind, content=None, ...) -> findings of all checks on the sample or this content."""
    kinds, contents = load(), samples()

    def judge(
        kind: str,
        content: bytes | None = None,
        *,
        name: str | None = None,
        identity: tuple[str, str] | None = None,
        bijlagen: tuple[Document, ...] = (),
        only: tuple[str, ...] = ("structure", "filing", "plain", "xbrl"),
    ) -> tuple[Finding, ...]:
        data = contents[kind] if content is None else content
        suffix = ".xbrl" if b"2003/instance" in data[:2000] else ".xml"
        inhoud = Document("application/xml", name or f"{kind}{suffix}", data)
        who = Identiteit(*(identity or _IDENTITIES.get(kind, ("90000044", "KvK"))))
        return suite.run(Filing(kinds[kind], who, inhoud, bijlagen), only)

    return judge
