"""Files as seen and checkpoints as kept in, which file continues which checkpoint out.

A file is known by device and inode together with the bytes already read from it (its head and the guard before the
offset). Content alone never merges two files that both exist: it only finds again a file that has gone from its inode.

    seen at a poll                                          decision
    same inode, size ≥ offset, head and guard match         the same file, under whatever name
    same inode, else                                        truncated or the inode was reused: a new generation from 0
    other inode, head and guard of a file gone or shrunk    renamed across disks, copied, compressed: goes on there
    the copy of a file still there                          held for a while: it may be a copytruncate halfway
    anything else                                           a new file, from 0
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sentinel.collect.contents import Contents, Inflaters, PackedContents, open_contents
from sentinel.collect.match import SETTLED_S, Match, alike
from sentinel.collect.names import is_packed_name, is_rotated_name, stem
from sentinel.collect.read_file import HEAD_BYTES, at_end, fingerprint, is_same
from sentinel.collect.walk import Entry
from sentinel.records import Checkpoint

__all__ = ["Matcher"]

EVIDENCE_BYTES = 64  # fewer bytes in common prove nothing between files of unrelated names
COMPARED_BYTES = 4096  # the end of a presumed copy that is compared with its original
EMPTY = fingerprint(b"")
STATES = {"live": 0, "rotated": 1, "done": 2, "gone": 3, "held": 4}  # which checkpoint of one inode is asked first


class Matcher:
    """Matches one walk with the checkpoints; see the table above. Times in seconds."""

    def __init__(
        self,
        *,
        now_s: float,
        quiet_s: float,
        keep_s: float,
        new_generation: Callable[[], str],
        inflaters: Inflaters,
        from_end: bool = False,
        asked: dict[tuple[int, int], float] | None = None,
    ) -> None:
        self._now_s = now_s
        self._quiet_s = quiet_s
        self._keep_s = keep_s
        self._new_generation = new_generation
        self._inflaters = inflaters
        self._from_end = from_end  # what is there now is old news
        self._asked = {} if asked is None else asked  # by inode the time of change at which its bytes were asked
        self._match = Match()
        self._paths: set[str] = set()
        self._present: set[tuple[int, int]] = set()
        self._living: dict[int, dict[str, list[tuple[Entry, Checkpoint]]]] = defaultdict(lambda: defaultdict(list))
        self._by_path: dict[str, Entry] = {}
        self._orphans: dict[int, dict[str, list[Checkpoint]]] = {}  # by length of head, then by its hash
        self._families: dict[str, set[str]] = defaultdict(set)  # by the name before rotation, the paths of the orphans

    def match(self, entries: Sequence[Entry], checkpoints: Sequence[Checkpoint], blind: Sequence[str] = ()) -> Match:
        """Match files with checkpoints, each at most once. Of what lies under `blind` nothing is known."""
        by_inode: dict[tuple[int, int], list[Checkpoint]] = defaultdict(list)
        for checkpoint in sorted(checkpoints, key=lambda one: (STATES.get(one.state, 0), -one.offset)):
            by_inode[checkpoint.device, checkpoint.inode].append(checkpoint)
        self._paths = {entry.path for entry in entries}
        found: set[str] = set()
        strangers: list[tuple[Entry, Checkpoint | None]] = []
        for entry in entries:
            inode = (entry.device, entry.inode)
            if inode in self._present:  # a second hard link to the same file
                continue
            self._present.add(inode)
            known = self._find_known(entry, by_inode.get(inode, []))
            if known is not None:
                found.add(known.generation)
            if known is None or known.offset == 0:  # nothing was read of it, so that nothing proves it the same
                strangers.append((entry, known))
            else:
                self._go_on(entry, known)
        hidden = tuple(path.rstrip("/") + "/" for path in blind)
        self._part_with([c for c in checkpoints if c.generation not in found and not c.path.startswith(hidden)])
        left = [(entry, held) for entry, held in strangers if not self._refind(entry, held)]
        for entry, held in left:
            try:
                self._place(entry, held)
            except OSError as exc:
                self._match.note(entry.path, exc)
        return self._match

    @contextmanager
    def _opened(self, entry: Entry) -> Iterator[Contents | None]:
        contents = open_contents(entry, self._inflaters)
        try:
            yield contents
        finally:
            if contents is not None:
                contents.close()

    def _find_known(self, entry: Entry, candidates: list[Checkpoint]) -> Checkpoint | None:
        """The checkpoint of this inode whose bytes are still there."""
        for checkpoint in candidates:
            is_known = checkpoint.state == "held" or self._inflaters.take(entry) is not None
            if is_known or _is_settled(entry, checkpoint, self._asked):
                return checkpoint
            try:
                with self._opened(entry) as contents:
                    if contents is None or is_same(contents, checkpoint):
                        self._asked[entry.device, entry.inode] = entry.changed_s
                        return checkpoint
            except OSError:  # noted when it is read; rights that are missing now make no other file of it
                return checkpoint
        return None

    def _go_on(self, entry: Entry, checkpoint: Checkpoint) -> None:
        """The same file, perhaps under another name."""
        if checkpoint.state == "gone":  # overlooked once, or moved out and back
            checkpoint = self._change(checkpoint, state="done")
        if entry.path != checkpoint.path:
            is_rotation = checkpoint.path in self._paths or stem(entry.path) != entry.path
            self._match.counts["renamed"] += 1
            is_packed = is_packed_name(entry.path) and not is_packed_name(checkpoint.path)  # on the inode it freed
            is_rotated = is_rotation and (checkpoint.state == "live" or is_packed)
            state = "rotated" if is_rotated else checkpoint.state
            checkpoint = self._change(checkpoint, path=entry.path, state=state)
        self._admit(entry, checkpoint)

    def _admit(self, entry: Entry, checkpoint: Checkpoint) -> None:
        """This file is read under this checkpoint."""
        self._match.sources.append((entry, checkpoint))
        self._by_path[entry.path] = entry
        if checkpoint.offset > 0:
            self._living[checkpoint.head_bytes][checkpoint.head_hash].append((entry, checkpoint))

    def _part_with(self, gone: list[Checkpoint]) -> None:
        """Checkpoints whose file went from its inode: remembered for a while, then forgotten."""
        orphans: dict[int, dict[str, list[Checkpoint]]] = defaultdict(lambda: defaultdict(list))
        for checkpoint in gone:
            is_old = checkpoint.state == "gone" and checkpoint.updated_s < self._now_s - self._keep_s
            if is_old or checkpoint.state == "held":
                self._match.forgotten.append(checkpoint.generation)
                continue
            if checkpoint.state != "gone":
                is_there = (checkpoint.device, checkpoint.inode) in self._present
                self._match.counts["truncated" if is_there else "vanished"] += 1
                self._change(checkpoint, state="gone")
            if checkpoint.offset > 0:
                orphans[checkpoint.head_bytes][checkpoint.head_hash].append(checkpoint)
                self._families[stem(checkpoint.path)].add(checkpoint.path)
        self._orphans = orphans

    def _refind(self, entry: Entry, known: Checkpoint | None) -> bool:
        """Whether a file goes on where one of its own name went: asked of all before others that begin alike may."""
        has_kin = any(_goes_on(entry.path, path) for path in self._families[stem(entry.path)])
        if entry.size == 0 or self._from_end or not has_kin:
            return False
        try:
            with self._opened(entry) as contents:
                orphan = None if contents is None else self._find_orphan(entry, contents, is_kin_only=True)
        except OSError:
            return False  # noted when it is placed
        if orphan is not None:
            self._reconnect(entry, orphan, known)
        return orphan is not None

    def _place(self, entry: Entry, known: Checkpoint | None) -> None:
        """A file without a checkpoint: the rest of one that has gone, a copy to wait for, or a new file."""
        if entry.size == 0:
            self._begin(entry, known)
            return
        with self._opened(entry) as contents:
            if contents is None:
                return
            if self._from_end and known is None:
                self._admit(entry, self._change(at_end(contents, self._fresh(entry, "live"), entry.size)))
                return
            orphan = self._find_orphan(entry, contents)
            if orphan is not None:
                self._reconnect(entry, orphan, known)
                return
            is_packed = isinstance(contents, PackedContents)
            is_quiet = entry.changed_s < self._now_s - self._quiet_s
            if is_packed and (not is_quiet or self._has_original(entry, contents)):
                self._match.counts["waiting"] += 1
            elif not is_packed and self._is_halfway_copy(entry, contents, known):
                self._match.counts["waiting"] += 1
                if known is None:
                    self._change(self._fresh(entry, "held"))
            else:
                self._begin(entry, known)

    def _find_orphan(self, entry: Entry, contents: Contents, *, is_kin_only: bool = False) -> Checkpoint | None:
        """The furthest read of the checkpoints whose file has gone and whose bytes are all in this one."""
        for checkpoint in sorted(alike(self._orphans, contents), key=lambda one: -one.offset):
            is_kin = _goes_on(entry.path, checkpoint.path)
            is_proof = not is_kin_only and checkpoint.offset >= EVIDENCE_BYTES
            if (is_kin or is_proof) and is_same(contents, checkpoint):
                return checkpoint
        return None

    def _reconnect(self, entry: Entry, orphan: Checkpoint, known: Checkpoint | None) -> None:
        """Go on in this file where the one that has gone was left."""
        self._orphans[orphan.head_bytes][orphan.head_hash].remove(orphan)
        if known is not None:
            self._match.forgotten.append(known.generation)
        is_shrunk = (orphan.device, orphan.inode) in self._present
        self._match.counts["copytruncated" if is_shrunk else "refound"] += 1
        moved = replace(orphan, path=entry.path, device=entry.device, inode=entry.inode)
        state = "live" if entry.path == orphan.path else "rotated"
        self._admit(entry, self._change(moved, state=state))

    def _has_original(self, entry: Entry, contents: Contents) -> bool:
        """Whether what is packed here is also there unpacked, so that it is read already."""
        if any(is_same(contents, living) for _, living in alike(self._living, contents)):
            return True
        unpacked = self._by_path.get(entry.path.rpartition(".")[0]) if is_packed_name(entry.path) else None
        if unpacked is None or unpacked is entry or unpacked.size == 0:
            return False
        with self._opened(unpacked) as other:
            count = min(HEAD_BYTES, unpacked.size)
            return other is not None and other.read(0, count) == contents.read(0, count)

    def _is_halfway_copy(self, entry: Entry, contents: Contents, known: Checkpoint | None) -> bool:
        """Whether this may be the copy of a copytruncate whose original is about to be truncated."""
        since_s = self._now_s - self._quiet_s
        seen_s = self._now_s if known is None else known.updated_s
        originals = [original for original, _ in alike(self._living, contents)]
        for mark in ".-":  # of app.log.1 and app.log-20261123, which app.log may not have been read at all
            kin = self._by_path.get(entry.path.rpartition(mark)[0])
            originals += [kin] if kin is not None and kin.inode != entry.inode else []
        for original in originals:
            is_growing = entry.size < original.size and entry.changed_s > since_s
            is_copy = entry.size <= original.size and (seen_s > since_s or is_growing)
            if is_copy and self._ends_alike(entry, contents, original):
                return True
        return False

    def _ends_alike(self, entry: Entry, contents: Contents, original: Entry) -> bool:
        """Whether the last bytes of a file stand at the same place in the other one."""
        start = max(0, entry.size - COMPARED_BYTES)
        count = entry.size - start
        with self._opened(original) as other:
            return other is not None and contents.read(start, count) == other.read(start, count)

    def _begin(self, entry: Entry, known: Checkpoint | None) -> None:
        """A new file, or a new generation of one, from its first byte; `known` if its inode was seen but not read yet:
        under another name nothing tells that it is the same file, so that only the name says whether it is rotated."""
        if known is None or known.state == "held":
            self._match.counts["new"] += 1
        was_rotated = known is not None and (known.path, known.state) == (entry.path, "rotated")
        is_rotated = is_rotated_name(entry.path) or was_rotated
        state = "rotated" if is_rotated else "live"
        if known is not None and (known.path, known.state) == (entry.path, state):
            self._admit(entry, known)
        else:
            self._admit(entry, self._change(known or self._fresh(entry, state), path=entry.path, state=state))

    def _fresh(self, entry: Entry, state: str) -> Checkpoint:
        return Checkpoint(
            generation=self._new_generation(),
            path=entry.path,
            device=entry.device,
            inode=entry.inode,
            offset=0,
            head_bytes=0,
            head_hash=EMPTY,
            guard_bytes=0,
            guard_hash=EMPTY,
            state=state,
            updated_s=self._now_s,
        )

    def _change(self, checkpoint: Checkpoint, *, path: str | None = None, state: str | None = None) -> Checkpoint:
        """The checkpoint with what differs, noted for the caller to keep."""
        changed = replace(
            checkpoint, path=path or checkpoint.path, state=state or checkpoint.state, updated_s=self._now_s
        )
        self._match.changed[changed.generation] = changed
        return changed


def _goes_on(path: str, gone: str) -> bool:
    """Whether by its name a file may go on where `gone` went: under a later name or in an archive, never under the name
    of the living."""
    living = stem(path)
    return path not in {gone, living} and stem(gone) == living


def _is_settled(entry: Entry, checkpoint: Checkpoint, asked: Mapping[tuple[int, int], float]) -> bool:
    """Whether nothing can have happened to this inode since it was read, so that it need not be opened.

    The clock is not trusted (it may be ahead of the files'): name, size and the time of change at which the bytes were
    asked last must be the same; of archives, which count inflated bytes and are slow to ask, the name alone.
    """
    is_old = entry.changed_s < checkpoint.updated_s - SETTLED_S and entry.path == checkpoint.path
    is_archive = checkpoint.state == "done" and is_packed_name(entry.path)
    is_seen = entry.size == checkpoint.offset and asked.get((entry.device, entry.inode)) == entry.changed_s
    return is_old and checkpoint.state != "gone" and (is_seen or is_archive)
