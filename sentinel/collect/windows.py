"""What a poll has looked at, kept until its commit, so that a checkpoint can be set back to any line of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sentinel.collect.read_file import Turn, marked_at
from sentinel.records import Checkpoint

__all__ = ["Windows"]


class Windows:
    """The bytes of each turn by generation; `known` are the checkpoints that changed before anything was read."""

    def __init__(self, known: Mapping[str, Checkpoint]) -> None:
        self._known = dict(known)
        self._before: dict[str, Checkpoint] = {}
        self._seen: dict[str, list[tuple[int, bytes]]] = defaultdict(list)

    def keep(self, before: Checkpoint, turn: Turn) -> None:
        """Remember one turn that began at the checkpoint `before`."""
        self._before.setdefault(before.generation, before)
        self._seen[before.generation].append(turn.window)

    def held_at(self, checkpoints: Iterable[Checkpoint], held: Mapping[str, int]) -> tuple[Checkpoint, ...]:
        """The checkpoints, those of `held` at the offsets there; left out where nothing changed at all."""
        kept: list[Checkpoint] = []
        for checkpoint in checkpoints:
            offset = held.get(checkpoint.generation)
            if offset is None:
                kept.append(checkpoint)
            elif offset > self._before[checkpoint.generation].offset:
                base, data = self._window(checkpoint.generation, offset)
                kept.append(marked_at(checkpoint, base, data, offset - base))
            elif checkpoint.generation in self._known:
                kept.append(self._known[checkpoint.generation])
        return tuple(kept)

    def _window(self, generation: str, offset: int) -> tuple[int, bytes]:
        """The bytes around an offset, those before it included."""
        return next(
            (base, data) for base, data in reversed(self._seen[generation]) if base < offset <= base + len(data)
        )
