"""Every command with every wrong input: words and an exit code as the help says, no traceback."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import prometheus_client  # noqa: F401  # a late import would be read as nobody
import pytest
from click.testing import CliRunner, Result

from openpoort import telemetry
from openpoort.app.home import create
from openpoort.cli import main

NOBODY = 65534
KENMERK = "0b0e5a6e-7b0c-4b43-9d1e-2f3a4b5c6d7e"
VALUES = {
    "words": [KENMERK], "kenmerk": [KENMERK], "number": ["1"], "name": ["nothing"],
    "reason": ["because"], "berichtsoort": ["Omzetbelasting"], "out": ["{tmp}/out"],
    "belanghebbende": ["BTW:001000044B37"], "key": ["{tmp}/key.pem"], "cert": ["{tmp}/cert.pem"],
    "url": ["https://localhost:1"], "file": ["{tmp}/some.xml"], "path": ["{tmp}/some.xml"],
    "packages": ["{tmp}/some.zip"], "paths": ["{tmp}/some.xml"], "to": ["{tmp}/to"],
    "folder": ["{tmp}/some"], "target": ["{tmp}/target"],
}  # fmt: skip
LONG = {"demo", "chaos", "failover-drill", "simulate", "agreement", "conformance", "scale", "init"}
"""They make a folder of their own, or need none; benchmarks too."""
RUNS_ON = ("agency",)
"""With a HOME that is good it does not end."""
WRONG = ("", "nonsense", "\udcff", "x" * 5000, "/", "-1")
BROKEN = (
    "openpoort.toml", "directory.toml", "kinds/Eigen.toml", "pki/trust.toml", "pki/server.pem",
    "pki/server.key", "pki/checkpoint.key", "pki/checkpoint.pem", "pki/bedrijf.pem",
    "pki/bedrijf.key", "security.log", "run", "taxonomies", "kinds",
)  # fmt: skip


def leaves() -> dict[tuple[str, ...], click.Command]:
    found: dict[tuple[str, ...], click.Command] = {}

    def walk(group: click.Group, words: tuple[str, ...]) -> None:
        ctx = click.Context(group)
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            if isinstance(command, click.Group):
                walk(command, (*words, name))
            else:
                found[*words, name] = command

    walk(main, ())
    return found


LEAVES = leaves()
OF_HOME = [w for w in LEAVES if w[0] not in LONG | {"bench", "evidence", "restore"}] + [
    ("evidence", "export")
]
OF_HOME_AND_ENDS = [words for words in OF_HOME if words != RUNS_ON]
READS = [
    ("serve",), ("message", "list"), ("evidence", "export"), ("status",), ("party", "show"),
    ("balance",), ("retention",), ("taxonomy", "list"),
]  # fmt: skip
"""Between them they read every file of HOME."""


def options(command: click.Command) -> Iterator[tuple[str | None, str]]:
    """(flag or None for a place, name of the parameter) of all that take a value."""
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            yield None, str(parameter.name)
        elif isinstance(parameter, click.Option) and not parameter.is_flag:
            yield parameter.opts[-1], str(parameter.name)


def usual(command: click.Command, tmp: Path) -> list[str]:
    """Arguments that could be right, for what must be given."""
    words: list[str] = []
    for parameter in command.params:
        if parameter.required:
            given = [v.format(tmp=tmp) for v in VALUES[str(parameter.name)]]
            words += (
                given if isinstance(parameter, click.Argument) else [parameter.opts[-1], *given]
            )
    return ["2026-11-23" if w == KENMERK and command.name == "balance" else w for w in words]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME whose database does not answer: what gets that far ends there."""
    home = tmp_path_factory.mktemp("homes") / "whole"
    create(home)
    with (home / "openpoort.toml").open("a") as file:
        file.write('\n[database]\nurl = "host=/nowhere connect_timeout=1"\n')
    return home


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    for name in ("some.xml", "some.zip", "key.pem", "cert.pem"):
        (tmp_path / name).write_bytes(b"<not what/was asked for")
    return tmp_path


def told(*words: str) -> Result:
    """Run it; it must end as a command ends."""
    result = CliRunner(env={"OPENPOORT_DOOR_PORT": "0", "OPENPOORT_HEALTH_ENABLED": "false",
                            "OPENPOORT_AGENCY_DEMO": "false"}).invoke(main, words)  # fmt: skip
    telemetry.security_log(None)
    error = result.exception
    assert error is None or isinstance(error, SystemExit), (words, repr(error))
    assert result.exit_code in (0, 1, 2), (words, result.exit_code)
    assert "Traceback" not in result.output, words
    if result.exit_code:
        assert result.output.strip(), words
    return result


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere; a test about what may not be written asks as somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_home_that_is_none_is_wrong_input_to_every_command(tmp: Path) -> None:
    (tmp / "file").write_text("")
    (tmp / "empty").mkdir()
    for words in OF_HOME:
        for home in ("absent", "file", "empty"):
            if words[0] in ("check", "taxonomy", "diagnose", "progress") and home == "empty":
                continue  # by what is shipped; no taxonomies is the answer; nothing is known yet
            result = told(*words, *usual(LEAVES[words], tmp), "--home", str(tmp / home))
            right = (1, 2) if words == ("taxonomy", "add") else (2,)  # the package is no better
            assert result.exit_code in right, (words, home, result.output)
            shutil.rmtree(tmp / "absent", ignore_errors=True)


def test_a_folder_cannot_be_made_where_a_file_stands(tmp: Path) -> None:
    (tmp / "file").write_text("")
    for home in (tmp / "file", tmp / "file" / "below"):
        assert told("init", str(home)).exit_code == 2
        assert told("demo", "--home", str(home)).exit_code == 2


def test_a_home_without_write_permission_is_told_by_its_path(whole: Path, tmp: Path) -> None:
    """Read-only, and one that may not even be looked into."""
    for mode in (0o555, 0o700):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            shutil.copytree(whole, home)
            Path(folder).chmod(0o755)
            for path in (home, *home.rglob("*")):
                path.chmod(mode if path.is_dir() else 0o444)
            try:
                for words in OF_HOME_AND_ENDS:
                    asked = usual(LEAVES[words], tmp)
                    with as_nobody():
                        result = told(*words, *asked, "--home", str(home))
                    if words[0] in ("serve", "message", "work", "party"):
                        assert result.exit_code in (1, 2), (words, result.output)
            finally:
                for path in (home, *home.rglob("*")):
                    path.chmod(0o700)


@pytest.mark.parametrize("file", BROKEN)
def test_a_broken_file_under_home_is_told(whole: Path, tmp: Path, file: str) -> None:
    home = tmp / "home"
    shutil.copytree(whole, home)
    for content in (b"\xff\xfe\x00 = [", b"= nonsense\n", None):
        path = home / file
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.mkdir() if content is None else path.write_bytes(content)
        for words in READS:
            result = told(*words, *usual(LEAVES[words], tmp), "--home", str(home))
            if words == ("serve",) and file not in ("directory.toml", "security.log"):
                by = Path(file).name
                assert result.exit_code in (1, 2), (file, content, result.output)
                reads = file not in ("pki/checkpoint.pem", "pki/bedrijf.pem", "pki/bedrijf.key")
                if reads and not (content is None and file in ("run", "taxonomies", "kinds")):
                    assert by in result.output or "nowhere" in result.output, result.output


@pytest.mark.parametrize(
    "words",
    [w for w in LEAVES if w[0] not in ("bench", "agreement", "agency")],
    ids=" ".join,
)
def test_nonsense_for_any_word_or_option_is_told(
    whole: Path, tmp: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp)
    command = LEAVES[words]
    before = usual(command, tmp)
    home = ["--home", str(whole)] if words in OF_HOME else []
    for flag, name in options(command):
        if name in ("home", "home_option", "folder"):
            continue
        if words[0] in LONG and words[0] != "conformance":
            continue  # a number that happens to be right would run for minutes
        for wrong in WRONG:
            asked = [flag, wrong, *before] if flag else [*before[:-1], wrong]
            told(*words, *home, *asked)


def test_an_option_that_is_none_is_wrong_input_to_every_command() -> None:
    for words in LEAVES:
        assert told(*words, "--no-such-option").exit_code == 2


def test_a_day_that_has_not_come_has_no_closing_balance(whole: Path) -> None:
    result = told("balance", str(whole), "2999-01-01")
    assert result.exit_code == 2
    assert "has not come yet" in result.output


def test_a_state_that_does_not_exist_is_wrong_input(whole: Path) -> None:
    result = told("message", "list", str(whole), "--state", "finished")
    assert result.exit_code == 2
    assert "ended" in result.output


def test_every_command_understands_home_and_json_the_same_way() -> None:
    """`--home` always; as the first argument where there is no other; `--json` always."""
    for words, command in LEAVES.items():
        options = [p for p in command.params if isinstance(p, click.Option)]
        flags = {flag: option for option in options for flag in option.opts}
        assert {"--home", "--json"} <= flags.keys(), words
        places = [p for p in command.params if isinstance(p, click.Argument)]
        assert places or not flags["--home"].expose_value, words


def test_help_shows_all_commands_in_four_groups() -> None:
    lines = told("--help").output.splitlines()
    heads = ["Run a gateway:", "As a company:", "As its operator:", "Prove it:"]
    assert [line for line in lines if line in heads] == heads
    for words in LEAVES:
        assert any(line.split()[:1] == [words[0]] for line in lines), words
