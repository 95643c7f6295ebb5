"""The connection under a request: who is on the other side, and what has reached him.

Delivered is what the peer's TCP has acknowledged to the last octet, whoever closes first. Bytes
that were written prove nothing (they may lie in a buffer of ours), and a client that closes right
after reading proves nothing against it: its acknowledgement came before its goodbye.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Iterator

from openpoort.inbound.tls import Certificates, Session

_STEPS = (0.0005, 0.001, 0.002, 0.004, 0.008)
"""Seconds between two looks at the kernel; the last one again and again."""
_PATIENCE, _RATE = 8.0, 16 * 1024
"""How long the peer may take: seconds, and one more for so many octets. Less than the ten seconds
for which the next poll of the same requester waits."""
_TCP_INFO = struct.Struct("B119xQ")
"""tcpi_state and tcpi_bytes_acked (Linux 4.1, linux/tcp.h)."""
_RECEIVED = struct.Struct("128xQ")
"""tcpi_bytes_received; the end itself counts as one."""
_ENDED = 7
"""TCP_CLOSE: nothing comes any more, no acknowledgement either."""


class Line:
    """What the app may know of the connection under a request. `ending`: no more requests."""

    __slots__ = (
        "_held", "_session", "_stirred", "ending", "lost", "origin", "peer", "place", "transport",
    )  # fmt: skip

    def __init__(self, transport: asyncio.Transport, certificates: Certificates) -> None:
        tls = transport.get_extra_info("ssl_object")
        self._session: Session | None = tls if isinstance(tls, Session) else None
        self.transport = transport
        self.peer: bytes | None = tls.getpeercert(binary_form=True) if tls else None
        self.origin = origin(transport.get_extra_info("peername"))
        self.place = certificates.of(tls.context if tls else None)
        self.lost = self.ending = self._held = False
        self._stirred: asyncio.Future[None] | None = None

    def stir(self) -> None:
        """Something came in, or the connection ended: worth a look."""
        if self._stirred is not None and not self._stirred.done():
            self._stirred.set_result(None)

    def end(self) -> None:
        """Close it, but not while an acknowledgement is waited for: to a client that closes
        without reading our goodbye the close is a reset, and takes its acknowledgement along."""
        self.ending = True
        if not self._held:
            self.transport.close()

    @contextlib.contextmanager
    def receipt(self) -> Iterator[Receipt | None]:
        """To be entered before an answer is sent; None when the peer is gone already. The socket
        stays ours meanwhile, whatever becomes of the connection."""
        sock = self.transport.get_extra_info("socket")
        session = self._session
        try:
            number = os.dup(sock.fileno()) if session and not self.lost else -1
        except OSError:
            number = -1
        if number < 0 or session is None:
            yield None
            return
        with socket.socket(fileno=number) as kept:
            self._held = True
            try:
                yield Receipt(self, session, kept)
            finally:
                self._held = False
                if self.ending:
                    self.transport.close()

    async def stirred(self, seconds: float) -> None:
        """Until something came in or the connection ended, at most `seconds`."""
        self._stirred = asyncio.get_running_loop().create_future()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stirred
        self._stirred = None


class Receipt:
    """What is known of the delivery of one answer."""

    __slots__ = ("_before", "_line", "_session", "_sock", "_target")

    def __init__(self, line: Line, session: Session, sock: socket.socket) -> None:
        self._line, self._session, self._sock = line, session, sock
        self._before = session.plain
        self._target: int | None = None

    async def acknowledged(self, size: int) -> bool:
        """Whether all octets of an answer with `size` octets of content have arrived. False when
        the connection ended before, or the peer says nothing for too long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE + size / _RATE
        turn = 0
        while not self._arrived(size):
            if self._over() or loop.time() > end:
                return self._arrived(size)
            await self._line.stirred(_STEPS[min(turn, len(_STEPS) - 1)])
            turn += 1
        return True

    def _arrived(self, size: int) -> bool:
        """All of it went through TLS, and the peer's kernel has all that came out of that."""
        if self._target is None:
            if self._session.plain - self._before < size:
                return False  # a part still waits in front of TLS
            self._target = self._session.sent
        info = self._info()
        if info is None:
            return not self._line.lost and self._unsent() == 0
        return info[1] >= self._target

    def _over(self) -> bool:
        """Nothing will change any more."""
        if self._target is None:
            return self._line.lost
        info = self._info()
        return self._line.lost if info is None else info[0] == _ENDED

    def _info(self) -> tuple[int, int] | None:
        """State and acknowledged octets since the connection began; None where the system does
        not count them (a kernel other than Linux). The handshake itself was acknowledged, so
        nought means that nobody counts."""
        try:
            told = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        except (OSError, AttributeError):
            return None
        if len(told) < _TCP_INFO.size:
            return None
        state, acked = _TCP_INFO.unpack(told)
        return (state, acked) if acked else None

    def _unsent(self) -> int:
        """Octets that the kernel (not yet acknowledged, or not yet sent) and TLS still hold."""
        waiting = array.array("i", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, waiting)
        return waiting[0] + self._line.transport.get_write_buffer_size()


def silent(sock: socket.socket) -> bool:
    """Whether nothing ever came in, as from a probe that only looks whether the port is open."""
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.size)
    except (OSError, AttributeError):
        return False
    return len(told) == _RECEIVED.size and _RECEIVED.unpack(told)[0] <= 1


def origin(peername: tuple[object, ...] | None) -> str:
    """Address and port as events have them."""
    return f"{peername[0]}:{peername[1]}" if peername else "unknown"
