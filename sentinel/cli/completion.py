"""`completion`: what lets a shell complete commands and options, made beforehand, so that Tab starts no Python.

`python -m sentinel.cli.completion` makes the scripts anew with shtab after a command has changed.
"""

import argparse
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from sentinel.cli.commands import Run

__all__ = ["SHELLS", "completion", "make_script"]

SHELLS = ("bash", "zsh", "fish")
FOLDER = "completions"


def completion(command: argparse.ArgumentParser) -> Run:
    """Arguments of `completion`; it prints while they are read, since it needs no settings."""
    command.epilog = (
        f"{command.epilog}. For good: sentinel completion bash > ~/.local/share/bash-completion/completions/sentinel; "
        "sentinel completion zsh > a folder of your $fpath, as _sentinel; "
        "sentinel completion fish > ~/.config/fish/completions/sentinel.fish"
    )
    command.add_argument("shell", choices=SHELLS, action=_Print)
    return lambda options, settings: 0


class _Print(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        print(files("sentinel.cli").joinpath(FOLDER, f"sentinel.{values}").read_text(encoding="utf-8"), end="")
        parser.exit()


def make_script(shell: str) -> str:
    """The script of a shell for all commands as they are now."""
    import shtab

    from sentinel.cli.main import build_parser

    parser = build_parser()
    of_commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command in of_commands.choices.values():
        for action in command._actions:
            if action.type is Path or action.metavar == "PATH":
                action.complete = shtab.FILE  # shtab reads it there
    return "\n".join(line.rstrip() for line in shtab.complete(parser, shell=shell).splitlines()) + "\n"


if __name__ == "__main__":
    for name in SHELLS:
        Path(__file__).with_name(FOLDER).joinpath(f"sentinel.{name}").write_text(make_script(name), encoding="utf-8")
