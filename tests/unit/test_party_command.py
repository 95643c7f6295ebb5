"""`openpoort party`: differences shown, applied, proposed; four eyes; events and journal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from openpoort.cli import main
from openpoort.domain.ids import Oin
from openpoort.domain.partyfile import read
from openpoort.process.flow.kinds import SHIPPED
from openpoort.sandbox.directory import default
from openpoort.sandbox.pki import OINS
from openpoort.store.directory import directory
from openpoort.store.directory.revocation import Observed

BSN = "123456782"
NOW = datetime.now(UTC)


class Home:
    """A HOME on an empty database, and commands run in it."""

    def __init__(self, path: Path, dsn: str, more: str = "") -> None:
        self.path, self.dsn, self.file = path, dsn, path / "directory.toml"
        (path / "openpoort.toml").write_text(f'{more}\n[database]\nurl = "{dsn}"\n')
        self.file.write_text(default())

    def run(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(main, ["party", *words, "--home", str(self.path)])
        assert done.exit_code == code, done.output
        return done

    def last(self, *words: str) -> dict[str, object]:
        made: dict[str, object] = json.loads(
            self.run(*words, "--json").stdout.strip().splitlines()[-1]
        )
        return made

    def events(self) -> list[dict[str, str]]:
        lines = (self.path / "security.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def journal(self) -> list[str]:
        with psycopg.connect(self.dsn) as conn:
            rows = conn.execute("select entry from journal order by id").fetchall()
        return [bytes(r[0]).decode() for r in rows]

    def version(self) -> int:
        with psycopg.connect(self.dsn) as conn:
            return directory.version(conn)


@pytest.fixture
def home(tmp_path: Path, dsn: str) -> Home:
    return Home(tmp_path, dsn)


@pytest.fixture
def strict(tmp_path: Path, dsn: str) -> Home:
    return Home(tmp_path, dsn, "[parties]\nfour_eyes = true")


def test_dry_run_shows_and_changes_nothing(home: Home) -> None:
    done = home.run("apply", str(home.file), "--dry-run")
    assert "+ party 00000099001000044000 Voorbeeldbedrijf B.V." in done.output
    assert home.version() == 0
    assert home.journal() == []


def test_apply_then_show_then_apply_changes_nothing(home: Home, tmp_path: Path) -> None:
    assert home.last("apply", str(home.file))["applied"] is True
    shown = tmp_path / "shown.toml"
    shown.write_text(home.run("show").output)
    assert "{agency_port}" in read(shown.read_text()).agency("DEMODIENST").endpoint
    assert home.last("apply", str(shown))["changes"] == []
    assert home.version() == 1


def test_show_of_one_party_leaves_the_others_out(home: Home) -> None:
    home.run("apply", str(home.file))
    text = home.run("show", OINS["bedrijf"]).output
    assert "Voorbeeldbedrijf" in text
    assert "Voorbeeldkantoor" not in text
    home.run("show", "00000099999999999999", code=1)


def test_a_part_of_the_directory_is_never_applied(home: Home, tmp_path: Path) -> None:
    home.run("apply", str(home.file))
    part = tmp_path / "part.toml"
    part.write_text("# voor Anna\n" + home.run("show", OINS["bedrijf"]).output)
    assert "would remove all the rest" in home.run("apply", str(part), code=2).stderr
    assert home.version() == 1


def test_a_stale_file_is_refused_and_the_colleague_named(home: Home, tmp_path: Path) -> None:
    home.run("apply", str(home.file), "--as", "anna")
    mine, hers = tmp_path / "mine.toml", tmp_path / "hers.toml"
    for file in (mine, hers):
        file.write_text(home.run("show").output)
    hers.write_text(hers.read_text().replace("Voorbeeldbedrijf", "Nieuwbedrijf"))
    home.run("apply", str(hers), "--as", "bea")
    mine.write_text(mine.read_text().replace("Voorbeeldkantoor", "Kantoor"))
    for words in (("--dry-run",), ("--propose",), ()):
        refused = home.run("apply", str(mine), *words, code=1).stderr
        assert "from version 1 of the directory, which is at 2, changed by bea" in refused
    assert "Nieuwbedrijf" in home.run("show").output


def test_an_applied_file_says_its_new_version_and_can_be_applied_again(
    home: Home, tmp_path: Path
) -> None:
    home.run("apply", str(home.file))
    file = tmp_path / "shown.toml"
    file.write_text(home.run("show").output)
    for name in ("Een", "Twee"):
        file.write_text(file.read_text().replace("Voorbeeldbedrijf", name).replace("Een", name))
        home.run("apply", str(file))
    assert file.read_text().startswith("# version 3\n")
    assert home.version() == 3


def test_a_file_that_names_nobody_needs_to_be_meant(home: Home) -> None:
    home.run("apply", str(home.file))
    home.file.write_text("")
    assert "--remove-all" in home.run("apply", str(home.file), code=2).stderr
    home.run("apply", str(home.file), "--dry-run", code=2)
    home.run("apply", str(home.file), "--propose", code=2)
    assert home.version() == 1
    home.run("apply", str(home.file), "--remove-all")
    assert "[[party]]" not in home.run("show").output


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kinds = ["*"]', 'kinds = ["Omzetbelsting"]', "unknown kind 'Omzetbelsting'"),
        ('rollen = ["Bedrijf"]', 'rollen = ["bedrijf"]', "unknown role 'bedrijf'"),
        ('"RSIN:001000044"', '"RSN:001000044"', "unknown type of identity 'RSN'"),
        ('belanghebbende = "RSIN:', 'belanghebbende = "RSN:', "unknown type of identity 'RSN'"),
        (
            'holder = "00000099002000055000"', 'holder = "00000099002000055001"',
            "the holder 00000099002000055001 is no party",
        ),
        ('status_kinds = ["*"]', 'status_kinds = ["ICQ"]', "unknown kind 'ICQ'"),
        ('return_kinds = ["*"]', 'return_kinds = ["ICQ"]', "unknown kind 'ICQ'"),
    ],
)  # fmt: skip
def test_a_word_that_nothing_answers_to_is_refused(
    home: Home, old: str, new: str, says: str
) -> None:
    assert old in home.file.read_text()
    home.file.write_text(home.file.read_text().replace(old, new, 1))
    assert says in home.run("apply", str(home.file), code=2).stderr
    assert home.version() == 0


def test_a_kind_that_was_taken_away_stops_no_other_change(home: Home) -> None:
    kind = home.path / "kinds" / "Eigen.toml"
    kind.parent.mkdir()
    shipped = (SHIPPED / "ICP.toml").read_text()
    kind.write_text(shipped.replace('berichtsoort = "ICP"', 'berichtsoort = "Eigen"'))
    home.file.write_text(default().replace('kinds = ["*"]', 'kinds = ["Eigen"]', 1))
    home.run("apply", str(home.file))
    kind.unlink()
    home.file.write_text(home.file.read_text().replace("Voorbeeldkantoor", "Kantoor"))
    home.run("apply", str(home.file))
    assert home.version() == 2


def test_apply_names_mandates_that_hang_in_the_air_and_shared_identities(home: Home) -> None:
    text = default().replace('identities = ["BTW:002000040B37"', 'identities = ["BTW:001000044B37"')
    gone = text.split("[[")
    home.file.write_text("[[".join(t for t in gone if "Voorbeeldadministratie" not in t))
    home.file.write_text(home.file.read_text().replace(
        'holder = "00000099003000088000"', 'holder = "00000099002000055000"'))  # fmt: skip
    warnings = home.last("apply", str(home.file))["warnings"]
    assert isinstance(warnings, list)
    assert sum("who passed it on is no party" in w for w in warnings) == 5
    (shared,) = [w for w in warnings if "each may act for it" in w]
    assert "Voorbeeldbedrijf B.V." in shared
    assert "Voorbeeldkantoor B.V." in shared
    assert "001000044" not in shared.replace("00000099001000044000", "")


def test_pending_names_whose_mandate_it_is(strict: Home) -> None:
    mandate = (
        '\n[[mandate]]\nbelanghebbende = "BTW:001000044B37"\nholder = "00000099002000055000"\n'
        'kinds = ["ICP"]\n'
    )
    strict.file.write_text(default() + mandate)
    strict.run("apply", str(strict.file), "--as", "anna")
    masked = strict.run("pending").output
    assert "+ mandate BTW:…B37 (Voorbeeldbedrijf B.V.) to 00000099002000055000 (" in masked
    assert "001000044B37" not in masked
    full = strict.run("pending", "--full").output
    assert "+ mandate BTW:001000044B37 (Voorbeeldbedrijf B.V.)" in full


@pytest.mark.parametrize(
    "other", ["anna ", " Anna", "ANNA", "ａｎｎａ", "an\u200bna", "an\u3164na", "a.nna"]
)
def test_another_spelling_is_no_second_pair_of_eyes(strict: Home, other: str) -> None:
    strict.run("apply", str(strict.file), "--as", "anna")
    assert "somebody else" in strict.run("approve", "1", "--as", other, code=1).stderr
    assert strict.version() == 0
    strict.run("approve", "1", "--as", "anja")
    assert strict.version() == 1


def test_nobody_is_no_name(strict: Home) -> None:
    for nobody in ("", " ", "\u200b", "--"):
        strict.run("apply", str(strict.file), "--as", nobody, code=2)
    assert strict.journal() == []


def test_bad_file_is_exit_2_and_changes_nothing(home: Home) -> None:
    home.file.write_text('[[party]]\noin = "1"\nname = "A"')
    assert "20 digits" in home.run("apply", str(home.file), code=2).stderr
    assert home.version() == 0


def test_change_is_an_event_and_journal_lines_without_personal_numbers(home: Home) -> None:
    home.file.write_text(default().replace('"RSIN:001000044"', f'"BSN:{BSN}"'))
    done = home.run("apply", str(home.file), "--as", "anna")
    (event,) = home.events()
    assert (event["action"], event["result"], event["actor"]) == ("party.changed", "ok", "anna")
    lines = home.journal()
    start = read(default())
    rows = (start.parties, start.agreements, start.mandates, start.agencies)
    assert len(lines) == sum(map(len, rows))
    assert not any(BSN in text for text in (*lines, done.output, json.dumps(event)))


def test_four_eyes_wait_for_another(strict: Home) -> None:
    number = strict.last("apply", str(strict.file), "--as", "anna")["proposal"]
    assert strict.version() == 0
    assert f"proposal {number} by anna" in strict.run("pending").output
    own = strict.run("approve", str(number), "--as", "anna", code=1)
    assert "somebody else" in own.stderr
    assert strict.version() == 0
    strict.run("approve", str(number), "--as", "bob")
    assert strict.version() == 1
    assert strict.run("pending").output == "nothing waits\n"
    strict.run("approve", str(number), "--as", "carl", code=1)
    acts = [(e["action"], e["result"], e["actor"]) for e in strict.events()]
    assert acts[:3] == [
        ("party.proposed", "ok", "anna"),
        ("party.changed", "refused", "anna"),
        ("party.changed", "ok", "anna"),
    ]
    assert strict.events()[2]["second"] == "bob"
    kinds = [json.loads(line)["kind"] for line in strict.journal()]
    assert kinds[:2] == ["directory.proposed", "directory.approved"]


def test_proposal_on_an_old_version_is_refused(home: Home) -> None:
    home.run("apply", str(home.file), "--propose", "--as", "anna")
    home.file.write_text(default().replace("Voorbeeldbedrijf", "Anders"))
    home.run("apply", str(home.file))
    assert "changed since" in home.run("approve", "1", "--as", "bob", code=1).stderr
    home.run("reject", "1")
    assert home.run("pending").output == "nothing waits\n"


def test_proposal_changed_in_the_database_is_refused(home: Home) -> None:
    home.run("apply", str(home.file), "--propose", "--as", "anna")
    with psycopg.connect(home.dsn) as conn:
        conn.execute(
            "update directory_proposal set directory = replace(directory, 'bedrijf', 'boef')"
        )
    assert "digest differs" in home.run("approve", "1", "--as", "bob", code=1).stderr
    assert home.version() == 0


def test_list_to_call_names_party_and_algorithm(home: Home) -> None:
    home.run("apply", str(home.file))
    observed = Observed()
    for _ in range(3):
        observed.algorithms(Oin(OINS["bedrijf"]), ("RSA-SHA1", "SHA-1"), NOW)
    with psycopg.connect(home.dsn) as conn:
        observed.flush(conn)
        observed.algorithms(Oin(OINS["bedrijf"]), ("RSA-SHA1",), NOW)
        observed.flush(conn)
        observed.flush(conn)
    rows = home.last("algorithms")["uses"]
    assert isinstance(rows, list)
    assert [(r["name"], r["algorithm"], r["messages"]) for r in rows] == [
        ("Voorbeeldbedrijf B.V.", "RSA-SHA1", 4),
        ("Voorbeeldbedrijf B.V.", "SHA-1", 3),
    ]
