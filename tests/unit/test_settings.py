from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from openpoort.app.home import HomeExists, _toml, create
from openpoort.app.wiring import known_kinds
from openpoort.process.flow.kinds import SHIPPED, KindError
from openpoort.settings import FILE, SettingsError, load


def home(folder: Path, text: str = "") -> Path:
    (folder / FILE).write_text(text)
    return folder


def test_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(home(tmp_path), {})
    assert settings.door.port == 8443
    assert settings.database.url == ""
    assert settings.switches.aansluit_suite is False
    assert settings.path("pki/server.pem") == tmp_path / "pki" / "server.pem"


def test_what_init_writes_is_understood(tmp_path: Path) -> None:
    settings = load(home(tmp_path, _toml(["wus.digipoort.logius.nl"])), {})
    assert settings.door.hosts == ["localhost", "127.0.0.1", "wus.digipoort.logius.nl"]
    assert settings.door.bind == ["0.0.0.0", "::"]
    assert settings.tls.certificates[0].hosts == settings.door.hosts
    assert settings.switches.aansluit_suite is True
    assert settings.agency.demo is True


def test_environment_lies_over_the_file(tmp_path: Path) -> None:
    environment = {
        "OPENPOORT_DOOR_PORT": "9443",
        "OPENPOORT_DOOR_HOSTS": "a.example, b.example",
        "OPENPOORT_CLOCK_FACTOR": "100",
        "OPENPOORT_CLOCK_START": "2021-03-07T10:00:00Z",
        "OPENPOORT_SWITCHES_AANSLUIT_SUITE": "true",
        "OPENPOORT_HOME": "/elsewhere",
        "PATH": "/bin",
    }
    settings = load(home(tmp_path, "[door]\nport = 1\n"), environment)
    assert settings.door.port == 9443
    assert settings.door.hosts == ["a.example", "b.example"]
    assert settings.clock.factor == 100.0
    assert settings.clock.start == datetime(2021, 3, 7, 10, tzinfo=UTC)
    assert settings.switches.aansluit_suite is True


@pytest.mark.parametrize(
    ("text", "environment", "says"),
    [
        ("[dor]\n", {}, "did you mean `door`"),
        ("[door]\nprot = 1\n", {}, "did you mean `port`"),
        ('[door]\nport = "8443"\n', {}, "port must be a whole number"),
        ("[door]\nport = true\n", {}, "port must be a whole number"),
        ("[door]\nport = 70000\n", {}, "between 0 and 65535"),
        ("[door]\nhosts = [1]\n", {}, "hosts[0] must be a text"),
        ("door = 1\n", {}, "door must be a table"),
        ("[door\n", {}, FILE),
        ("[clock]\nfactor = 0\n", {}, "clock.factor"),
        ('[clock]\nstart = "now"\n', {}, "must be a time such as"),
        ('[[tls.certificates]]\nhosts = ["a"]\n', {}, "certificate, key must be given"),
        ('[log]\nlevel = "LOUD"\n', {}, "log.level must be"),
        ('[tsa]\nurl = "tsa.example"\n', {}, "tsa.url must be an http"),
        ('[tsa]\npolicy = "none"\n', {}, "tsa.policy must be an object identifier"),
        ("[tsa]\nseconds = 0\n", {}, "tsa.seconds must be at least 1"),
        ("", {"OPENPOORT_DOR_PORT": "1"}, "OPENPOORT_DOOR_…"),
        ("", {"OPENPOORT_DOOR_PROT": "1"}, "did you mean `port`"),
        ("", {"OPENPOORT_DOOR_PORT": "many"}, "not a whole number"),
        ("", {"OPENPOORT_AGENCY_DEMO": "perhaps"}, "say true or false"),
    ],
)
def test_mistake_is_refused_with_what_to_change(
    tmp_path: Path, text: str, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        load(home(tmp_path, text), environment)
    assert says in str(wrong.value)


def test_folder_without_settings_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="openpoort init"):
        load(tmp_path, {})


def test_init_makes_a_home_once_and_overwrites_nothing(tmp_path: Path) -> None:
    where = tmp_path / "gateway"
    create(where, ["gateway.example"])
    assert load(where, {}).door.hosts[-1] == "gateway.example"
    for name in ("ca.pem", "server.key", "bedrijf.pem", "agency.key", "checkpoint.pem"):
        assert (where / "pki" / name).stat().st_size > 100
    assert (where / "samples" / "Omzetbelasting.xbrl").stat().st_size > 1000
    before = {p: p.read_bytes() for p in where.rglob("*") if p.is_file()}
    with pytest.raises(HomeExists, match="already"):
        create(where)
    assert {p: p.read_bytes() for p in where.rglob("*") if p.is_file()} == before


def test_init_refuses_a_folder_with_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(HomeExists, match="not empty"):
        create(tmp_path)
    with pytest.raises(HomeExists, match="is a file"):
        create(tmp_path / "thesis.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_kind_that_asks_for_a_scan_that_is_off_is_told_at_start(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    shipped = (SHIPPED / "Omzetbelasting.toml").read_text()
    wanted = shipped.replace('["xbrl"]', '["malware", "xbrl"]')
    assert wanted != shipped
    (tmp_path / "kinds" / "Omzetbelasting.toml").write_text(wanted)
    with pytest.raises(KindError, match=r"Omzetbelasting.toml: step inhoud: asks for malware"):
        known_kinds(load(home(tmp_path), {}))
    on = known_kinds(load(home(tmp_path, '[malware]\nsocket = "/run/clamd"\n'), {}))
    steps = {step.name: step.checks for step in on["Omzetbelasting"].steps}
    assert steps["inhoud"] == ("malware", "xbrl")
    assert steps["structuur"] == ("structure", "filing")


def test_form_of_the_security_log_is_one_of_two(tmp_path: Path) -> None:
    settings = load(home(tmp_path), {"OPENPOORT_LOG_SECURITY_FORMAT": "ocsf"})
    assert settings.log.security_format == "ocsf"
    with pytest.raises(SettingsError, match="must be openpoort or ocsf"):
        load(home(tmp_path, '[log]\nsecurity_format = "cef"\n'), {})
