"""Diagnosis: each known mistake is named, and one mistake does not hide another."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import etree

from openpoort.cli.diagnose import command
from openpoort.client.diagnose import Outcome, Report, Surroundings, diagnose, read
from openpoort.client.forge import Shape, canonical, forge
from openpoort.process.flow import kinds
from openpoort.wire.names import DS, KOPPELVLAK, SOAP, WSA, WSU
from openpoort.wire.wus import koppelvlak
from openpoort.wire.wus.services import AANLEVER
from tests.wire_kit import HOST, NOW, TO, aanlevering, key

ACTION = AANLEVER.operations[0].action


def made(shape: Shape | None = None, body: bytes | None = None, **changes: object) -> bytes:
    values: dict[str, object] = {"to": TO, "action": ACTION, "created": NOW, "signer": key()}
    payload = body or koppelvlak.write(aanlevering())
    return forge(payload, shape or Shape(), **{**values, **changes})  # type: ignore[arg-type]


def judged(data: bytes, **changes: object) -> Report:
    values: dict[str, object] = {"hosts": (HOST,), "kinds": dict(kinds.load())}
    return diagnose(read(data), Surroundings(NOW, **{**values, **changes}))  # type: ignore[arg-type]


def wrong(report: Report) -> dict[str, str]:
    return {c.name: f"{c.text} | {c.advice}" for c in report.checks if c.outcome is Outcome.WRONG}


def body_of(root: etree._Element) -> etree._Element:
    found = root.find(f"{{{SOAP}}}Body")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "shape",
    [
        Shape(),
        Shape(security=("BinarySecurityToken", "Signature", "Timestamp")),
        Shape(
            security=("Signature", "BinarySecurityToken", "Timestamp"),
            digest="sha1",
            signature="sha1",
        ),
        Shape(header=("Security", "To", "MessageID", "Action")),
        Shape(key_info="x509data"),
        Shape(inclusive="s a u"),
        Shape(fraction=7, lifetime=None),
    ],
)
def test_every_shape_that_clients_write_is_found_right(shape: Shape) -> None:
    report = judged(made(shape))
    assert wrong(report) == {}
    assert report.accepted


def test_http_capture_is_split_and_its_headers_judged() -> None:
    head = f"POST {AANLEVER.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\n\r\n"
    report = judged(head.encode() + made())
    assert list(wrong(report)) == ["content type"]
    assert "SOAP 1.2" in wrong(report)["content type"]


def test_chunked_capture_is_joined() -> None:
    raw = made()
    chunks = b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in (raw[:100], raw[100:]))
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert read(head + chunks + b"0\r\n\r\n").body == raw


def _digest_over(change: str) -> bytes:
    """A request whose Body digest was made with one known mistake; the rest is right."""

    def mistaken(root: etree._Element) -> bytes:
        body = copy.deepcopy(body_of(root))
        if change == "inclusive":
            return canonical(body_of(root), "inclusive")
        if change == "no namespaces":
            for child in body[0]:
                child.set("mark", "")
            return canonical(body).replace(b' mark=""', b' xmlns=""')
        if change == "no id":
            del body.attrib[f"{{{WSU}}}Id"]
        if change == "content only":
            return canonical(body_of(root)[0])
        if change == "CRLF":
            for node in body.iter():
                node.text = node.text.replace("\n", "\r\n") if node.text else None
        return canonical(body)

    def before_sealing(root: etree._Element) -> None:
        value = base64.b64encode(hashlib.sha256(mistaken(root)).digest()).decode()
        found = root.find(f".//{{{DS}}}Reference[@URI='#id-Body']/{{{DS}}}DigestValue")
        assert found is not None
        found.text = value
        info = root.find(f".//{{{DS}}}SignedInfo")
        sign = root.find(f".//{{{DS}}}SignatureValue")
        assert info is not None
        assert sign is not None
        sign.text = base64.b64encode(key().sign(canonical(info), "sha256")).decode()

    payload = koppelvlak.write(aanlevering()).replace(b"><berichtsoort", b">\n<berichtsoort", 1)
    return made(Shape(after=before_sealing), payload)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ("inclusive", "inclusive canonicalisation"),
        ("no namespaces", "createElementNS"),
        ("no id", "wsu:Id was added after"),
        ("content only", "without its own start and end tag"),
        ("CRLF", "CR LF"),
    ],
)
def test_mistake_behind_a_wrong_digest_is_named(change: str, advice: str) -> None:
    report = judged(_digest_over(change))
    assert list(wrong(report)) == ["digest of s:Body"]
    assert advice in wrong(report)["digest of s:Body"]


def test_wrong_digest_shows_computed_and_found() -> None:
    def change(root: etree._Element) -> None:
        body_of(root)[0].find(f"{{{KOPPELVLAK}}}berichtsoort").text = "ICP"  # type: ignore[union-attr]

    report = judged(made(Shape(after=change)))
    check = next(c for c in report.checks if c.name == "digest of s:Body")
    facts = dict(check.facts)
    assert check.outcome is Outcome.WRONG
    assert facts["computed"] != facts["found"]
    assert "changed after signing" in check.advice
    assert "De digest van s:Body" in report.fout


def test_checks_go_on_after_the_first_mistake() -> None:
    shape = Shape(signed=("Body", "Action"), header=("Action", "To", "Security"))
    report = judged(
        made(shape, action="urn:wrong", to="https://elsewhere/", created=NOW - timedelta(hours=1))
    )
    assert {"wsa:To", "wsa:Action", "wsa:MessageID", "signed parts", "time", "expiry"} <= set(
        wrong(report)
    )


def test_pretty_printed_signed_info_is_recognised() -> None:
    def pretty(root: etree._Element) -> None:
        info = root.find(f".//{{{DS}}}SignedInfo")
        assert info is not None
        etree.indent(info)

    report = judged(made(Shape(after=pretty)))
    assert "pretty-printing" in wrong(report)["signature value"]


def test_another_key_than_the_token_is_recognised() -> None:
    class Mixed:
        certificate = key("Een ander").certificate

        def sign(self, data: bytes, hash_name: str) -> bytes:
            return key().sign(data, hash_name)

    report = judged(made(signer=Mixed()))
    assert "another key" in wrong(report)["signature value"]


def test_local_time_written_as_utc_is_recognised() -> None:
    report = judged(made(created=NOW + timedelta(hours=1, seconds=2)))
    assert "local time" in wrong(report)["time"]


@pytest.mark.parametrize(
    ("name", "guess"),
    [("Loonaangifte", "Aangifte_LH"), ("omzetbelasting", "Omzetbelasting"), ("aangifte-lh", None)],
)
def test_guessed_kind_gets_the_real_name(name: str, guess: str | None) -> None:
    body = koppelvlak.write(aanlevering()).replace(b"Omzetbelasting</ber", f"{name}</ber".encode())
    found = wrong(judged(made(body=body)))["berichtsoort"]
    assert (f"did you mean {guess}" in found) if guess else ("known:" in found)


def test_empty_bijlagen_and_wrong_order_get_advice() -> None:
    body = koppelvlak.write(aanlevering())
    empty = body.replace(b"</berichtInhoud>", b"</berichtInhoud><berichtBijlagen/>")
    assert "leave berichtBijlagen out" in " ".join(wrong(judged(made(body=empty))).values())
    moved = body.replace(b"<rolBelanghebbende>Bedrijf</rolBelanghebbende>", b"").replace(
        b"<berichtsoort>", b"<rolBelanghebbende>Bedrijf</rolBelanghebbende><berichtsoort>"
    )
    assert "xsd:sequence" in " ".join(wrong(judged(made(body=moved))).values())


def test_invented_element_name_leads_to_the_real_one() -> None:
    body = f'<aanleveren xmlns="{KOPPELVLAK}"/>'.encode()
    assert "aanleverRequest" in wrong(judged(made(body=body)))["operation"]
    body = b'<aanleverRequest xmlns="http://logius.nl/digipoort/wus/2.0/aanleverservice/1.2"/>'
    assert KOPPELVLAK in wrong(judged(made(body=body)))["operation"]


def test_debugger_header_of_dotnet_gets_its_switch() -> None:
    def add(root: etree._Element) -> None:
        header = root.find(f"{{{SOAP}}}Header")
        assert header is not None
        etree.SubElement(header, "{http://schemas.microsoft.com/x}VsDebuggerCausalityData")

    report = judged(made(Shape(before=add)))
    assert "Remote.Disable" in wrong(report)["header VsDebuggerCausalityData"]


def test_message_without_security_and_addressing() -> None:
    inner = koppelvlak.write(aanlevering()).decode()
    raw = f'<e:Envelope xmlns:e="{SOAP}"><e:Body>{inner}</e:Body></e:Envelope>'.encode()
    found = wrong(judged(raw))
    assert {"headers", "wsse:Security"} <= set(found)


def test_not_well_formed_says_where_and_goes_on() -> None:
    raw = made(created=NOW - timedelta(days=1)).replace(b"</a:Action>", b"</a:Actie>")
    found = wrong(judged(raw))
    assert "line 1, column" in found["well-formed"]
    assert "time" in found


def test_an_undeclared_prefix_is_seen_before_a_warning_too() -> None:
    raw = made().replace(b"<a:Action ", b'<a:Action f:oo="" ', 1)
    raw = raw.replace(b":Body ", b':Body xmlns="no-address" ', 1)
    etree.fromstring(raw)  # lxml by itself lets it through
    assert "prefix f " in wrong(judged(raw))["well-formed"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"hello",
        b"<a/>",
        b"\xff\xfe<\x00a\x00",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"POST / HTTP/1.1\r\n\r\n",
        f'<e:Envelope xmlns:e="{SOAP}"/>'.encode(),
        f'<e:Envelope xmlns:e="{SOAP}"><e:Header/><e:Body/></e:Envelope>'.encode(),
        f'<e:Envelope xmlns:e="{SOAP}" xmlns:a="{WSA}"><e:Header><a:To/></e:Header>'
        f"<e:Body>x</e:Body></e:Envelope>".encode(),
    ],
)
def test_rubbish_is_reported_not_raised(raw: bytes) -> None:
    report = judged(raw)
    assert not report.accepted
    assert report.fout


def test_every_truncation_is_reported_not_raised() -> None:
    raw = made(Shape(digest="sha1", signature="sha1"))
    for size in range(0, len(raw), 97):
        assert not judged(raw[:size]).accepted


def test_real_clients_requests_are_found_right_but_for_kind_and_host(shared: Path) -> None:
    for file in sorted((shared / "data/wus/clients").glob("*.xml")):
        raw = file.read_bytes()
        created = etree.fromstring(raw).find(f".//{{{WSU}}}Created")
        assert created is not None
        at = (created.text or "")[:19] + "+00:00"
        result = CliRunner().invoke(command, [str(file), "--at", at, "--json"])
        report = json.loads(result.stdout.splitlines()[-1])
        bad = {c["check"] for c in report["checks"] if c["outcome"] == "wrong"}
        assert bad <= {"berichtsoort", "token"}, file.name
        assert report["fout"] == ""


def test_exit_codes(tmp_path: Path) -> None:
    good = tmp_path / "good.xml"
    good.write_bytes(made())
    run = CliRunner().invoke
    at = ["--at", NOW.isoformat()]
    assert run(command, [str(good), "--to", HOST, *at]).exit_code == 0
    assert run(command, [str(good), "--to", "https://elsewhere", *at]).exit_code == 1
    assert run(command, [str(tmp_path / "none.xml")]).exit_code == 2
    assert run(command, []).exit_code == 2
