"""A disk that forgets: replays a trace and says what a power cut may leave of it.

What was written since a file's last sync may be there, be gone, or be torn at sectors of 512 bytes, each write for
itself and in any order. Names that were made, renamed or removed since the last sync of their folder may be so or not,
in order for each name. Nothing of what was synced is lost: the disk is honest.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.faults.trace import Operation

__all__ = ["SECTOR", "Disk", "Inode", "unsynced_writes"]

SECTOR = 512
MODES = ("none", "all", "prefix", "subset", "torn")


Change = dict[str, tuple["Inode | None", ...]]
"""Names that change together: each with what it becomes (None: a folder), or with nothing where it goes."""


@dataclass
class Inode:
    """One file's content: what is safe, and what was changed since (offset and data, or None and a new size)."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        """All that is pending is safe now."""
        for change in self.pending:
            apply(self.safe, *change)
        self.pending.clear()

    def after_cut(self, dice: random.Random, mode: str) -> bytes:
        """What a power cut leaves, by one of MODES."""
        content = bytearray(self.safe)
        stop = dice.randint(0, len(self.pending)) if mode == "prefix" else len(self.pending)
        for number, (offset, data) in enumerate(self.pending):
            is_kept = mode == "all" or (mode == "prefix" and number < stop)
            if is_kept or (mode in ("subset", "torn") and dice.random() < 0.5):
                if mode == "torn" and data is not None:
                    tear(content, offset, data, dice)
                else:
                    apply(content, offset, data)
        return bytes(content)


def apply(content: bytearray, offset: int, data: bytes | None) -> None:
    """Write data at an offset, or cut the content to a size."""
    size = offset if data is None else offset + len(data)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset:size] = data


def tear(content: bytearray, offset: int, data: bytes, dice: random.Random) -> None:
    """Write only some of the sectors that data touches."""
    start = offset
    while start < offset + len(data):
        end = min((start // SECTOR + 1) * SECTOR, offset + len(data))
        if dice.random() < 0.5:
            apply(content, start, data[start - offset : end - offset])
        start = end


class Disk:
    """Files and folders while a trace is replayed."""

    def __init__(self) -> None:
        self.live: dict[str, Inode | None] = {}  # None: a folder
        self.safe: dict[str, Inode | None] = {}
        self.pending: list[Change] = []

    def replay(self, operation: Operation) -> None:
        """Do one operation of the trace."""
        path = operation.path
        match operation.kind:
            case "C":
                self._set(path, Inode())
            case "M":
                self._set(path, None)
            case "W":
                self._inode(path).pending.append((operation.offset, operation.data))
            case "T":
                self._inode(path).pending.append((operation.offset, None))
            case "S":
                self._inode(path).sync()
            case "D":
                self._sync_names(path)
            case "R":
                moved = self.live.pop(path)
                self.live[operation.other] = moved
                self.pending.append({operation.other: (moved,), path: ()})
            case "U" | "X":
                self.live.pop(path, None)
                self.pending.append({path: ()})

    def _inode(self, path: str) -> Inode:
        """The file of a name; a name removed by another process while open is a file that nobody will find again."""
        found = self.live.get(path)
        return found if found is not None else Inode()

    def _set(self, path: str, inode: Inode | None) -> None:
        self.live[path] = inode
        self.pending.append({path: (inode,)})

    def _sync_names(self, folder: str) -> None:
        kept = []
        for change in self.pending:
            if all(str(PurePosixPath(name).parent) == folder.rstrip("/") for name in change):
                change_names(self.safe, change)
            else:
                kept.append(change)
        self.pending = kept

    def after_cut(self, dice: random.Random) -> dict[str, bytes | None]:
        """Names and contents that a power cut leaves right now; None for a folder."""
        mode = dice.choice(MODES)
        names = dict(self.safe)
        stuck: set[str] = set()  # later changes of a name do not overtake one that was lost
        for change in self.pending:
            if mode == "all" or (mode != "none" and stuck.isdisjoint(change) and dice.random() < 0.6):
                change_names(names, change)
            else:
                stuck.update(change)
        whole: dict[int, bytes] = {}
        found: dict[str, bytes | None] = {}
        for name, inode in names.items():
            if any(str(parent) in self.live and str(parent) not in names for parent in PurePosixPath(name).parents):
                continue  # in a folder whose own name was lost
            if inode is None:
                found[name] = None
            else:
                one = dice.choice(MODES) if mode in ("subset", "torn") else mode
                found[name] = whole.setdefault(id(inode), inode.after_cut(dice, one))
        return found


def change_names(names: dict[str, Inode | None], change: Change) -> None:
    """Apply one change of names."""
    for name, kept in change.items():
        if kept:
            names[name] = kept[0]
        else:
            names.pop(name, None)


def write_out(found: dict[str, bytes | None], old_root: str, new_root: Path) -> None:
    """Make the files that a power cut left, under another root."""
    for name, content in sorted(found.items()):
        target = new_root / PurePosixPath(name).relative_to(old_root)
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def unsynced_writes(operations: Iterable[Operation], *, suffix: str) -> list[str]:
    """Acks (kind A) that were given while something written to a file of this suffix was not synced yet."""
    waiting: dict[str, int] = {}
    found = []
    for number, operation in enumerate(operations):
        if operation.kind in "WT" and operation.path.endswith(suffix):
            waiting[operation.path] = number
        elif operation.kind == "S":
            waiting.pop(operation.path, None)
        elif operation.kind == "A" and waiting:
            found.append(f"operation {number}: acknowledged {operation.data[:60]!r} before a sync of {waiting}")
    return found
