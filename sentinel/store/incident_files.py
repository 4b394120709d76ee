"""Incidents of a store of files: one small JSON file each, `incidents/<id>.json`, with its version."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from sentinel.durable import make_private_dir, write_file
from sentinel.errors import TransientError

__all__ = ["IncidentFiles"]

ID = re.compile(r"[0-9a-f]{8,64}")


class IncidentFiles:
    """The folder of incidents. Safe for several processes: each file is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, documents: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
        """Write those that are newer than what is there. Raises TransientError when the disk does not take it."""
        try:
            make_private_dir(self._folder)
            for id_, version, document in documents:
                kept = self._read(id_)
                if kept is None or kept["version"] <= version:
                    write_file(self._file(id_), orjson.dumps({"version": version, "incident": document}))
        except OSError as exc:
            raise TransientError(f"write incidents to {self._folder}: {exc}; they are offered again") from exc

    def get(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The documents that are there, by id."""
        found = {id_: self._read(id_) for id_ in ids}
        return {id_: kept["incident"] for id_, kept in found.items() if kept is not None}

    def prune(self, before: datetime) -> int:
        """Delete those whose `last` lies before a time; how many."""
        gone = 0
        for path in self._folder.glob("*.json"):
            kept = self._read(path.stem)
            if kept is not None and datetime.fromisoformat(kept["incident"]["last"]) < before:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _file(self, id_: str) -> Path:
        if not ID.fullmatch(id_):
            raise ValueError(f"{id_!r} is no incident's id")
        return self._folder / f"{id_}.json"

    def _read(self, id_: str) -> dict[str, Any] | None:
        """What is kept of one; None where there is nothing, or what can no longer be read and is written anew."""
        try:
            kept: dict[str, Any] = orjson.loads(self._file(id_).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return kept
