"""The compressed forms that are read as they are: a file in, what inflates it piece by piece out."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

import zstandard

__all__ = ["MAGIC_BYTES", "DamageError", "Unpacker", "is_packed", "unpacker_of"]

ZSTD_INPUT_BYTES = 512  # at most 16 MiB come of them: a block of 128 KiB may be packed in 4 bytes
ZSTD_WINDOW_BYTES = 128 * 1024 * 1024  # what `zstd --ultra -22` writes


class DamageError(Exception):
    """The rest of an archive cannot be inflated."""


class Unpacker(Protocol):
    """An archive as a stream."""

    def read1(self, count: int, /) -> bytes:
        """The next inflated bytes, some `count` of them; empty at the end. What is sound comes before the error."""


class _Zstd:
    """The frames of a zstd file, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._new = file, zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES).decompressobj
        self._frame, self._rest, self._is_inside = self._new(), b"", False

    def read1(self, count: int, /) -> bytes:
        inflated = b""
        while len(inflated) < count:
            packed = self._rest or self._file.read(ZSTD_INPUT_BYTES)
            self._rest = b""
            if not packed:
                if self._is_inside and not inflated:
                    raise EOFError
                break
            self._is_inside = True
            inflated += self._frame.decompress(packed)
            if self._frame.eof:
                self._rest, self._frame, self._is_inside = self._frame.unused_data, self._new(), False
        return inflated


FORMS: dict[bytes, tuple[str, Callable[[BinaryIO], Unpacker]]] = {
    b"\x1f\x8b\x08": ("gzip", lambda file: gzip.GzipFile(fileobj=file)),
    b"\x28\xb5\x2f\xfd": ("zstd", _Zstd),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
}
"""What a file of each form begins with, its name, and what unpacks it."""

MAGIC_BYTES = max(map(len, FORMS))
BROKEN = (OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def is_packed(head: bytes) -> bool:
    """Whether a file that begins like this is an archive of one of our forms; MAGIC_BYTES are enough."""
    return head.startswith(tuple(FORMS))


def unpacker_of(file: BinaryIO) -> Unpacker:
    """What inflates this archive from its beginning."""
    head = file.read(MAGIC_BYTES)
    file.seek(0)
    name, unpacker = next(form for magic, form in FORMS.items() if head.startswith(magic))
    return _Named(name, unpacker(file))


class _Named:
    """An unpacker whose errors are ours."""

    def __init__(self, name: str, inner: Unpacker) -> None:
        self._name, self._inner = name, inner

    def read1(self, count: int, /) -> bytes:
        try:
            return self._inner.read1(count)
        except EOFError:
            raise DamageError(f"the {self._name} stream ends early") from None
        except BROKEN as exc:
            raise DamageError(f"damaged {self._name}: {exc}") from exc
