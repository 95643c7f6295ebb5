"""A seeded slice of the fuzzing; the long run is `python -m tests.fuzz`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import pytest
from lxml import etree

from openpoort.wire.wus.services import SERVICES, Service
from openpoort.wire.xml import detached_content
from openpoort_lab.hostile import corpus
from tests.fuzz.made import messages
from tests.fuzz.mutate import mutations, seeds
from tests.fuzz.promise import Broken, one
from tests.wire_kit import HOST, NOW, key


def test_the_promise_holds_for_the_saved_corpus() -> None:
    assert {one(data) for data in seeds()} == {"message"}


@pytest.mark.parametrize("seed", range(3))
def test_the_promise_holds_for_mutated_requests(seed: int) -> None:
    counts = Counter(one(data) for data in islice(mutations(seed, seeds()), 1000))
    assert counts["message"] > 10
    assert counts["fault"] > 500
    assert counts["refusal"] > 10


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda s: s.name)
def test_the_promise_holds_for_the_hostile_corpus(service: Service) -> None:
    for hostile in corpus(key(), NOW, service, "sha256", HOST + service.path):
        one(hostile.raw, hostile.content_type)


def test_the_promise_holds_for_messages_of_others(shared: Path) -> None:
    """What the clients of others wrote is taken; answers open, and are no requests."""
    folders = ("data/wus/clients", "data/wus/captured", "cases/wire")
    files = [file for folder in folders for file in sorted((shared / folder).glob("*.xml"))]
    assert len(files) > 10
    found = {file.name: one(file.read_bytes()) for file in files}
    requests = {name for name in found if "Request" in name or "comment" in name}
    assert len(requests) == 5
    assert {found[name] for name in requests} == {"message"}


def test_the_promise_holds_for_messages_made_up() -> None:
    made = islice(messages(1), 1000)
    counts = Counter(one(m.raw, m.content_type, m.inlined) for m in made)
    assert counts["message"] > 300
    assert counts["fault"] > 300


def _by_text(
    part: etree._Element, canonical: bytes, contents: detached_content.Aside, hash_name: str
) -> bytes:
    """A lookalike: contents go where their element seems to stand, as a text has it."""
    for content in contents.values():
        canonical = canonical.replace(b"inhoud></", b"inhoud>" + bytes(content) + b"</", 1)
    return hashlib.new(hash_name, canonical).digest()


def test_the_promise_is_broken_by_a_planted_lookalike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detached_content, "digest", _by_text)
    made = list(islice(messages(1), 400))
    with pytest.raises(Broken):
        [one(m.raw, m.content_type, m.inlined) for m in made]


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this Python")
def test_the_promise_holds_where_coverage_leads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--engine", "atheris", "--seed", "1"]
    done = subprocess.run(
        [*command, "--seconds", "5", "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
