"""Which signature and digest algorithms are accepted, until when: data with sunset dates.

SHA-1 is what existing clients send, so it is accepted until a date, which a party may have for
itself. What carries a date is reported by name, so that the operator knows whom to call.
Source: Digikoppeling SIGN001-004; settled points; spec 2.2.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from openpoort.domain.fault import Fault
from openpoort.wire.wus.signed_message import Algorithms

_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"


class AlgorithmRefused(Fault):
    """Fault 100: the policy does not allow (any more) what the sender signed with."""

    def __init__(self, text: str, algorithm: str) -> None:
        super().__init__(text)
        self.algorithm = algorithm


@dataclass(frozen=True, slots=True)
class Algorithm:
    """`until` is the first moment at which it is no longer accepted; None: no end in sight."""

    uri: str
    name: str
    until: datetime | None = None


SHA1_SUNSET = datetime(2028, 1, 1, tzinfo=UTC)

_DEFAULT = (
    Algorithm(_DSIG + "rsa-sha1", "RSA-SHA1", SHA1_SUNSET),
    Algorithm(_MORE + "rsa-sha256", "RSA-SHA256"),
    Algorithm(_MORE + "rsa-sha384", "RSA-SHA384"),
    Algorithm(_MORE + "rsa-sha512", "RSA-SHA512"),
    Algorithm(_DSIG + "sha1", "SHA-1", SHA1_SUNSET),
    Algorithm(_ENC + "sha256", "SHA-256"),
    Algorithm(_MORE + "sha384", "SHA-384"),
    Algorithm(_ENC + "sha512", "SHA-512"),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The accepted algorithms, by URI."""

    algorithms: tuple[Algorithm, ...] = _DEFAULT
    min_key_bits: int = 2048
    _by_uri: dict[str, Algorithm] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_uri", {a.uri: a for a in self.algorithms})

    def check(
        self, used: Algorithms, at: datetime, own_until: datetime | None = None
    ) -> tuple[str, ...]:
        """Names of the used algorithms that have a sunset; empty when all will stay.

        `own_until` replaces every sunset for this sender. Raises AlgorithmRefused.
        """
        ending: list[str] = []
        for uri in (used.signature, *sorted(used.digests)):
            known = self._by_uri.get(uri)
            if known is None:
                raise AlgorithmRefused(f"Het algoritme {uri} wordt niet geaccepteerd.", uri)
            until = known.until
            if until is None:
                continue
            until = own_until or until
            if at >= until:
                raise AlgorithmRefused(
                    f"De ondertekening gebruikt {known.name}; dat wordt sinds "
                    f"{until:%Y-%m-%d} niet meer geaccepteerd. Gebruik RSA-SHA256 met SHA-256.",
                    known.name,
                )
            ending.append(known.name)
        if used.key_bits < self.min_key_bits:
            raise AlgorithmRefused(
                f"De sleutel van de ondertekening heeft {used.key_bits} bits; "
                f"minstens {self.min_key_bits} is nodig.",
                f"RSA-{used.key_bits}",
            )
        return tuple(ending)


def read(text: str) -> Policy:
    """Policy from TOML: `[[algorithm]]` with `uri`, `name` and perhaps `until` (a date) replaces
    the whole default list; `min_key_bits`. Raises ValueError."""
    rows = tomllib.loads(text)
    unknown = set(rows) - {"algorithm", "min_key_bits"}
    if unknown:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    listed = tuple(_algorithms(rows.get("algorithm", [])))
    return Policy(listed or _DEFAULT, int(rows.get("min_key_bits", 2048)))


def write(policy: Policy) -> str:
    """The policy as TOML, as an operator would edit it."""
    parts = [f"min_key_bits = {policy.min_key_bits}\n"]
    for algorithm in policy.algorithms:
        lines = [f'[[algorithm]]\nuri = "{algorithm.uri}"\nname = "{algorithm.name}"\n']
        if algorithm.until is not None:
            lines.append(f"until = {algorithm.until.astimezone(UTC).isoformat()}\n")
        parts.append("".join(lines))
    return "\n".join(parts)


def _algorithms(rows: Iterable[dict[str, object]]) -> Iterable[Algorithm]:
    for number, row in enumerate(rows, 1):
        unknown = set(row) - {"uri", "name", "until"}
        if unknown:
            raise ValueError(f"algorithm {number}: unknown key {', '.join(sorted(unknown))}")
        uri, name, until = row.get("uri"), row.get("name"), row.get("until")
        if not isinstance(uri, str) or not isinstance(name, str):
            raise ValueError(f"algorithm {number}: uri and name are needed")
        yield Algorithm(uri, name, _moment(until, number))


def _moment(value: object, number: int) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(f"algorithm {number}: until must be a date")
