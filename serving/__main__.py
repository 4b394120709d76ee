"""`python -m serving`: one process, one server on all ports of LOG_SENTINEL_PORTS."""

import sys

from sentinel.errors import SentinelError
from sentinel.settings import load_settings
from serving import log_format, sockets

__all__ = ["main"]


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0 after an orderly stop, 2 where it cannot start."""
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


if __name__ == "__main__":
    sys.exit(main())
