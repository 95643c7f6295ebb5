"""Listening sockets, bound once by the supervisor and shared by the door processes.

Because the socket outlives a door, a connection made while a door starts again waits a moment
instead of being refused.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence


class PortTaken(Exception):
    """Another program listens there."""


def listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    """One bound socket per address; port 0 takes a free one, the same for all of them.

    An IPv6 address is left out on a machine without IPv6. Raises PortTaken, or OSError.
    """
    bound: list[socket.socket] = []
    for address in addresses:
        try:
            sock = _one(address, port)
        except OSError as wrong:
            if ":" in address and wrong.errno in _NO_IPV6:
                continue
            for other in bound:
                other.close()
            if wrong.errno == errno.EADDRINUSE:
                raise PortTaken(f"port {port} on {address} is in use by another program") from None
            raise
        bound.append(sock)
        port = port or sock.getsockname()[1]
    if not bound:
        raise OSError(f"none of {', '.join(addresses)} can be listened on")
    return bound


def _one(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        # Listening makes the port ours; with SO_REUSEADDR a mere bind would not.
        sock.listen(2048)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
