"""The services and operations of contract 1.2, as one table.

Aanleveren, statusinformatie and ophalen are the contract's; afleveren and zetStatus are ours
in the same style, because no WSDL of theirs is public (docs: divergences). Schema and WSDL are
our own documents; tests hold them against the interface's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from string import Template
from xml.sax.saxutils import escape as quote

from openpoort.wire.names import KOPPELVLAK, WUS


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: the elements of its messages (Clark names) and its four action URIs.

    `action_wcf` is what .NET proxies derive from the portType name; both are accepted.
    """

    name: str
    request: str
    response: str
    fault: str
    action: str
    action_wcf: str
    response_action: str
    fault_action: str


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `path` below the host, `letters` before its fault codes (ALS100).

    `title` is the portType name without version (`AanleverService`); `fault` the local name
    of its fault element; `mtom` whether the WSDL offers optimised attachments.
    """

    name: str
    title: str
    letters: str
    path: str
    namespace: str
    fault: str
    operations: tuple[Operation, ...]
    mtom: bool = False

    def operation(self, element: str) -> Operation | None:
        """The operation whose request has this Clark name; None if the service lacks it."""
        for operation in self.operations:
            if operation.request == element:
                return operation
        return None

    def answers(self, element: str) -> Operation | None:
        """The operation whose response has this Clark name."""
        for operation in self.operations:
            if operation.response == element:
                return operation
        return None


def _operations(
    namespace: str, title: str, fault: str, rows: tuple[tuple[str, str], ...]
) -> Iterator[Operation]:
    for name, stem in rows:
        plain, wcf = f"{namespace}{title}/{name}", f"{namespace}{title}_V1_2/{name}"
        yield Operation(
            name=name,
            request=f"{{{KOPPELVLAK}}}{stem}Request",
            response=f"{{{KOPPELVLAK}}}{stem}Response",
            fault=f"{{{KOPPELVLAK}}}{fault}",
            action=f"{plain}Request",
            action_wcf=f"{wcf}Request",
            response_action=f"{plain}Response",
            fault_action=f"{plain}/Fault/",
        )


def _service(
    title: str, letters: str, fault: str, rows: tuple[tuple[str, str], ...], mtom: bool = False
) -> Service:
    name = title.lower()
    namespace = f"{WUS}{name}/1.2/"
    return Service(
        name=name,
        title=title,
        letters=letters,
        path=f"/wus/2.0/{name}/1.2",
        namespace=namespace,
        fault=fault,
        operations=tuple(_operations(namespace, title, fault, rows)),
        mtom=mtom,
    )


def _same(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


AANLEVER = _service("AanleverService", "ALS", "aanleverFault", (("aanleveren", "aanlever"),), True)
STATUSINFORMATIE = _service(
    "StatusinformatieService",
    "STS",
    "statusinformatieFault",
    _same(
        "getBerichtsoorten",
        "getProcessen",
        "getStatussenProces",
        "getNieuweStatussenProces",
        "getNieuweStatussen",
    ),
)
OPHAAL = _service(
    "OphaalService",
    "OPH",
    "ophaalFault",
    _same(
        "getBerichten",
        "getNieuweBerichten",
        "getBerichtenLijst",
        "getNieuweBerichtenLijst",
        "getBerichtenKenmerk",
        "getNieuweBerichtenKenmerk",
    ),
)
AFLEVER = _service("AfleverService", "AFS", "afleverFault", (("afleveren", "aflever"),), True)
ZETSTATUS = _service("ZetStatusService", "ZSS", "zetStatusFault", _same("zetStatus"))

SERVICES = {s.path: s for s in (AANLEVER, STATUSINFORMATIE, OPHAAL, AFLEVER, ZETSTATUS)}
"""By path. The doors of the gateway serve all but AFLEVER, which is the agency's side."""

AANSLUIT_SUITE = {
    path: replace(service, path=path)
    for path, service in (
        ("/cpl/aanleverservice/1.2", AANLEVER),
        ("/cpl/statusinformatieservice/1.2", STATUSINFORMATIE),
        ("/cpl/ophaalservice/services/OphaalService_V1_2", OPHAAL),
    )
}
"""The paths of the Aansluit Suite, for installations that know its switch names."""


def by_element(element: str) -> tuple[Service, Operation] | None:
    """Service and operation of a request's Clark name; None if no service knows it."""
    for service in SERVICES.values():
        operation = service.operation(element)
        if operation:
            return service, operation
    return None


@lru_cache(maxsize=1)
def xsd() -> bytes:
    """The schema of all messages as served at `?xsd`."""
    return (files("openpoort.wire.wus") / "koppelvlak.xsd").read_bytes()


def wsdl(service: Service, address: str) -> bytes:
    """The WSDL of a service as served at `?wsdl`; `address` is its full URL.

    The schema is imported from `address?xsd`.
    """
    whole, operation, binding = _templates()
    fields = {
        "tns": service.namespace,
        "title": service.title,
        "stem": service.title[0].lower() + service.title[1:],
        "fault": service.fault,
        "kv": KOPPELVLAK,
        "address": quote(address, {'"': "&quot;"}),
        "mtom": _MTOM if service.mtom else "",
        "parts": "".join(_messages(service, o) for o in service.operations),
        "port_type": "".join(_fill(operation, service, o) for o in service.operations),
        "binding": "".join(_fill(binding, service, o) for o in service.operations),
    }
    return whole.substitute(fields).encode()


_MTOM = '\n        <mtom:OptimizedMimeSerialization wsp:Optional="true"/>'
_PART = """
  <wsdl:message name="{name}">
    <wsdl:part name="{part}" element="kv:{element}"/>
  </wsdl:message>"""


def _messages(service: Service, operation: Operation) -> str:
    rows = ((operation.request, "Request"), (operation.response, "Response"))
    return "".join(
        _PART.format(name=f"{operation.name}Message{tail}", part=local, element=local)
        for local, tail in ((_local(name), tail) for name, tail in rows)
    )


def _fill(template: Template, service: Service, operation: Operation) -> str:
    return template.substitute(
        name=operation.name,
        action=operation.action,
        response_action=operation.response_action,
        fault_action=operation.fault_action,
        stem=service.title[0].lower() + service.title[1:],
        title=service.title,
    )


@lru_cache(maxsize=1)
def _templates() -> tuple[Template, Template, Template]:
    text = (files("openpoort.wire.wus") / "service.wsdl").read_text("utf-8")
    whole, operation, binding = text.split("<!--cut-->\n")
    return Template(whole), Template(operation), Template(binding)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
