"""The page of the letter: every sentence in it, every command and test it names real, current."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from openpoort.cli import main as openpoort
from openpoort_lab.figures import letter
from openpoort_lab.figures.letter import Letter, Row
from weeg.cli import main as weeg

ROOT = Path(__file__).resolve().parents[2]
DATA = (ROOT / "docs" / "letter.toml").read_text(encoding="utf-8")
FOUND = letter.read(DATA)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def plain(text: str) -> str:
    """White space as one space; the mark of the footnote is no part of a word."""
    bare = re.sub(r"(?<=onrechtmatige)1\b", "", " ".join(text.split()))
    return re.sub(r"(?<=adviesbureau )1 (?=Er is)", "", bare)


@pytest.fixture(scope="module")
def body(shared: Path) -> str:
    """The letter without its annex, which the model is held against."""
    text = (shared / "spec" / "letter.txt").read_text(encoding="utf-8")
    return plain(text).split(" Bijlage: Criteria")[0]


def left(body: str, found: Letter) -> str:
    """What of the letter no row quotes and nothing sets aside."""
    quotes = [piece for row in found.rows if not row.within for piece in row.pieces]
    heads = [piece for aside in found.asides for piece in aside.nl]
    for quote in [*sorted(quotes, key=len, reverse=True), *sorted(heads, key=len, reverse=True)]:
        assert plain(quote) in body, quote
        body = body.replace(plain(quote), "|", 1)
    return body


def test_every_sentence_of_the_letter_is_a_row_or_set_aside(body: str) -> None:
    assert left(body, FOUND).replace("|", "").strip() == ""


def test_sentence_that_is_left_out_is_seen(body: str) -> None:
    fewer = Letter(FOUND.rows[1:], FOUND.asides)
    assert "In januari 2020 informeerde ik u" in left(body, fewer)


@pytest.mark.parametrize("row", [r for r in FOUND.rows if r.within], ids=lambda r: r.nl[:40])
def test_part_of_a_sentence_stands_in_another_row(row: Row) -> None:
    assert any(row.nl in other.nl for other in FOUND.rows if not other.within)


def test_what_is_set_aside_has_a_reason() -> None:
    assert all(aside.reason for aside in FOUND.asides)


def command_of(words: list[str]) -> click.Command:
    """The command that the words name; KeyError for one that does not exist."""
    found: click.Command = {"openpoort": openpoort, "weeg": weeg}[words[0]]
    for word in words[1:]:
        if not isinstance(found, click.Group):
            break
        context = click.Context(found)
        below = found.get_command(context, word)
        if below is None:
            raise KeyError(word)
        found = below
    return found


COMMANDS = sorted(
    {row.command for row in FOUND.rows if row.command}
    | {p.proof for c in letter.model().criteria for p in c.parts if p.proof}
)


@pytest.mark.parametrize("line", COMMANDS)
def test_named_command_exists_with_its_options(line: str) -> None:
    words = line.split()
    found = command_of(words)
    options = {name for p in found.params for name in (*p.opts, *p.secondary_opts)}
    assert [w for w in words if w.startswith("-") and w not in options] == []


def test_command_that_does_not_exist_is_seen() -> None:
    with pytest.raises(KeyError):
        command_of(["openpoort", "fly"])


@pytest.mark.parametrize("test", sorted({row.test for row in FOUND.rows if row.test}))
def test_named_test_exists(test: str) -> None:
    file, _, name = test.partition("::")
    source = (ROOT / file).read_text(encoding="utf-8")
    assert name
    assert re.search(rf"^def {name}\(", source, re.M)
    around = source.split(f"def {name}(")[0].rpartition("\n\n\n")[2]
    assert "slow" not in around  # marked so, it would not run in CI
    assert "mark.skip" not in around


WORKS = [row for row in FOUND.rows if row.state == "works"]


def runs(command: str, test: str) -> bool:
    """Whether the file of the test names the command as a word, or runs the module behind it."""
    source = (ROOT / test.partition("::")[0]).read_text(encoding="utf-8")
    if "from tests.e2e.gateway import" in source:  # whose Gateway is `openpoort serve`
        source += (ROOT / "tests" / "e2e" / "gateway.py").read_text(encoding="utf-8")
    word = command.split()[1]
    head = word.partition("-")[0]
    behind = rf"(openpoort_lab|openpoort\.sandbox)(\.{head}\b| import {head}\b)"
    return re.search(rf"\"{word}\"|{behind}", source) is not None


@pytest.mark.parametrize("row", WORKS, ids=lambda r: r.nl[:40])
def test_row_that_works_names_a_test_that_runs_its_command(row: Row) -> None:
    assert runs(row.command, row.test)


def test_test_that_does_not_run_the_command_is_seen() -> None:
    assert not runs("openpoort chaos", "tests/unit/test_weeg_beside.py::test_x")
    assert not runs("openpoort serve HOME", "tests/unit/test_weeg_beside.py::test_x")
    assert not runs("weeg diff A B", "tests/e2e/test_chaos_slice.py::test_x")


def test_planned_and_peoples_work_name_no_test_and_planned_no_command() -> None:
    for row in FOUND.rows:
        if row.state in ("planned", "not for a program"):
            assert (row.command, row.test) == ("", "")
        else:
            assert row.command
            assert row.test


def test_what_is_not_built_is_planned() -> None:
    told = {row.short: row.state for row in FOUND.rows if row.short}
    for short, state in told.items():
        if "DigiD" in short or "Berichtenbox" in short or "hergebruikt" in short:
            assert state == "planned"
    (moving,) = (s for short, s in told.items() if "nieuwe infrastructuur" in short)
    assert moving == "planned"


@pytest.mark.parametrize("file", letter.pages(ROOT), ids=lambda f: f.name)
def test_page_is_current(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == letter.pages(ROOT)[file]


def test_annex_has_every_criterion_with_its_measurement() -> None:
    text = letter.page(FOUND)
    for c in letter.model().criteria:
        (row,) = (r for r in text.splitlines() if r.startswith(f"| {c.id}. {c.name.nl} |"))
        assert all(f"`{m}`" in row for m in c.measures)
        assert c.measures


def test_main_rows_stand_in_readme_above_the_figures_in_both_languages() -> None:
    main = [row for row in FOUND.rows if row.short]
    assert 10 <= len(main) <= 16
    table = README.split("<!-- letter -->")[1].split("<!-- /letter -->")[0]
    assert README.index("<!-- /letter -->") < README.index("<!-- figures -->")
    for row in main:
        assert f"| {row.short} | {row.en} |" in table


def test_short_form_is_made_of_words_of_its_sentence() -> None:
    for row in FOUND.rows:
        for piece in row.short.split(" […] ") if row.short else ():
            assert piece in row.nl


def test_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="no state"):
        letter.read(DATA.replace('state = "works"', 'state = "soon"', 1))
