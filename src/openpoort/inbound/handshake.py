"""Who arrives at a door: accepted, brought through TLS, and told why not.

The event loop's own servers drop a failed handshake in silence: the TLS alert stays behind in a
buffer and nobody hears the reason. So connections are accepted here; the client gets the alert,
the operator an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from openpoort.inbound.line import origin, silent
from openpoort.inbound.tls import Session

Noticed = Callable[[str, str], None]
"""Hears of connections cut before there was a request: origin and reason."""

_LINGER_SECONDS, _LINGER_READS = 1.0, 64
_STALE_SECONDS = 2.0
"""When all places are taken, who has been in the handshake so long makes room."""
_SHUTDOWN_SECONDS = 2.0

REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no client certificate",
    "CERTIFICATE_VERIFY_FAILED": "client certificate refused",
    "UNSUPPORTED_PROTOCOL": "no common TLS version: 1.2 or 1.3 is needed",
    "NO_PROTOCOLS_AVAILABLE": "no common TLS version: 1.2 or 1.3 is needed",
    "WRONG_VERSION_NUMBER": "not TLS",
    "HTTP_REQUEST": "plain HTTP on a port with TLS",
    "NO_SHARED_CIPHER": "no common cipher suite",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "no common signature algorithm",
    "NO_SHARED_SIGNATURE_ALGORITHMS": "no common signature algorithm",
    "NO_SUITABLE_GROUPS": "no common group for the key exchange",
    "NO_SUITABLE_KEY_SHARE": "no common group for the key exchange",
    "TLSV1_ALERT_UNKNOWN_CA": "the client does not trust the certificate of this gateway",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the client does not accept the certificate of this gateway",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the client does not accept the certificate of this gateway",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the client finds the certificate of this gateway expired",
    "NO_APPLICATION_PROTOCOL": "no common protocol: HTTP/1.1 is needed",
}
"""OpenSSL's reason of a failed handshake -> ours. Without a value of the peer's in it."""


def why(wrong: BaseException) -> str:
    """A failed handshake in words. Of a refused certificate with OpenSSL's own: unable to get
    local issuer certificate, certificate has expired."""
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return f"{REASONS['CERTIFICATE_VERIFY_FAILED']}: {wrong.verify_message}"
    if isinstance(wrong, ssl.SSLError):
        said = wrong.reason or ""
        return REASONS.get(said, f"TLS handshake failed: {said.lower().replace('_', ' ')}")
    if "taking longer" in str(wrong) or isinstance(wrong, TimeoutError):
        return "TLS handshake too slow"
    return "hung up in the TLS handshake"


@dataclass(slots=True)
class Arrivals:
    """The way from a listening socket to a protocol. `build` makes one, `context` gives the TLS
    context; at most `places` are in the handshake at once, each for at most `seconds`."""

    build: Callable[[], asyncio.Protocol]
    context: Callable[[], ssl.SSLContext]
    noticed: Noticed
    seconds: float
    places: int
    _under_way: dict[asyncio.Task[None], float] = field(default_factory=dict)
    _accepting: list[asyncio.Task[None]] = field(default_factory=list)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self, sock: socket.socket, backlog: int) -> None:
        """`sock` is bound."""
        sock.listen(backlog)
        sock.setblocking(False)
        self._accepting.append(asyncio.get_running_loop().create_task(self._accept(sock)))

    def close(self) -> None:
        """Accept nobody any more; who is in the handshake is cut off."""
        for task in (*self._accepting, *self._under_way):
            task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._accepting, *self._under_way, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if len(self._under_way) >= self.places:
                await self._make_room()
            try:
                sock, peer = await loop.sock_accept(listening)
            except OSError:  # out of files, or gone before it was accepted
                await asyncio.sleep(0.01)
                continue
            sock.setblocking(False)
            task = loop.create_task(self._secure(sock, origin(peer)))
            self._under_way[task] = loop.time()
            task.add_done_callback(self._done)

    async def _make_room(self) -> None:
        """Wait for somebody to get through; who has been at it too long is cut off."""
        oldest, begun = next(iter(self._under_way.items()))
        patience = begun + _STALE_SECONDS - asyncio.get_running_loop().time()
        self._left.clear()
        if patience > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._left.wait()
                    return
        oldest.cancel()
        await self._left.wait()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self._left.set()

    async def _secure(self, sock: socket.socket, came_from: str) -> None:
        """The loop closes what fails: by then we hold the socket a second time, for the alert."""
        with sock.dup() as spare:
            try:
                await asyncio.get_running_loop().connect_accepted_socket(
                    self.build,
                    sock,
                    ssl=self.context(),
                    ssl_handshake_timeout=self.seconds,
                    ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
                )
            except asyncio.CancelledError:
                sock.close()
                raise
            except (OSError, TimeoutError) as wrong:  # ssl.SSLError is an OSError
                if not silent(spare):
                    self.noticed(came_from, why(wrong))
                await _farewell(spare, Session.alert_of(wrong))


async def _farewell(sock: socket.socket, alert: bytes) -> None:
    """Send the alert and wait for the client to hang up: a socket that is closed with something
    unread is reset, and the alert is lost with it."""
    if not alert:
        return
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    with contextlib.suppress(OSError, TimeoutError):
        sock.send(alert)
        sock.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_LINGER_SECONDS):
            for _ in range(_LINGER_READS):
                if not await loop.sock_recv(sock, 65536):
                    return
