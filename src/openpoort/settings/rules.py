"""What types cannot say about settings: ranges, addresses, names that must be known."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlsplit

from openpoort.settings.values import FILE, Payloads, Settings, SettingsError


def judge(settings: Settings) -> None:
    """Raises SettingsError with the first rule that does not hold."""
    rules = [
        (0 <= settings.door.port < 65536, "door.port must lie between 0 and 65535"),
        (0 <= settings.health.port < 65536, "health.port must lie between 0 and 65535"),
        (settings.door.processes >= 1, "door.processes must be at least 1"),
        (settings.worker.processes >= 1, "worker.processes must be at least 1"),
        (settings.worker.threads >= 1, "worker.threads must be at least 1"),
        (settings.door.max_body_mib >= 1, "door.max_body_mib must be at least 1"),
        (
            not settings.ausp.url or settings.ausp.url.startswith("https://"),
            "ausp.url must be an https address",
        ),
        (settings.door.rate >= 0, "door.rate must be 0 (no limit) or more"),
        (settings.door.burst >= 1, "door.burst must be at least 1"),
        (settings.door.connections >= 16, "door.connections must be at least 16"),
        (bool(settings.door.bind), "door.bind must name at least one address"),
        (bool(settings.tls.certificates), "tls.certificates needs at least one entry"),
        (settings.journal.checkpoint_seconds >= 1, "journal.checkpoint_seconds must be at least 1"),
        (
            settings.journal.origin.isprintable()
            and not set(settings.journal.origin) & set(" +")
            and bool(settings.journal.origin),
            "journal.origin must be one word without a plus sign",
        ),
        (
            not settings.tsa.url or settings.tsa.url.startswith(("http://", "https://")),
            "tsa.url must be an http or https address",
        ),
        (
            re.fullmatch(r"([0-2](\.(0|[1-9]\d*))+)?", settings.tsa.policy) is not None,
            "tsa.policy must be an object identifier such as 1.2.3",
        ),
        (settings.tsa.seconds >= 1, "tsa.seconds must be at least 1"),
        (
            all(0 <= p < 1e6 for p in dataclasses.astuple(settings.prices)),
            "prices are euros: 0 (not configured) or more",
        ),
        (
            all(0 <= p < 1e6 for p in dataclasses.astuple(settings.promised)),
            "promised times are minutes: 0 (nothing promised) or more",
        ),
        (settings.clock.factor > 0, "clock.factor must be greater than 0"),
        (
            settings.log.level in {"DEBUG", "INFO", "WARNING", "ERROR"},
            "log.level must be DEBUG, INFO, WARNING or ERROR",
        ),
        (
            settings.log.security_format in {"openpoort", "ocsf"},
            "log.security_format must be openpoort or ocsf",
        ),
        *_payload_rules(settings.payloads),
    ]
    for holds, text in rules:
        if not holds:
            raise SettingsError(f"{settings.home / FILE}: {text}")


def _payload_rules(payloads: Payloads) -> list[tuple[bool, str]]:
    names = [one.name for one in payloads.s3]
    rules = [
        (
            len({*names, "folder", "db"}) == len(names) + 2
            and all(n.isidentifier() for n in names),
            "payloads.s3: each needs a name of its own (letters, digits, _; not folder or db)",
        ),
        (
            payloads.to in {*names, "folder"},
            f"payloads.to: {payloads.to!r} is no place; known: {', '.join(['folder', *names])}",
        ),
    ]
    for one in payloads.s3:
        where, at = f"payloads.s3 {one.name}", urlsplit(one.endpoint)
        local = at.hostname in {"localhost", "127.0.0.1", "::1"}
        rules += [
            (
                bool(at.hostname) and (at.scheme == "https" or (at.scheme == "http" and local)),
                f"{where}: endpoint must be an https address (http on this machine only)",
            ),
            (
                at.username is None and at.path in {"", "/"} and not at.query,
                f"{where}: endpoint is scheme, host and port; keys go in `credentials`, the rest"
                " in `bucket` and `prefix`",
            ),
            (
                re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", one.bucket) is not None,
                f"{where}: bucket {one.bucket!r} is no name of a bucket",
            ),
            (
                one.prefix == one.prefix.strip("/") and "//" not in one.prefix,
                f"{where}: prefix must not begin or end with a slash",
            ),
            (1 <= one.timeout_seconds <= 300, f"{where}: timeout_seconds must be 1 to 300"),
        ]
    return rules
