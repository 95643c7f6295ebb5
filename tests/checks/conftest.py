"""One home with the demo taxonomies and one suite of checks for all tests here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openpoort.checks.suite import Suite, open_suite
from openpoort.checks.taxonomies.demo import install_demo
from openpoort.domain.finding import Finding
from openpoort.domain.ids import Identiteit
from openpoort.domain.kind import Kind
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import load
from openpoort.process.ports import Filing
from openpoort.sandbox.directory import BEDRIJF, identities
from openpoort.sandbox.samples import samples

Judge = Callable[..., tuple[Finding, ...]]


def _own(kind: Kind) -> Identiteit:
    """The company of the samples, in the first form in which this kind names it."""
    return next(i for i in identities(*BEDRIJF) if i.type == kind.identity_types[0])


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
        who = Identiteit(*identity) if identity else _own(kinds[kind])
        return suite.run(Filing(kinds[kind], who, inhoud, bijlagen), only)

    return judge
