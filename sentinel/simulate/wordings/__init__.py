"""How programs word what happens to them: tables of texts, ours throughout, written in the forms these programs use."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Dialect", "Wording", "read_list", "read_logins", "read_stage", "read_wordings"]


@dataclass(frozen=True, slots=True)
class Wording:
    """One program's words for one thing: one or several texts with fields in braces."""

    name: str
    source: str
    level: str | None
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One program's words for a log-in: a failure takes one to three lines; `success` is empty where it says nothing.

    Fields: user, ip, port, pid, code (a small number), hex.
    """

    name: str
    source: str
    level: str | None
    failure: tuple[str, ...]
    success: str


def _read(name: str) -> str:
    return files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")


def _wording(row: dict[str, str | list[str] | None]) -> Wording:
    return Wording(str(row["name"]), str(row["source"]), _level(row["level"]), tuple(row["texts"] or ()))


def _level(value: object) -> str | None:
    return None if value is None else str(value)


@cache
def read_logins() -> tuple[Dialect, ...]:
    """All dialects of log-ins."""
    rows = json.loads(_read("logins"))
    return tuple(
        Dialect(row["name"], row["source"], row["level"], tuple(row["failure"]), row["success"]) for row in rows
    )


@cache
def read_wordings(name: str) -> tuple[Wording, ...]:
    """The wordings in the table `name`, e.g. "disk_full"."""
    return tuple(_wording(row) for row in json.loads(_read(name)))


@cache
def read_stage() -> dict[str, tuple[Wording, ...]]:
    """The wordings of the stage's flows: sign (of life), work, steady, steps."""
    return {part: tuple(_wording(row) for row in rows) for part, rows in json.loads(_read("stage")).items()}


@cache
def read_list(name: str) -> tuple[str, ...]:
    """A plain list of texts, e.g. "web_probes"."""
    return tuple(json.loads(_read(name)))
