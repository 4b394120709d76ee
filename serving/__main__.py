"""`python -m serving`: one process, one server on all ports of LOG_SENTINEL_PORTS."""

import logging
import os
import sys
import threading
from typing import NoReturn

from sentinel.errors import SentinelError
from sentinel.settings import load_settings
from serving import log_format, memory, sockets

__all__ = ["leave", "main"]

log = logging.getLogger(__name__)


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0 after an orderly stop, 2 where it cannot start."""
    memory.keep_little()  # before polars is there
    try:
        settings = load_settings()
        log_format.configure(settings.log_sentinel_log_level)
        bound = sockets.bind(settings.log_sentinel_host, settings.log_sentinel_ports)
    except SentinelError as exc:
        sys.stderr.write(f"log sentinel cannot start: {exc}\n")
        return 2
    try:
        from serving.run import serve  # after the sockets: a taken port is said at once

        serve(settings, bound)
    except SentinelError as exc:
        sys.stderr.write(f"log sentinel cannot start: {exc}\n")
        return 2
    finally:
        for opened in bound:
            opened.close()
    return 0


def leave(code: int) -> NoReturn:
    """End the process; threads that still work on a request are not waited for: all is put away, its answer was 503."""
    working = [t.name for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    if not working:
        sys.exit(code)
    log.info("ended without waiting for threads names=%s", ",".join(working))
    logging.shutdown()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
