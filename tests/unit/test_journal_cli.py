"""`openpoort journal` against a real HOME with its own database."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner

from openpoort.cli import main
from openpoort.cli.journal import read_notes
from openpoort.devkit import pki
from openpoort.devkit.example import Example
from openpoort.domain.journal import JournalEntry
from openpoort.store import journal
from openpoort.store.sequencing import utc_now
from tests.evidence_kit import case


@pytest.fixture
def home(tmp_path: Path, dsn: str) -> Path:
    home = tmp_path / "home"
    (home / "pki").mkdir(parents=True)
    pki._checkpoint(home / "pki")
    (home / "openpoort.toml").write_text(f"[database]\nurl = {json.dumps(dsn)}\n")
    with psycopg.connect(dsn) as conn:
        journal.add(conn, [JournalEntry("step", utc_now(), "gateway") for _ in range(5)])
    return home


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["journal", *words])
    return result.exit_code, result.output


def test_checkpoint_then_verify_says_unchanged(home: Path) -> None:
    code, note = run("checkpoint", str(home))
    assert (code, note.split("\n")[:2]) == (0, ["openpoort", "5"])
    assert run("checkpoint", str(home)) == (0, note)
    code, said = run("verify", str(home))
    assert (code, said) == (
        0,
        "5 entries, 5 covered by 1 checkpoints, 0 time-stamps, 0 waiting: unchanged\n",
    )


def test_verify_names_a_changed_row_and_exits_with_1(home: Path, dsn: str) -> None:
    run("checkpoint", str(home))
    with psycopg.connect(dsn) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("update journal set entry = entry || ' ' where id = 3")
    code, said = run("verify", "--home", str(home), "--json")
    assert code == 1
    report = json.loads(said.splitlines()[-1])
    assert report["ok"] is False
    assert [p["what"] for p in report["problems"]] == ["row-changed"]


def test_verify_with_copies_finds_a_removed_checkpoint(home: Path, dsn: str) -> None:
    _, note = run("checkpoint", str(home))
    (home / "checkpoints.txt").write_text(note + "\n")
    with psycopg.connect(dsn) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("delete from journal_checkpoint")
    code, said = run("verify", str(home))
    assert code == 1
    assert said.startswith("checkpoint-removed: checkpoint of 5: ")


def test_verify_without_a_key_could_not_look(home: Path) -> None:
    (home / "pki" / "checkpoint.pem").write_text("no key")
    code, said = run("verify", str(home))
    assert code == 2
    assert "holds no Ed25519 public key" in said


def test_notes_are_read_back_from_the_file_of_copies() -> None:
    notes = ["o\n1\nx\n\n— o sig\n", "o\n2\ny\n\n— o sig\n"]
    assert read_notes("".join(f"{note}\n" for note in notes)) == notes


class Unsigned(Example):
    """A request that was taken in although another document was signed than is read."""

    __slots__ = ()

    @property
    def request(self) -> bytes:
        return super().request.replace(b">Bedrijf<", b">Intermediair<")


def test_verify_requests_names_what_was_taken_in_without_a_signature(home: Path, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        case().put(conn)
        wrong = case(UUID(int=7))
        Unsigned(wrong.at, wrong.sender, wrong.gateway, wrong.agency, wrong.tls, wrong.kenmerk).put(
            conn
        )
    run("checkpoint", str(home))
    code, said = run("verify", str(home), "--requests")
    assert code == 1
    assert f"request-unsigned: {UUID(int=7)}: its signature does not hold: De digest van" in said
    assert said.count("request-unsigned") == 1
    assert "request-unsigned" not in run("verify", str(home))[1]
