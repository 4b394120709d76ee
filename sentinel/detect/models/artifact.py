"""A model's folder on disk: written durably and signed, read only after size, digest and signature were checked.

<version>/model.joblib    the scikit-learn forest, for refits and checks; the server never opens it
<version>/trees.npz       the arrays that are served
<version>/tables.json     the tables that are served
<version>/state.bin       a copy of the state at the end of training
<version>/manifest.json   digests of all, versions, features, training span, metrics, signature
"""

import io
import json
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sentinel.detect.models.manifest import (
    AGAIN,
    MANIFEST_FILE,
    Manifest,
    digest_of,
    read_bytes,
    read_manifest,
    signed,
)
from sentinel.durable import make_private_dir, sync_dir, write_file
from sentinel.errors import ArtifactError
from sentinel.failpoints import reach

__all__ = ["Parts", "read_artifact", "read_forest", "remove_folder", "write_artifact"]

FOREST_FILE, ARRAYS_FILE, TABLES_FILE, STATE_FILE = "model.joblib", "trees.npz", "tables.json", "state.bin"
SERVED_FILES = (ARRAYS_FILE, TABLES_FILE, STATE_FILE)
MAX_FILE_BYTES = 1 << 30

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What is served: a model's arrays and tables, and the state at the end of its training."""

    arrays: Arrays
    tables: dict[str, Any]
    state: bytes


def write_artifact(root: Path, parts: Parts, forest: object, manifest: Manifest, *, key: bytes) -> Manifest:
    """Write `root/<version>`; it is there wholly, and survives a power cut, or not at all. Returns what was signed.

    Files and their folder are synced under a temporary name before one rename makes them visible. Raises ArtifactError
    for content that could not be read back, and OSError when the disk fails; nothing is left behind then.
    """
    contents = {**_encode(parts), FOREST_FILE: _dump_forest(forest)}
    complete = manifest.with_files({name: digest_of(content) for name, content in contents.items()})
    contents[MANIFEST_FILE] = signed(complete.to_dict(), key, purpose="manifest")
    make_private_dir(root)
    temp = root / f".{manifest.version}.{secrets.token_hex(4)}.tmp"
    temp.mkdir(mode=0o700)
    try:
        for name, content in contents.items():
            write_file(temp / name, content)
        reach("model.written")
        temp.rename(root / manifest.version)
    except BaseException:
        remove_folder(temp)
        raise
    reach("model.renamed")
    sync_dir(root)
    return complete


def remove_folder(folder: Path) -> None:
    """Delete a model's folder with its files. Harmless when it is not there."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()


def _encode(parts: Parts) -> dict[str, bytes]:
    hidden = [name for name, array in parts.arrays.items() if array.dtype.hasobject]
    if hidden:
        raise ArtifactError(f"write model: array {hidden[0]!r} holds objects, which only a pickle could store")
    arrays = io.BytesIO()
    np.savez(arrays, allow_pickle=False, **parts.arrays)
    try:
        tables = json.dumps(parts.tables, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as exc:
        raise ArtifactError(f"write model: its tables are not plain JSON: {exc}") from exc
    return {ARRAYS_FILE: arrays.getvalue(), TABLES_FILE: tables, STATE_FILE: parts.state}


def _dump_forest(forest: object) -> bytes:
    import joblib

    stream = io.BytesIO()
    joblib.dump(forest, stream, compress=3)
    return stream.getvalue()


def read_artifact(folder: Path, *, key: bytes, features: Sequence[str]) -> tuple[Manifest, Parts]:
    """Read what is served from a model's folder: every byte once, checked before it is interpreted, no pickle.

    `features` are the names this program computes, in order. Raises ArtifactError (what is wrong, what to do) for a
    file that is missing, damaged, signed by another key, or a model of other features.
    """
    manifest = read_manifest(folder, key=key)
    manifest.check_features(features)
    contents = {name: _read_checked(folder, manifest, name) for name in SERVED_FILES}
    try:
        with np.load(io.BytesIO(contents[ARRAYS_FILE]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        tables = json.loads(contents[TABLES_FILE])
    except (ValueError, OSError, zipfile.BadZipFile) as exc:
        raise ArtifactError(f"read model {folder.name}: signed, yet unreadable: {exc}; {AGAIN}") from exc
    return manifest, Parts(arrays, tables, contents[STATE_FILE])


def read_forest(folder: Path, *, key: bytes, libraries: Mapping[str, str]) -> object:
    """The scikit-learn forest of a model, for refits and checks, never in the server.

    Digest and signature are checked before the pickle is opened; `libraries` are this process's versions (see
    `manifest.library_versions`), and scikit-learn's must be the one that wrote it. Raises ArtifactError.
    """
    manifest = read_manifest(folder, key=key)
    content = _read_checked(folder, manifest, FOREST_FILE)
    written, own = manifest.libraries.get("scikit-learn"), libraries.get("scikit-learn")
    if written != own:
        raise ArtifactError(f"read forest {folder.name}: written by scikit-learn {written}, here is {own}; train again")
    import joblib

    forest: object = joblib.load(io.BytesIO(content))
    return forest


def _read_checked(folder: Path, manifest: Manifest, name: str) -> bytes:
    what = f"read model {folder.name}"
    entry = manifest.files.get(name)
    if entry is None:
        raise ArtifactError(f"{what}: its manifest knows no {name}; {AGAIN}")
    content = read_bytes(folder / name, MAX_FILE_BYTES, what)
    if len(content) != entry.size:
        raise ArtifactError(f"{what}: {name} has {len(content)} bytes instead of {entry.size}; {AGAIN}")
    if digest_of(content) != entry:
        raise ArtifactError(f"{what}: {name} is damaged (its SHA-256 differs); {AGAIN}")
    return content
