"""The life of the server process: open, serve, put away."""

import gc
import logging
import resource
import socket
import sys
from collections.abc import Sequence

from sentinel.settings import Settings
from serving import memory
from serving.app import create_app
from serving.assemble import open_parts, stop_requests
from serving.listen import web_server
from serving.sockets import addresses

__all__ = ["serve"]

log = logging.getLogger(__name__)

OPEN_FILES = 8192
SWITCH_S = 0.001  # a thread that computes lets the event loop in after this, not after Python's 5 ms
GC_THRESHOLDS = (50_000, 20, 100)  # decoded batches make many objects at once, and hardly a cycle


def serve(settings: Settings, bound: Sequence[socket.socket]) -> None:
    """Serve on these sockets until SIGTERM or SIGINT. Raises SentinelError where something cannot be opened."""
    _tune()
    parts = open_parts(settings)
    app = create_app(parts)
    server = web_server(app, on_stop=lambda: stop_requests(parts))
    gc.collect()
    gc.freeze()
    log.info("listening on=%s store=%s", ",".join(addresses(bound)), parts.sentinel.store.kind)
    give_back = memory.GiveBack()
    give_back.start()
    try:
        server.run(list(bound))
    finally:
        give_back.stop()


def _tune() -> None:
    """Room for many connections, short turns of threads, few collections of garbage."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*GC_THRESHOLDS)
