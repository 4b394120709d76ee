"""A glob in, what it says of a path, one part of it after the other; `*` never crosses a slash, `**` crosses many."""

import fnmatch
import re
from collections.abc import Callable
from functools import cached_property

__all__ = ["Glob", "base_of"]

SPECIAL = re.compile(r"[*?\[]")

State = frozenset[int]
"""How many parts of the glob may have been used up by now."""


class Glob:
    """A pattern of a relative path, matched part by part, so that a walk knows which folders are worth a look."""

    def __init__(self, pattern: str) -> None:
        self._parts = [part for part in pattern.split("/") if part not in {"", "."}]

    @cached_property
    def _tests(self) -> list[Callable[[str], object] | None]:
        """A test for each part; None for `**`."""
        return [None if part == "**" else re.compile(fnmatch.translate(part)).match for part in self._parts]

    @cached_property
    def start(self) -> State:
        """Where matching begins."""
        return self._open(frozenset({0}))

    def _open(self, state: State) -> State:
        """`**` may also stand for nothing."""
        opened = set(state)
        for at in sorted(state):
            end = at
            while end < len(self._parts) and self._parts[end] == "**":
                end += 1
                opened.add(end)
        return frozenset(opened)

    def step(self, state: State, name: str) -> State:
        """The state after one more part of a path; empty where nothing below it can match."""
        reached = set()
        for at in state:
            if at < len(self._tests):
                test = self._tests[at]
                if test is None:
                    reached |= set() if name.startswith(".") else {at}
                elif test(name) and (not name.startswith(".") or self._parts[at].startswith(".")):
                    reached.add(at + 1)
        return self._open(frozenset(reached))

    def is_met(self, state: State) -> bool:
        """Whether the whole pattern has been used up."""
        return len(self._parts) in state

    def matches(self, path: str) -> bool:
        """Whether the pattern is this whole path."""
        state = self.start
        for name in path.strip("/").split("/"):
            state = self.step(state, name)
        return self.is_met(state)


def base_of(place: str) -> tuple[str, str]:
    """The folder in front of the first special character, and the glob behind it ("" where there is none)."""
    parts = place.split("/")
    plain = next((at for at, part in enumerate(parts) if SPECIAL.search(part)), len(parts))
    return "/".join(parts[:plain]) or ("/" if plain else "."), "/".join(parts[plain:])
