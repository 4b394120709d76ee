"""The command `sentinel`: the pipeline's verbs in a shell, without Prefect."""

from sentinel.cli.main import main

__all__ = ["main"]
