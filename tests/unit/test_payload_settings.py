"""Where large documents go, as set up: what is wrong is told with what to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpoort.app.places import PlaceError, places, preflight
from openpoort.settings import SettingsError, load

KEYS = {"AWS_ACCESS_KEY_ID": "AKNAME", "AWS_SECRET_ACCESS_KEY": "hush"}
BUCKET = '[[payloads.s3]]\nendpoint = "https://objects.example.nl"\nbucket = "poort"\n'


def written(home: Path, text: str) -> Path:
    (home / "openpoort.toml").write_text(text)
    return home


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[payloads]\nto = "s3"\n', "'s3' is no place; known: folder"),
        (BUCKET + BUCKET, "a name of its own"),
        (BUCKET + 'name = "db"\n', "a name of its own"),
        (BUCKET + 'name = "a b"\n', "a name of its own"),
        (BUCKET.replace("https", "http"), "must be an https address"),
        (BUCKET.replace("https://", ""), "must be an https address"),
        (BUCKET.replace("https://", "https://key:hush@"), "keys go in `credentials`"),
        (BUCKET.replace(".nl", ".nl/poort"), "scheme, host and port"),
        (BUCKET.replace("poort", "Poort!"), "no name of a bucket"),
        (BUCKET + 'prefix = "/a"\n', "prefix must not"),
        (BUCKET + "timeout_seconds = 0\n", "timeout_seconds"),
        (BUCKET + 'secret = "hush"\n', "`secret` is not a setting"),
        ('[[payloads.s3]]\nbucket = "poort"\n', "endpoint must be given"),
    ],
)
def test_a_wrong_place_is_refused_without_repeating_a_secret(
    tmp_path: Path, text: str, what: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        load(written(tmp_path, text), {})
    assert what in str(wrong.value)
    assert "hush" not in str(wrong.value)


@pytest.mark.parametrize(
    ("more", "files", "what"),
    [
        ("", {}, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ('credentials = "s3.toml"\n', {}, "s3.toml: No such file"),
        ('credentials = "s3.toml"\n', {"s3.toml": "secret hush"}, "s3.toml is not TOML"),
        ('credentials = "s3.toml"\n', {"s3.toml": 'access_key_id = "a"'}, "s3.toml needs"),
        ('ca = "ca.pem"\n', {}, "ca ca.pem: No such file"),
        ('ca = "ca.pem"\n', {"ca.pem": "hush"}, "ca ca.pem holds no certificate"),
    ],
)
def test_keys_and_certificates_that_cannot_be_used_are_told_before_the_start(
    tmp_path: Path, more: str, files: dict[str, str], what: str
) -> None:
    settings = load(written(tmp_path, BUCKET + more), {})
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(PlaceError) as wrong:
        preflight(settings, KEYS if "ca" in what else {})
    assert what in str(wrong.value)
    assert "hush" not in str(wrong.value)


def test_the_chosen_place_is_first_and_the_others_stay(tmp_path: Path) -> None:
    second = BUCKET.replace("poort", "archief") + 'name = "archief"\n'
    for to, order in (
        ("folder", ["folder", "s3", "archief"]),
        ("s3", ["s3", "folder", "archief"]),
        ("archief", ["archief", "folder", "s3"]),
    ):
        text = f'[payloads]\nto = "{to}"\n{BUCKET}{second}'
        found = places(load(written(tmp_path, text), {}), KEYS)
        assert [one.place for one in found] == order


def test_nothing_shows_the_secret(tmp_path: Path) -> None:
    settings = load(written(tmp_path, BUCKET), {})
    shown = repr(places(settings, KEYS)) + repr(settings)
    assert "hush" not in shown
    assert "AKNAME" not in shown
