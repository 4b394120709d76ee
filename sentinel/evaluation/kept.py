"""Keep a fitted model and its state in one file for runs that only score with it, without pickle."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from sentinel.detect import Model
from sentinel.durable import write_file

__all__ = ["read_kept", "write_kept"]


def write_kept(path: Path, model: Model, state: bytes) -> None:
    """Write both to a file of arrays."""
    arrays, tables = model.to_parts()
    buffer, named = io.BytesIO(), {f"model/{name}": array for name, array in arrays.items()}
    texts: dict[str, Any] = {"tables": np.frombuffer(orjson.dumps(tables), np.uint8)}
    np.savez(buffer, allow_pickle=False, state=np.frombuffer(state, np.uint8), **texts, **named)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, buffer.getvalue(), mode=0o644)


def read_kept(path: Path) -> tuple[Model, bytes]:
    """What `write_kept` wrote. Raises ArtifactError where it is of another version."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name.removeprefix("model/"): file[name] for name in file.files if name.startswith("model/")}
        return Model.from_parts(arrays, orjson.loads(file["tables"].tobytes())), file["state"].tobytes()
