"""Arguments in, one verb called, its report printed. Exit 0: done (also when there was nothing to do), 1: failed for
now, 2: will never work this way."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from sentinel.cli import (
    alert,
    data,
    dead_letters,
    doctor,
    evaluate,
    model,
    run,
    scan,
    simulate,
    spool,
    store_status,
    words,
)
from sentinel.errors import TerminalError, TransientError
from sentinel.secrecy import blot
from sentinel.settings import load_settings

__all__ = ["build_parser", "main"]

log = logging.getLogger("sentinel")


def build_parser() -> argparse.ArgumentParser:
    """All commands with their help."""
    parser = argparse.ArgumentParser(
        prog="sentinel", description="Log Sentinel: log lines in, none lost, the strange ones named with their reasons."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for room in (run, data, model, simulate, spool, dead_letters, store_status, words, alert, doctor, evaluate, scan):
        room.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        settings = load_settings()
        logging.basicConfig(
            level=settings.log_sentinel_log_level if options.command != "predict" else "WARNING",
            format="%(asctime)s %(levelname)s %(name)s %(message)s",
            stream=sys.stderr,
        )
        logging.getLogger("elastic_transport").setLevel(logging.ERROR)  # what fails there, our own message tells
        code = options.run(options, settings)
        sys.stdout.flush()
    except TransientError as exc:
        print(f"sentinel {options.command}: {exc}", file=sys.stderr)
        return 1
    except TerminalError as exc:
        print(f"sentinel {options.command}: {exc}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away, as `head` does
        return 0
    except OSError as exc:
        log.debug("the system refuses", exc_info=True)
        where = f"{exc.filename}: " if exc.filename else ""
        advice = "see to the disk, or to the rights of this user there (`sentinel doctor` looks at both)"
        print(blot(f"sentinel {options.command}: {where}{exc.strerror or exc}; {advice}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return int(code)
