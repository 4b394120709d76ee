"""Formats of a user's own: TOML files in, rules out that are asked before all others; each is tried on its examples."""

import re
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from sentinel.errors import SettingsError
from sentinel.own_files import own_files, own_text
from sentinel.parse import levels
from sentinel.parse.lines import HEAD_CHARS
from sentinel.parse.rules import Rule, match
from sentinel.parse.timestamps import STAMP_GROUPS

__all__ = ["read_formats"]

FIELDS: Final = ("timestamp", "level", "source", "host", "message")
KEYS: Final = {"name", "pattern", "examples"}
MAX_LINE_S: Final = 0.05  # of processor time that the worst line may cost
_OWN: Final = "own_"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,60}")
_GROUP: Final = re.compile(r"(?<!\\)\((?:\?P?<(\w+)>)")
_TAKEN: Final = frozenset({"row", "text", "head", "inner", "written", "groups"}) | STAMP_GROUPS
SETTING: Final = "LOG_SENTINEL_FORMATS"
_FIX: Final = f"fix {SETTING}"


def read_formats(paths: Sequence[Path], now: int) -> tuple[Rule, ...]:
    """The formats of these files and folders (their `*.toml`, by name), in their order.

    Raises SettingsError that names file, format and fault: a file that cannot be read, a key too many, a pattern that
    is none or too slow, an example that the pattern does not match or whose time or level is not understood.
    """
    rules = list[Rule]()
    for file in (file for path in paths for file in own_files(path, "formats", SETTING)):
        for number, entry in enumerate(_entries(file), 1):
            where = f"formats {file}: format {number}"
            rule, examples = _rule(entry, where)
            if any(rule.name == other.name for other in rules):
                raise SettingsError(f"{where}: the name {rule.name!r} is there already; {_FIX}")
            _try(rule, examples, f"{where} ({rule.name})", now)
            rules.append(rule)
    return tuple(rules)


def _entries(path: Path) -> list[Any]:
    text = own_text(path, "formats", SETTING)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"formats {path}: is no TOML ({exc}); {_FIX}") from exc
    entries = content.pop("format", None)
    if content or not isinstance(entries, list) or not entries:
        raise SettingsError(f"formats {path}: has to hold [[format]] tables and nothing else; {_FIX}")
    return entries


def _rule(entry: object, where: str) -> tuple[Rule, list[str]]:
    """The rule of one table and its examples."""
    if not isinstance(entry, dict) or set(entry) != KEYS:
        raise SettingsError(f"{where}: has to have name, pattern and examples, and nothing else; {_FIX}")
    name, pattern, examples = entry["name"], entry["pattern"], entry["examples"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingsError(f"{where}: name takes small letters, digits, '_', '-' and '.'; {_FIX}")
    if not isinstance(pattern, str) or not pattern:
        raise SettingsError(f"{where}: pattern has to be a text; {_FIX}")
    if not isinstance(examples, list) or not examples or not all(isinstance(one, str) and one for one in examples):
        raise SettingsError(f"{where}: examples has to be a list of at least one line; {_FIX}")
    groups = _GROUP.findall(pattern)
    if not set(groups) & {"timestamp", "level", "source", "message"}:
        raise SettingsError(f"{where}: the pattern names none of the groups timestamp, level, source, message; {_FIX}")
    if taken := sorted(set(groups) & _TAKEN):
        raise SettingsError(f"{where}: a group cannot be called {taken[0]}; {_FIX}")
    renamed = _GROUP.sub(lambda found: f"(?P<{_renamed(found[1])}>", pattern)
    return Rule(name, rf"^(?P<head>)(?:{renamed})$", finish=_finished, is_own=True), examples


def _renamed(group: str) -> str:
    """The name that a group has in the rule: fields and attributes apart from what rules do with theirs."""
    return group if group in ("level", "source", "host") else _OWN + group


def _finished(groups: pl.DataFrame) -> pl.DataFrame:
    """The groups under the names of a rule's columns; without a group for it the whole line is the message."""
    own = [name for name in groups.columns if name.startswith(_OWN)]
    names = {name: {"timestamp": "written"}.get(bare := name.removeprefix(_OWN), bare) for name in own}
    without = [name for name in names.values() if name in groups.columns]
    found = groups.drop(without).rename(names)
    return found.with_columns(pl.coalesce("message", "text").alias("message"))


def _try(rule: Rule, examples: Sequence[str], where: str, now: int) -> None:
    """Read the examples, and time what may be the worst lines. Raises SettingsError."""
    try:
        pl.Series([""]).str.contains(rule.pattern)
    except pl.exceptions.PolarsError as exc:
        fault = str(exc).removeprefix("regex error: ").strip().replace("\n", " ")
        raise SettingsError(f"{where}: the pattern is none that is read here: {fault[:300]}; {_FIX}") from exc
    for number, example in enumerate(examples, 1):
        wrong = _fault(rule, example, now)
        if wrong is not None:
            raise SettingsError(f"{where}: example {number} {wrong}; {_FIX}")
    cost_s = max(_cost_s(rule, line) for line in _worst(examples))
    if cost_s > MAX_LINE_S:
        raise SettingsError(
            f"{where}: the pattern takes {cost_s * 1000:.0f} ms for a line of {HEAD_CHARS} characters, at most "
            f"{MAX_LINE_S * 1000:.0f} are allowed; make its repetitions smaller, and {_FIX}"
        )


def _fault(rule: Rule, example: str, now: int) -> str | None:
    """What is wrong with the reading of an example; None where nothing is."""
    lines = pl.DataFrame({"row": [0], "text": [example]}, schema={"row": pl.UInt32, "text": pl.String})
    done, _ = match(lines, (rule,), now)
    if not done:
        return f"does not match the pattern: {example[:100]!r}"
    found: Mapping[str, Any] = done[0].row(0, named=True)
    if found["unreadable"] is not None:
        return f"has a timestamp that cannot be read: {found['unreadable']!r}"
    written = lines["text"].str.extract_groups(rule.pattern).struct.unnest()
    if "level" in written.columns and written["level"][0] and levels.normalise(written["level"])[0] is None:
        return f"has a level that is none: {written['level'][0]!r}"
    return None


def _worst(examples: Sequence[str]) -> Iterator[str]:
    """Lines as long as rules ever see: what examples are made of, over and over, and never coming to an end."""
    for example in examples:
        yield (example * (HEAD_CHARS // len(example) + 1))[:HEAD_CHARS]
    for piece in ("a", "1", " ", "a 1", "[a", '"'):
        yield (examples[0][: len(examples[0]) // 2] + piece * HEAD_CHARS)[:HEAD_CHARS]


def _cost_s(rule: Rule, line: str) -> float:
    """Seconds of processor time; the least of two, so that no other work of the machine counts."""
    texts, best_s = pl.Series([line]), float("inf")
    for _ in range(2):
        begun_s = time.process_time()
        texts.str.extract_groups(rule.pattern)
        best_s = min(best_s, time.process_time() - begun_s)
    return best_s
