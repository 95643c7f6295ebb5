"""Where `devkit` went: an old module name answers with its new one, and nothing else."""

import sys

_LAB = "openpoort_lab"
_MOVED = {
    "bench": f"{_LAB}.bench", "bench_checks": f"{_LAB}.bench.checks",
    "bench_wire": f"{_LAB}.bench.wire", "letter": f"{_LAB}.figures.letter",
    "proofs": f"{_LAB}.figures.proofs",
    "events": f"{_LAB}.figures.events", "evidence_figures": f"{_LAB}.figures.evidence_figures",
    "figures": f"{_LAB}.figures.figures", "findings_page": f"{_LAB}.figures.findings_page",
    "guessing": f"{_LAB}.measuring.timing_oracle", "hostile": f"{_LAB}.hostile",
    "payloadcost": f"{_LAB}.measuring.payloadcost", "polls": f"{_LAB}.measuring.polls",
    "storm": f"{_LAB}.measuring.noisy_neighbour", "trustcost": f"{_LAB}.measuring.trustcost",
    "simulation": f"{_LAB}.simulation", "tsa": "openpoort.sandbox.tsa",
    "pki": "openpoort.sandbox.pki", "revocations": "openpoort.sandbox.revocations",
}  # fmt: skip

_asked = next((word for word in sys.orig_argv if word.startswith(__name__ + ".")), "")
_new = _MOVED.get(_asked[len(__name__) + 1 :].split(".")[0], f"{_LAB} or openpoort.sandbox")
raise ImportError(
    f"{_asked or __name__} is now {_new}"
    + ("; it comes with the distribution openpoort-lab" if _new.startswith(_LAB) else "")
)
