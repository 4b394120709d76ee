"""The folder of models: saved, listed, pruned, and one signed pointer to the champion that is swapped atomically.

models/<version>/       one artifact each, see `artifact`
models/champion.json    {"champion", "previous", "signature"}: the only switch
models/pinned.json      {"pinned", "signature"}: the models that a person keeps
models/.lock            held for the moment of a write
models/.training.lock   held for a whole training
"""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

from sentinel.detect.judge.features import FEATURES
from sentinel.detect.models.artifact import (
    Parts,
    read_artifact,
    read_forest,
    remove_folder,
    write_artifact,
)
from sentinel.detect.models.in_service import POINTER_FILE, PURPOSE, InService, read_small
from sentinel.detect.models.manifest import (
    is_version,
    library_versions,
    load_or_make_key,
    make_version,
    read_manifest,
    read_signed,
    signed,
)
from sentinel.detect.models.model import Model
from sentinel.detect.models.trained import Report, Trained, manifest_of
from sentinel.durable import sync_dir, write_file
from sentinel.errors import ArtifactError, NoModelError, TerminalError, TransientError
from sentinel.failpoints import reach

__all__ = ["Registry", "Report", "Trained", "load_or_make_key"]

log = logging.getLogger(__name__)

PINS_FILE, PINS_PURPOSE = "pinned.json", "list of pinned models"
KEPT = 5


class Registry(InService):
    """The models in `folder`, signed with `key`; several processes may use it, nothing is held between calls."""

    def save(self, trained: Trained, report: Report | None = None) -> str:
        """Write a model durably and return its version; it is not promoted. Raises OSError when the disk fails."""
        with self._lock():
            self._sweep()
            version = trained.model.version
            if not is_version(version) or (self.folder / version).exists():
                version = make_version(trained.model.trained_at.astimezone(UTC))
            model = replace(trained.model, version=version)
            arrays, tables = model.to_parts()
            parts = Parts(arrays, tables, trained.state)
            write_artifact(self.folder, parts, trained.forest, manifest_of(model, trained, report), key=self._key)
        return version

    def load(self, version: str) -> tuple[Model, bytes]:
        """A model and the copy of its state, wholly checked before it is interpreted; no scikit-learn, no pickle.

        Raises ArtifactError (damaged, foreign), OutdatedModelError (of another release), TerminalError when there is
        no such model.
        """
        manifest, parts = read_artifact(self._existing(version), key=self._key, features=FEATURES)
        model = Model.from_parts(parts.arrays, parts.tables)
        if not manifest.is_of_lexicon:
            log.warning("model %s was made with another lexicon than the one in use; train again", version)
        return model, parts.state

    def load_forest(self, version: str) -> object:
        """The scikit-learn forest of a model, for refits and checks (None for a warm-up model); never in the server."""
        return read_forest(self._existing(version), key=self._key, libraries=library_versions())

    def promote(self, version: str) -> None:
        """Put a model in service: it is read and checked first, then one file is replaced. Raises as `load` does.

        To promote the champion again changes nothing. A damaged pointer is replaced by a whole one.
        """
        self.load(version)
        with self._lock():
            try:
                champion, previous = self._pointer()
            except ArtifactError:
                champion = previous = None
            if champion == version:
                return
            content = {"champion": version, "previous": champion or previous}
            reach("champion.write")
            write_file(self.folder / POINTER_FILE, signed(content, self._key, purpose=PURPOSE))
            reach("champion.written")

    def roll_back(self) -> str:
        """Put the version before the champion back in service and return it. Raises NoModelError when there is none."""
        version = self.previous()
        if version is None:
            raise NoModelError("roll back: there is no model before this one; `sentinel models` lists what there is")
        self.promote(version)
        return version

    def pinned(self) -> frozenset[str]:
        """The models that a person keeps. Raises ArtifactError where their list is damaged."""
        what = "read pinned models"
        content = read_small(self.folder / PINS_FILE, what)
        return frozenset(
            read_signed(content, self._key, purpose=PINS_PURPOSE, what=what)["pinned"] if content is not None else ()
        )

    def pin(self, version: str, *, pinned: bool = True) -> None:
        """Keep a model, or no longer: it is never pruned, and while it is in service no training replaces it by itself.

        Can be repeated. Raises TerminalError when there is no such model, ArtifactError where the list is damaged.
        """
        self._existing(version)
        with self._lock():
            kept = self.pinned() | {version} if pinned else self.pinned() - {version}
            content = {"pinned": sorted(kept & set(self.versions()))}
            write_file(self.folder / PINS_FILE, signed(content, self._key, purpose=PINS_PURPOSE))

    def list(self) -> list[dict[str, object]]:
        """A row a model, newest first: version, champion, pinned, trained_at, rows, confidence, since, until, passed,
        problem.

        `problem` says why a model cannot be used, else it is null; `passed` is null where no gate was asked.
        """
        try:
            champion = self.champion()
        except ArtifactError:
            champion = None
        try:
            pinned = self.pinned()
        except ArtifactError:
            pinned = frozenset()
        return [self._row(version, champion) | {"pinned": version in pinned} for version in reversed(self.versions())]

    def versions(self) -> tuple[str, ...]:
        """All versions, oldest first."""
        return tuple(sorted(path.name for path in self.folder.iterdir() if is_version(path.name)))

    def prune(self, *, keep: int = KEPT) -> tuple[str, ...]:
        """Delete all but the newest `keep` models, never the champion, the one before it or a pinned one; what went.

        Nothing is deleted while the pointer or the list of pins is damaged, since then these are not known.
        """
        if keep < 1:
            raise TerminalError(f"prune models: keep={keep}; at least one is kept")
        with self._lock():
            self._sweep()
            try:
                safe = {*self.versions()[-keep:], *self._pointer(), *self.pinned()}
            except ArtifactError:
                return ()
            gone = tuple(version for version in self.versions() if version not in safe)
            for version in gone:
                aside = self.folder / f".{version}.tmp"
                (self.folder / version).rename(aside)
                remove_folder(aside)
            sync_dir(self.folder)
        return gone

    @contextlib.contextmanager
    def training_lock(self) -> Iterator[None]:
        """Let one process at a time train. Raises TransientError at once while another does; a killed one frees it."""
        fd = os.open(self.folder / ".training.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                holder = os.pread(fd, 20, 0).decode() or "unknown"
                raise TransientError(f"train: busy, process {holder} is training; try again when it is done") from exc
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        fd = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _sweep(self) -> None:
        """Delete what a killed writer left; only under the lock, so that no one is writing it."""
        for path in self.folder.glob(".*.tmp"):
            remove_folder(path)
            path.unlink(missing_ok=True)

    def _row(self, version: str, champion: str | None) -> dict[str, object]:
        row: dict[str, object] = {"version": version, "champion": version == champion}
        try:
            known = read_manifest(self.folder / version, key=self._key)
        except ArtifactError as exc:
            nothing = dict.fromkeys(("trained_at", "rows", "confidence", "since", "until", "passed"))
            return {**row, **nothing, "problem": str(exc)}
        passed = None if known.gate is None else known.gate["passed"]
        facts = {"trained_at": known.trained_at, "rows": known.rows, "confidence": known.confidence}
        return {**row, **facts, "since": known.since, "until": known.until, "passed": passed, "problem": None}
