"""Which model is in service and what it says of itself, read without the detector, so that a look costs little."""

from pathlib import Path

from sentinel.detect.models.manifest import Manifest, is_version, read_manifest, read_signed
from sentinel.durable import make_private_dir, read_file
from sentinel.errors import ArtifactError, TerminalError

__all__ = ["POINTER_FILE", "PURPOSE", "InService", "read_small"]

MAX_POINTER_BYTES = 1 << 20
POINTER_FILE = "champion.json"
PURPOSE = "champion pointer"


class InService:
    """The models in `folder`, signed with `key`, to be looked at; `Registry` changes them."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder, self._key = make_private_dir(folder), key

    def champion(self) -> str | None:
        """The version in service; None before the first promotion. Raises ArtifactError for a damaged pointer."""
        return self._pointer()[0]

    def previous(self) -> str | None:
        """The version that was in service before, for the way back; None when there was none or it is gone."""
        version = self._pointer()[1]
        return version if version and (self.folder / version).is_dir() else None

    def manifest(self, version: str) -> Manifest:
        """What a model says of itself. Raises ArtifactError for a damaged one, TerminalError where there is none."""
        return read_manifest(self._existing(version), key=self._key)

    def _existing(self, version: str) -> Path:
        folder = self.folder / version
        if not is_version(version) or not folder.is_dir():
            raise TerminalError(f"read model {version[:60]!r}: there is no such model; `sentinel models` lists them")
        return folder

    def _pointer(self) -> tuple[str | None, str | None]:
        what = "read champion"
        if (content := read_small(self.folder / POINTER_FILE, what)) is None:
            return None, None
        body = read_signed(content, self._key, purpose=PURPOSE, what=what)
        return body.get("champion"), body.get("previous")


def read_small(path: Path, what: str) -> bytes | None:
    """A small file of ours; None where there is none. Raises ArtifactError for anything else in its place."""
    try:
        return read_file(path, max_bytes=MAX_POINTER_BYTES)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ArtifactError(f"{what}: {path}: {exc.strerror}; move it away, or mend its rights") from exc
