"""What a model says of itself, and the signature over it: canonical JSON, HMAC-SHA256, one key."""

import hashlib
import hmac
import json
import os
import platform
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from sentinel.durable import make_private_dir, read_file, sync_dir
from sentinel.errors import ArtifactError, OutdatedModelError

__all__ = [
    "AGAIN",
    "MANIFEST_FILE",
    "FileDigest",
    "Manifest",
    "digest_of",
    "is_version",
    "library_versions",
    "load_or_make_key",
    "make_version",
    "read_bytes",
    "read_manifest",
    "read_signed",
    "signed",
]

MANIFEST_FILE = "manifest.json"
KEY_FILE = "signing.key"
MAX_MANIFEST_BYTES = 1 << 20
AGAIN = "train again, or promote another version (sentinel models)"
MIN_KEY_BYTES, MAX_KEY_BYTES = 16, 65_536
FORMAT = 1  # of the folder; another number is refused
LIBRARIES = ("log-sentinel", "scikit-learn", "numpy", "numba", "polars", "joblib")
VERSION = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file's SHA-256 in hex and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of one model; everything in it is signed.

    Times are ISO 8601 in UTC, or null; `gate` is the report of the checks it went through, or null before them.
    """

    version: str
    trained_at: str
    confidence: str  # "low" or "normal"
    features: tuple[str, ...]
    rows: int  # lines it was trained on
    since: str | None  # first and last line of the training span
    until: str | None
    metrics: dict[str, float] = field(default_factory=dict)
    gate: dict[str, Any] | None = None
    libraries: dict[str, str] = field(default_factory=dict)
    files: dict[str, FileDigest] = field(default_factory=dict)
    lexicon: str = ""  # digest of the one it was made with; empty where it was made before there were digests
    format: int = FORMAT

    @property
    def is_of_lexicon(self) -> bool:
        """Whether it was made with the lexicon in use; else it learnt some words as others than they are read now."""
        from sentinel.detect.lexicon.in_use import in_use  # a tenth of a second, which not all who read it need

        return self.lexicon == in_use().digest

    def with_files(self, files: dict[str, FileDigest]) -> Self:
        """The same with the digests of the files it covers."""
        return replace(self, files=files)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], *, what: str) -> Self:
        """The inverse of `to_dict`. Raises OutdatedModelError for another format or missing fields."""
        if content.get("format") != FORMAT:
            raise OutdatedModelError(f"{what}: its format is {content.get('format')!r}, not {FORMAT}; train again")
        try:
            values = {entry.name: content[entry.name] for entry in fields(cls) if entry.name != "lexicon"}
            values["lexicon"] = str(content.get("lexicon", ""))
            values["features"] = tuple(values["features"])
            values["files"] = {name: FileDigest(**digest) for name, digest in values["files"].items()}
        except (KeyError, TypeError, AttributeError) as exc:
            raise OutdatedModelError(f"{what}: its manifest is incomplete ({exc!r}); train again") from exc
        return cls(**values)

    def check_features(self, features: Sequence[str]) -> None:
        """Raise OutdatedModelError unless the model was made for exactly these features in this order."""
        if self.features != tuple(features):
            changed = sorted(set(self.features) ^ set(features)) or ["the same in another order"]
            raise OutdatedModelError(
                f"read model {self.version}: made for {len(self.features)} features, this program computes "
                f"{len(features)} ({', '.join(changed[:5])}); train again"
            )


def digest_of(content: bytes) -> FileDigest:
    """The digest of a file's content."""
    return FileDigest(hashlib.sha256(content).hexdigest(), len(content))


def make_version(at: datetime, token: str | None = None) -> str:
    """A version that sorts by time: `20261123T210501-<6 hex>`; `at` is in UTC, `token` random unless given."""
    return f"{at:%Y%m%dT%H%M%S}-{token or secrets.token_hex(3)}"


def is_version(name: str) -> bool:
    """Is this the form of a version? Nothing else is ever used as a folder's name."""
    return VERSION.fullmatch(name) is not None


def library_versions() -> dict[str, str]:
    """The versions of Python and of the libraries a model depends on, without importing them."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _signature(content: Mapping[str, Any], key: bytes, purpose: str) -> str:
    return hmac.new(key, f"log-sentinel {purpose}\n".encode() + _canonical(content), hashlib.sha256).hexdigest()


def signed(content: Mapping[str, Any], key: bytes, *, purpose: str) -> bytes:
    """Content as readable JSON with a `signature` over its canonical form; `purpose` keeps kinds of files apart."""
    try:
        body = {**content, "signature": _signature(content, key, purpose)}
    except (TypeError, ValueError) as exc:
        raise ArtifactError(f"sign {purpose}: not plain JSON: {exc}") from exc
    return (json.dumps(body, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def read_signed(content: bytes, key: bytes, *, purpose: str, what: str) -> dict[str, Any]:
    """The content whose signature holds, without the signature; `what` begins the message of the ArtifactError."""
    try:
        body = json.loads(content)
        signature = body.pop("signature")
        expected = _signature(body, key, purpose)
        holds = hmac.compare_digest(expected.encode(), str(signature).encode())
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as exc:
        raise ArtifactError(f"{what}: its {purpose} is damaged ({exc.__class__.__name__}); train again") from exc
    if not holds:
        raise ArtifactError(
            f"{what}: its {purpose} is not signed by our key; if LOG_SENTINEL_SIGNING_KEY or the key file was changed, "
            "put the old one back, else train again"
        )
    result: dict[str, Any] = body
    return result


def read_manifest(folder: Path, *, key: bytes) -> Manifest:
    """The manifest of a model's folder, its signature checked. Raises ArtifactError: what is wrong, what to do."""
    what = f"read model {folder.name}"
    content = read_bytes(folder / MANIFEST_FILE, MAX_MANIFEST_BYTES, what)
    manifest = Manifest.from_dict(read_signed(content, key, purpose="manifest", what=what), what=what)
    if manifest.version != folder.name:
        raise ArtifactError(f"{what}: its manifest is that of {manifest.version}; {AGAIN}")
    return manifest


def read_bytes(path: Path, max_bytes: int, what: str) -> bytes:
    """The whole of a regular file of a model, once; links are not followed. Raises ArtifactError."""
    try:
        return read_file(path, max_bytes=max_bytes)
    except OSError as exc:
        raise ArtifactError(f"{what}: {path.name}: {exc.strerror}; {AGAIN}") from exc


def load_or_make_key(folder: Path) -> bytes:
    """The key in `folder/signing.key`, made once (32 random bytes in hex, mode 0600), also when two processes begin.

    Raises ArtifactError for a key that others can read, that we cannot, or that is too short; OSError as disks do.
    """
    path = folder / KEY_FILE
    try:
        make_private_dir(folder)
        if not path.exists():
            _make_key(path)
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise ArtifactError(
                f"read signing key: {path} can be read by others (mode {mode:o}); run: chmod 600 {path}"
            )
        key = read_file(path, max_bytes=MAX_KEY_BYTES, follow_link=True).strip()
    except PermissionError as exc:
        raise ArtifactError(f"read signing key: {path}: {exc.strerror}; mend its rights, or move it away") from exc
    if len(key) < MIN_KEY_BYTES:
        raise ArtifactError(f"read signing key: {path} has {len(key)} bytes; delete it and train again")
    return key


def _make_key(path: Path) -> None:
    """Write a key beside `path` and link it there; whoever comes second keeps the first one's."""
    temp = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temp, path)
        except FileExistsError:
            return
    finally:
        temp.unlink(missing_ok=True)
    sync_dir(path.parent)
