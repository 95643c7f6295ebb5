"""The trust store from files: several generations, its version, and what it refuses to read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from openpoort.domain.ids import Oin
from openpoort.keys.anchors import BadTrustStore, load, load_grounds
from openpoort.keys.pem import PemSigner
from openpoort.sandbox import pki
from openpoort.sandbox.authority import pem
from openpoort.trust.anchors import DOCUMENT_SIGNING, SINGLE_PURPOSE, Purpose
from openpoort.trust.chain import judge
from openpoort.trust.policy import Policy, write
from openpoort.trust.revocation import Evidence, FailMode
from tests.trust_builders import NOW, issuing, leaf, root, why

FOUR = """
test_oins = true

[[generation]]
name = "G1"
roots = ["g1.pem"]
intermediates = ["g1-ca.pem"]
until = 2028-01-01
policies = ["2.16.528.1.1003.1.2.8.6"]

[[generation]]
name = "G2 auth"
roots = ["g2a.pem"]
intermediates = ["g2a-ca.pem"]
purposes = ["authentication"]
profile = "single-purpose"

[[generation]]
name = "G2 sign"
roots = ["g2s.pem"]
intermediates = ["g2s-ca.pem"]
purposes = ["signature"]
profile = "single-purpose"
[generation.usage.signature]
key_usage = ["content_commitment"]
extended = ["document_signing", "1.2.3.4"]

[[generation]]
name = "G3"
roots = ["g3.pem"]
intermediates = ["g3-ca.pem"]
since = 2027-06-01T00:00:00Z

[[pinned]]
certificate = "odd.pem"
oin = "00000099001234567000"
purposes = ["signature"]
reason = "transition"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("g1", "g2a", "g2s", "g3"):
        (tmp_path / f"{name}.pem").write_bytes(pem(root(name).certificate))
        (tmp_path / f"{name}-ca.pem").write_bytes(pem(issuing(name).certificate))
    (tmp_path / "odd.pem").write_bytes(leaf(issuing("odd")).pem)
    (tmp_path / "trust.toml").write_text(FOUR)
    return tmp_path


def test_four_generations_from_one_file(folder: Path) -> None:
    store = load(folder / "trust.toml")
    assert [g.name for g in store.generations] == ["G1", "G2 auth", "G2 sign", "G3"]
    first, auth, sign, last = store.generations
    assert first.purposes == frozenset(Purpose)
    assert first.until is not None
    assert first.until.year == 2028
    assert auth.usage == SINGLE_PURPOSE
    assert sign.usage[Purpose.SIGNATURE].extended == {DOCUMENT_SIGNING, "1.2.3.4"}
    assert last.since is not None
    assert first.policies == {"2.16.528.1.1003.1.2.8.6"}
    services = leaf(issuing("g1"), policies=list(first.policies))
    assert why(services, store=store) is None
    ((mark, pinned),) = store.pinned.items()
    assert pinned.oin == Oin("00000099001234567000")
    assert mark == hashlib.sha256(pinned.certificate).hexdigest()


def test_version_changes_with_every_byte(folder: Path) -> None:
    path = folder / "trust.toml"
    versions = [load(path).version, load(path).version]
    assert versions[0] == versions[1]
    path.write_text(FOUR.replace("2028-01-01", "2029-01-01"))
    versions.append(load(path).version)
    (folder / "g3-ca.pem").write_bytes(pem(issuing("g4").certificate))
    versions.append(load(path).version)
    assert len(set(versions)) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "trusts nobody"),
        ("x = 1", "unknown key x"),
        ("[[generation]]", "needs a name"),
        ('[[generation]]\nname = "A"', "A: no roots"),
        ('[[generation]]\nname = "A"\nroots = ["none.pem"]', "none.pem"),
        ('[[generation]]\nname = "A"\nroots = ["trust.toml"]', "trust.toml"),
        ('[[generation]]\nname = "A"\nroots = ["g1.pem"]\npurposes = ["x"]', "purpose is one"),
        ('[[generation]]\nname = "A"\nroots = ["g1.pem"]\nprofile = "x"', "profile is one"),
        ('[[generation]]\nname = "A"\nroots = ["g1.pem"]\nsince = 5', "dates"),
        ('[[pinned]]\ncertificate = "odd.pem"', "oin is missing"),
        ('[[pinned]]\ncertificate = "odd.pem"\noin = "1"', "20 digits"),
        ("a = [", "trust.toml"),
    ],
)
def test_bad_store_says_where_and_why(folder: Path, text: str, says: str) -> None:
    (folder / "trust.toml").write_text(text)
    with pytest.raises(BadTrustStore, match=says):
        load(folder / "trust.toml")


def test_missing_file_is_a_bad_store(tmp_path: Path) -> None:
    with pytest.raises(BadTrustStore):
        load(tmp_path / "trust.toml")


def test_development_store_trusts_the_development_leaves(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    pki.create(tmp_path)
    store = load(tmp_path / "trust.toml")
    now = datetime.now(UTC)
    for name, oin in pki.OINS.items():
        signer = PemSigner(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        for purpose in Purpose:
            judged = judge(signer.certificate, purpose, now, store, Evidence(), FailMode.HARD)
            assert judged.oin == Oin(oin)


def test_two_certificate_profile_from_the_development_authority(tmp_path: Path) -> None:
    pki.create(tmp_path)
    pki.two_certificates(tmp_path, pki.load_issuer(tmp_path), "bedrijf", NOW)
    path = tmp_path / "trust.toml"
    path.write_text(path.read_text() + 'profile = "single-purpose"\n')
    store = load(path)
    auth = PemSigner(tmp_path / "bedrijf-auth.pem", tmp_path / "bedrijf-auth.key").certificate
    sign = PemSigner(tmp_path / "bedrijf-sign.pem", tmp_path / "bedrijf-sign.key").certificate
    at = pki.datetime.now(pki.UTC)
    found = {
        (name, purpose): why(der, purpose, at, store=store) is None
        for name, der in (("auth", auth), ("sign", sign))
        for purpose in Purpose
    }
    assert found == {
        ("auth", Purpose.AUTHENTICATION): True,
        ("auth", Purpose.SIGNATURE): False,
        ("sign", Purpose.AUTHENTICATION): False,
        ("sign", Purpose.SIGNATURE): True,
    }


def test_fail_modes_and_algorithms_come_from_the_same_file(folder: Path) -> None:
    path = folder / "trust.toml"
    modes = '[revocation]\ndefault = "soft"\nzetstatusservice = "hard"\n'
    (folder / "algorithms.toml").write_text(write(Policy()).replace("2028-01-01", "2027-01-01"))
    path.write_text('algorithms = "algorithms.toml"\n' + FOUR + modes)
    grounds = load_grounds(path)
    assert grounds.mode("zetstatusservice") is FailMode.HARD
    assert grounds.mode("aanleverservice") is FailMode.SOFT
    assert {a.until.year for a in grounds.policy.algorithms if a.until} == {2027}
    assert grounds.anchors == load(path)


def test_without_words_about_them_modes_are_soft_and_algorithms_built_in(folder: Path) -> None:
    grounds = load_grounds(folder / "trust.toml")
    assert grounds.mode("aanleverservice") is FailMode.SOFT
    assert grounds.policy == Policy()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[revocation]\ndefault = "sometimes"', "sometimes"),
        ("revocation = 5", "trust.toml"),
        ('algorithms = "none.toml"', "none.toml"),
        ('algorithms = "g1.pem"', "trust.toml"),
    ],
)
def test_bad_modes_and_algorithms_say_where(folder: Path, more: str, says: str) -> None:
    path = folder / "trust.toml"
    text = more + "\n" + FOUR if not more.startswith("[") else FOUR + more
    path.write_text(text)
    with pytest.raises(BadTrustStore, match=says):
        load_grounds(path)
