"""The sockets the server listens on, bound before anything else is opened: a taken port is the first thing said."""

import errno
import socket
from collections.abc import Sequence

from sentinel.errors import SettingsError

__all__ = ["addresses", "bind"]

BACKLOG = 2048


def bind(host: str, ports: Sequence[int]) -> list[socket.socket]:
    """One listening socket a port (0: any free one). Raises SettingsError that names the port which cannot be had."""
    sockets: list[socket.socket] = []
    try:
        for port in ports:
            sockets.append(_bind(host, port))  # noqa: PERF401 those bound so far are closed when one fails
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise SettingsError(f"listen on {host} port {port}: {exc}; set LOG_SENTINEL_HOST to an address here") from exc
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError as exc:
        opened.close()
        taken = exc.errno == errno.EADDRINUSE
        cause = "another program listens there; stop it, or" if taken else f"{exc.strerror or exc};"
        raise SettingsError(
            f"listen on {host} port {port}: {cause} choose other ports with LOG_SENTINEL_PORTS"
        ) from exc
    opened.setblocking(False)
    return opened


def addresses(sockets: Sequence[socket.socket]) -> list[str]:
    """Where the sockets listen, as URLs."""
    found = []
    for opened in sockets:
        host, port = opened.getsockname()[:2]
        found.append(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    return found
