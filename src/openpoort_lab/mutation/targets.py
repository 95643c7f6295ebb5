"""Which tests must notice a mistake in which module: the nearest ones, quick enough to be run
for each mutant. What is not named here is not mutated."""

from __future__ import annotations

_TRUST = ("tests/unit/test_trust_gate.py", "tests/unit/test_trust_certificates.py",
          "tests/unit/test_trust_evidence.py", "tests/unit/test_trust_store_files.py")  # fmt: skip
_WIRE = ("tests/unit/test_wire_signed_info.py", "tests/unit/test_wire_aside.py",
         "tests/unit/test_wire_soap.py", "tests/unit/test_wire_woven.py",
         "tests/unit/test_wire_xml.py", "tests/unit/test_trust_gate.py",
         "tests/conformance/test_wire_requests.py", "tests/conformance/test_wire_answers.py",
         "tests/unit/test_hostile_corpus.py")  # fmt: skip

TESTS: dict[str, tuple[str, ...]] = {
    "domain/party": ("tests/unit/test_party_rules.py", "tests/unit/test_directory_rules.py"),
    "domain/process": ("tests/unit/test_domain_process.py",),
    "process/flow/outcomes": ("tests/process/test_process_flow.py",
                         "tests/process/test_process_unhappy.py",
                         "tests/process/test_process_two_judgements.py"),
    "store/messages/arrival": ("tests/store/test_store_arrival.py",
                      "tests/process/test_process_repeats.py"),
    "store/messages/changes": ("tests/store/test_store_changes.py",
                      "tests/process/test_process_flow.py",
                      "tests/process/test_process_unhappy.py"),
    "store/messages/mailbox": ("tests/store/test_store_mailbox.py",
                      "tests/process/test_process_reading.py",
                      "tests/process/test_process_settled.py"),
    "store/messages/parked": ("tests/store/test_store_changes.py",
                     "tests/process/test_process_parked.py"),
    "store/directory/proposals": ("tests/store/test_store_proposals.py",),
    "store/queue": ("tests/store/test_store_queue.py",),
    "store/messages/retention": ("tests/store/test_store_retention.py",
                        "tests/process/test_process_retention.py"),
    "store/journal/sequencer": ("tests/unit/test_journal_sequencer.py",),
    "trust/chain": _TRUST, "trust/policy": _TRUST, "trust/revocation": _TRUST,
    "trust/sender": _TRUST, "trust/subject": _TRUST, "trust/verdict": _TRUST,
    "trust/verdicts": _TRUST,
    "wire/wus/addressing": _WIRE, "wire/xml/detached_content": _WIRE,
    "wire/wus/envelope": _WIRE,
    "wire/xml/elements": _WIRE, "wire/xmldsig/signedinfo": _WIRE, "wire/wus/wssec": _WIRE,
}  # fmt: skip
"""Module, from `src/openpoort` and without its ending, to its tests in the order to run them."""
