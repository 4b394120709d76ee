"""The running state: what was seen and which templates were met in service; to bytes and back, without pickle."""

import io
from typing import Any

import numpy as np
import orjson

from sentinel.detect.kernel.table import COUNTERS, Memory, Table, UndoLog
from sentinel.detect.tuning.remember import CORE_PLACES, EDGE_PLACES, HABIT_PLACES
from sentinel.errors import ArtifactError

__all__ = ["CORE_PLACES", "EDGE_PLACES", "empty_memory", "pack", "unpack"]

FORMAT = 2
Arrays = dict[str, np.ndarray[Any, Any]]


def empty_memory(*, core: int = CORE_PLACES, edge: int = EDGE_PLACES, habits: int = HABIT_PLACES) -> Memory:
    """A memory that has seen nothing."""
    return Memory(Table.empty(core), Table.empty(edge), Table.empty(habits), np.zeros(COUNTERS), UndoLog.sized(0))


def _packed(name: str, table: Table) -> dict[str, np.ndarray[Any, Any]]:
    used = np.flatnonzero(table.keys)
    return {
        f"{name}.size": np.array(len(table.keys)),
        f"{name}.places": used.astype(np.uint32),
        f"{name}.keys": table.keys[used],
        f"{name}.rows": table.rows[used],
        f"{name}.aux": table.aux[used],
    }


def _unpacked(name: str, arrays: Any) -> Table:
    table = Table.empty(int(arrays[f"{name}.size"]))
    used = arrays[f"{name}.places"].astype(np.int64)
    table.keys[used] = arrays[f"{name}.keys"]
    table.rows[used] = arrays[f"{name}.rows"]
    table.aux[used] = arrays[f"{name}.aux"]
    return table


def pack(memory: Memory, extra: dict[str, Any], sessions: Arrays | None = None) -> bytes:
    """The state as bytes: tables, counters, `extra` (JSON-able) and the arrays of open sessions."""
    buffer = io.BytesIO()
    text = np.frombuffer(orjson.dumps({"format": FORMAT, **extra}), np.uint8)
    counters = memory.counters
    np.savez(
        buffer,
        allow_pickle=False,
        counters=counters,
        extra=text,
        **_packed("core", memory.core),
        **_packed("edge", memory.edge),
        **_packed("habits", memory.habits),
        **{f"sessions/{name}": array for name, array in (sessions or {}).items()},
    )
    return buffer.getvalue()


def unpack(state: bytes) -> tuple[Memory, dict[str, Any], Arrays]:
    """The inverse of `pack`. Raises ArtifactError for bytes that are not a state of this version."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            extra = orjson.loads(arrays["extra"].tobytes())
            if extra.pop("format") != FORMAT:
                raise ArtifactError("read state: of another version; score the newest records again to rebuild it")
            core, edge, habits = (_unpacked(name, arrays) for name in ("core", "edge", "habits"))
            memory = Memory(core, edge, habits, arrays["counters"], UndoLog.sized(0))
            named = (name for name in arrays.files if name.startswith("sessions/"))
            return memory, extra, {name.removeprefix("sessions/"): arrays[name] for name in named}
    except (KeyError, ValueError, OSError, EOFError, IndexError) as exc:
        raise ArtifactError(f"read state: damaged ({exc!r}); score the newest records again to rebuild it") from exc
