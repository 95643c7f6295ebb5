"""What is being diagnosed: the request, what could be made of it so far, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from lxml import etree

from openpoort.client.diagnose.report import Report
from openpoort.client.diagnose.request import Request
from openpoort.domain.kind import Kind
from openpoort.domain.party import Directory
from openpoort.trust.sender import Grounds
from openpoort.wire.wus.services import AFLEVER, SERVICES, Operation, Service

_SERVED = {path: service for path, service in SERVICES.items() if service is not AFLEVER}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a gateway would know. `hosts` are base addresses (`https://host:port`); `grounds` are
    what it judges certificates on; `switches`: the names of the Aansluit Suite work there;
    `served` are its services by path. Empty collections and None mean that nothing is known, and
    the report says so."""

    now: datetime
    skew: timedelta = timedelta(minutes=5)
    hosts: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    directory: Directory | None = None
    grounds: Grounds | None = None
    switches: bool = False
    served: Mapping[str, Service] = field(default_factory=lambda: _SERVED)


@dataclass(slots=True)
class Subject:
    """Filled in by the checks, in their order; a later check skips what is still None."""

    request: Request
    around: Surroundings
    report: Report = field(default_factory=Report)
    xml: bytes = b""
    root: etree._Element | None = None
    header: etree._Element | None = None
    body: etree._Element | None = None
    payload: etree._Element | None = None
    security: etree._Element | None = None
    certificate: x509.Certificate | None = None
    service: Service | None = None
    operation: Operation | None = None


def local(element: etree._Element) -> str:
    """Local name; works for the broken names that a recovered tree may hold."""
    return str(element.tag).rpartition("}")[2]


def space(element: etree._Element) -> str:
    """Namespace; empty if there is none."""
    return str(element.tag).rpartition("}")[0].removeprefix("{")


def elements(parent: etree._Element) -> list[etree._Element]:
    """Child elements, without comments and processing instructions (libxml2 ends the process when
    it canonicalises one of those)."""
    return [child for child in parent if isinstance(child.tag, str)]


def shown(element: etree._Element) -> str:
    """How the sender wrote it: prefix and local name."""
    return f"{element.prefix}:{local(element)}" if element.prefix else local(element)


def text(element: etree._Element | None) -> str:
    return "".join(str(part) for part in element.itertext()).strip() if element is not None else ""
