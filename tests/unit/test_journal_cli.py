"""`openpoort journal` against a real HOME with its own database."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from openpoort.cli import main
from openpoort.domain.checkpoint import Checkpoint, pieces, sign
from openpoort.domain.journal import JournalEntry
from openpoort.sandbox import pki
from openpoort.store.journal import journal
from openpoort.store.sequencing import keep, utc_now
from openpoort_lab.figures.example import Example
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


KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
NOTES = [sign(Checkpoint("openpoort", n, bytes(32), utc_now()), KEY) for n in (5, 6, 7)]


def test_notes_are_read_back_from_the_file_of_copies(tmp_path: Path) -> None:
    for note in NOTES:
        keep(tmp_path / "copies", note)
    assert pieces((tmp_path / "copies").read_text()) == NOTES


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "as of before"])
def test_half_a_note_is_told_from_its_neighbours_wherever_it_was_cut(
    tmp_path: Path, closed: bool
) -> None:
    copies, whole = tmp_path / "copies", NOTES[1].encode()
    for length in range(1, len(whole)):
        for tail in (b"", b"\0" * 100):
            copies.write_bytes(f"{NOTES[0]}\n".encode() + whole[:length] + tail)
            if closed:
                keep(copies, NOTES[2])
            else:
                copies.write_bytes(copies.read_bytes() + NOTES[2].encode())
            found = pieces(copies.read_text(errors="replace"))
            assert [found[0], found[-1]] == [NOTES[0], NOTES[2]]
            assert all(NOTES[1].startswith(piece.rstrip()) for piece in found[1:-1])


def test_a_torn_copy_is_no_tampering_and_a_changed_one_is(home: Path, dsn: str) -> None:
    copies = home / "checkpoints.txt"
    run("checkpoint", str(home))
    with psycopg.connect(dsn) as conn:
        journal.add(conn, [JournalEntry("step", utc_now(), "gateway")])
    _, note = run("checkpoint", str(home))
    whole = copies.read_bytes()
    copies.write_bytes(whole[:-40])
    code, said = run("verify", str(home))
    assert code == 0
    assert "1 copy of a checkpoint was cut off in writing" in said
    copies.write_bytes(whole[:-40].replace(b"\n6\n", b"\n7\n"))
    code, said = run("verify", str(home))
    assert (code, said.split(":")[0]) == (1, "copy-changed")
    copies.write_bytes(whole[:-40])  # torn, and what it was torn from is gone from the database
    with psycopg.connect(dsn) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("delete from journal_checkpoint where size = 6")
    code, said = run("verify", str(home))
    assert (code, said.split(":")[0]) == (1, "copy-changed")
    assert note.startswith("openpoort\n6\n")


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
