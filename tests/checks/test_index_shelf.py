"""Indexes on disk: made once, never trusted when damaged or of something else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from openpoort.checks.document import read
from openpoort.checks.index import compiled
from openpoort.checks.index.compiled import Damaged
from openpoort.checks.index.judge import MOST
from openpoort.checks.index.shelf import FOLDER, Shelf
from openpoort.checks.index.undecided import Undecided
from openpoort.checks.suite import open_suite
from openpoort.checks.taxonomies.installed import Installed
from openpoort.checks.taxonomies.registry import Registry
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import load
from openpoort.process.ports import CheckUnavailable, Filing
from openpoort.sandbox.samples import omzetbelasting

ENTRY = (
    "http://taxonomie.openpoort.example/demo/ob/20260101/entrypoints/ob-rpt-ob-aangifte-2026.xsd"
)
OB = omzetbelasting()


@pytest.fixture(scope="module")
def compiled_home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the index of the VAT return on disk."""
    home = tmp_path_factory.mktemp("compiled") / "home"
    shutil.copytree(demo_home, home)
    shutil.rmtree(taxonomy(home).folder / FOLDER, ignore_errors=True)
    assert Shelf().get(taxonomy(home), ENTRY) is not None
    return home


@pytest.fixture
def home(compiled_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(compiled_home, tmp_path / "home"))


def taxonomy(home: Path) -> Installed:
    found = Registry(home).find(ENTRY)
    assert found is not None
    return found


def kept(home: Path) -> list[Path]:
    return sorted((taxonomy(home).folder / FOLDER).iterdir())


def test_an_index_is_made_once_and_read_by_the_next_process(home: Path) -> None:
    shelf = Shelf()
    index = shelf.get(taxonomy(home), ENTRY)
    assert index is not None
    assert shelf.made == 0
    assert len(kept(home)) == 1
    assert len(index.items) == 24
    assert {a.name for a in index.assertions} >= {"ob-totaal", "ob-5a-som", "ob-1a-tarief"}


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\x00" * 100,
        compiled.seal({"key": "another"}),
        compiled.seal({"key": "k"})[:-1],
        compiled.seal({"key": "k"}).replace(b'"k"', b'"l"'),
    ],
    ids=["empty", "zeros", "another", "cut", "changed"],
)
def test_what_is_not_as_it_was_written_is_damaged(damaged: bytes) -> None:
    with pytest.raises(Damaged):
        compiled.unseal(damaged, "k")


def test_a_damaged_index_is_made_again(home: Path) -> None:
    """One word of one name: the file is still good JSON, and would judge otherwise."""
    (file,) = kept(home)
    good = file.read_bytes()
    file.write_bytes(good.replace(b'"ob-totaal"', b'"ob-totaat"'))
    shelf = Shelf()
    assert shelf.get(taxonomy(home), ENTRY) is not None
    assert shelf.made == 1
    assert file.read_bytes() == good


def test_other_packages_and_another_compiler_are_another_index(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package,) = taxonomy(home).packages
    package.write_bytes(package.read_bytes() + b"\n")
    shelf = Shelf()
    shelf.get(taxonomy(home), ENTRY)
    assert shelf.made == 1
    monkeypatch.setattr(compiled, "VERSION", compiled.VERSION + 1)
    shelf = Shelf()
    shelf.get(taxonomy(home), ENTRY)
    assert shelf.made == 1
    assert len(kept(home)) == 3


def test_a_home_that_cannot_be_written_keeps_its_index_in_memory(home: Path) -> None:
    folder = taxonomy(home).folder / FOLDER
    shutil.rmtree(folder)
    folder.write_text("no folder")
    shelf = Shelf()
    assert shelf.get(taxonomy(home), ENTRY) is shelf.get(taxonomy(home), ENTRY) is not None
    assert shelf.made == 1


def test_without_an_index_the_processor_is_asked(home: Path) -> None:
    """A package that was broken on disk: neither can read it, and neither judges by the old."""
    suite = open_suite(home, index=True)
    try:
        filing = Filing(
            load()["Omzetbelasting"],
            Identiteit("001000044B37", "BTW"),
            Document("application/xml", "ob.xbrl", OB.replace(b">690<", b">691<")),
        )
        found = taxonomy(home)
        suite.pool.holder(found.packages, ENTRY)
        found.packages[0].write_bytes(b"no zip any more")
        with pytest.raises(CheckUnavailable, match="not a taxonomy package"):
            suite.run(filing, ["xbrl"])
        assert suite.routes.counts() == {"processor: no index": 1}
    finally:
        suite.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (OB.replace(b"</xbrli:xbrl>", b" " * MOST + b"</xbrli:xbrl>"), "size"),
        (OB.replace(b">690<", b">" + b"9" * 5000 + b"<"), "formula over a wrong fact"),
        (OB.replace(b"<xbrli:period>", b"<xbrli:period>" + b"<a>" * 50 + b"</a>" * 50), "context"),
        (OB.replace(b'"Msg">A.B.', b'"' + b"M" * 9999 + b' ">A.B.'), "reference"),
    ],
    ids=["size", "number", "deep", "name"],
)
def test_nasty_instances_are_left_to_the_process_with_limits(
    content: bytes, reason: str, home: Path
) -> None:
    root = read(content).root
    assert root is not None
    with pytest.raises(Undecided) as undecided:
        Shelf().judge(taxonomy(home), ENTRY, root, content)
    if reason != "context":
        assert str(undecided.value) == reason


def test_an_instance_just_under_the_limit_is_judged_here(home: Path) -> None:
    text = b"<ob-i:ContactInitials contextRef='Msg'>A.B.</ob-i:ContactInitials>"
    content = OB.replace(b"</xbrli:xbrl>", text * 12000 + b"</xbrli:xbrl>")
    assert 700_000 < len(content) <= MOST
    root = read(content).root
    assert root is not None
    assert Shelf().judge(taxonomy(home), ENTRY, root, content) == []
