"""Every wrong input is refused with exit code 2, the place, and what to change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.weeg_folders import cells, change, example, weeg


def _append(file: str, text: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        with (folder / file).open("a", encoding="utf-8") as out:
            out.write(text)

    return act


def _write(file: str, data: bytes) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        (folder / file).write_bytes(data)

    return act


def _change(file: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: change(folder, file, old, new)


def _cell(option: str, column: int, text: str) -> Callable[[Path], None]:
    return lambda folder: cells(folder, {option: {column: text}})


def _measure(**values: object) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / "measures/proefopstelling.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        document["measures"][0].update(values)
        path.write_text(json.dumps(document), encoding="utf-8")

    return act


def _ten_thousand(folder: Path) -> None:
    lines = (folder / "options.csv").read_text(encoding="utf-8").splitlines()
    rows = [f"o{i}" + ";1" * 17 for i in range(10_000)]
    (folder / "options.csv").write_text("\n".join([*lines[:2], *rows]), encoding="utf-8")


CASES = {
    "wrong unit in a cell": (
        _cell("herbouw", 1, "50 maanden"),
        "options.csv, row 5, column 2 (1): “50 maanden” is in maanden, points belongs here",
    ),
    "wrong unit in the unit row": (
        _change("options.csv", "eenheid;punten", "eenheid;%"),
        "options.csv, row 2, column 2 (1): the unit is %, the model says points",
    ),
    "missing cell": (
        _cell("pakket", 4, ""),
        "options.csv, row 6, column 5 (4): the score on criterion 4 is missing",
    ),
    "NaN": (_cell("pakket", 4, "NaN"), "options.csv, row 6, column 5 (4): “NaN” is not a number"),
    "text in a number": (
        _cell("pakket", 4, "hoog"),
        "options.csv, row 6, column 5 (4): “hoog” is text where a number belongs",
    ),
    "formula": (
        _cell("pakket", 4, "=B2*3"),
        "options.csv, row 6, column 5 (4): “=B2*3” is a formula or error from a spreadsheet; paste",
    ),
    "outside the scale": (
        _cell("pakket", 4, "104"),
        "options.csv, row 6, column 5 (4): “104” lies outside the scale from 0 to 100",
    ),
    "unknown feed": (
        _cell("pakket", 4, "@nergens"),
        "options.csv, row 6, column 5 (4): @nergens does not exist in feeds.yaml",
    ),
    "feed in another unit": (
        _cell("pakket", 4, "@tarief"),
        "options.csv, row 6, column 5 (4): this feed gives EUR/message, the criterion is in points",
    ),
    "two criteria with one id": (
        _change("model.yaml", "  - id: 2\n", "  - id: 1\n"),
        "model.yaml, row 28, column 9: criterion 1 exists already (see model.yaml:18)",
    ),
    "two options with one id": (
        _change("options.csv", "pakket;", "Herbouw;"),
        "options.csv, row 6, column 1: option Herbouw exists already (see options.csv:5)",
    ),
    "ten thousand options": (_ten_thousand, "options.csv, row 53: there are more than 50 rows"),
    "direction against the end points": (
        _change("model.yaml", "direction: higher", "direction: lower"),
        "model.yaml, row 23, column 16: criterion 1: direction lower does not fit worst 0",
    ),
    "column missing": (
        _change("options.csv", "option;1;2", "option;1;zwei"),
        "options.csv, row 1, column 3: column “zwei” is not a criterion of the model",
    ),
    "comma decimals between commas": (
        lambda folder: (folder / "options.csv").write_text(
            (folder / "options.csv").read_text().replace(";", ",").replace("320|340", "320,5|340")
        ),
        "are those decimal commas? then save the file with semicolons",
    ),
    "negative life": (
        _change("costs.yaml", "life: 8, nl: Verhuizing", "life: -8, nl: Verhuizing"),
        "costs.yaml, row 48, column 50: “-8” must be a whole number from 1 to 60",
    ),
    "life of nothing": (
        _change("costs.yaml", "kind: investment, life: 8", "kind: investment"),
        "`life` (in years) belongs to investments",
    ),
    "negative amount": (
        _change("costs.yaml", "{2027-2036: 5200000}", "{2027-2036: -5200000}"),
        "costs and counts are positive, income gets kind: benefit",
    ),
    "amount in millions": (
        _change("costs.yaml", "{2027-2036: 5200000}", "{2027-2036: 5.2 mln}"),
        "write the amount in full instead of with “mln”",
    ),
    "decimal comma inside braces": (
        _change("costs.yaml", "per_message: 0.02|0.025|0.03", "per_message: 0,02"),
        "costs.yaml, row 39, column 89: inside { } a comma separates; write the number before “02”",
    ),
    "year outside the life": (
        _change("costs.yaml", "{2027-2036: 5200000}", "{2026: 5200000}"),
        "“2026” is not a year from 2027 to 2036",
    ),
    "circular split": (
        _change("costs.yaml", "over: {capaciteit: 55 %", "over: {rond: 5 %, capaciteit: 50 %"),
        "rond is neither an agency nor a pool",
    ),
    "circular split through a pool": (
        lambda folder: (
            change(folder, "costs.yaml", "{capaciteit: 55 %", "{rond: 5 %, capaciteit: 50 %"),
            change(folder, "costs.yaml", "  pools:\n",
                   "  pools:\n    rond: {key: negotiated, over: {totaal: 100 %}}\n"),
        ),
        "the split runs in a circle: rond > totaal > rond",
    ),
    "split that does not sum": (
        _change("costs.yaml", "gezamenlijk: 10 %", "gezamenlijk: 11 %"),
        "the parts of totaal sum to 101 %; make it 100 %",
    ),
    "unknown stakeholder": (
        _change("weights/logius.yaml", "stakeholder: logius", "stakeholder: gemeenten"),
        "weights/logius.yaml, row 2, column 1: gemeenten is not a stakeholder in decision.yaml",
    ),
    "stakeholder without weights": (
        lambda folder: (folder / "weights/logius.yaml").unlink(),
        "weights/logius.yaml: the weights of stakeholder logius are missing",
    ),
    "weights that do not sum": (
        lambda folder: (
            change(folder, "weights/logius.yaml", "method: swing", "method: share"),
        ),
        "the weights of criteria sum to 1010; make it 100 (or 1)",
    ),
    "no swing of a hundred": (
        _change("weights/afnemers.yaml", "AFNEMERS: 100", "AFNEMERS: 90"),
        "has 90 points; the step that matters most gets 100",
    ),
    "negative weight": (
        _change("weights/afnemers.yaml", "LOGIUS: 30", "LOGIUS: -30"),
        "LOGIUS has a negative weight",
    ),
    "per group or per criterion not said": (
        _change("weights/afnemers.yaml", "per: group\n", ""),
        "how does afnemers weigh: per group or per criterion? With equal points LOGIUS gets 20%",
    ),
    "no zero option": (
        _change("decision.yaml", "zero_option: behouden\n", ""),
        "decision.yaml, row 2, column 1: `zero_option` is missing",
    ),
    "zero option without a row": (
        _change("decision.yaml", "zero_option: behouden", "zero_option: niets"),
        "decision.yaml, row 10, column 14: zero option niets has no row in options.csv",
    ),
    "misspelt key": (
        _change("decision.yaml", "draws: 100000", "drawz: 100000"),
        "decision.yaml, row 12, column 1: “drawz” is unknown here; perhaps you meant: draws",
    ),
    "key twice": (
        _append("decision.yaml", "seed: 3\n"),
        "“seed” stands here twice",
    ),
    "broken YAML": (_append("decision.yaml", "  : [\n"), "this is not readable YAML"),
    "YAML bomb": (
        _write("feeds.yaml", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
        "feeds.yaml, row 1, column 4: anchors and aliases (& and *) are not read",
    ),
    "YAML tag": (
        _write("feeds.yaml", b"a: !!python/object/apply:os.system [ls]\n"),
        "tags (!…) are not read",
    ),
    "deep YAML": (_write("feeds.yaml", b"[" * 5000), "this is nested too deep"),
    "control character": (
        _append("options.csv", "x\x1b[31m;1\n"),
        "options.csv, row 7: there is an invisible control character",
    ),
    "open quotation mark": (_append("options.csv", '"open;1\n'), "the quotation marks do not"),
    "huge file": (_append("options.csv", "x" * (1 << 20)), "larger than 1048576 bytes"),
    "measurement in another unit": (
        _measure(unit="ratio"),
        "measures/proefopstelling.json (measures[0] frameworks_passed): the measurement is in "
        "ratio, feeds.yaml expects %",
    ),
    "measurement from the future": (
        _measure(time="2027-01-01T00:00:00Z"),
        "this measurement is of 2027-01-01, after the day weighed on 2026-11-20",
    ),
    "measurement without zone": (_measure(time="2026-11-17T06:00:00"), "not a time with a zone"),
    "measurement that is no number": (_measure(value="NaN"), "“NaN” is not a number"),
    "measurement without source": (_measure(source=""), "“source” is missing in this measurement"),
    "window that is no duration": (_measure(window="a week"), "“a week” is not a window"),
    "JSON constant": (
        _write("measures/x.json", b'{"format": "weeg-measures/1", "measures": [NaN]}'),
        "“NaN” is not a number",
    ),
    "deep JSON": (_write("measures/x.json", b"[" * 100_000), "this is nested too deep"),
    "broken JSON": (_write("measures/x.json", b"{"), "measures/x.json, row 1, column 2: this"),
    "measurement file elsewhere": (
        _change("feeds.yaml", "measures/proefopstelling.json", "measures/../../x.json"),
        "measurement files stand in measures/",
    ),
    "stale measurement without fallback": (
        _measure(time="2026-09-01T00:00:00Z"),
        "options.csv, row 4, column 9 (8): measurement frameworks_passed is 80 days old, at most",
    ),
    "source without date": (
        _append("sources.csv", "pakket/3;iets;gisteren;wij;hoog;\n"),
        "sources.csv, row 14, column 3 (date): “gisteren” is not a date",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_with_place_and_remedy(name: str, tmp_path: Path) -> None:
    damage, message = CASES[name]
    folder = example(tmp_path / "d")
    damage(folder)
    for command in ("check", "run"):
        result = weeg(command, folder)
        assert result.exit_code == 2
        assert message in result.stderr
        assert result.stdout == ""
    dutch = weeg("check", folder, "--lang", "nl")
    assert dutch.exit_code == 2
    assert dutch.stderr.startswith("fout: ")


def test_every_wrong_cell_is_named_at_once(tmp_path: Path) -> None:
    folder = example(tmp_path / "d")
    cells(folder, {"behouden": {1: "x"}, "herbouw": {2: "", 3: "NaN"}})
    refused = weeg("check", folder)
    assert [line.split(": ")[1] for line in refused.stderr.splitlines()] == [
        "options.csv, row 3, column 2 (1)",
        "options.csv, row 5, column 3 (2)",
        "options.csv, row 5, column 4 (3)",
    ]


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    refused = weeg("run", tmp_path / "nergens")
    assert refused.exit_code == 2
    assert "this folder does not exist" in refused.stderr


def test_missing_files_are_all_named(tmp_path: Path) -> None:
    refused = weeg("check", tmp_path)
    assert refused.exit_code == 2
    assert "decision.yaml: this file is missing" in refused.stderr
    assert "model.yaml: this file is missing" in refused.stderr


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.encode("utf-16"),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("cp1252", errors="replace").replace(b"?", b"\x80"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: ("sep=;\n" + text).encode(),
        lambda text: text.replace(";", "\t").encode(),
        lambda text: text.replace(";", ",").encode(),
        lambda text: text.replace("320|340|360", "320,0|340,0|360,0").encode(),
        lambda text: (text + ";" * 20 + "\n\n").encode(),
    ],
    ids=["utf-16", "mark", "cp1252", "crlf", "sep", "tabs", "commas", "comma decimals", "padding"],
)
def test_what_spreadsheets_write_is_accepted(
    rewrite: Callable[[str], bytes], tmp_path: Path
) -> None:
    folder = example(tmp_path / "d")
    before = json.loads(weeg("run", folder, "--json").stdout)
    path = folder / "options.csv"
    path.write_bytes(rewrite(path.read_text(encoding="utf-8")))
    after = json.loads(weeg("run", folder, "--json").stdout)
    assert after["ranking"] == before["ranking"]
    assert after["input_hash"] != before["input_hash"]
