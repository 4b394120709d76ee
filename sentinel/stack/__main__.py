"""`python -m sentinel.stack [--no-sample]`: what `sentinel up` becomes."""

import logging
import sys

from sentinel.errors import TerminalError, TransientError
from sentinel.settings import load_settings
from sentinel.stack.up import run_stack

__all__ = ["main"]


def main() -> int:
    """Run the stack. Exit code 0: stopped when asked, 1: a part did not start, 2: a setting or port is wrong."""
    try:
        settings = load_settings()
        logging.basicConfig(
            level=settings.log_sentinel_log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
        )
        return run_stack(settings, sample="--no-sample" not in sys.argv[1:])
    except (TransientError, TerminalError) as exc:
        sys.stderr.write(f"sentinel up: {exc}\n")
        return 1 if isinstance(exc, TransientError) else 2


if __name__ == "__main__":
    sys.exit(main())
