"""Packages: added once with suspicion, refused with reasons, several releases side by side."""

from __future__ import annotations

import io
import itertools
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from openpoort.checks.demo import build, describe, packages
from openpoort.checks.suite import open_suite
from openpoort.checks.taxonomies import package as limits
from openpoort.checks.taxonomies.package import PackageRefused, open_package
from openpoort.checks.taxonomies.registry import Registry
from openpoort.checks.xbrl.verify import verify
from openpoort.cli import main
from openpoort.domain.ids import Identiteit
from openpoort.domain.message import Document
from openpoort.process.flow.kinds import load
from openpoort.process.ports import Filing
from openpoort.sandbox.samples import omzetbelasting, samples

DEMO = packages()["demo-omzetbelasting"]
Change = Callable[[dict[str, bytes]], None]


def rezip(path: Path, change: Change = lambda files: None, data: bytes = DEMO) -> Path:
    """The demo package with its files changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {n: archive.read(n) for n in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def edit(name: str, old: str, new: str) -> Change:
    def change(files: dict[str, bytes]) -> None:
        (key,) = [k for k in files if k.endswith(name)]
        assert old.encode() in files[key]
        files[key] = files[key].replace(old.encode(), new.encode())

    return change


def drop(name: str) -> Change:
    def change(files: dict[str, bytes]) -> None:
        (key,) = [k for k in files if k.endswith(name)]
        del files[key]

    return change


def put(name: str, content: bytes) -> Change:
    return lambda files: files.__setitem__(name, content)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (drop("ob-types.xsd"), "the package lacks"),
        (drop("taxonomyPackage.xml"), "not a taxonomy package"),
        (drop("catalog.xml"), "maps no address"),
        (edit("catalog.xml", "../taxonomie/", "../../buiten/"), "out of the package"),
        (edit("catalog.xml", "../taxonomie/", "file:///etc/"), "out of the package"),
        (edit("catalog.xml", "../taxonomie/", "/etc/"), "out of the package"),
        (edit("ob-data.xsd", "ob-types.xsd", "http://weg.example/x.xsd"), "a link out of"),
        (edit("ob-data.xsd", "ob-types.xsd", "file:///etc/passwd"), "a link out of"),
        (edit("ob-data.xsd", "ob-types.xsd", "../../../../etc/passwd"), "a link out of"),
        (edit("ob-data.xsd", "<xs:schema ", "<!DOCTYPE x><xs:schema "), "DOCTYPE"),
        (edit("ob-data.xsd", "</xs:schema>", ""), "not well-formed"),
        (put("ob-20260101/../../x", b"x"), "points out of the package"),
        (put("/etc/passwd", b"x"), "points out of the package"),
        (put("ob-20260101/bom", b"\0" * 60_000_000), "a zip bomb"),
    ],
)
def test_broken_package_is_refused_with_its_reason(
    change: Change, reason: str, tmp_path: Path
) -> None:
    path = rezip(tmp_path / "ob.zip", change)
    with pytest.raises(PackageRefused) as refused:
        Registry(tmp_path / "home").add([path])
    assert any(reason in r for r in refused.value.reasons), refused.value.reasons
    assert Registry(tmp_path / "home").all() == []
    assert not list((tmp_path / "home" / "taxonomies").iterdir())


def test_package_with_a_hundred_thousand_files_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "veel.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"veel/{number}", b"")
    with pytest.raises(PackageRefused, match="100000 files"):
        open_package(path)


def test_links_and_encrypted_and_large_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rezip(tmp_path / "ob.zip")
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("ob-20260101/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    monkeypatch.setattr(limits, "MAX_FILE", 10_000)
    with pytest.raises(PackageRefused) as refused:
        open_package(path)
    assert any("a link instead of a file" in r for r in refused.value.reasons)
    assert any("at most 10000 are allowed" in r for r in refused.value.reasons)


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04 not a zip", b"x" * 1000])
def test_junk_is_no_package(junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(junk)
    with pytest.raises(PackageRefused, match="not a readable zip"):
        open_package(path)


def test_demo_taxonomies_are_the_same_bytes_each_time() -> None:
    assert packages() == packages()


@pytest.mark.parametrize("name", ["demo-omzetbelasting", "demo-jaarrekening"])
def test_demo_taxonomies_are_flawless_for_the_reference_processor(
    name: str, demo_home: Path
) -> None:
    taxonomy = Registry(demo_home).get(name)
    for entry in taxonomy.entries:
        assert verify(taxonomy.packages, entry) == ([], {})


def test_the_processor_refuses_a_formula_it_cannot_compile(tmp_path: Path) -> None:
    entry = "ob-rpt-ob-aangifte-2026-for.xml"
    path = rezip(tmp_path / "ob.zip", edit(entry, "$hoog + $laag", "$hoog + + ) $laag"))
    with pytest.raises(PackageRefused) as refused:
        Registry(tmp_path / "home").add([path], verify=verify)
    assert refused.value.reasons


def _later(year: str) -> bytes:
    """Another release of the demo at addresses inside the range of the first."""
    taxonomy = describe("omzetbelasting")
    taxonomy["base"] = f"http://taxonomie.openpoort.example/demo/ob/{year}0101"
    taxonomy["version"] = f"{year}0101"
    for report in taxonomy["report"]:
        report["entry"] = report["entry"].replace("2026", year)
    return build(taxonomy)


def test_releases_stand_side_by_side_although_their_addresses_overlap(tmp_path: Path) -> None:
    wide = edit("catalog.xml", "/demo/ob/20260101/", "/")
    move = edit("catalog.xml", "../taxonomie/", "../alles/")

    def overlap(files: dict[str, bytes]) -> None:
        wide(files)
        move(files)
        for name in [n for n in files if "/taxonomie/" in n]:
            files[name.replace("/taxonomie/", "/alles/demo/ob/20260101/")] = files.pop(name)

    later = tmp_path / "later.zip"
    later.write_bytes(_later("2027"))
    registry = Registry(tmp_path)
    registry.add([rezip(tmp_path / "ob.zip", overlap)], name="nu")
    registry.add([later], name="later")
    suite = open_suite(tmp_path)
    now = omzetbelasting()
    then = now.replace(b"20260101", b"20270101").replace(b"-2026.xsd", b"-2027.xsd")
    then = then.replace(b"2026-0", b"2027-0")
    try:
        for content in (now, then, now):
            document = Document("application/xml", "a.xbrl", content)
            kind = load()["Omzetbelasting"]
            filing = Filing(kind, Identiteit("001000044B37", "BTW"), document)
            assert suite.run(filing) == ()
    finally:
        suite.close()


def test_same_entry_point_cannot_be_installed_twice(demo_home: Path, tmp_path: Path) -> None:
    path = tmp_path / "ob.zip"
    path.write_bytes(DEMO)
    with pytest.raises(PackageRefused, match="already installed by demo-omzetbelasting"):
        Registry(demo_home).add([path], name="nog-eens")


def test_commands_add_list_show_check_remove(tmp_path: Path) -> None:
    path, home = rezip(tmp_path / "ob.zip"), str(tmp_path / "home")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["taxonomy", *words, "--home", home])
        return result.exit_code, result.output

    added = run("add", str(path), "--name", "ob", "--json")
    assert added[0] == 0
    assert json.loads(added[1].splitlines()[-1])["entrypoints"][0].endswith("icp-opgaaf-2026.xsd")
    assert [t["name"] for t in json.loads(run("list", "--json")[1])["taxonomies"]] == ["ob"]
    assert "ob-rpt-ob-aangifte-2026.xsd" in run("show", "ob")[1]
    (tmp_path / "home" / "taxonomies" / "ob" / "package-0.zip").write_bytes(_later("2027"))
    assert run("check", "ob")[0] == 1
    assert run("remove", "ob")[0] == 0
    assert run("show", "ob")[0] == 2
    refused = run("add", str(rezip(tmp_path / "x.zip", drop("ob-types.xsd"))), "--json")
    assert refused[0] == 1
    assert "the package lacks" in refused[1]


def test_check_command_says_verdict_by_exit_code_and_json(demo_home: Path, tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, dict[str, object]]:
        result = CliRunner().invoke(main, ["check", *words, "--json", "--home", str(demo_home)])
        return result.exit_code, json.loads(result.output.splitlines()[-1])

    good, bad = tmp_path / "goed.xbrl", tmp_path / "fout.xbrl"
    good.write_bytes(samples()["Omzetbelasting"])
    bad.write_bytes(samples()["Omzetbelasting"].replace(b">690<", b">691<"))
    said = {"file": "goed.xbrl", "valid": True, "findings": [], "xbrl": "index"}
    assert run(str(good)) == (0, said)
    assert run(str(good), "--no-index") == (0, {**said, "xbrl": "processor"})
    code, verdict = run(str(bad), "--kind", "Omzetbelasting", "--identity", "BTW:001000044B37")
    assert (code, verdict["valid"]) == (1, False)
    code, verdict = run(str(tmp_path))
    assert (code, verdict["valid"]) == (1, False)
    result = CliRunner().invoke(
        main, ["check", str(good), "--kind", "Weg", "--home", str(demo_home)]
    )
    assert result.exit_code == 2


@pytest.mark.parametrize(("start", "code"), [(b"%PDF-1.7", 0), (b"geen", 1)])
def test_check_command_takes_a_pdf_where_its_kind_does(
    demo_home: Path, tmp_path: Path, start: bytes, code: int
) -> None:
    path, home = tmp_path / "brief.pdf", str(demo_home)
    path.write_bytes(start)
    words = ["check", str(path), "--kind", "Servicebericht", "--home", home]
    assert CliRunner().invoke(main, words).exit_code == code


def test_check_command_shows_a_folder_as_a_table(demo_home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.xbrl").write_bytes(samples()["ICP"])
    (tmp_path / "b.xml").write_bytes(b"<a>")
    result = CliRunner().invoke(main, ["check", str(tmp_path), "--home", str(demo_home)])
    assert result.exit_code == 1
    assert "1 valid, 1 not valid, 0 could not be checked" in result.output


def test_check_command_says_who_judged_when_the_index_is_on(
    demo_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.xbrl").write_bytes(samples()["Omzetbelasting"])
    decimals = b'decimals="x">690'
    odd = samples()["Omzetbelasting"].replace(b'decimals="INF">690', decimals)
    (tmp_path / "b.xbrl").write_bytes(odd)
    (tmp_path / "c.xml").write_bytes(b"<a>")
    words = ["check", str(tmp_path), "--index", "--home", str(demo_home)]
    result = CliRunner().invoke(main, [*words, "--json"])
    value = json.loads(result.output.splitlines()[-1])
    assert [f.get("xbrl") for f in value["files"]] == ["index", "processor: decimals", None]
    assert value["routes"] == {"index": 1, "processor: decimals": 1}
    shown = CliRunner().invoke(main, words).output
    assert "XBRL judged by index: 1\n" in shown
    assert "XBRL judged by processor: decimals: 1\n" in shown


def test_an_installed_entry_point_without_a_kind_gets_the_default_checks(tmp_path: Path) -> None:
    hints = edit("openpoort.json", '"Omzetbelasting"', '"Heel_iets_anders"')
    registry = Registry(tmp_path)
    registry.add([rezip(tmp_path / "ob.zip", hints)], name="ob")
    good = tmp_path / "goed.xbrl"
    good.write_bytes(samples()["Omzetbelasting"])
    result = CliRunner().invoke(main, ["check", str(good), "--json", "--home", str(tmp_path)])
    verdict = json.loads(result.output.splitlines()[-1])
    assert (result.exit_code, verdict["valid"], verdict["xbrl"]) == (0, True, "index")
    (told,) = verdict["findings"]
    assert (told["code"], told["severity"]) == ("OP-4.08", "warning")
    assert "openpoort taxonomy add --kind BERICHTSOORT=http://taxonomie" in told["message"]
    asked = ["check", str(good), "--kind", "Omzetbelasting", "--json", "--home", str(tmp_path)]
    result = CliRunner().invoke(main, asked)
    codes = {f["code"] for f in json.loads(result.output.splitlines()[-1])["findings"]}
    assert (result.exit_code, codes) == (1, {"OP-4.02"})


@pytest.mark.parametrize("command", ["check", "list", "show", "recheck"])
@pytest.mark.parametrize("wrong", ["absent", "a file", "a name that is 'quoted', with commas"])
def test_a_home_that_is_not_there_is_said(command: str, wrong: str, tmp_path: Path) -> None:
    home = tmp_path / wrong
    if wrong == "a file":
        home.write_text("x")
    good = tmp_path / "goed.xbrl"
    good.write_bytes(samples()["Omzetbelasting"])
    words = {
        "check": ["check", str(good)],
        "list": ["taxonomy", "list"],
        "show": ["taxonomy", "show", "ob"],
        "recheck": ["taxonomy", "check"],
    }[command]
    result = CliRunner().invoke(main, [*words, "--home", str(home)])
    assert result.exit_code == 2
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert str(home) in result.output
    assert ("is no folder" if wrong == "a file" else "is not there") in result.output


def test_a_taxonomy_that_is_not_installed_is_a_finding(demo_home: Path, tmp_path: Path) -> None:
    other = tmp_path / "anders.xbrl"
    other.write_bytes(samples()["Omzetbelasting"].replace(b"aangifte-2026.xsd", b"weg-2026.xsd"))
    for words in ([], ["--kind", "Omzetbelasting"]):
        command = ["check", str(other), *words, "--json", "--home", str(demo_home)]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 1
        found = json.loads(result.output.splitlines()[-1])["findings"]
        (told,) = [f for f in found if f["code"] == "OP-4.01"]
        assert "Toegestaan is: http://taxonomie.openpoort.example/" in told["message"]


def test_adding_a_taxonomy_shows_progress_and_who_will_use_it(tmp_path: Path) -> None:
    package = rezip(tmp_path / "ob.zip", edit("openpoort.json", '"ICP"', '"Nog_niet"'))
    words = ["taxonomy", "add", str(package), "--unverified", "--home", str(tmp_path / "home")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert sum(line.startswith("reading http://taxonomie") for line in lines) >= 3
    used = dict(itertools.pairwise(lines))
    folder = "  http://taxonomie.openpoort.example/demo/ob/20260101/entrypoints/"
    assert used[f"{folder}ob-rpt-ob-aangifte-2026.xsd"] == "    used by Omzetbelasting"
    none = used[f"{folder}ob-rpt-icp-opgaaf-2026.xsd"]
    assert none.startswith("    used by no kind yet; name one with --kind KIND=http://")


def test_a_folder_names_its_files_with_their_subfolder(demo_home: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.xbrl").write_bytes(samples()["Omzetbelasting"])
    result = CliRunner().invoke(main, ["check", str(tmp_path), "--json", "--home", str(demo_home)])
    value = json.loads(result.output.splitlines()[-1])
    assert [f["file"] for f in value["files"]] == ["a/x.xbrl", "b/x.xbrl"]


@pytest.mark.parametrize("file", ["taxonomy.json", "outline-1.json"])
def test_a_damaged_installation_is_could_not_check_not_a_verdict(file: str, tmp_path: Path) -> None:
    Registry(tmp_path).add([rezip(tmp_path / "ob.zip")], name="ob")
    (tmp_path / "taxonomies" / "ob" / file).write_text("{")
    good = tmp_path / "goed.xbrl"
    good.write_bytes(samples()["Omzetbelasting"])
    result = CliRunner().invoke(main, ["check", str(good), "--json", "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert "cannot be read" in json.loads(result.output.splitlines()[-1])["failure"]


def test_home_may_be_a_relative_path(
    demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "goed.xbrl").write_bytes(samples()["Omzetbelasting"])
    monkeypatch.chdir(demo_home.parent)
    command = ["check", str(tmp_path / "goed.xbrl"), "--home", demo_home.name]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output


def test_relationships_that_no_check_looks_at_are_told(tmp_path: Path) -> None:
    arcs = "".join(
        f'<link:definitionArc xlink:type="arc" xlink:from="a" xlink:to="b" {use}'
        f' xlink:arcrole="http://www.xbrl.org/2003/arcrole/{name}"/>'
        for name, use in (("requires-element", ""), ("essence-alias", 'use="prohibited"'))
    )
    end = "</link:linkbase>"
    change = edit("ob-aangifte-2026-def.xml", end, arcs + end)
    package = rezip(tmp_path / "ob.zip", change)
    home = tmp_path / "home"
    words = ["taxonomy", "add", str(package), "--unverified", "--home", str(home)]
    result = CliRunner().invoke(main, words)
    assert "  1 relationships requires-element: not checked here" in result.output
    assert "essence-alias" not in result.output
    (known,) = Registry(home).all()
    assert known.unchecked == {"requires-element": 1}
