"""Arguments in, one verb called, its report printed. Exit 0: done (also when there was nothing to do), 1: failed for
now, 2: will never work this way."""

import argparse
import logging
import os
import sys
from collections.abc import Collection, Sequence

from sentinel import __version__
from sentinel.cli.commands import COMMANDS
from sentinel.errors import TerminalError, TransientError
from sentinel.secrecy import blot

__all__ = ["build_parser", "main"]

log = logging.getLogger("sentinel")


def build_parser(wanted: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """All commands with help and an example; the arguments of those that are `wanted`, whose files are imported."""
    parser = argparse.ArgumentParser(
        prog="sentinel", description="Log Sentinel: log lines in, none lost, the strange ones named with their reasons."
    )
    parser.add_argument("--version", action="version", version=f"sentinel {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        of_command = commands.add_parser(
            name, help=command.help, description=command.help, epilog=f"example: {command.example}"
        )
        if name in wanted:
            of_command.set_defaults(run=command.load()(of_command))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Only the file of that command is imported."""
    given = sys.argv[1:] if arguments is None else arguments
    wanted = [word for word in given if not word.startswith("-")][:1]
    options = build_parser(wanted).parse_args(given)
    try:
        from sentinel.settings import load_settings  # after the arguments: neither help nor completion needs them

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
